"""Fuzz target: two sides of LDAP, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.ldap import LdapParser
from tests.protocols.ldap_bytes import entry, result, sasl_bind, search, simple_bind, start_tls

C, S = Side.CLIENT, Side.SERVER
SEEDS = (
    script((C, simple_bind(1, "cn=a", "b")), (S, result(1, 49))),
    script((C, sasl_bind(1, "PLAIN", b"\0a\0b") + search(2, "dc=a")), (S, result(1, 0) + entry(2, "cn=a"))),
    script((C, start_tls(1)), (S, result(1, 0, tag=0x78))),
)


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("ldap", LdapParser, data)
