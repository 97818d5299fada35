"""The interactsh wire, both halves against each other and against fixed entries."""

import base64
import contextlib
import json
import os
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks import HttpInteraction, OtherInteraction
from lapwing.callbacks.interactsh import (
    V1_2_4,
    V1_3_0,
    V1_3_1,
    CallError,
    CipherMode,
    Dialect,
    FetchFailure,
    Identity,
    PollReader,
    RefusedError,
    cors_headers,
    decrypt_entry,
    deregister_call,
    deregistered_reply,
    encrypt_entries,
    encrypt_entry,
    error_reply,
    evicted_reply,
    poll_call,
    poll_reply,
    preflight_reply,
    public_key_field,
    read_deregistration,
    read_poll,
    read_public_key,
    read_register_reply,
    read_registration,
    read_xid,
    register_call,
    registered_reply,
    same_secret,
    same_token,
    to_object,
    unauthorised_reply,
    unwrap_key,
    wrap_key,
    wrong_secret_reply,
)
from lapwing.callbacks.interactsh.cipher import RSA_KEY_BITS
from lapwing.events import WireError

KEY = rsa.generate_private_key(public_exponent=65537, key_size=RSA_KEY_BITS)
AES_KEY = bytes(range(32))
IV = bytes(range(0xF0, 0x100))
WRAPPED = wrap_key(AES_KEY, KEY.public_key())
UNIQUE_ID = "c6rj61aciaeutn2ae680cg5ugboyyyyyn"
IDENTITY = Identity(UNIQUE_ID[:20], "5f0c6a4e-9b1f-4d5c-8f0e-0d1c2b3a4f5e", token="open sesame")
HIT = json.dumps(
    {
        "protocol": "dns",
        "unique-id": UNIQUE_ID,
        "full-id": f"www.{UNIQUE_ID}",
        "q-type": "A",
        "remote-address": "203.0.113.7",
        "timestamp": "2026-03-10T00:00:00.123456789Z",
    }
).encode()
# How entries with this text begin under the key and IV above, by any implementation of AES.
PLAIN = b'{"protocol":"dns","unique-id":"c6rj61aciaeutn2ae680cg5ugboyyyyyn"}'
PREFIX = {
    CipherMode.CTR: "8PHy8/T19vf4+fr7/P3+/+kivf9M4u+oNQXEbmJWDWfoc1k1n0NFtAuK",
    CipherMode.CFB: "8PHy8/T19vf4+fr7/P3+/+kivf9M4u+oNQXEbmJWDWeYvGNiThcWgPP9",
}


def poll(data: object = None, extra: object = None, **more: object) -> bytes:
    return json.dumps({"data": data, "extra": extra, "aes_key": WRAPPED, **more}).encode()


def entry(plain: bytes = HIT, mode: CipherMode = CipherMode.CTR) -> str:
    return encrypt_entry(plain, aes_key=AES_KEY, iv=IV, mode=mode)


def read(body: bytes, reader: PollReader | None = None, *, status: int = 200, cut: bool = False) -> list[str]:
    batch = (reader or PollReader(KEY)).read(status, body, now_ns=1, cut=cut)
    return [interaction.unique_id for interaction in batch.interactions]


# Cipher and keys.


@pytest.mark.parametrize("mode", CipherMode)
def test_entries_are_those_of_the_wire(mode: CipherMode) -> None:
    made = encrypt_entry(PLAIN, aes_key=AES_KEY, iv=IV, mode=mode)
    assert made[: len(PREFIX[mode]) - 4] == PREFIX[mode][:-4]  # 41 bytes of plain text are those of the vectors
    assert decrypt_entry(made, aes_key=AES_KEY, mode=mode) == PLAIN


def test_the_reference_entries_decrypt_in_their_mode_alone() -> None:
    captures = os.environ.get("LAPWING_CAPTURES")
    path = Path(captures or ".").parent / "reference" / "callbacks-vectors.json"
    if not captures or not path.exists():
        pytest.skip("the reference vectors are not here")
    vectors = json.loads(path.read_text())
    key = bytes.fromhex(vectors["aes_key_hex"])
    for mode, name in ((CipherMode.CTR, "entry_ctr_b64"), (CipherMode.CFB, "entry_cfb_b64")):
        assert decrypt_entry(vectors[name], aes_key=key, mode=mode).decode() == vectors["plaintext"]
        assert (
            encrypt_entry(vectors["plaintext"].encode(), aes_key=key, iv=bytes.fromhex(vectors["iv_hex"]), mode=mode)
            == vectors[name]
        )
        with pytest.raises(WireError):
            decrypt_entry(vectors[name], aes_key=key, mode=next(other for other in CipherMode if other is not mode))
    for own_id, facts in vectors["xid"].items():
        found = read_xid(own_id)
        assert found is not None
        assert (found.machine, found.process_id, found.counter) == (facts["machine"], facts["pid"], facts["counter"])


