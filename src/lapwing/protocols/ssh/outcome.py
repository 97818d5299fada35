"""How an SSH login ended, inferred from who sent how many encrypted bytes in turn (RFC 4252).

During a login the sides take turns: the client asks, the server answers. Three things can be told without a key:

- SUCCESS is a single byte and therefore the shortest answer there can be; nothing before it is that short.
- FAILURE repeats the same list of methods, so it has one size within a session. Most clients first ask with the
  method `none`, only to learn that list, which shows the size without a guess having been made.
- `none` is the shortest request of a session, because it carries nothing but names.

Everything rests on turns, never on segments or times, so the result does not depend on how bytes were cut.
"""

from enum import Enum, auto

from lapwing.events import Outcome, Side
from lapwing.events.messages import SshAuthInferred
from lapwing.protocols.ssh.sizes import Framing, Turn

# Under names of this module: before Python 3.12 a look at `Side.CLIENT` costs as much as a call.
_CLIENT, _SERVER = Side.CLIENT, Side.SERVER

# Payload sizes in bytes.
SUCCESS = 1
SHORTEST_FAILURE = 14  # the list `password`
LONGEST_FAILURE = 120  # all six common methods make 88; a longer answer has something else in it
LONGEST_SHORT_NONE = 31 + 16  # method `none`, user name of 16 characters
LONGEST_NONE = 31 + 32
SHORTEST_CREDENTIAL = 42  # method `password`, user name and password of one character
LONGEST_PASSWORD = 100  # not padded; longer ones may be a password padded to hide its length, or a key
SHORTEST_LONG_KEY = 150  # offering an ECDSA or RSA key, or proving any
CHANNEL_OPEN = 24  # type `session`
NO_MORE_SESSIONS = 34  # OpenSSH's global request, sent together with the first CHANNEL_OPEN
TOO_MANY_FAILURES = 45  # OpenSSH's DISCONNECT after MaxAuthTries
TOO_MANY_FAILURES_FOR = range(50, 90)  # the same with a user name in it, before OpenSSH 7.5

MAX_OTHER_ANSWERS = 24  # in a row that are neither FAILURE nor SUCCESS; no login dialogue is that long
MAX_OTHER_BYTES = 32 * 1024  # of such answers; banners and key lists stay far below

NONE_FIRST_CLIENTS = ("OpenSSH", "libssh_", "libssh-", "PuTTY", "Go", "JSCH", "dropbear", "AsyncSSH", "Renci")


class _Request(Enum):
    """What the client's last turn was."""

    SERVICE = auto()
    NONE = auto()  # method `none`
    MAYBE_NONE = auto()  # the first request, of a size that leaves both open
    CREDENTIAL = auto()


_SERVICE, _NONE, _MAYBE_NONE, _CREDENTIAL = _Request


