"""A guard around a WSGI application (PEP 3333): Django, Flask and their like. The twin of the ASGI one."""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import BoundedSemaphore
from typing import Any

from lapwing.events import Action
from lapwing.web.answers import BODY, STATUS, refusal
from lapwing.web.asgi import DELAY_S, SCOPE_KEY
from lapwing.web.gate import ALLOW, Answer, Gate
from lapwing.web.watching import MAX_BODY_BYTES, Headers, Peer, Watched, WebLoginWatch

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

MAX_DELAYED = 16  # threads held at once; servers have few of them
_REASONS = {429: "429 Too Many Requests"}


class WsgiGuard:
    """See `AsgiGuard`; the answer to a login is in `environ["lapwing"]`."""

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
        self._delays = BoundedSemaphore(MAX_DELAYED)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request of the server."""
        headers = _headers(environ)
        method, target = str(environ.get("REQUEST_METHOD", "GET")), _target(environ)
        body = self._body(environ, method, target)
        port = str(environ.get("REMOTE_PORT", ""))
        peer = Peer(str(environ.get("REMOTE_ADDR", "")), int(port) if port.isdigit() else 0)
        watched = self.watch.look(method, target, headers, body, peer)
        if watched is None:
            return self.app(environ, start_response)
        if not self._admit(watched, watched.answer if self._enforce else ALLOW):
            start_response(_REASONS[STATUS], refusal(watched.answer))
            return [BODY]
        environ[SCOPE_KEY] = watched.answer
        return _Followed(self.app, watched, environ, start_response)

    def _body(self, environ: Environ, method: str, target: str) -> bytes | None:
        """The request's body where it may hold credentials, None for a longer one; the application reads it again."""
        length = str(environ.get("CONTENT_LENGTH") or "")
        size = int(length) if length.isascii() and length.isdigit() else 0
        in_chunks = not length and bool(environ.get("wsgi.input_terminated"))  # its end shows as the end of a file's
        if not (size or in_chunks) or not self.watch.wants_body(method, target, str(environ.get("CONTENT_TYPE", ""))):
            return b""
        if size > MAX_BODY_BYTES:
            return None
        given = environ["wsgi.input"]
        body: bytes = given.read(size or MAX_BODY_BYTES + 1)
        environ["wsgi.input"] = io.BytesIO(body) if size else io.BufferedReader(_Again(body, given))
        return body if len(body) <= MAX_BODY_BYTES else None

    def _admit(self, watched: Watched, answer: Answer) -> bool:
        """See `AsgiGuard`."""
        if answer.action is Action.DELAY:
            if not self._delays.acquire(blocking=False):
                watched.failed()
                return False
            try:
                time.sleep(self._delay_s)
            finally:
                self._delays.release()
        return answer.action is not Action.BLOCK


class _Again(io.RawIOBase):
    """The beginning of a request's body that was read already, and what comes behind it."""

    def __init__(self, body: bytes, rest: Any) -> None:
        self._body = io.BytesIO(body)
        self._rest = rest

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        data = self._body.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Followed:
    """The application's response, read on its way out."""

    def __init__(self, app: App, watched: Watched, environ: Environ, start_response: StartResponse) -> None:
        self._watched = watched
        self._start_response = start_response
        self._status = 0
        self._headers: Headers = ()
        self._sent = 0
        try:
            self._pieces = app(environ, self._start)
        except BaseException:
            watched.failed()
            raise

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                self._saw(piece)
                yield piece
            if self._status:
                self._watched.ended(self._status, self._headers, self._sent)
        finally:
            self._watched.failed()  # says nothing when the outcome is known

    def close(self) -> None:
        """Close the application's response, as the server asks."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def _start(self, status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
        self._status = int(status[:3])
        self._headers = list(headers)
        write = self._start_response(status, headers, *error)

        def writing(piece: bytes) -> object:
            self._saw(piece)
            return write(piece)

        return writing

    def _saw(self, piece: bytes) -> None:
        self._sent += len(piece)
        self._watched.saw(piece)


def _headers(environ: Environ) -> list[tuple[str, str]]:
    """The request's headers; WSGI keeps neither their order nor their spelling."""
    found = [
        (name[5:].replace("_", "-").title(), str(value)) for name, value in environ.items() if name.startswith("HTTP_")
    ]
    plain = ("CONTENT_TYPE", "CONTENT_LENGTH")
    found += [(name.replace("_", "-").title(), str(environ[name])) for name in plain if environ.get(name)]
    return sorted(found)


def _target(environ: Environ) -> str:
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    query = str(environ.get("QUERY_STRING", ""))
    return f"{path}?{query}" if query else path
