"""Access logs in JSON: nginx under its usual field names, Traefik, Envoy, and others of those names."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext, host_port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import decoded, number, text
from lapwing.logins.logs.web import Request, WebLogins


class Keys(NamedTuple):
    """Where a server puts what; of several names the first that is there."""

    peer: tuple[str, ...]
    method: tuple[str, ...]
    target: tuple[str, ...]
    status: tuple[str, ...]
    time: tuple[str, ...]
    user: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    forwarded: tuple[str, ...] = ()
    request: tuple[str, ...] = ()  # the whole request line, where it is not taken apart


NGINX_KEYS = Keys(
    peer=("remote_addr", "client_ip", "clientip", "remote_ip", "remoteip", "client"),
    method=("request_method", "method", "verb"),
    target=("request_uri", "uri", "url", "path"),
    status=("status", "status_code", "response"),
    time=("time_iso8601", "@timestamp", "timestamp", "time", "msec", "time_local", "ts"),
    user=("remote_user", "user", "auth"),
    agent=("http_user_agent", "user_agent", "agent"),
    forwarded=("http_x_forwarded_for", "x_forwarded_for", "xff"),
    request=("request",),
)
TRAEFIK_KEYS = Keys(
    peer=("ClientAddr", "ClientHost"),
    method=("RequestMethod",),
    target=("RequestPath",),
    status=("DownstreamStatus", "OriginStatus"),
    time=("StartUTC", "time", "StartLocal"),
    user=("ClientUsername",),
    agent=("request_User-Agent",),
    forwarded=("request_X-Forwarded-For",),
)
ENVOY_KEYS = Keys(
    peer=("downstream_direct_remote_address", "downstream_remote_address", "downstream_remote_address_without_port"),
    method=("method", ":method", "req_method"),
    target=("path", "x-envoy-original-path", ":path"),
    status=("response_code",),
    time=("start_time", "timestamp"),
    agent=("user_agent",),
    forwarded=("x_forwarded_for",),
)


_NOBODY = ('""', '"-"')  # for a name, where there is none
_LOOK_CHARS = 16  # behind the key of a name: a colon, blanks, and the name's begin


class AccessDocuments:
    """Reads one request a line; see LineReader."""

    __slots__ = ("__weakref__", "_clock", "_keys", "_logins", "_marks", "_named")

    def __init__(self, context: LogContext, keys: Keys) -> None:
        self._clock = context.clock
        self._keys = keys
        self._logins = WebLogins(context)
        self._named = tuple(f'"{name}"' for name in keys.user)
        self.follow()
        context.followers.add(self)

    def follow(self) -> None:
        """See Follows."""
        self._logins.follow()
        self._marks = tuple(mark.strip('" ') for mark in self._logins.marks)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        if line[:1] == "{" and line[-1:] == "}" and not self._may_matter(line):
            return Miss.OTHER
        document = decoded(line)
        if document is None:
            return Miss.FOREIGN
        request = self._request(document)
        return request if isinstance(request, Miss) else self._logins.read(request)

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()

    def _may_matter(self, line: str) -> bool:
        """Whether the line is to a login surface or has a name in it; most have neither and need no decoding."""
        for mark in self._marks:
            if mark in line:
                return True
        for name in self._named:
            place = line.find(name)
            if place >= 0 and not line[place + len(name) : place + len(name) + _LOOK_CHARS].lstrip(": ").startswith(
                _NOBODY
            ):
                return True
        return False

    def _request(self, document: Mapping[str, Any]) -> Request | Miss:
        keys = self._keys
        asked = text(document, *keys.request)
        method, target = text(document, *keys.method), text(document, *keys.target)
        if asked and not (method and target):
            method, _, target = asked.partition(" ")
            target = target.rpartition(" HTTP/")[0] or target
        status = number(document, *keys.status)
        if not method or status is None:
            return Miss.FOREIGN
        peer, port = host_port(text(document, *keys.peer))
        if peer is None:
            return Miss.NO_ADDRESS
        ts_ns = self._clock.any(next((document[name] for name in keys.time if name in document), None))
        if ts_ns is None:
            return Miss.NO_TIME
        agent, user = text(document, *keys.agent), text(document, *keys.user)
        return Request(ts_ns, peer, method, target, status, user, agent or None, text(document, *keys.forwarded), port)


def _has(line: str, keys: Keys) -> bool:
    document = decoded(line)
    if document is None:
        return False
    asked = bool(text(document, *keys.request)) or bool(text(document, *keys.method))
    timed = any(name in document for name in keys.time)
    return asked and timed and number(document, *keys.status) is not None and bool(text(document, *keys.peer))


def _format(name: str, title: str, keys: Keys) -> LogFormat:
    return LogFormat(name, title, lambda line: _has(line, keys), lambda context: AccessDocuments(context, keys))


TRAEFIK = _format("traefik", "Traefik's access log in JSON", TRAEFIK_KEYS)
ENVOY = _format("envoy", "Envoy's and Istio's access log in JSON", ENVOY_KEYS)
ACCESS_JSON = _format("access-json", "nginx and others: access log in JSON under nginx's names", NGINX_KEYS)
