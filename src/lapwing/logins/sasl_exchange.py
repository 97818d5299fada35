"""One SASL exchange between its command and its last reply, for protocols that carry it in lines or binds."""

import msgspec

from lapwing.events import AuthAttempted, AuthEvent, AuthResolved, Outcome
from lapwing.logins import sasl
from lapwing.logins.contract import LoginContext
from lapwing.logins.tries import attempted, resolved, unanswered
from lapwing.logins.usernames import normalise

MAX_MECHANISM_CHARS = 20  # RFC 4422, 3.1


class SaslExchange:
    """Turns what the client says into one try. `mechanism` is lower case."""

    def __init__(self, context: LoginContext, protocol: str, mechanism: str) -> None:
        self.mechanism = mechanism[:MAX_MECHANISM_CHARS].lower() or "unknown"
        self._context = context
        self._protocol = protocol
        self._attempt: AuthAttempted | None = None
        self._login_name: str | None = None  # of LOGIN, between its two lines
        self._said = 0
        self._cancelled = False

    def line(self, line: str, ts_ns: int) -> list[AuthEvent]:
        """Take a base64 line of the client; `*` cancels."""
        if line.strip() == "*":
            self._cancelled = True
            return []
        return self.data(sasl.decode(line), ts_ns)

    def data(self, data: bytes | None, ts_ns: int) -> list[AuthEvent]:
        """Take what the client says, None where it cannot be decoded."""
        self._said += 1
        if self.mechanism == "login":
            return self._login(data, ts_ns)
        said = sasl.read(self.mechanism, data) if data is not None else sasl.Said()
        if self._attempt is None:
            return [self._present(said, ts_ns)]
        if self._attempt.username is None and said.username is not None:
            username = normalise(said.username, self._context.settings)
            self._attempt = msgspec.structs.replace(self._attempt, username=username)
        return []

    def _login(self, data: bytes | None, ts_ns: int) -> list[AuthEvent]:
        if self._said == 1:
            self._login_name = None if data is None else sasl.text_of(data)
            return []
        return [] if self._attempt is not None else [self._present(sasl.Said(self._login_name, data or None), ts_ns)]

    def _present(self, said: sasl.Said, ts_ns: int) -> AuthAttempted:
        self._attempt = attempted(
            self._context,
            ts_ns,
            protocol=self._protocol,
            mechanism=self.mechanism,
            username=said.username,
            secret=said.secret,
        )
        return self._attempt

    def judged(self, outcome: Outcome, confidence: float, detail: str, ts_ns: int) -> list[AuthEvent]:
        """End with what the server said; nothing where no credentials were presented."""
        if self._cancelled:
            return self.abandoned(ts_ns, "cancelled")
        events: list[AuthEvent] = []
        if self._attempt is None:
            if not self._login_name or outcome is Outcome.UNKNOWN:
                return []
            events.append(self._present(sasl.Said(self._login_name), ts_ns))
        assert self._attempt is not None
        events.append(resolved(self._attempt, ts_ns, outcome, detail, confidence=confidence))
        return events

    def abandoned(self, ts_ns: int, detail: str = "no answer seen") -> list[AuthEvent]:
        """End without a word of the server."""
        ended: list[AuthResolved] = [] if self._attempt is None else [unanswered(self._attempt, ts_ns, detail)]
        return [*ended]
