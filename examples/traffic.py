"""Plays ordinary logins and an attack among them against a login, and says what became of whom.

    python traffic.py http://127.0.0.1:8000 json|form

Every client has its own address, handed over in `X-Forwarded-For` as a proxy in front would do.
"""

import http.client
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

ATTACKER = "203.0.113.9"
STOLEN = "user7"  # its password was used elsewhere, too
OFFICE = "198.51.100.1"  # ten people behind one address
TRIES = 150  # of the attacker


@dataclass
class Report:
    """Statuses that were answered, of ordinary users and of the attacker."""

    ordinary: Counter[int] = field(default_factory=Counter)
    attacker: Counter[int] = field(default_factory=Counter)
    passed_after_first_block: int = 0


def secret(user: str) -> str:
    """The right password."""
    return f"secret of user {user.removeprefix('user')}"


def home(number: int) -> str:
    """The address of an ordinary user: every fourth works in the office."""
    return OFFICE if number % 4 == 0 else f"192.0.2.{number + 1}"


def ordinary() -> Iterator[tuple[str, str, str]]:
    """Logins of ordinary users, some with a typo before."""
    for number in range(40):
        user = f"user{number}"
        if number % 5 == 0:
            yield home(number), user, secret(user).upper()
        yield home(number), user, secret(user)


def stuffing() -> Iterator[tuple[str, str, str]]:
    """Pairs of a leaked list, each once; the fifth fits."""
    for number in range(TRIES):
        if number == 4:
            yield ATTACKER, STOLEN, secret(STOLEN)
        else:
            yield ATTACKER, f"somebody{number}@example.com", f"password{number}"


class Client:
    """Sends logins to one server."""

    def __init__(self, base: str, kind: str) -> None:
        self._server = urlsplit(base).netloc
        self._kind = kind

    def log_in(self, address: str, user: str, password: str) -> int:
        """The status that a login is answered with."""
        fields = {"username": user, "password": password}
        form = self._kind == "form"
        body = urlencode(fields) if form else json.dumps(fields)
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        connection = http.client.HTTPConnection(self._server, timeout=30)
        connection.request("POST", "/login", body, {"Content-Type": kind, "X-Forwarded-For": address})
        status = connection.getresponse().status
        connection.close()
        return status


def play(client: Client) -> Report:
    """Ordinary users log in, then again while the attack runs, and once more afterwards."""
    report = Report()
    for login in ordinary():
        report.ordinary[client.log_in(*login)] += 1
    people = ordinary()
    for number, login in enumerate(stuffing()):
        status = client.log_in(*login)
        if status != 429 and report.attacker[429]:
            report.passed_after_first_block += 1
        report.attacker[status] += 1
        if number % 3 == 0 and (person := next(people, None)) is not None:
            report.ordinary[client.log_in(*person)] += 1
    for login in ordinary():
        report.ordinary[client.log_in(*login)] += 1
    return report


if __name__ == "__main__":
    print(play(Client(sys.argv[1], sys.argv[2])))
