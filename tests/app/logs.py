"""Logs of an attack among ordinary logins."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

START = datetime(2026, 5, 1, 10, tzinfo=UTC)
ATTACKER = "203.0.113.9"
USERS = {f"192.0.2.{number}": f"user{number}" for number in range(1, 9)}


def sshd_lines() -> Iterator[str]:
    """Ordinary logins with a typo each, and somebody who tries 120 passwords on one account."""
    for number in range(120):
        when = START + timedelta(seconds=5 * number)
        stamp = f"{when:%b} {when.day:2d} {when:%H:%M:%S} host sshd[{1000 + number}]:"
        if number % 15 == 0:
            address, user = list(USERS.items())[number // 15]
            yield f"{stamp} Failed password for {user} from {address} port 5000 ssh2"
            yield f"{stamp} Accepted password for {user} from {address} port 5000 ssh2"
        yield f"{stamp} Failed password for root from {ATTACKER} port 6000 ssh2"


def access_line(address: str, second: int, status: int) -> str:
    when = START + timedelta(seconds=second)
    return f'{address} - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "POST /login HTTP/1.1" {status} 12 "-" "curl/8"'