def test_an_xid_tells_time_machine_and_process_of_its_maker() -> None:
    found = read_xid("c6rj61aciaeutn2ae680")
    assert found is not None
    assert (found.time_s, found.machine, found.process_id, found.counter) == (1639396101, "4c929d", 61148, 4878736)
    assert read_xid("c6rj61aciaeutn2ae68") is None
    assert read_xid("c6rj61aciaeutn2ae68z") is None
    assert read_xid("c6rj61aciaeutn2ae681") is None  # bits below the twelfth byte


@given(st.binary(min_size=1, max_size=300), st.sampled_from(CipherMode))
def test_whatever_was_encrypted_decrypts_or_is_refused(plain: bytes, mode: CipherMode) -> None:
    with contextlib.suppress(WireError):
        assert decrypt_entry(entry(plain, mode), aes_key=AES_KEY, mode=mode) == plain.strip(b' "\t\r\n\0')
    wrapped = msgspec.json.encode({"plain": plain})
    assert decrypt_entry(entry(wrapped + b"\n", mode), aes_key=AES_KEY, mode=mode) == wrapped


@pytest.mark.parametrize("label", ["RSA PUBLIC KEY", "PUBLIC KEY", "anything"])
def test_a_public_key_is_read_whatever_its_label(label: str) -> None:
    pem = base64.b64decode(public_key_field(KEY)).replace(b"PUBLIC KEY", label.encode())
    assert read_public_key(base64.b64encode(pem).decode()) == KEY.public_key()
    pkcs1 = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
    assert read_public_key(base64.b64encode(pkcs1).decode()) == KEY.public_key()


def test_what_is_no_rsa_key_is_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for pem in (curve.public_bytes(*spki), b"", b"-----BEGIN X-----\n-----END X-----", b"\xff\xfe"):
        with pytest.raises(WireError):
            read_public_key(base64.b64encode(pem).decode())
    for field in ("not base64!", "A" * 20_000):
        with pytest.raises(WireError):
            read_public_key(field)


def test_the_session_key_is_for_its_registration_only() -> None:
    assert unwrap_key(WRAPPED, KEY) == AES_KEY
    other = rsa.generate_private_key(public_exponent=65537, key_size=RSA_KEY_BITS)
    for key, field in ((other, WRAPPED), (KEY, "AAAA"), (KEY, "no!"), (KEY, wrap_key(b"short", KEY.public_key()))):
        with pytest.raises(WireError):
            unwrap_key(field, key)


# The client reads.


@pytest.mark.parametrize("empty", [None, []])
def test_an_empty_poll_is_no_error(empty: object) -> None:
    assert read(poll(empty, empty, tlddata=empty)) == []
    assert read(b'{"aes_key":null}') == []


@pytest.mark.parametrize("mode", CipherMode)
@pytest.mark.parametrize("end", [b"", b"\n", b'"\r\n'])
def test_both_generations_are_read_and_the_mode_is_remembered(mode: CipherMode, end: bytes) -> None:
    reader = PollReader(KEY)
    assert read(poll([entry(HIT + end, mode)] * 2), reader) == [UNIQUE_ID] * 2
    assert reader.mode is mode


def test_a_server_that_changes_its_generation_is_still_read() -> None:
    reader = PollReader(KEY)
    for mode in (CipherMode.CFB, CipherMode.CTR, CipherMode.CFB):
        assert read(poll([entry(mode=mode)]), reader) == [UNIQUE_ID]


def test_all_three_buckets_are_read() -> None:
    shared = HIT.replace(UNIQUE_ID.encode(), b"")
    batch = PollReader(KEY).read(200, poll([entry()], [shared.decode()], tlddata=[HIT.decode()]), now_ns=1)
    assert [len(batch.interactions), len(batch.shared)] == [1, 2]
    assert batch.shared[0].unique_id == ""


def test_one_bad_entry_costs_itself_only() -> None:
    own = [
        "not base64!",
        7,
        entry(b"{no json"),
        entry(b'{"protocol":"dns"}'),  # no id
        entry(b'{"unique-id":"x"}'),  # no protocol
        entry(),
        entry(b'{"protocol":"dns","unique-id":"x","timestamp":"yesterday"}'),
    ]
    batch = PollReader(KEY).read(200, poll(own, ["{", None, HIT.decode()]), now_ns=1)
    assert [hit.unique_id for hit in batch.interactions] == [UNIQUE_ID]
    assert (batch.undecryptable_count, batch.dropped_count, len(batch.shared)) == (3, 5, 1)


