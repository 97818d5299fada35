"""A guard around an ASGI application: pure ASGI 3, for Starlette, FastAPI, Django, Quart and their like."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from lapwing.events import Action
from lapwing.web.answers import BODY, STATUS, refusal
from lapwing.web.gate import ALLOW, Answer, Gate
from lapwing.web.watching import MAX_BODY_BYTES, Headers, Peer, Watched, WebLoginWatch

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_DELAYED = 256  # requests held at once; one more is refused, so that delays cannot exhaust the server
DELAY_S = 2.0
SCOPE_KEY = "lapwing"  # where the application finds the Answer to a login it handles


class AsgiGuard:
    """Sees logins (forms, JSON, OAuth, Basic), holds back those that detection says to, reads outcomes from responses.

    Blocked logins are answered with 429 and `Retry-After`; delayed ones wait; challenged ones reach the application,
    which finds the answer in `scope["lapwing"]` and should ask for more than the password. Requests that are no logins
    always pass. With `enforce=False` everything passes and the answers are only noted.
    """

    def __init__(
        self,
        app: App,
        gate: Gate | None = None,
        *,
        trusted_proxies: Sequence[str] = (),
        enforce: bool = True,
        delay_s: float = DELAY_S,
    ) -> None:
        """Raise ValueError for a wrong network."""
        self.app = app
        self.gate = gate or Gate()
        self.watch = WebLoginWatch(self.gate, trusted_proxies=trusted_proxies, enforce=enforce)
        self._enforce = enforce
        self._delay_s = delay_s
        self._delayed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        body, receive = await self._body(scope, headers, receive)
        peer = Peer(*(scope.get("client") or ("", 0)))
        watched = self.watch.look(scope["method"], _target(scope), headers, body, peer)
        if watched is None:
            await self.app(scope, receive, send)
            return
        answer = watched.answer if self._enforce else ALLOW
        if not await self._admit(watched, answer):
            await _refuse(send, watched.answer)
            return
        scope[SCOPE_KEY] = watched.answer
        await self._follow(watched, scope, receive, send)

    async def _body(self, scope: Scope, headers: Headers, receive: Receive) -> tuple[bytes | None, Receive]:
        """The request's body where it may hold credentials, and a `receive` that gives it to the application again.

        None for one that is too long.
        """
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        length = next((value for name, value in headers if name.lower() == "content-length"), "")
        size = int(length) if length.isascii() and length.isdigit() else None
        if not self.watch.wants_body(scope["method"], _target(scope), kind):
            return b"", receive
        if size is not None and size > MAX_BODY_BYTES:
            return None, receive
        taken: list[MutableMapping[str, Any]] = []
        body = bytearray()
        while len(body) <= MAX_BODY_BYTES:
            message = await receive()
            taken.append(message)
            body += message.get("body", b"")
            if message["type"] != "http.request":  # the client is gone: nobody has the whole of it
                body.clear()
                break
            if not message.get("more_body", False):
                break
        taken.reverse()

        async def again() -> MutableMapping[str, Any]:
            return taken.pop() if taken else await receive()

        return bytes(body) if len(body) <= MAX_BODY_BYTES else None, again

    async def _admit(self, watched: Watched, answer: Answer) -> bool:
        """Whether the login may go on, after the wait that a delay is; how one ends that may not is told."""
        if answer.action is Action.DELAY:
            if self._delayed >= MAX_DELAYED:
                watched.failed()
                return False
            self._delayed += 1
            try:
                await asyncio.sleep(self._delay_s)
            except asyncio.CancelledError:  # the client is gone
                watched.failed()
                raise
            finally:
                self._delayed -= 1
        return answer.action is not Action.BLOCK

    async def _follow(self, watched: Watched, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and read the answer on its way out."""
        status = 0
        headers: Headers = ()
        sent = 0

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status, headers, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [(_text(name), _text(value)) for name, value in message.get("headers", ())]
            elif message["type"] == "http.response.body":
                piece = message.get("body", b"")
                sent += len(piece)
                watched.saw(piece)
                if status and not message.get("more_body", False):
                    watched.ended(status, headers, sent)  # before the last piece: the client's next try comes after
                    status = 0
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            watched.failed()  # says nothing when the outcome is known


async def _refuse(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal(answer)]
    await send({"type": "http.response.start", "status": STATUS, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def _target(scope: Scope) -> str:
    path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    query = scope.get("query_string", b"")
    return _text(path + b"?" + query if query else path)


def _text(data: bytes | str) -> str:
    return data.decode("latin-1") if isinstance(data, bytes) else data
