"""`GuardMiddleware` for WSGI applications; see `lapwing.web`."""

from lapwing.web import Answer, Gate
from lapwing.web import WsgiGuard as GuardMiddleware

__all__ = ["Answer", "Gate", "GuardMiddleware"]