def test_entries_without_a_key_of_ours_are_undecryptable() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=RSA_KEY_BITS)
    assert PollReader(other).read(200, poll([entry()]), now_ns=1).undecryptable_count == 1
    assert PollReader(KEY).read(200, json.dumps({"data": [entry()]}).encode(), now_ns=1).undecryptable_count == 1


def test_a_new_session_key_is_taken() -> None:
    reader = PollReader(KEY)
    read(poll([entry()]), reader)
    new_key = bytes(32)
    body = {"data": [encrypt_entry(HIT, aes_key=new_key, iv=IV)], "aes_key": wrap_key(new_key, KEY.public_key())}
    assert read(json.dumps(body).encode(), reader) == [UNIQUE_ID]


def test_what_fits_of_an_answer_past_the_bound_is_read() -> None:
    reader = PollReader(KEY)
    read(poll(), reader)
    body = poll([entry()] * 3)
    batch = reader.read(200, body[: len(body) - len(WRAPPED) - 40], now_ns=1, cut=True)
    assert batch.cut
    assert len(batch.interactions) == 2


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(lambda x: poll(x, x)))
def test_any_answer_is_a_batch_or_a_call_error(body: bytes) -> None:
    reader = PollReader(KEY)
    for cut in (False, True):
        with contextlib.suppress(CallError):
            assert reader.read(200, body, now_ns=0, cut=cut).interactions == []


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (401, b"", FetchFailure.UNAUTHORISED),
        (429, b"", FetchFailure.THROTTLED),
        (404, b"", FetchFailure.EVICTED),
        (410, b"", FetchFailure.EVICTED),
        (500, b"<html>", FetchFailure.STATUS),
        (302, b"", FetchFailure.STATUS),
        (400, b'{"error":"could not get interactions: could not get correlation-id from cache"}', FetchFailure.EVICTED),
        (400, evicted_reply(V1_3_1).body, FetchFailure.EVICTED),
        (400, evicted_reply(V1_2_4).body, FetchFailure.EVICTED),
        (400, wrong_secret_reply().body, FetchFailure.UNAUTHORISED),
        (400, error_reply("no id specified for poll").body, FetchFailure.STATUS),
    ],
)
def test_refusals_are_told_apart(status: int, body: bytes, failure: FetchFailure) -> None:
    with pytest.raises(CallError) as caught:
        read(body, status=status)
    assert caught.value.failure is failure
    with pytest.raises(CallError):
        read_register_reply(status, body)


def test_error_texts_hold_no_address_and_little_foreign_text() -> None:
    text = str(CallError(FetchFailure.STATUS, "x\r\n\x1b[31m" + "y" * 10_000))
    assert text.startswith("status (url redacted): x [31myyy")
    assert len(text) < 300
    assert str(CallError(FetchFailure.TIMEOUT)) == "timeout (url redacted)"
    assert IDENTITY.secret not in repr(IDENTITY)
    assert IDENTITY.token is not None
    assert IDENTITY.token not in repr(IDENTITY)


def test_only_what_was_never_sent_or_answered_in_words_lost_nothing() -> None:
    assert {failure for failure in FetchFailure if not failure.may_have_lost} == {
        FetchFailure.CONNECT,
        FetchFailure.THROTTLED,
        FetchFailure.UNAUTHORISED,
    }


def test_a_registration_counts_when_its_message_says_so() -> None:
    assert read_register_reply(200, registered_reply().body) == {}
    assert read_register_reply(200, registered_reply({"events": "/v1/events"}).body) == {"events": "/v1/events"}
    for body in (b"", b"[]", b"{}", b'{"message":"hello"}', b'{"error":"no"}'):
        with pytest.raises(CallError) as caught:
            read_register_reply(200, body)
        assert caught.value.failure is FetchFailure.DECODE


# The client asks, the collector reads.


def test_the_collector_reads_what_the_client_sends() -> None:
    call = register_call(IDENTITY, KEY)
    assert (call.method, call.path) == ("POST", "/register")
    assert call.headers == (("Content-Type", "application/json"), ("Authorization", "open sesame"))
    assert list(json.loads(call.body)) == ["public-key", "secret-key", "correlation-id"]
    registration = read_registration(call.body)
    assert registration == (IDENTITY.correlation_id, IDENTITY.secret, KEY.public_key())
    asked = poll_call(IDENTITY)
    assert asked.headers == (("Authorization", "open sesame"),)
    assert read_poll(asked.path.partition("?")[2]) == (IDENTITY.correlation_id, IDENTITY.secret)
    assert read_deregistration(deregister_call(IDENTITY).body) == (IDENTITY.correlation_id, IDENTITY.secret)
    assert poll_call(Identity("abc", "s")).headers == ()


