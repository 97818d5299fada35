"""What is named as limits of what strangers send to the collector holds at the number and not beside it."""

import base64
import json

import dns.message
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lapwing.callbacks.interaction import MAX_TURNS, Transcript
from lapwing.callbacks.interactsh import (
    MAX_POLL_BYTES,
    CallError,
    CipherMode,
    PollReader,
    RefusedError,
    encrypt_entry,
    read_deregistration,
    read_poll,
    read_public_key,
    wrap_key,
)
from lapwing.callbacks.interactsh.cipher import MAX_PUBLIC_KEY_BYTES, MAX_RSA_KEY_BITS, public_key_text
from lapwing.callbacks.interactsh.client import MAX_ENTRIES
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


KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
AES_KEY = bytes(range(32))
UNIQUE_ID = "c6rj61aciaeutn2ae680cg5ugboyyyyyn"
HIT = json.dumps({"protocol": "dns", "unique-id": UNIQUE_ID, "remote-address": "203.0.113.7"})


def poll(**buckets: list[object]) -> bytes:
    return json.dumps({"aes_key": wrap_key(AES_KEY, KEY.public_key()), **buckets}).encode()


def entry() -> str:
    return encrypt_entry(HIT.encode(), aes_key=AES_KEY, iv=bytes(16), mode=CipherMode.CTR)


@AT_AND_BESIDE
def test_an_answer_to_a_poll_has_so_many_bytes_and_what_fits_of_a_longer_one_is_read(beyond: int) -> None:
    body = poll(data=[entry(), entry()], extra=[HIT])
    reader = PollReader(KEY)
    assert len(reader.read(200, body, now_ns=1).interactions) == 2
    batch = reader.read(200, body.ljust(MAX_POLL_BYTES + beyond), now_ns=1)
    assert ([one.unique_id for one in batch.interactions], batch.cut) == ([UNIQUE_ID] * 2, bool(beyond))
    assert len(batch.shared) == (not beyond)


@AT_AND_BESIDE
@pytest.mark.parametrize("noise", [1, "", None, 'noise, "and, more" \\ of it', [], {}])
def test_an_answer_to_a_poll_has_so_many_entries_in_all_buckets_and_the_first_of_its_own_are_read_of_more(
    beyond: int, noise: object
) -> None:
    third = [noise] * (MAX_ENTRIES // 3)
    more = [noise] * (MAX_ENTRIES - 2 - 2 * len(third) + beyond)
    batch = PollReader(KEY).read(200, poll(data=[entry(), *third], extra=[HIT, *third], tlddata=more), now_ns=1)
    assert ([one.unique_id for one in batch.interactions], batch.cut) == ([UNIQUE_ID], bool(beyond))
    if not beyond:
        assert len(batch.shared) == 1
        assert batch.undecryptable_count == len(third)
        assert batch.dropped_count == MAX_ENTRIES - 2 - len(third)


def test_of_an_answer_with_too_many_entries_of_its_own_the_first_are_looked_at_and_the_loss_is_told() -> None:
    body = json.dumps({"data": ["A" * 24] * (MAX_ENTRIES + 1)}).encode()  # and no key for them
    batch = PollReader(KEY).read(200, body, now_ns=1)
    assert (batch.interactions, batch.undecryptable_count, batch.cut) == ([], MAX_ENTRIES, True)


@pytest.mark.parametrize("data", [5, "text", {"a": 1}, True])
def test_a_bucket_that_is_no_list_makes_no_answer(data: object) -> None:
    with pytest.raises(CallError, match="a poll answer is one JSON object"):
        PollReader(KEY).read(200, json.dumps({"data": data}).encode(), now_ns=1)
