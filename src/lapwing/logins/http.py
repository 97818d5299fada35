"""Logins over HTTP: forms, JSON, OAuth token requests, Basic and Digest."""

from collections.abc import Iterable, Sequence

import msgspec

from lapwing.events import AuthAttempted, AuthEvent, Message, Outcome, Side
from lapwing.events.messages import HttpRequest, HttpResponse
from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.endpoints import path_segments
from lapwing.logins.http_answers import AnswerReader, Login
from lapwing.logins.http_client import fingerprint
from lapwing.logins.http_credentials import Credentials, find_credentials
from lapwing.logins.http_fields import may_have_fields
from lapwing.logins.tries import resolved, unanswered
from lapwing.logins.usernames import normalise

MAX_PENDING = 64  # logins of a connection waiting for an answer; the oldest beyond are resolved as unknown
MAX_ACCEPTED = 16  # credentials of a connection that repeat with each request without being new logins
MAX_USER_AGENT_CHARS = 512

_PER_REQUEST = frozenset({"basic", "digest"})  # sent with every request, so only the first success is a login
_SUCCEEDED = Outcome.SUCCEEDED  # before Python 3.12 a look at a member of an enum costs as much as a call
Identity = tuple[str, str | None, str | None]  # surface, user, secret tag


class _Pending(msgspec.Struct, frozen=True, gc=False):
    attempt: AuthAttempted
    login: Login
    identity: Identity


class HttpLogins:
    """Finds the logins of one connection; see LoginAdapter for the contract."""

    __slots__ = ("_accepted", "_answers", "_context", "_early", "_last_request", "_pending")

    def __init__(self, context: LoginContext) -> None:
        self._context = context
        self._answers = AnswerReader()
        self._pending: dict[int, _Pending] = {}
        self._accepted: dict[Identity, None] = {}
        self._last_request = -1
        self._early: HttpResponse | None = None  # came before the request it answers was complete

    def asked(self, index: int, target: str, content_type: str | None, authorized: bool) -> bool:
        """Whether a request may be a login, by its head; `content_type` is None where it has no body.

        A parser that asks leaves out messages that are not wanted.
        """
        if authorized or "=" in target or (content_type is not None and may_have_fields(content_type)):
            return True
        self._last_request = index
        return False

    def answered(self, index: int) -> bool:
        """Whether the answer to the request at `index` is wanted: that of a login, or of a request still to come."""
        if index in self._pending or index > self._last_request:
            return True
        self._early = None
        return False

    def message(self, side: Side, message: Message, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        if type(message) is HttpRequest:
            return self._request(message, ts_ns)
        if type(message) is HttpResponse:
            return self._response(message, ts_ns)
        return ()

    def close(self, ts_ns: int) -> Iterable[AuthEvent]:
        """See LoginAdapter."""
        events = [unanswered(pending.attempt, ts_ns) for pending in self._pending.values()]
        self._pending.clear()
        return events

    def _request(self, request: HttpRequest, ts_ns: int) -> Sequence[AuthEvent]:
        self._last_request = max(self._last_request, request.index)
        credentials = find_credentials(request, self._context.settings)
        if credentials is None:
            return ()
        username, secret_tag = self._normalised(credentials)
        identity = (credentials.endpoint, username, secret_tag)
        if identity in self._accepted:
            return ()
        attempt = self._attempt(request, identity, credentials.mechanism, ts_ns)
        events: list[AuthEvent] = [attempt]
        if len(self._pending) == MAX_PENDING:
            oldest = self._pending.pop(next(iter(self._pending)))
            events.append(unanswered(oldest.attempt, ts_ns))
        login = Login(credentials.mechanism, credentials.endpoint, path_segments(request.target))
        self._pending[request.index] = _Pending(attempt, login, identity)
        if self._early is not None and self._early.index == request.index:
            events += self._response(self._early, ts_ns)
        return events

    def _response(self, response: HttpResponse, ts_ns: int) -> Sequence[AuthEvent]:
        if response.status < 200:
            return ()
        pending = self._pending.pop(response.index, None) if self._pending else None
        if pending is None:
            self._early = response if response.index > self._last_request else None
            return ()
        verdict = self._answers.judge(response, pending.login)
        if pending.login.mechanism in _PER_REQUEST and verdict.outcome is _SUCCEEDED:
            self._accept(pending.identity)
        return [resolved(pending.attempt, ts_ns, verdict.outcome, verdict.detail, confidence=verdict.confidence)]

    def _accept(self, identity: Identity) -> None:
        if len(self._accepted) == MAX_ACCEPTED:
            del self._accepted[next(iter(self._accepted))]
        self._accepted[identity] = None

    def _normalised(self, credentials: Credentials) -> tuple[str | None, str | None]:
        username = credentials.username and normalise(credentials.username, self._context.settings)
        return username or None, self._context.tagger.tag(credentials.secret) if credentials.secret else None

    def _attempt(self, request: HttpRequest, identity: Identity, mechanism: str, ts_ns: int) -> AuthAttempted:
        key = self._context.key
        agent = ""
        for name, value in request.headers:
            if len(name) == 10 and name.lower() == "user-agent":
                agent = value[:MAX_USER_AGENT_CHARS]
                break
        endpoint, username, secret_tag = identity
        return AuthAttempted(
            ts_ns=ts_ns,
            protocol="http",
            mechanism=mechanism,
            endpoint=endpoint,
            client_ip=key.client_ip,
            client_port=key.client_port,
            server_ip=key.server_ip,
            server_port=key.server_port,
            username=username,
            secret_tag=secret_tag,
            fingerprint=fingerprint(request),
            user_agent=agent or None,
            flow_id=key.flow_id,
            community_id=key.community_id,
            auth_id=self._context.next_auth_id(),
        )


def _make(context: LoginContext) -> LoginAdapter:
    return HttpLogins(context)


HTTP_LOGINS = LoginProtocol("http", _make)