class LoginWatch:
    """Follows the encrypted part of one session to the end of its login; `done` when that is known or hopeless."""

    def __init__(self, client: Framing, server: Framing, client_banner: str) -> None:
        self.done = False
        self._found: list[SshAuthInferred] = []  # in the current call
        self.attempt_count = 0
        self._client_sizes = client
        self._server_sizes = server
        self._client = Turn(client)
        self._server = Turn(server)
        self._none_first = client_banner.partition("-")[2].partition("-")[2].startswith(NONE_FIRST_CLIENTS)
        self._client_spoke = False
        self._accepted = False
        self._request = _SERVICE
        self._request_bytes = 0
        self._none_bytes = 0  # size of a `none` request, 0 until one was seen
        self._credential_has_none_size = False
        self._failure_bytes = 0  # size of FAILURE, 0 until one was seen
        self._failure_confidence = 0.9
        self._undecided = False  # the last answer was neither FAILURE nor SUCCESS
        self._other_count = 0
        self._other_bytes = 0
        self._first_to_close: Side | None = None

    def feed(self, side: Side, data: bytes) -> list[SshAuthInferred]:
        """Take encrypted bytes."""
        if not data or self.done:
            return []
        self._turn_to(side)
        (self._client if side is _CLIENT else self._server).push(data)
        return self._take()

    def gap(self, side: Side, missing_bytes: int) -> list[SshAuthInferred]:
        """Take bytes that were not captured: only their number matters."""
        if self.done:
            return []
        self._turn_to(side)
        (self._client if side is _CLIENT else self._server).gap(missing_bytes)
        return self._take()

    def close(self, side: Side, reason: str) -> list[SshAuthInferred]:
        """`side` sends no more; the last turn is judged when the server cannot add to it."""
        if self.done:
            return []
        first = self._first_to_close is None
        self._first_to_close = self._first_to_close or side
        if side is _SERVER or reason != "fin" or not first:
            self.done = True
            self._last_turn(ended_by_server=reason == "fin" and self._first_to_close is _SERVER)
        return self._take()

    def awaited(self) -> str | None:
        """Mechanism of the login that the client sent last while the server says nothing; None where it was none."""
        if self.done or not self._accepted or self._server.total_bytes or not self._client.total_bytes:
            return None
        sizes = self._client.sizes
        if self._undecided and self._opens_channel(sizes):
            return None
        _, most = self._client_sizes.payload_range(sizes[-1])
        if most < SHORTEST_CREDENTIAL or self._kind_of(sizes[-1]) is not _CREDENTIAL:
            return None
        return self._mechanism_of(sizes[-1])

    def _take(self) -> list[SshAuthInferred]:
        found = self._found
        if found:
            self._found = []
        return found

    # Turns.

    def _turn_to(self, side: Side) -> None:
        if side is _CLIENT:
            if self._server.total_bytes and self._client_spoke:
                self._answered()
                self._client.start()
            self._client_spoke = True
            self._server.start()
        elif self._client.total_bytes and not self._server.total_bytes:
            self._asked()

    def _asked(self) -> None:
        sizes = self._client.sizes
        self._request_bytes = sizes[-1]
        if not self._accepted:
            return
        if self._undecided and self._opens_channel(sizes):
            self._verdict(Outcome.SUCCEEDED, 0.85, "the client went on to open a channel")
            return
        if self._request is _MAYBE_NONE and self._request_bytes <= self._none_bytes:
            # Requests of a client that asks with `none` first grow when the password comes.
            self._verdict(Outcome.FAILED, 0.6, "answers of one size, none shorter")
            self._none_bytes = 0
        self._request = self._classify(self._request_bytes)

    def _classify(self, size: int) -> _Request:
        """The kind of a request of that size, and what it says of the sizes to come."""
        kind = self._kind_of(size)
        if self._request is _SERVICE:
            if kind is not _CREDENTIAL:
                self._none_bytes = size
        elif size == self._none_bytes and kind is _CREDENTIAL:
            self._credential_has_none_size = True
        return kind

    def _kind_of(self, size: int) -> _Request:
        if self._request is _SERVICE:
            least, most = self._client_sizes.payload_range(size)
            if least > LONGEST_NONE:
                return _CREDENTIAL
            return _NONE if self._none_first or most <= LONGEST_SHORT_NONE else _MAYBE_NONE
        if size != self._none_bytes:
            return _CREDENTIAL
        # Some tools ask with `none` again before each guess; two in a row make no sense.
        asked_before = self._request is _CREDENTIAL and not self._credential_has_none_size
        return _NONE if asked_before else _CREDENTIAL

    def _opens_channel(self, sizes: list[int]) -> bool:
        opening = self._client_sizes.packet_bytes(CHANNEL_OPEN)
        return sizes[-1] == opening or sum(sizes) == opening + self._client_sizes.packet_bytes(NO_MORE_SESSIONS)

    def _answered(self) -> None:
        if not self._accepted:
            self._accepted = True  # of the service; an extension list may have come with it
            return
        sizes = self._server.sizes
        self._undecided = False
        if self._server_sizes.packet_bytes(SUCCESS) in sizes:
            self._verdict(Outcome.SUCCEEDED, 0.95, "an answer as short as only SUCCESS is")
        elif self._is_failure(sizes[-1]):
            self._other_count = self._other_bytes = 0
            if self._request is _CREDENTIAL:
                self._verdict(Outcome.FAILED, self._failure_confidence, "an answer of the size of FAILURE")
                self._failure_confidence = max(self._failure_confidence, 0.8)
        else:
            self._other(sum(sizes))

    def _is_failure(self, size: int) -> bool:
        if not self._failure_bytes:
            least, most = self._server_sizes.payload_range(size)
            if most < SHORTEST_FAILURE or least > LONGEST_FAILURE:
                return False
            self._failure_bytes = size
            self._failure_confidence = 0.7 if self._request is _CREDENTIAL else 0.9
        return size == self._failure_bytes

    def _other(self, size: int) -> None:
        """A question, a key accepted for use, a banner: or SUCCESS and more, which what follows will tell."""
        self._undecided = True
        self._other_count += 1
        self._other_bytes += size
        if self._other_count > MAX_OTHER_ANSWERS or self._other_bytes > MAX_OTHER_BYTES:
            self._verdict(Outcome.SUCCEEDED, 0.6, "the session went on for longer than any login")

    # The end.

    def _last_turn(self, *, ended_by_server: bool) -> None:
        if not self._server.total_bytes:
            self._unanswered()
            return
        self._answered()
        if self._request is _MAYBE_NONE:
            self._verdict(Outcome.UNKNOWN, 0.3, "one request that may have been without credentials")
        if self._undecided and self._request is _CREDENTIAL:
            if self._is_too_many(self._server.sizes[-1]):
                self._verdict(Outcome.FAILED, 0.8, "an answer of the size of DISCONNECT after failures")
            elif ended_by_server:
                self._verdict(Outcome.FAILED, 0.6, "the server ended the session instead of letting in")
            else:
                self._verdict(Outcome.UNKNOWN, 0.3, "the session ended after an answer of another kind")

    def _unanswered(self) -> None:
        if not self._accepted or not self._client.total_bytes:
            return
        size = self._request_bytes = self._client.sizes[-1]
        self._request = self._classify(size)
        _, most = self._client_sizes.payload_range(size)
        if most >= SHORTEST_CREDENTIAL and self._request is _CREDENTIAL:
            self._verdict(Outcome.UNKNOWN, 0.3, "no answer was seen")

    def _is_too_many(self, size: int) -> bool:
        if size == self._server_sizes.packet_bytes(TOO_MANY_FAILURES):
            return self.attempt_count >= 1
        least, most = self._server_sizes.payload_range(size)
        return self.attempt_count >= 2 and most >= TOO_MANY_FAILURES_FOR.start and least < TOO_MANY_FAILURES_FOR.stop

    def _verdict(self, outcome: Outcome, confidence: float, detail: str) -> None:
        self.attempt_count += 1
        self.done = self.done or outcome is Outcome.SUCCEEDED
        self._found.append(SshAuthInferred(outcome, self.attempt_count, confidence, detail, self._mechanism()))

    def _mechanism(self) -> str:
        return "none" if self._request is _NONE else self._mechanism_of(self._request_bytes)

    def _mechanism_of(self, size: int) -> str:
        least, most = self._client_sizes.payload_range(size)
        if least >= SHORTEST_LONG_KEY:
            return "publickey"
        return "password" if most <= LONGEST_PASSWORD else "unknown"
