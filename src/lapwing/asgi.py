"""`GuardMiddleware` for ASGI applications; see `lapwing.web`."""

from lapwing.web import Answer, Gate
from lapwing.web import AsgiGuard as GuardMiddleware

__all__ = ["Answer", "Gate", "GuardMiddleware"]
