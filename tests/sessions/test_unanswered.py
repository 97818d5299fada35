"""A login that nobody answers is told in time, and its outcome once, whenever it comes."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lapwing
from lapwing.events import AuthAttempted, AuthEvent, AuthResolved, AuthUnanswered, Event, SessionMessaged
from lapwing.events.messages import SshAuthUnanswered
from lapwing.events.messages.quic import QuicUnfinished
from lapwing.events.messages.tls import TlsEstablished, TlsServerHello, TlsUnfinished
from lapwing.sessions import PipelineSettings, RunKeys, SessionDriver, SessionSettings, Wanted
from lapwing.testing import START_NS, TcpConversation, TimedFrame, pcap, udp_frame
from tests.protocols import quic_bytes as quic
from tests.protocols import ssh_bytes as ssh
from tests.protocols.ldap_bytes import result, simple_bind
from tests.protocols.playbook import Step, client, server
from tests.protocols.test_quic import ANSWER as QUIC_ANSWER
from tests.protocols.test_quic import HELLO as QUIC_HELLO
from tests.protocols.test_tls import TALK_12, TALK_13
from tests.sessions.driving import feed

SECOND = 1_000_000_000
PATIENCE_S = int(SessionSettings().unanswered_after_s)


class Login(NamedTuple):
    """A talk up to the try, and the answer to it."""

    port: int
    tried: list[Step]
    answer: bytes


FORM = b"POST /login HTTP/1.1\r\nHost: www.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n"
LOGINS = {
    "ftp": Login(21, [server(b"220 FTP\r\n"), client(b"USER ana\r\nPASS hunter22\r\n")], b"530 No.\r\n"),
    "smtp": Login(
        25,
        [server(b"220 mail.example.com ESMTP\r\n"), client(b"AUTH PLAIN AGFuYQBodW50ZXIyMg==\r\n")],
        b"535 5.7.8 No.\r\n",
    ),
    "pop3": Login(
        110, [server(b"+OK POP3\r\n"), client(b"USER ana\r\n"), server(b"+OK\r\n"), client(b"PASS hunter22\r\n")],
        b"-ERR no\r\n",
    ),
    "imap": Login(
        143, [server(b"* OK IMAP4rev1\r\n"), client(b"a1 LOGIN ana hunter22\r\n")], b"a1 NO [AUTHENTICATIONFAILED]\r\n"
    ),
    "ldap": Login(389, [client(simple_bind(1, "cn=ana,dc=example,dc=com", "hunter22"))], result(1, 49)),
    "http": Login(80, [client(FORM + b"Content-Length: 32\r\n\r\nusername=ana&password=hunter2222")],
                  b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
    "ssh": Login(
        22,
        ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,), (ssh.password(8),)),
        ssh.sealed(ssh.CHACHA, ssh.FAILURE),
    ),
}  # fmt: skip
every_protocol = pytest.mark.parametrize("protocol", LOGINS)


def talk(port: int, steps: Iterable[Step]) -> TcpConversation:
    said = TcpConversation(server_port=port, step_ns=1).handshake()
    for step in steps:
        (said.client if step.side == "client" else said.server)(step.data)
    return said


def others(until_s: int) -> list[TimedFrame]:
    """A packet of somebody else in every second, so that time passes."""
    frame = udp_frame("203.0.113.1", 4_000, "203.0.113.2", 4_001, b"\xff\xff\xff\xff")
    return [TimedFrame(START_NS + second * SECOND + 500, frame) for second in range(until_s)]


def read(
    path: Path, frames: Iterable[TimedFrame], patience_s: float = PATIENCE_S
) -> tuple[list[Event], dict[str, int]]:
    path.write_bytes(pcap(sorted(frames, key=lambda one: one.ts_ns), nanoseconds=True))
    settings = PipelineSettings(sessions=SessionSettings(unanswered_after_s=patience_s))
    with lapwing.read(path, settings=settings, events=("session", "auth")) as reading:
        return list(reading), reading.statistics()


def told(events: Iterable[Event]) -> list[tuple[type[AuthEvent], int, str | None]]:
    """Kind, whole seconds since the start, and outcome of each login event."""
    return [
        (type(event), (event.ts_ns - START_NS) // SECOND, getattr(event, "outcome", None))
        for event in events
        if isinstance(event, AuthUnanswered | AuthResolved)
    ]


def check(events: Iterable[Event]) -> None:
    """Every try has one outcome and is told to be unanswered at most once, before it."""
    logins = [event for event in events if isinstance(event, AuthEvent)]
    ends = [event.auth_id for event in logins if isinstance(event, AuthResolved)]
    late = [event.auth_id for event in logins if isinstance(event, AuthUnanswered)]
    assert len(set(ends)) == len(ends)
    assert len(set(late)) == len(late)
    assert {event.auth_id for event in logins} == set(ends)
    for number, event in enumerate(logins):
        if isinstance(event, AuthUnanswered):
            (end,) = [one for one in logins[number:] if isinstance(one, AuthResolved) and one.auth_id == event.auth_id]
            assert (end.attempted_ts_ns, end.username) == (event.attempted_ts_ns, event.username)
            assert (end.secret_tag, end.fingerprint) == (event.secret_tag, event.fingerprint)


@every_protocol
def test_a_login_at_which_the_server_is_silent_is_told_in_time_and_its_end_as_unknown(
    protocol: str, tmp_path: Path
) -> None:
    said = talk(LOGINS[protocol].port, LOGINS[protocol].tried)
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert told(events) == [(AuthUnanswered, PATIENCE_S, None), (AuthResolved, 59, "unknown")]
    check(events)
    assert counters["sessions.unanswered"] == 1
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"]
    (waiting,) = [event for event in events if isinstance(event, AuthUnanswered)]
    assert waiting.ts_ns - waiting.attempted_ts_ns == PATIENCE_S * SECOND
    assert (waiting.protocol, waiting.client_ip, waiting.server_port) == (protocol, "192.0.2.10", LOGINS[protocol].port)


@every_protocol
def test_an_answer_that_comes_late_is_the_outcome_all_the_same(protocol: str, tmp_path: Path) -> None:
    login = LOGINS[protocol]
    said = talk(login.port, login.tried).wait(45 * SECOND).server(login.answer).client(b"\0" * (protocol == "ssh"))
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert told(events) == [(AuthUnanswered, PATIENCE_S, None), (AuthResolved, 45, "failed")]
    check(events)
    assert counters["detect.logins_failed"] == 1
    assert counters["sessions.unanswered"] == 1


@every_protocol
def test_an_answer_in_time_leaves_nothing_to_tell(protocol: str, tmp_path: Path) -> None:
    login = LOGINS[protocol]
    said = talk(login.port, login.tried).wait(29 * SECOND).server(login.answer).client(b"\0" * (protocol == "ssh"))
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(90)])
    assert told(events) == [(AuthResolved, 29, "failed")]
    check(events)
    assert counters["sessions.unanswered"] == 0


@every_protocol
def test_the_setting_says_how_long(protocol: str, tmp_path: Path) -> None:
    said = talk(LOGINS[protocol].port, LOGINS[protocol].tried)
    events, _ = read(tmp_path / "in.pcap", [*said.frames, *others(60)], patience_s=5)
    assert told(events)[0] == (AuthUnanswered, 5, None)


@every_protocol
def test_a_silent_interface_tells_by_its_clock(protocol: str) -> None:
    driver = driven()
    feed(driver, talk(LOGINS[protocol].port, LOGINS[protocol].tried).frames)
    assert told(driver.advance(START_NS + 20 * SECOND)) == []
    assert told(driver.advance(START_NS + 40 * SECOND)) == [(AuthUnanswered, PATIENCE_S, None)]
    assert told(driver.advance(START_NS + 60 * SECOND)) == []


def driven() -> SessionDriver:
    return SessionDriver(PipelineSettings(), RunKeys(bytes(16), bytes(32)), wanted=Wanted(("auth", "session")))


def test_of_several_tries_each_is_told_at_its_own_time_and_those_answered_are_not(tmp_path: Path) -> None:
    said = TcpConversation(server_port=389, step_ns=1).handshake()
    for number in range(1, 5):
        said.client(simple_bind(number, f"cn=ana{number},dc=example,dc=com", "hunter22")).wait(2 * SECOND)
    said.server(result(2, 49)).wait(30 * SECOND).server(result(3, 0))
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert [(kind, at) for kind, at, _ in told(events)] == [
        (AuthResolved, 8),
        (AuthUnanswered, PATIENCE_S),
        (AuthUnanswered, PATIENCE_S + 4),
        (AuthUnanswered, PATIENCE_S + 6),
        (AuthResolved, 38),
        (AuthResolved, 59),  # at the end of the capture
        (AuthResolved, 59),
    ]
    check(events)
    assert counters["sessions.unanswered"] == 3


def test_a_login_is_told_to_be_unanswered_where_only_logins_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(sorted([*talk(80, LOGINS["http"].tried).frames, *others(60)]), nanoseconds=True))
    with lapwing.read(path, events=("auth",)) as reading:  # read by a parser that leaves out what is no login
        kinds = [type(event) for event in reading]
    assert kinds == [AuthAttempted, AuthUnanswered, AuthResolved]


def test_a_key_offered_to_a_silent_server_and_refused_late_is_no_guess(tmp_path: Path) -> None:
    turns = [(ssh.NONE,), (ssh.FAILURE,), (ssh.KEY_OFFER,)]
    said = talk(22, ssh.session(ssh.CHACHA, *turns)).wait(40 * SECOND)
    said.server(ssh.sealed(ssh.CHACHA, ssh.FAILURE)).client(ssh.sealed(ssh.CHACHA, ssh.KEY_OFFER))
    said.server(ssh.sealed(ssh.CHACHA, ssh.FAILURE)).client(b"\0")
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert told(events) == [(AuthUnanswered, PATIENCE_S, None), (AuthResolved, 40, "unknown")]
    assert not counters.get("detect.logins_failed")
    check(events)


def test_a_client_that_takes_its_time_at_the_prompt_is_not_waited_for(tmp_path: Path) -> None:
    steps = ssh.session(ssh.CHACHA, (ssh.NONE,), (ssh.FAILURE,))
    said = talk(22, steps).wait(50 * SECOND).client(ssh.sealed(ssh.CHACHA, ssh.password(8)))
    said.server(ssh.sealed(ssh.CHACHA, ssh.FAILURE)).client(b"\0")
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert told(events) == [(AuthResolved, 50, "failed")]
    assert counters["sessions.unanswered"] == 0


def test_a_silent_ssh_server_is_told_of_once_a_turn_however_the_client_goes_on(tmp_path: Path) -> None:
    said = talk(22, LOGINS["ssh"].tried)
    for _ in range(3):
        said.wait(35 * SECOND).client(ssh.sealed(ssh.CHACHA, ssh.password(8)))
    events, _ = read(tmp_path / "in.pcap", [*said.frames, *others(200)])
    assert (
        len([one for one in events if isinstance(one, SessionMessaged) and isinstance(one.message, SshAuthUnanswered)])
        == 1
    )
    check(events)


# -- handshakes --------------------------------------------------------------------------------------------------------


def tls(events: Iterable[Event]) -> list[tuple[int, TlsUnfinished | TlsEstablished]]:
    return [
        ((event.ts_ns - START_NS) // SECOND, event.message)
        for event in events
        if isinstance(event, SessionMessaged) and isinstance(event.message, TlsUnfinished | TlsEstablished)
    ]


@pytest.mark.parametrize("answered", [False, True])
def test_a_handshake_that_stands_still_is_told_in_time_and_once(answered: bool, tmp_path: Path) -> None:
    said = talk(443, TALK_12[: 1 + answered])
    events, counters = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    ((at, message),) = tls(events)
    assert (at, message) == (PATIENCE_S, TlsUnfinished(START_NS + 3, answered, "Csxkn" if answered else "C"))
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1


@pytest.mark.parametrize("steps", [TALK_12, TALK_13])
def test_a_handshake_that_ends_late_is_told_to_have_ended(steps: list[Step], tmp_path: Path) -> None:
    said = talk(443, steps[:2]).wait(45 * SECOND)
    for step in steps[2:]:
        (said.client if step.side == "client" else said.server)(step.data)
    events, _ = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert [(at, type(message)) for at, message in tls(events)] == [(PATIENCE_S, TlsUnfinished), (45, TlsEstablished)]


@pytest.mark.parametrize("steps", [TALK_12, TALK_13, [TALK_12[0], server(b"\x15\3\3\0\2\2\x28")]])
def test_a_handshake_that_came_to_an_end_is_not_told_to_be_unfinished(steps: list[Step], tmp_path: Path) -> None:
    events, counters = read(tmp_path / "in.pcap", [*talk(443, steps).close().frames, *others(60)])
    assert [message for _, message in tls(events) if isinstance(message, TlsUnfinished)] == []
    assert counters["sessions.ticks"] == 0


@pytest.mark.parametrize("end", ["close", "client_rst", "server_rst", "client_fin"])
def test_a_handshake_cut_short_is_told_when_its_flow_ends(end: str, tmp_path: Path) -> None:
    said = talk(443, TALK_12[:1])
    getattr(said, end)()
    events, _ = read(tmp_path / "in.pcap", said.frames)
    assert [message for _, message in tls(events)] == [TlsUnfinished(START_NS + 3, False, "C")]


def test_of_a_handshake_with_a_hole_nobody_knows_how_it_ended(tmp_path: Path) -> None:
    said = talk(443, TALK_12[:1]).skip(server=700).server(b"\0" * 40)
    events, _ = read(tmp_path / "in.pcap", [*said.frames, *others(60)])
    assert tls(events) == []


def test_a_silent_interface_tells_of_a_handshake_by_its_clock() -> None:
    driver = driven()
    feed(driver, talk(443, TALK_12[:1]).frames)
    assert tls(driver.advance(START_NS + 20 * SECOND)) == []
    assert [at for at, _ in tls(driver.advance(START_NS + 40 * SECOND))] == [PATIENCE_S]
    assert tls(driver.advance(START_NS + 60 * SECOND)) == []


# -- QUIC --------------------------------------------------------------------------------------------------------------


def asked(*, answered_after_s: int | None = None) -> list[TimedFrame]:
    """A client's first packet, and the server's hello so much later."""
    hello = quic.initial(quic.crypto(0, QUIC_HELLO))
    frames = [TimedFrame(START_NS + 3, udp_frame("192.0.2.10", 40_000, "198.51.100.20", 443, hello))]
    if answered_after_s is not None:
        answer = quic.initial(quic.crypto(0, QUIC_ANSWER), from_server=True)
        at = START_NS + answered_after_s * SECOND
        frames.append(TimedFrame(at, udp_frame("198.51.100.20", 443, "192.0.2.10", 40_000, answer)))
    return frames


def of_quic(events: Iterable[Event]) -> list[tuple[int, QuicUnfinished | TlsServerHello]]:
    return [
        ((event.ts_ns - START_NS) // SECOND, event.message)
        for event in events
        if isinstance(event, SessionMessaged) and isinstance(event.message, QuicUnfinished | TlsServerHello)
    ]


@pytest.mark.parametrize("patience_s", [5, PATIENCE_S])
def test_a_first_packet_of_quic_that_nobody_answers_is_told_in_time_and_once(patience_s: int, tmp_path: Path) -> None:
    frames = sorted([*asked(), *others(60)], key=lambda one: one.ts_ns)
    events, counters = read(tmp_path / "in.pcap", frames, patience_s=patience_s)
    assert of_quic(events) == [(patience_s, QuicUnfinished(START_NS + 3))]
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 1


def test_the_hello_of_a_quic_server_that_comes_late_is_told_all_the_same(tmp_path: Path) -> None:
    frames = sorted([*asked(answered_after_s=45), *others(60)], key=lambda one: one.ts_ns)
    events, _ = read(tmp_path / "in.pcap", frames)
    assert [(at, type(message)) for at, message in of_quic(events)] == [
        (PATIENCE_S, QuicUnfinished),
        (45, TlsServerHello),
    ]


def test_a_quic_server_that_answers_in_time_leaves_nothing_to_tell(tmp_path: Path) -> None:
    frames = sorted([*asked(answered_after_s=29), *others(60)], key=lambda one: one.ts_ns)
    events, counters = read(tmp_path / "in.pcap", frames)
    assert [(at, type(message)) for at, message in of_quic(events)] == [(29, TlsServerHello)]
    assert counters["sessions.ticks"] == 0


def test_a_silent_interface_tells_of_quic_by_its_clock() -> None:
    driver = driven()
    feed(driver, asked())
    assert of_quic(driver.advance(START_NS + 20 * SECOND)) == []
    assert [at for at, _ in of_quic(driver.advance(START_NS + 40 * SECOND))] == [PATIENCE_S]
    assert of_quic(driver.advance(START_NS + 60 * SECOND)) == []


# -- laws --------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from(sorted(LOGINS)), st.integers(0, 50), st.booleans()), min_size=1, max_size=4),
    st.sets(st.integers(1, 60)),
)
def test_however_packets_are_cut_into_batches_the_logins_are_the_same_and_each_has_one_end(
    plan: list[tuple[str, int, bool]], cuts: set[int]
) -> None:
    frames = others(60)
    for number, (protocol, seconds, answers) in enumerate(plan):
        login = LOGINS[protocol]
        said = TcpConversation(client_port=40_000 + number, server_port=login.port, step_ns=1).handshake()
        for step in login.tried:
            (said.client if step.side == "client" else said.server)(step.data)
        if answers:
            said.wait(seconds * SECOND).server(login.answer)
        frames += said.frames
    frames.sort(key=lambda one: one.ts_ns)
    results = []
    for places in ([], sorted(one for one in cuts if one < len(frames)), list(range(1, len(frames)))):
        driver = driven()
        seen = feed(driver, frames, places)
        for events in driver.finish():
            seen += events
        check(seen)
        counters = driver.statistics()
        assert counters["sessions.unanswered"] == sum(isinstance(one, AuthUnanswered) for one in seen)
        assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == len(plan)
        results.append(seen)
    assert results[0] == results[1] == results[2]
