"""LDAP (RFC 4511)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import BaseMessage


class LdapBind(BaseMessage, frozen=True, gc=False, tag="ldap.bind"):
    """A bind. `mechanism` is `simple`, `sicily`, or that of SASL, lower case; `credentials` are as sent."""

    message_id: int
    version: int
    name: str
    mechanism: str
    credentials: bytes = b""

    def redacted(self) -> Self:
        """Drop the credentials."""
        return msgspec.structs.replace(self, credentials=b"") if self.credentials else self


class LdapRequest(BaseMessage, frozen=True, gc=False, tag="ldap.request"):
    """Another request: `operation` is `search`, `modify`, `extended`, ...; `name` is its object, or its OID.

    The others are of a search: `scope` is `base`, `single` or `tree`, `deref_aliases` `never`, `searching`, `finding`
    or `always`; `filter` is text (RFC 4515) without the values of passwords, cut where it is long.
    """

    message_id: int
    operation: str
    name: str = ""
    scope: str = ""
    deref_aliases: str = ""
    filter: str = ""
    attributes: list[str] = msgspec.field(default_factory=list)


class LdapResult(BaseMessage, frozen=True, gc=False, tag="ldap.result"):
    """How an operation ended (RFC 4511, appendix A). Entries of a search are counted in its result."""

    message_id: int
    operation: str
    code: int
    matched_name: str = ""
    text: str = ""
    entry_count: int = 0


LdapMessage = LdapBind | LdapRequest | LdapResult
