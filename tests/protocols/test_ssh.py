"""SSH: identification, KEXINIT, HASSH, and login outcomes from sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Outcome, Side
from lapwing.events.messages import SshAuthInferred, SshBanner, SshKexInit
from lapwing.protocols.contract import Match
from lapwing.protocols.ssh import SshParser
from lapwing.protocols.ssh.clear import MAX_BANNER_BYTES, MAX_KEXINIT_BYTES, MAX_PREAMBLE_BYTES
from lapwing.protocols.ssh.kexinit import MAX_REMEMBERED_BYTES, offer_of, read_offer
from lapwing.protocols.ssh.parser import probe
from lapwing.protocols.ssh.sizes import Framing
from tests.protocols import ssh_bytes as ssh
from tests.protocols.playbook import SIZES, Step, any_steps, client, closes, cut, lost, play, server

ENDS = [closes(Side.CLIENT), closes(Side.SERVER)]
FAILED, SUCCEEDED, UNKNOWN = Outcome.FAILED, Outcome.SUCCEEDED, Outcome.UNKNOWN
ways = pytest.mark.parametrize("way", list(ssh.WAYS), ids=lambda way: way[0])


def outcomes(*steps: Step) -> list[tuple[Outcome, str]]:
    """What was inferred, with mechanisms; counts must run from 1."""
    found = [message for message in play(SshParser(), *steps) if isinstance(message, SshAuthInferred)]
    assert [message.attempt_count for message in found] == list(range(1, len(found) + 1))
    assert all(0 < message.confidence < 1 and message.detail for message in found)
    return [(message.outcome, message.mechanism) for message in found]


def test_identification_and_algorithms_of_both_sides_are_told() -> None:
    messages = play(SshParser(), *ssh.opening())
    assert messages[0] == SshBanner("SSH-2.0-OpenSSH_9.2p1 Debian-2")
    assert messages[2] == SshBanner("SSH-2.0-OpenSSH_9.2p1")
    offer = messages[1]
    assert isinstance(offer, SshKexInit)
    assert (offer.kex_algorithms, offer.macs_client_to_server) == (["curve25519-sha256"], ["hmac-sha2-256"])
    assert len(messages) == 4


def test_hassh_of_a_published_example_is_the_published_one() -> None:
    # Cyberduck 6.7.1 in the description of HASSH.
    key_exchange = (
        "curve25519-sha256@libssh.org,diffie-hellman-group-exchange-sha256,ecdh-sha2-nistp521,ecdh-sha2-nistp384,"
        "ecdh-sha2-nistp256,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,"
        "diffie-hellman-group14-sha256,diffie-hellman-group15-sha512,diffie-hellman-group16-sha512,"
        "diffie-hellman-group17-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256@ssh.com,"
        "diffie-hellman-group15-sha256,diffie-hellman-group15-sha256@ssh.com,diffie-hellman-group15-sha384@ssh.com,"
        "diffie-hellman-group16-sha256,diffie-hellman-group16-sha384@ssh.com,diffie-hellman-group16-sha512@ssh.com,"
        "diffie-hellman-group18-sha512@ssh.com"
    )
    ciphers = (
        "aes128-cbc,aes128-ctr,aes192-cbc,aes192-ctr,aes256-cbc,aes256-ctr,blowfish-cbc,blowfish-ctr,cast128-cbc,"
        "cast128-ctr,idea-cbc,idea-ctr,serpent128-cbc,serpent128-ctr,serpent192-cbc,serpent192-ctr,serpent256-cbc,"
        "serpent256-ctr,3des-cbc,3des-ctr,twofish128-cbc,twofish128-ctr,twofish192-cbc,twofish192-ctr,twofish256-cbc,"
        "twofish256-ctr,twofish-cbc,arcfour,arcfour128,arcfour256"
    )
    macs = "hmac-sha1,hmac-sha1-96,hmac-md5,hmac-md5-96,hmac-sha2-256,hmac-sha2-512"
    compression = "zlib@openssh.com,zlib,none"
    other = "x"
    payload = ssh.kexinit_payload(key_exchange, other, ciphers, other, macs, other, compression, other, other, other)
    assert read_offer(offer_of(payload), of_client=True).hassh == "8a8ae540028bf433cd68356c1b9e8d5b"
    mirrored = ssh.kexinit_payload(key_exchange, other, other, ciphers, other, macs, other, compression)
    assert read_offer(offer_of(mirrored), of_client=False).hassh == "8a8ae540028bf433cd68356c1b9e8d5b"


def test_an_offer_is_told_the_same_whatever_its_cookie_and_however_long_it_is() -> None:
    one, other = (
        offer_of(ssh.kexinit_payload(*["a,b"] * 10)[:1] + cookie * 16 + ssh.kexinit_payload(*["a,b"] * 10)[17:])
        for cookie in (b"b", b"c")
    )
    told = read_offer(one, of_client=True)
    assert told == read_offer(other, of_client=True)
    assert told == read_offer(one + bytes(MAX_REMEMBERED_BYTES), of_client=True)


def test_lines_before_a_servers_identification_are_passed_over() -> None:
    messages = play(SshParser(), server(b"Welcome\r\nto example.com\nSSH-2.0-x\n"), client(b"SSH-2.0-y\r\n"))
    assert messages == [SshBanner("SSH-2.0-x"), SshBanner("SSH-2.0-y")]


@pytest.mark.parametrize(
    "step",
    [
        client(b"hello\r\n"),
        client(b"SSX"),
        server(b"x" * (MAX_PREAMBLE_BYTES + 1)),
        server(b"x\n" * MAX_PREAMBLE_BYTES),
        client(b"SSH-2.0-x\r\n\xff\xff\xff\xff\0\0"),
        client(b"SSH-2.0-x\r\n" + (MAX_KEXINIT_BYTES + 1).to_bytes(4, "big") + b"\4\x14"),
        client(b"SSH-2.0-x\r\n" + ssh.binary_packet(b"\x14" + bytes(16) + b"\0\0\xff\xff" + bytes(40))),
        client(b"SSH-2.0-x\r\n" + ssh.binary_packet(b"\x14")),
    ],
)
def test_what_is_not_ssh_is_given_up_with_a_reason(step: Step) -> None:
    parser = SshParser()
    play(parser, step)
    assert parser.poisoned


def test_version_1_is_named_and_left_alone() -> None:
    parser = SshParser()
    messages = play(parser, server(b"SSH-1.99-x\n"), client(b"SSH-1.5-y\n\0\0\0"), server(b"\xff" * 20))
    assert messages == [SshBanner("SSH-1.99-x"), SshBanner("SSH-1.5-y")]
    assert parser.done


def test_a_long_identification_is_cut() -> None:
    (banner,) = play(SshParser(), client(b"SSH-2.0-" + b"x" * 5000 + b"\r\n"))
    assert isinstance(banner, SshBanner)
    assert len(banner.banner) == MAX_BANNER_BYTES


@ways
def test_each_refused_password_is_one_failure(way: tuple[str, str]) -> None:
    guesses = [(ssh.password(8),), (ssh.FAILURE,)] * 5
    steps = ssh.session(way, (ssh.NONE,), (ssh.FAILURE,), *guesses, (ssh.password(9),), (ssh.TOO_MANY,))
    assert outcomes(*steps, *ENDS) == [(FAILED, "password")] * 6


@ways
def test_a_password_accepted_after_a_typo_is_a_failure_and_a_success(way: tuple[str, str]) -> None:
    typo = [(ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),), (ssh.FAILURE,)]
    steps = ssh.session(way, *typo, (ssh.password(9),), (ssh.SUCCESS,), (ssh.CHANNEL_OPEN,))
    parser = SshParser()
    play(parser, *steps)
    assert parser.done, "what follows a login is not read"
    assert outcomes(*steps) == [(FAILED, "password"), (SUCCEEDED, "password")]


@ways
def test_a_key_that_is_asked_for_and_proved_is_a_success(way: tuple[str, str]) -> None:
    offer = [(ssh.NONE,), (ssh.FAILURE,), (ssh.KEY_OFFER,), (ssh.FAILURE,), (ssh.KEY_OFFER,), (ssh.KEY_ACCEPTED,)]
    steps = ssh.session(way, *offer, (ssh.SIGNED,), (ssh.SUCCESS,), (ssh.CHANNEL_OPEN,))
    assert outcomes(*steps) == [(FAILED, "publickey"), (SUCCEEDED, "publickey")]


@ways
def test_success_is_seen_when_other_packets_come_with_it(way: tuple[str, str]) -> None:
    steps = ssh.session(
        way, (ssh.NONE,), (ssh.FAILURE,), (ssh.SIGNED,), (ssh.SUCCESS, 600), (34, ssh.CHANNEL_OPEN), (17,)
    )
    assert [outcome for outcome, _ in outcomes(*steps)] == [SUCCEEDED]


@ways
def test_a_failure_that_comes_with_an_extension_list_is_no_attempt_after_none(way: tuple[str, str]) -> None:
    steps = ssh.session(way, (ssh.NONE,), (ssh.EXTENSIONS, ssh.FAILURE), (ssh.password(8),), (ssh.FAILURE,))
    assert outcomes(*steps, *ENDS) == [(FAILED, "password")]


@ways
def test_a_session_that_only_asks_for_the_methods_is_no_attempt(way: tuple[str, str]) -> None:
    assert outcomes(*ssh.session(way, (ssh.NONE,), (ssh.FAILURE,)), *ENDS) == []


def test_a_client_that_asks_for_the_methods_before_each_guess_makes_one_attempt_each() -> None:
    turns = [(ssh.NONE,), (ssh.FAILURE,), (ssh.password(12),), (ssh.FAILURE,)] * 3
    steps = ssh.session(ssh.CHACHA, *turns, (ssh.NONE,), (ssh.TOO_MANY,), software="tool_1.0")
    assert outcomes(*steps, *ENDS) == [(FAILED, "password")] * 3


def test_a_client_that_guesses_at_once_is_counted_from_its_first_guess() -> None:
    turns = [(ssh.password(70),), (ssh.FAILURE,)] * 3
    assert len(outcomes(*ssh.session(ssh.CHACHA, *turns, software="tool_1.0"), *ENDS)) == 3


def test_equal_first_requests_of_an_unknown_client_are_guesses() -> None:
    turns = [(ssh.password(12),), (ssh.FAILURE,)] * 3
    steps = ssh.session(ssh.CHACHA, *turns, software="paramiko_3.4.0")
    assert outcomes(*steps, *ENDS) == [(FAILED, "password")] * 3


def test_one_request_that_may_have_been_without_credentials_stays_unknown() -> None:
    steps = ssh.session(ssh.CHACHA, (ssh.password(12),), (ssh.FAILURE,), software="paramiko_3.4.0")
    assert outcomes(*steps, *ENDS) == [(UNKNOWN, "password")]


def test_a_guess_without_an_answer_stays_unknown() -> None:
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),))
    assert outcomes(*steps, closes(Side.SERVER, "rst"), closes(Side.CLIENT, "rst")) == [(UNKNOWN, "password")]


def test_a_server_that_ends_the_session_after_a_guess_has_refused_it() -> None:
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),), (70,))
    assert outcomes(*steps, closes(Side.SERVER), closes(Side.CLIENT)) == [(FAILED, "password")]
    assert outcomes(*steps, closes(Side.CLIENT), closes(Side.SERVER)) == [(UNKNOWN, "password")]


def test_a_session_that_goes_on_and_on_was_let_in() -> None:
    turns = [(ssh.SIGNED,), (ssh.SUCCESS, 600), *[(100,), (9000,)] * 5]
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), *turns)
    assert [outcome for outcome, _ in outcomes(*steps)] == [SUCCEEDED]


def test_an_answer_that_was_not_captured_counts_by_its_size() -> None:
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),))
    failure = ssh.WAYS[ssh.CHACHA].packet_bytes(ssh.FAILURE)
    assert outcomes(*steps, lost(Side.SERVER, failure), *ENDS) == [(FAILED, "password")]


def test_a_gap_before_encryption_ends_reading_unless_nobody_reads_there() -> None:
    steps = ssh.opening()
    harmless = SshParser()
    init = ssh.kexinit(*ssh.CHACHA)
    exchange = ssh.binary_packet(b"\x1e" + bytes(36))
    play(harmless, steps[0], client(b"SSH-2.0-y\r\n" + init + exchange[:10]), lost(Side.CLIENT, len(exchange) - 10))
    play(harmless, client(ssh.NEWKEYS))
    assert not harmless.done
    parser = SshParser()
    play(parser, steps[0], lost(Side.CLIENT, 100), client(b"\0" * 50), lost(Side.SERVER, 5))
    assert parser.done
    assert parser.poisoned is None


def test_nothing_is_inferred_where_compression_hides_sizes() -> None:
    parser = SshParser()
    play(parser, *ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.SUCCESS,), compression="zlib"))
    assert parser.done
    assert outcomes(*ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.SUCCESS,), compression="zlib")) == []


@pytest.mark.parametrize(
    ("way", "payload", "size"),
    [
        (Framing(8, 16, clear_length=False, covers_length=False), ssh.SUCCESS, 28),
        (Framing(8, 16, clear_length=False, covers_length=False), ssh.SERVICE, 44),
        (Framing(16, 20, clear_length=False, covers_length=True), ssh.SERVICE, 52),
        (Framing(16, 16, clear_length=True, covers_length=False), ssh.SUCCESS, 36),
    ],
)
def test_sizes_are_those_seen_on_the_wire(way: Framing, payload: int, size: int) -> None:
    assert way.packet_bytes(payload) == size
    least, most = way.payload_range(size)
    assert least <= payload <= most


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.CLIENT, b"", Match.MORE),
        (Side.CLIENT, b"SS", Match.MORE),
        (Side.CLIENT, b"SSH-2.0-x", Match.YES),
        (Side.CLIENT, b"Welcome\r\nSSH-", Match.NO),
        (Side.SERVER, b"Welcome\r\nSSH-2.0", Match.YES),
        (Side.SERVER, b"Welcome\r\n", Match.MORE),
        (Side.SERVER, b"\x16\x03\x01", Match.NO),
    ],
)
def test_content_tells_ssh_from_others(side: Side, head: bytes, match: Match) -> None:
    assert probe(side, head) is match


@given(st.sampled_from(list(ssh.WAYS)), SIZES)
def test_any_split_of_a_session_gives_the_same_messages(way: tuple[str, str], sizes: list[int]) -> None:
    turns = [
        (ssh.NONE,),
        (300, ssh.FAILURE),
        (ssh.password(8),),
        (ssh.FAILURE,),
        (ssh.SIGNED,),
        (ssh.SUCCESS, 90),
        (24,),
    ]
    steps = ssh.session(way, *turns)
    assert play(SshParser(), *cut(steps, sizes)) == play(SshParser(), *steps)


PIECES = [
    b"SSH-2.0-x\r\n",
    b"SSH-1.5-x\n",
    ssh.kexinit(*ssh.CHACHA),
    ssh.kexinit(*ssh.GCM),
    ssh.NEWKEYS,
    b"\0\0\0\4",
    b"\n",
]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join))


@given(any_steps(BYTES), SIZES)
def test_any_bytes_give_messages_and_never_an_error_however_split(steps: list[Step], sizes: list[int]) -> None:
    whole, pieces = SshParser(), SshParser()
    assert play(whole, *steps) == play(pieces, *cut(steps, sizes))
    assert (whole.poisoned, whole.done) == (pieces.poisoned, pieces.done)


def test_endless_packets_are_not_held() -> None:
    parser = SshParser()
    play(parser, client(b"SSH-2.0-x\r\n" + (200_000).to_bytes(4, "big") + b"\4\x1e"))
    for _ in range(40):
        play(parser, client(bytes(4000)))
        assert parser.held_bytes <= 4096
    assert parser.poisoned is None
