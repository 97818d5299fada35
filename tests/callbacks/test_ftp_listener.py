"""The FTP listener."""

from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import FtpInteraction
from lapwing.callbacks.responders import FtpResponder, OpenData, Send
from lapwing.callbacks.responders.ftp import MAX_BAD_COMMANDS, MAX_HELD_BYTES, MAX_INTERACTIONS
from lapwing.events import Side
from tests.callbacks.playbook import PEER, SIZES, TLS, Step, Talk, play, same_whichever_way_it_is_cut

# As curl says it when it fetches a file.
FETCH: list[Step] = [
    b"USER anonymous\r\n",
    b"PASS ftp@example.com\r\n",
    b"PWD\r\n",
    b"CWD t0ken\r\n",
    b"EPSV\r\n",
    b"TYPE I\r\n",
    b"SIZE payload.bin\r\n",
    b"RETR payload.bin\r\n",
    b"QUIT\r\n",
]
PIECES = st.sampled_from(
    [
        *(step for step in FETCH if isinstance(step, bytes)),
        *(
            b"PASV\r\n",
            b"AUTH TLS\r\n",
            b"STOR x\r\n",
            b"LIST\r\n",
            b"NLST -a\r\n",
            b"FEAT\r\n",
            b"PORT 1,2,3,4,5,6\r\n",
        ),
        *(b"x" * 8200, b"\r\n", b"\xff\xf4", b"RNFR a\r\n", b"RNTO b\r\n", b"NOPE\r\n"),
    ]
)
BYTES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join))


def make() -> FtpResponder:
    return FtpResponder(PEER, 0, content=b"hello")


def notes(talk: Talk) -> list[tuple[str, str, str]]:
    return [(one.command, one.user, one.path) for one in talk.noted if isinstance(one, FtpInteraction)]


def test_a_fetch_is_served_and_every_path_noted() -> None:
    talk = play(make, FETCH)
    assert notes(talk) == [
        ("USER", "anonymous", ""),
        ("PASS", "anonymous", ""),
        ("CWD", "anonymous", "t0ken"),
        ("SIZE", "anonymous", "payload.bin"),
        ("RETR", "anonymous", "payload.bin"),
    ]
    assert bytes(talk.data) == b"hello"
    codes = [line[:3] for line in bytes(talk.heard).splitlines()]
    assert codes == [b"220", b"331", b"230", b"257", b"250", b"229", b"200", b"213", b"150", b"226", b"221"]
    assert talk.closed == "quit"


@given(SIZES)
def test_a_fetch_is_the_same_in_any_pieces(sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, FETCH, sizes)


def test_no_password_is_kept() -> None:
    talk = play(make, [b"PASS hunter2\r\nACCT hunter2\r\nnonsense\r\nPASS hunter2"])
    assert not [one for one in talk.noted if b"hunter2" in one.raw_request]
    assert b"PASS [redacted]\r\n" in [one.raw_request for one in talk.noted]
    talk = play(make, [b"ACCT hunter2\r\n", b" PASS hunter2"])
    (note,) = talk.noted
    assert isinstance(note, FtpInteraction)
    assert not any(b"hunter2" in turn.data for turn in note.turns)


def test_uploads_are_taken_and_listings_are_empty() -> None:
    talk = play(make, [b"PASV\r\nSTOR up.bin\r\nPASV\r\nLIST\r\nEPSV\r\nAPPE more\r\n"])
    assert notes(talk) == [("STOR", "", "up.bin"), ("LIST", "", ""), ("APPE", "", "more")]
    assert b"227 Entering Passive Mode (198,51,100,9,195,80)" in talk.heard
    assert talk.heard.count(b"226 ") == 3


def test_the_listener_never_connects_to_where_a_client_says() -> None:
    talk = play(make, [b"PORT 10,0,0,1,0,22\r\nEPRT |1|10.0.0.1|22|\r\nRETR x\r\n"])
    assert talk.heard.count(b"502 Use passive mode") == 2
    assert b"425 Use PASV first" in talk.heard


def test_without_a_data_port_the_path_is_noted_all_the_same() -> None:
    responder = make()
    assert responder.receive(b"EPSV\r\nRETR secret.txt\r\n", 0) == [OpenData()]
    outputs = responder.data_listening("198.51.100.9", None, 0)
    assert [one.path for one in outputs if isinstance(one, FtpInteraction)] == ["secret.txt"]
    assert outputs[0] == Send(b"425 No data connection\r\n")
    assert responder.data_listening("198.51.100.9", 1, 0) == []  # nobody asked
    assert responder.data_done(0) == []
    for address in ("2001:db8::1", "not an address"):
        assert responder.receive(b"PASV\r\n", 0) == [OpenData()]
        assert responder.data_listening(address, 5, 0)[0].data.startswith(b"425 ")  # type: ignore[union-attr]


def test_a_broken_transfer_says_so() -> None:
    responder = make()
    responder.receive(b"EPSV\r\n", 0)
    responder.data_listening("198.51.100.9", 5, 0)
    responder.receive(b"RETR x\r\nNOOP\r\n", 0)
    assert responder.data_done(0, complete=False) == [
        Send(b"426 Connection closed, transfer aborted\r\n"),
        Send(b"200 Ok\r\n"),
    ]


def test_auth_tls_drops_what_was_sent_ahead() -> None:
    talk = play(
        make,
        [
            b"AUTH TLS\r\nUSER injected\r\n",
            b"USER injected\r\n",
            TLS,
            b"PBSZ 0\r\nPROT P\r\n",
            b"USER ana\r\nAUTH TLS\r\n",
        ],
    )
    assert notes(talk) == [("USER", "ana", "")]
    assert talk.noted[0].peer.tls
    assert b"234 " in talk.heard
    assert b"504 " in talk.heard


def test_who_names_nothing_is_noted_once_with_the_conversation() -> None:
    for said in (b"SYST\r\nFEAT\r\n", b"GET / HTTP/1.0\r\n", b"half a line"):
        (note,) = play(make, [said]).noted
        assert isinstance(note, FtpInteraction)
        assert said == b"".join(turn.data for turn in note.turns if turn.side is Side.CLIENT)
    assert play(make, []).noted == []


def test_bounds_end_the_connection_in_words() -> None:
    talk = play(make, [b"CWD a\r\n" * (MAX_INTERACTIONS + 3)])
    assert len(talk.noted) == MAX_INTERACTIONS
    assert talk.heard.endswith(b"421 Enough for one connection\r\n")
    talk = play(make, [b"NOPE\r\n" * (MAX_BAD_COMMANDS + 3)])
    assert talk.heard.endswith(b"421 Too many errors\r\n")
    responder = make()
    responder.receive(b"PASV\r\n", 0)
    outputs = responder.receive(b"NOOP\r\n" * (MAX_HELD_BYTES // 6 + 1), 0)
    assert responder.ended
    assert outputs


@given(st.lists(BYTES, max_size=5), SIZES)
def test_any_bytes_in_any_pieces_are_the_same_and_bounded(steps: list[bytes], sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, list(steps), sizes)


def test_data_connections_are_protected_only_where_the_control_connection_is() -> None:
    talk = Talk(FtpResponder(PEER, 0))
    assert isinstance(talk.responder, FtpResponder)
    talk.say(b"PROT P\r\n")
    assert b"536" in talk.heard
    talk.say(b"AUTH TLS\r\n")
    talk.tls()
    talk.say(b"PROT P\r\n")
    assert talk.responder.data_protected
    talk.say(b"PROT C\r\n")
    assert not talk.responder.data_protected
