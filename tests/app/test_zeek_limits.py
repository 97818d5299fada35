"""The logs under a flood: what waits, what a row names and what is remembered ends at the number."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from lapwing.app.exit_codes import ExitCode
from lapwing.app.zeek.lookups import DnsRows
from lapwing.app.zeek.mails import MAX_SERVERS, SmtpRows
from lapwing.app.zeek.places import MAX_REMEMBERED, is_local
from lapwing.app.zeek.rows import MAX_PENDING, NS_PER_S, HttpRows, Row, Rows
from lapwing.app.zeek.services import MAX_TYPES, MAX_UIDS, MAX_WATCHED_NS, DhcpLeases, LdapRows
from lapwing.app.zeek.transfers import MAX_PATH, DataChannels, FtpRows
from lapwing.app.zeek.tunnels import MAX_TUNNELS, TunnelRows
from lapwing.events import Carrier, Message, SessionMessaged, Side, Transport
from lapwing.events.messages import (
    DnsQuery,
    DnsQuestion,
    DnsResponse,
    FtpCommand,
    FtpReply,
    HttpRequest,
    HttpResponse,
    SmtpCommand,
    SmtpMail,
    SmtpReply,
)
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.events.messages.ldap import LdapRequest, LdapResult
from lapwing.testing import START_NS
from tests.app.conftest import Lapwing
from tests.app.traffic import guessing_at
from tests.conformance.zeek_logs import rows as rows_in

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
CLIENT, SERVER = "192.0.2.7", "198.51.100.21"
MAC = "00:00:5e:00:53:01"
ANSWERS = HttpResponse | DnsResponse | FtpReply | SmtpReply | LdapResult


def said(message: Message, *, after_ns: int = 0) -> SessionMessaged:
    side = Side.SERVER if isinstance(message, ANSWERS) else Side.CLIENT
    return SessionMessaged(
        START_NS + after_ns, 1, "1:x", Transport.TCP, CLIENT, 40_000, SERVER, 21, "any", side, message
    )


def told(rows: Rows, messages: Iterable[Message]) -> list[Row]:
    """Rows before the end of the flow."""
    return [row for message in messages for row in rows.add(said(message))]


@AT_AND_BESIDE
def test_so_many_requests_of_http_wait_for_answers_then_the_oldest_is_told_without(beyond: int) -> None:
    rows, count = HttpRows(), MAX_PENDING + beyond
    early = told(rows, [HttpRequest("GET", f"/{number}", "1.1", [], index=number) for number in range(count)])
    late = told(rows, [HttpResponse(200, "OK", "1.1", [], index=number) for number in range(beyond, count)])
    assert [row["uri"] for row in (*early, *late)] == [f"/{number}" for number in range(count)]
    assert ["status_code" in row for row in early] == [False] * beyond
    assert {row["status_code"] for row in late} == {200}
    assert list(rows.end()) == []


@AT_AND_BESIDE
def test_so_many_questions_of_dns_wait_for_answers_then_the_oldest_is_told_without(beyond: int) -> None:
    rows, count = DnsRows(), MAX_PENDING + beyond
    asked = [DnsQuestion(f"n{number}.example.com", "A", "IN") for number in range(count)]
    early = told(rows, [DnsQuery(number, 0, [question]) for number, question in enumerate(asked)])
    late = told(rows, [DnsResponse(number, 0, 0, [asked[number]], []) for number in range(beyond, count)])
    assert [row["query"] for row in (*early, *late)] == [question.name for question in asked]
    assert ["rcode" in row for row in early] == [False] * beyond
    assert {row["rcode_name"] for row in late} == {"NOERROR"}
    assert list(rows.end()) == []


def test_questions_of_dns_that_share_an_id_wait_each_as_long_as_others() -> None:
    rows = DnsRows()
    asked = [DnsQuestion(f"n{number}.example.com", "A") for number in range(MAX_PENDING + 2)]
    ids = [7 if number in (0, MAX_PENDING - 1) else 1_000 + number for number in range(len(asked))]
    early = told(rows, [DnsQuery(number, 0, [question]) for number, question in zip(ids, asked, strict=True)])
    assert [row["query"] for row in early] == [asked[0].name, asked[1].name]
    (late,) = told(rows, [DnsResponse(7, 0, 0, [asked[MAX_PENDING - 1]], [])])
    assert (late["query"], late["RD"], late["qtype_name"]) == (asked[MAX_PENDING - 1].name, False, "A")
    assert [row["query"] for row in rows.end()] == [one.name for one in (*asked[2 : MAX_PENDING - 1], *asked[-2:])]


@AT_AND_BESIDE
def test_so_many_operations_of_ldap_wait_for_results_then_the_oldest_is_told_without(beyond: int) -> None:
    rows, count = LdapRows(), MAX_PENDING + beyond
    early = told(rows, [LdapRequest(number, "add", f"cn={number}") for number in range(count)])
    late = told(rows, [LdapResult(number, "add", 0) for number in range(beyond, count)])
    assert [row["object"] for row in (*early, *late)] == [f"cn={number}" for number in range(count)]
    assert ["result" in row for row in early] == [False] * beyond
    assert {row["result"] for row in late} == {"success"}
    assert list(rows.end()) == []


@AT_AND_BESIDE
def test_so_many_commands_of_ftp_wait_for_replies_then_the_oldest_is_told_without(beyond: int) -> None:
    rows, count = FtpRows(DataChannels()), MAX_PENDING + beyond
    assert told(rows, [FtpReply(220, "hi")]) == []
    greeting, *early = told(rows, [FtpCommand("NOOP", str(number)) for number in range(count)])
    assert greeting["command"] == "<init>"
    late = [*told(rows, [FtpReply(200, "ok")] * MAX_PENDING), *rows.end()]
    assert [row["arg"] for row in (*early, *late)] == [str(number) for number in range(count)]
    assert ["reply_code" in row for row in early] == [False] * beyond
    assert {row["reply_code"] for row in late} == {200}


@AT_AND_BESIDE
def test_a_command_of_ftp_that_waited_for_its_last_reply_is_told_once_however_many_follow(beyond: int) -> None:
    rows = FtpRows(DataChannels())
    begun = told(rows, [FtpReply(220, "hi"), FtpCommand("RETR", "a"), FtpReply(150, "wait")])
    flood = told(rows, [FtpCommand("NOOP", str(number)) for number in range(MAX_PENDING - 1 + beyond)])
    assert [row["command"] for row in flood] == ["RETR"] * beyond
    found = [*begun, *flood, *rows.end()]
    assert [row["command"] for row in found] == ["<init>", "RETR", *["NOOP"] * (MAX_PENDING - 1 + beyond)]
    assert found[1]["reply_code"] == 150


def test_a_session_of_ftp_that_is_over_keeps_no_rows_for_the_channels_it_announced() -> None:
    channels = DataChannels()
    rows = FtpRows(channels)
    told(rows, [FtpReply(220, "hi"), FtpCommand("PORT", "192,0,2,7,4,1"), *[FtpCommand("NOOP")] * 10])
    assert len(list(rows.end())) == 11
    assert channels.take((CLIENT, 1_025)) is rows
    rows.opened("F1")
    assert list(rows.end()) == []


@AT_AND_BESIDE
def test_a_working_directory_of_ftp_has_so_many_letters(beyond: int) -> None:
    rows = FtpRows(DataChannels())
    long = "/".ljust(MAX_PATH + beyond, "d")
    talk: list[Message] = [FtpReply(220, "hi"), FtpCommand("CWD", long), FtpReply(250, "ok")]
    talk += [FtpCommand("CDUP"), FtpReply(250, "ok"), FtpCommand("DELE", "x")]
    went, up, deleted = [*told(rows, talk), *rows.end()][1:]
    assert went["arg"] == f"ftp://{SERVER}{long[:MAX_PATH]}"
    assert went["path"] == long
    assert (up["command"], deleted["arg"]) == ("CDUP", f"ftp://{SERVER}/x")


@AT_AND_BESIDE
def test_a_directory_that_a_server_of_ftp_tells_has_so_many_letters_and_files_in_it_their_names(beyond: int) -> None:
    rows = FtpRows(DataChannels())
    long = "/".ljust(MAX_PATH + beyond, "d")
    talk: list[Message] = [FtpReply(220, "hi"), FtpCommand("PWD"), FtpReply(257, f'"{long}"'), FtpCommand("DELE", "x")]
    deleted = [*told(rows, talk), *rows.end()][-1]
    assert deleted["arg"] == f"ftp://{SERVER}{long[:MAX_PATH]}/x"


@AT_AND_BESIDE
def test_replies_of_smtp_belong_to_so_many_commands_and_rows_wait_no_longer(beyond: int) -> None:
    rows = SmtpRows()
    mails = [SmtpCommand("MAIL", f"FROM:<n{number}@example.com>") for number in range(MAX_PENDING + 1 + beyond)]
    early = told(rows, [SmtpReply(220, "hi"), *mails])
    assert [row["mailfrom"] for row in early] == [f"n{number}@example.com" for number in range(1 + beyond)]
    late = told(rows, [SmtpReply(250, "ok")] * MAX_PENDING)
    found = [*early, *late, *rows.end()]
    assert [row["mailfrom"] for row in found] == [f"n{number}@example.com" for number in range(len(mails))]
    assert {row["last_reply"] for row in found[1 + beyond :]} == {"250 ok"}


@AT_AND_BESIDE
def test_a_mail_names_so_many_receivers_and_servers_the_first(beyond: int) -> None:
    rows = SmtpRows()
    receivers = [f"n{number}@example.com" for number in range(MAX_PENDING + beyond)]
    servers = [f"2001:db8::{number:x}" for number in range(1, MAX_SERVERS - 1 + beyond)]
    headers = [("Received", f"from [{server}] by mx") for server in servers]
    headers += [(name, ", ".join(receivers)) for name in ("To", "Cc")]
    talk: list[Message] = [SmtpCommand("MAIL", "FROM:<a@example.com>")]
    talk += [SmtpCommand("RCPT", f"TO:<{name}>") for name in receivers]
    assert told(rows, [*talk, SmtpCommand("DATA"), SmtpMail("a@example.com", receivers, headers, 0)]) == []
    (row,) = rows.end()
    for column in ("rcptto", "to", "cc"):
        assert row[column] == tuple(receivers[:MAX_PENDING])
    assert row["path"] == (SERVER, CLIENT, *servers[: MAX_SERVERS - 2])
    assert row["first_received"] == headers[len(servers) - 1][1]


def lease(number: int, *, kind: str = "inform") -> DhcpPacket:
    return DhcpPacket(type=kind, transaction_id=number, client_mac=MAC)


@AT_AND_BESIDE
def test_so_many_transactions_of_dhcp_are_watched_then_the_oldest_is_told(beyond: int) -> None:
    leases, count = DhcpLeases(), MAX_PENDING + beyond
    early = [row for number in range(count) for row in leases.add(said(lease(number), after_ns=number), f"C{number}")]
    assert [row["uids"] for row in early] == [("C0",)] * beyond
    assert [row["uids"] for row in (*early, *leases.end())] == [(f"C{number}",) for number in range(count)]


@AT_AND_BESIDE
def test_a_transaction_of_dhcp_is_watched_so_long(beyond: int) -> None:
    leases = DhcpLeases()
    assert list(leases.add(said(lease(7, kind="discover")), "C1")) == []
    early = list(leases.add(said(lease(7, kind="offer"), after_ns=MAX_WATCHED_NS + beyond), "C1"))
    found = [row["msg_types"] for row in (*early, *leases.end())]
    assert found == ([("DISCOVER",), ("OFFER",)] if beyond else [("DISCOVER", "OFFER")])
    assert len(early) == beyond
    assert MAX_WATCHED_NS % NS_PER_S == 0


@pytest.mark.parametrize(("most", "flows"), [(MAX_TYPES, 1), (MAX_UIDS, MAX_UIDS + 1)])
@AT_AND_BESIDE
def test_a_row_of_dhcp_names_so_many_messages_and_flows_and_the_next_goes_on(
    most: int, flows: int, beyond: int
) -> None:
    leases = DhcpLeases()
    names = [f"C{number % flows}" for number in range(most + beyond)]
    early = [row for name in names for row in leases.add(said(lease(7)), name)]
    assert len(early) == 1
    assert early[0]["uids"] == tuple(dict.fromkeys(names[:most]))
    assert [len(row["msg_types"]) for row in (*early, *leases.end())] == [most, *[1] * beyond]


def carrier(number: int) -> Carrier:
    return Carrier("vxlan", f"1:{number}", CLIENT, 40_000, SERVER, 4_789)


def test_so_many_tunnels_are_known_at_a_time_and_for_each_more_the_longest_silent_one_is_over() -> None:
    rows = TunnelRows()
    found = [row for number in range(MAX_TUNNELS) for row in rows.found((carrier(number),), START_NS)]
    assert len(found) == MAX_TUNNELS
    assert list(rows.found((carrier(0),), START_NS + 5)) == []
    told = list(rows.found((carrier(MAX_TUNNELS), carrier(0)), START_NS + 6))
    assert [(row["action"], row["ts"]) for row in told] == [
        ("Tunnel::CLOSE", START_NS),
        ("Tunnel::DISCOVER", START_NS + 6),
    ]
    assert told[0]["uid"] == found[1]["uid"]
    ended = list(rows.end())
    assert len(ended) == MAX_TUNNELS
    assert [row["uid"] for row in ended[-2:]] == [told[1]["uid"], found[0]["uid"]]
    assert (ended[0]["ts"], ended[-1]["ts"]) == (START_NS, START_NS + 6)


def test_so_many_addresses_are_remembered_and_others_are_answered_as_rightly() -> None:
    is_local.cache_clear()
    addresses = [f"2001:db8::{number:x}" for number in range(MAX_REMEMBERED)]
    assert all(is_local(address) for address in addresses)
    assert is_local.cache_info().currsize == MAX_REMEMBERED
    assert not is_local("2001:4860::1")
    assert is_local(addresses[0])
    assert is_local.cache_info().currsize == MAX_REMEMBERED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("log", ["conn", "http"])
def test_a_full_disk_is_told_with_the_log_that_had_no_room_and_the_others_are_whole(
    lapwing: Lapwing, calm: Path, tmp_path: Path, log: str
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / f"{log}.log").symlink_to("/dev/full")
    done = lapwing("read", calm, "-o", "zeek", "--logdir", folder)
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert done.err == f"lapwing: {folder / log}.log: No space left on device\n"
    other = folder / ("http.log" if log == "conn" else "conn.log")
    assert len(rows_in(other)) == 1
    assert other.read_text().splitlines()[-1].startswith("#close\t")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_full_before_the_end_of_the_input_is_told_with_the_log_too_and_the_others_are_closed(
    lapwing: Lapwing, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "conn.log").symlink_to("/dev/full")
    done = lapwing("read", guessing_at(tmp_path / "many.pcap", 400), "-o", "zeek", "--logdir", folder)
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert done.err == f"lapwing: {folder}/conn.log: No space left on device\n"
    assert 0 < len(rows_in(folder / "http.log")) <= 400
    assert (folder / "http.log").read_text().splitlines()[-1].startswith("#close\t")
