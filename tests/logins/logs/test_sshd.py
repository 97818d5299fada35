"""OpenSSH's server in a system log."""

from lapwing.events import Outcome
from lapwing.logins.logs import Miss

from .reading import login, logins, miss, told

HEAD = "May  1 10:00:00 host sshd[7]: "


def test_a_repeated_message_counts_as_often_as_it_came() -> None:
    line = f"{HEAD}message repeated 5 times: [ Failed password for root from 192.0.2.7 port 5000 ssh2]"
    assert login("syslog", line).attempt_count == 5


def test_the_old_words_for_repetition_count_too() -> None:
    found = logins(
        "syslog",
        f"{HEAD}Failed password for root from 192.0.2.7 port 5000 ssh2",
        "May  1 10:00:09 host last message repeated 3 times",
    )
    assert [event.attempt_count for event in found] == [1, 3]
    assert len({event.auth_id for event in found}) == 2


def test_an_unknown_user_who_leaves_is_neither_failed_nor_forgotten() -> None:
    found = login(
        "syslog",
        f"{HEAD}Invalid user admin from 192.0.2.7 port 5000",
        f"{HEAD}Connection closed by invalid user admin 192.0.2.7 port 5000 [preauth]",
    )
    assert told(found) == "unknown 192.0.2.7 admin ssh unknown"


def test_an_unknown_user_who_is_refused_counts_once() -> None:
    found = login(
        "syslog",
        f"{HEAD}Invalid user admin from 192.0.2.7 port 5000",
        f"{HEAD}Failed password for invalid user admin from 192.0.2.7 port 5000 ssh2",
        f"{HEAD}Connection closed by invalid user admin 192.0.2.7 port 5000 [preauth]",
    )
    assert found.outcome is Outcome.FAILED


def test_an_unknown_user_at_the_end_of_the_log_is_told() -> None:
    assert login("syslog", f"{HEAD}Invalid user admin from 192.0.2.7 port 5000").outcome is Outcome.UNKNOWN


def test_pam_does_not_count_what_sshd_tells() -> None:
    line = f"{HEAD}pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7"
    assert miss("syslog", line) is Miss.OTHER


def test_a_host_name_for_an_address_is_counted_and_not_resolved() -> None:
    assert miss("syslog", f"{HEAD}Failed password for root from evil.example.com port 5 ssh2") is Miss.NO_ADDRESS
