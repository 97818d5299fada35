"""Picks the compiled loops, or their plain twins where no compiler was present at build time."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapwing.protocols.http.usual import glance_request, glance_response, usual_request, usual_response
else:
    try:
        from lapwing.protocols.hot_http import glance_request, glance_response, usual_request, usual_response
    except (ImportError, AttributeError):  # the second: uncompiled, where Cython is installed but could not build
        from lapwing.protocols.http.usual import glance_request, glance_response, usual_request, usual_response

__all__ = ["glance_request", "glance_response", "usual_request", "usual_response"]