@pytest.mark.parametrize("dialect", [V1_2_4, V1_3_0, V1_3_1, Dialect(newline=True, mode=CipherMode.CFB)])
def test_the_client_reads_what_the_collector_answers(dialect: Dialect) -> None:
    hit = PollReader(KEY).read(200, poll([entry()]), now_ns=1).interactions[0]
    entries = encrypt_entries([to_object(hit, dialect)] * 2, aes_key=AES_KEY, entropy=bytes(32), dialect=dialect)
    reply = poll_reply(entries, aes_key_field=WRAPPED, extra=[HIT.decode()])
    assert read(reply.body) == [UNIQUE_ID] * 2
    with pytest.raises(ValueError, match="entropy"):
        encrypt_entries([b"{}"], aes_key=AES_KEY, entropy=b"", dialect=dialect)


def test_empty_buckets_are_null_and_the_key_is_always_there() -> None:
    assert poll_reply([], aes_key_field="K").body == b'{"data":null,"extra":null,"aes_key":"K"}\n'
    assert b'"tlddata":["x"]' in poll_reply([], aes_key_field="K", tlddata=["x"]).body


def test_answers_have_interactshs_words() -> None:
    assert registered_reply().body == b'{"message":"registration successful"}\n'
    assert deregistered_reply().body == b'{"message":"deregistration successful"}\n'
    assert evicted_reply(V1_3_1).body == (
        b'{"error":"could not get interactions: cause=\\"could not get correlation-id from cache\\""}\n'
    )
    assert evicted_reply(V1_2_4, deregistering=True).body == (
        b'{"error":"could not remove id: could not get correlation-id from cache"}\n'
    )
    assert wrong_secret_reply(deregistering=True).body == (
        b'{"error":"could not remove id: invalid secret key passed for deregister"}\n'
    )
    assert (unauthorised_reply(), preflight_reply().status) == ((401, b"", ()), 204)
    assert dict(cors_headers())["Access-Control-Allow-Headers"] == "Content-Type, Authorization"
    assert dict(registered_reply().headers)["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "could not decode json body: "),
        (b'{"public-key":"x","secret-key":"s"}', "could not decode json body: "),
        (b'{"public-key":"x","secret-key":"","correlation-id":"abc"}', "secret-key"),
        (b'{"public-key":"x","secret-key":"s","correlation-id":"a b"}', "could not set id and public key: "),
        (b'{"public-key":"eA==","secret-key":"s","correlation-id":"abc"}', "could not read public Key: "),
        (b" " * 70_000, "too large"),
    ],
)
def test_a_bad_registration_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        read_registration(body)
    assert words in json.loads(caught.value.reply.body)["error"]
    assert caught.value.reply.status in {400, 413}


@pytest.mark.parametrize(
    ("query", "words"),
    [("", "no id specified for poll"), ("id=x", "no secret specified for poll"), ("&" * 90, "no id")],
)
def test_a_bad_poll_is_refused_in_words(query: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        read_poll(query)


@given(st.binary(max_size=100), st.text(max_size=100))
def test_any_request_is_read_or_refused(body: bytes, query: str) -> None:
    for parse in (read_registration, read_deregistration):
        with pytest.raises(RefusedError):
            parse(body)
    with contextlib.suppress(RefusedError):
        assert all(read_poll(query))


def test_secrets_ignore_letter_case_and_tokens_do_not() -> None:
    assert same_secret("ABC-é", "abc-é")
    assert not same_secret("abd", "abc")
    assert same_token("Open", "Open")
    assert not same_token("open", "Open")
    assert not same_token(None, "Open")


# One interaction as a JSON object.


def test_https_is_http_over_tls_both_ways() -> None:
    hit = json.dumps({"protocol": "https", "unique-id": UNIQUE_ID, "remote-address": "2001:db8::9"}).encode()
    (found,) = PollReader(KEY).read(200, poll([entry(hit)]), now_ns=42).interactions
    assert isinstance(found, HttpInteraction)
    assert (found.peer.tls, found.peer.client_ip, found.ts_ns) == (True, "2001:db8::9", 42)
    assert json.loads(to_object(found))["protocol"] == "https"
    assert json.loads(to_object(found, V1_3_0))["protocol"] == "http"


def test_an_unknown_protocol_keeps_its_name() -> None:
    hit = {"protocol": "responder", "unique-id": "", "raw-request": "hash", "remote-address": "", "asninfo": [1]}
    (found,) = PollReader(KEY).read(200, poll(None, [json.dumps(hit)]), now_ns=0).shared
    assert isinstance(found, OtherInteraction)
    assert (found.name, found.raw_request) == ("responder", b"hash")
