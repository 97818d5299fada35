"""What is named as limits of what strangers send to the collector holds at the number and not beside it."""

import base64
import json

import dns.message
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lapwing.callbacks.interaction import MAX_TURNS, Transcript
from lapwing.callbacks.interactsh import RefusedError, read_deregistration, read_poll, read_public_key
from lapwing.callbacks.interactsh.cipher import MAX_PUBLIC_KEY_BYTES, MAX_RSA_KEY_BITS, public_key_text
from lapwing.callbacks.interactsh.server import MAX_REQUEST_BYTES, MAX_SECRET_CHARS
from lapwing.callbacks.responders import DnsResponder, HttpSite, Send
from lapwing.callbacks.responders.dns import MAX_ADDITIONAL
from lapwing.callbacks.responders.http_answers import (
    MAX_BODY_BYTES,
    MAX_DELAY_S,
    MAX_FIELD_CHARS,
    MAX_QUERY_FIELDS,
    Asked,
    answer_to,
)
from lapwing.events import Side, WireError
from tests.callbacks.playbook import PEER
from tests.callbacks.test_dns_listener import ZONE

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
SITE = HttpSite(domain="oast.example.com", dynamic=True)


def leaving(secret: str = "s") -> bytes:
    return json.dumps({"correlation-id": "c" * 20, "secret-key": secret}).encode()


@AT_AND_BESIDE
def test_a_request_to_the_collector_has_so_many_bytes(beyond: int) -> None:
    body = leaving().ljust(MAX_REQUEST_BYTES + beyond)
    if beyond:
        with pytest.raises(RefusedError, match="request too large"):
            read_deregistration(body)
    else:
        assert read_deregistration(body).secret == "s"


@AT_AND_BESIDE
def test_the_query_of_a_poll_is_read_so_far(beyond: int) -> None:
    end = "&id=abc&secret=s"
    query = end.rjust(MAX_REQUEST_BYTES + beyond, "x")
    if beyond:
        with pytest.raises(RefusedError, match="no secret"):
            read_poll(query)
    else:
        assert read_poll(query).secret == "s"


@AT_AND_BESIDE
def test_a_secret_has_so_many_letters(beyond: int) -> None:
    body = leaving("s" * (MAX_SECRET_CHARS + beyond))
    if beyond:
        with pytest.raises(RefusedError, match=f"1 to {MAX_SECRET_CHARS} characters"):
            read_deregistration(body)
    else:
        assert len(read_deregistration(body).secret) == MAX_SECRET_CHARS


@AT_AND_BESIDE
def test_a_key_has_so_many_bits(beyond: int) -> None:
    modulus = 1 << (MAX_RSA_KEY_BITS - 1 + beyond) | 1
    field = public_key_text(rsa.RSAPublicNumbers(65_537, modulus).public_key())
    if beyond:
        with pytest.raises(WireError, match="not an RSA key of a usable size"):
            read_public_key(field)
    else:
        assert read_public_key(field).key_size == MAX_RSA_KEY_BITS


@AT_AND_BESIDE
def test_the_text_of_a_key_has_so_many_bytes(beyond: int) -> None:
    key = rsa.RSAPublicNumbers(65_537, 1 << 2_047 | 1).public_key()
    pem = base64.b64decode(public_key_text(key)).ljust(MAX_PUBLIC_KEY_BYTES // 4 * 3 + beyond, b"\n")
    field = base64.b64encode(pem).decode()
    if beyond:
        with pytest.raises(WireError, match="public key too long"):
            read_public_key(field)
    else:
        assert len(field) == MAX_PUBLIC_KEY_BYTES
        assert read_public_key(field).key_size == 2_048


@AT_AND_BESIDE
def test_so_many_turns_of_a_conversation_are_kept_and_none_behind_one_left_out(beyond: int) -> None:
    kept = Transcript()
    for turn in range(MAX_TURNS + beyond):
        kept.add(Side.SERVER if turn % 2 else Side.CLIENT, b"%d " % turn)
    last = Side.SERVER if (MAX_TURNS - 1) % 2 else Side.CLIENT
    kept.add(last, b"more")
    turns = kept.turns()
    assert len(turns) == MAX_TURNS
    assert turns[-1].data == b"%d " % (MAX_TURNS - 1) + (b"" if beyond else b"more")


def asked(query: str) -> Asked:
    return Asked("GET", "/x", query, "www.example.com")


@AT_AND_BESIDE
def test_a_query_that_makes_an_answer_has_so_many_fields(beyond: int) -> None:
    found = answer_to(asked("&".join(["x=1"] * (MAX_QUERY_FIELDS - 1 + beyond) + ["status=404"])), SITE)
    assert found.status == (200 if beyond else 404)


@AT_AND_BESIDE
def test_what_a_query_makes_of_an_answer_is_bounded(beyond: int) -> None:
    body, field = "b" * (MAX_BODY_BYTES + beyond), "f" * (MAX_FIELD_CHARS + beyond)
    found = answer_to(asked(f"body={body}&header=X-Long:{field}&delay={int(MAX_DELAY_S) + beyond}"), SITE)
    assert (len(found.body), found.delay_s) == (MAX_BODY_BYTES, MAX_DELAY_S)
    assert len(dict(found.headers)["X-Long"]) == MAX_FIELD_CHARS


@AT_AND_BESIDE
def test_so_many_records_of_a_question_are_looked_at_for_edns(beyond: int) -> None:
    other, opt = b"\0\0\1\0\1" + bytes(6), b"\0\0\x29\x04\xd0" + bytes(6)
    count = MAX_ADDITIONAL + beyond
    head = b"\0\7\1\0\0\1" + bytes(4) + count.to_bytes(2, "big")
    query = head + b"\1x\4oast\7example\3com\0\0\1\0\1" + other * (count - 1) + opt
    _, sent = DnsResponder(ZONE).answer(query, PEER, 7, transport="tcp")
    assert isinstance(sent, Send)
    assert dns.message.from_wire(sent.data).edns == (-1 if beyond else 0)
