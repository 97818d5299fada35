"""NTP."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages.ntp import NtpControl, NtpTime
from lapwing.protocols import Match
from lapwing.protocols.ntp import MAX_BAD_DATAGRAMS, NTP, NtpParser

NS = 1_000_000_000
ANSWER = pack("!BBbbII4sQQQQ", 0x24, 2, 6, -20, 0x8000, 0x10000, b"\xc0\0\2\1", 3_900_000_000 << 32, 0, 0, 1 << 31)
ASKED = b"\x1b" + bytes(47)


def test_an_answer_is_read_with_its_times() -> None:
    (message,) = NtpParser().parse(Side.SERVER, ANSWER, 0)
    assert message == NtpTime(
        4,
        "server",
        2,
        64.0,
        2.0**-20,
        0.5,
        1.0,
        "192.0.2.1",
        1_691_011_200 * NS,
        None,
        None,
        2_085_978_496 * NS + NS // 2,
    )


def test_a_source_of_stratum_one_is_named_by_its_code() -> None:
    (message,) = NtpParser().parse(Side.SERVER, ANSWER[:1] + b"\1" + ANSWER[2:12] + b"GPS\0" + ANSWER[16:], 0)
    assert isinstance(message, NtpTime)
    assert message.reference_id == "GPS"


@pytest.mark.parametrize(
    ("datagram", "message"),
    [
        (b"\x16\x82" + bytes(8) + b"\0\4" + b"text", NtpControl(2, "control", 2, True)),
        (b"\x17\0\3\x2a" + bytes(4), NtpControl(2, "private", 42)),
    ],
)
def test_questions_about_the_server_are_told(datagram: bytes, message: NtpControl) -> None:
    assert NTP.probe(Side.CLIENT, datagram) is Match.YES
    assert NtpParser().parse(Side.CLIENT, datagram, 0) == [message]


@pytest.mark.parametrize(
    ("datagram", "match"),
    [
        (ASKED, Match.YES),
        (ANSWER, Match.YES),
        (ANSWER[:40], Match.NO),
        (b"\x24" + b"\xff" * 47, Match.NO),
        (b"GET / HTTP/1.1\r\n" * 3, Match.NO),
        (b"", Match.NO),
    ],
)
def test_fields_that_fit_tell(datagram: bytes, match: Match) -> None:
    assert NTP.probe(Side.CLIENT, datagram) is match


def test_what_is_no_ntp_poisons() -> None:
    parser = NtpParser()
    for _ in range(MAX_BAD_DATAGRAMS):
        assert parser.parse(Side.CLIENT, b"\x1b", 0) == []
    assert parser.poisoned


@given(st.binary(max_size=100))
def test_any_datagram_gives_messages_and_never_an_exception(data: bytes) -> None:
    parser = NtpParser()
    NTP.probe(Side.CLIENT, data)
    assert len(parser.parse(Side.CLIENT, data, 0)) <= 1
    assert parser.close(0) == []
