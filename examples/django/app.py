"""A Django application in one file, with a login form, and Lapwing around it.

Start it with `python app.py 8000`, end it with Ctrl-C. What happens is told on standard output, one event a line.
With `LAPWING_DECOYS` naming a store of planted tokens, logins with its decoys are found.
"""

import os
import sys
from contextlib import suppress
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from lapwing import load_decoys
from lapwing.events import Event, encode
from lapwing.wsgi import Gate, GuardMiddleware

USERS = {f"user{number}": f"secret of user {number}" for number in range(40)}  # a real one keeps hashes
FORM = '<form method="post"><p>{}</p><input name="username"><input name="password" type="password"></form>'

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="only-for-this-example", USE_TZ=True)


def home(_request: HttpRequest) -> HttpResponse:
    """Say hello: no login, so it always passes."""
    return HttpResponse("hello")


def login(request: HttpRequest) -> HttpResponse:
    """Log in, the way Django's own view does: the form again, or a redirect with a session."""
    if request.method != "POST":
        return HttpResponse(FORM.format(""))
    if USERS.get(request.POST.get("username", "")) != request.POST.get("password"):
        return HttpResponse(FORM.format("Please enter a correct username and password."))
    response = HttpResponseRedirect("/")
    response.set_cookie("sessionid", "example")
    return response


urlpatterns = [path("", home), path("login", login)]


def tell(events: list[Event]) -> None:
    """Write events to standard output; findings would go to whoever is on duty."""
    for event in events:
        sys.stdout.write(encode(event).decode() + "\n")
    sys.stdout.flush()


def gate() -> Gate:
    """The state behind the guard, with the decoys where some were planted."""
    store = os.environ.get("LAPWING_DECOYS")
    if not store:
        return Gate(listener=tell)
    decoys = load_decoys(store, follow=True)
    return Gate(listener=decoys.telling(tell), decoys=decoys.known, tag_key=decoys.tag_key)


# The proxy in front runs on this machine: its X-Forwarded-For is believed, nobody else's.
application = GuardMiddleware(get_wsgi_application(), gate(), trusted_proxies=["127.0.0.1"])


class Server(ThreadingMixIn, WSGIServer):
    """The server of the standard library, with a thread for each request."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Standard output is for events, and standard error for what goes wrong."""

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the name it has there
        """Say nothing."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with suppress(KeyboardInterrupt), make_server("127.0.0.1", port, application, Server, Quiet) as server:
        server.serve_forever()
