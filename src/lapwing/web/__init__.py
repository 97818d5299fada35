"""In an application and before it: who may log in, decided while they wait.

`GuardMiddleware` for ASGI and WSGI sees logins and their outcomes in the application itself; `ForwardAuth` answers a
proxy that asks about each request. None of them imports a web framework.
"""

from lapwing.web.asgi import AsgiGuard
from lapwing.web.forward import LOOPBACK, ForwardAuth
from lapwing.web.gate import Answer, Gate, at_least
from lapwing.web.server import ForwardServer, want_descriptors
from lapwing.web.watching import WebLoginWatch
from lapwing.web.wsgi import WsgiGuard

__all__ = [
    "LOOPBACK",
    "Answer",
    "AsgiGuard",
    "ForwardAuth",
    "ForwardServer",
    "Gate",
    "WebLoginWatch",
    "WsgiGuard",
    "at_least",
    "want_descriptors",
]
