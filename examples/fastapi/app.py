"""A FastAPI application with a login, and Lapwing around it.

Start it with `uvicorn app:guarded --no-proxy-headers`: then the guard alone says whose word on addresses counts.
What happens is told on standard output, one event a line.
With `LAPWING_DECOYS` naming a store of planted tokens, logins with its decoys are found.
"""

import os
import sys

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from lapwing import load_decoys
from lapwing.asgi import Gate, GuardMiddleware
from lapwing.events import Event, encode

USERS = {f"user{number}": f"secret of user {number}" for number in range(40)}  # a real one keeps hashes


class Credentials(BaseModel):
    """What the client sends."""

    username: str
    password: str


app = FastAPI()


@app.get("/")
def home() -> dict[str, str]:
    """Say hello: no login, so it always passes."""
    return {"hello": "world"}


@app.post("/login")
def login(given: Credentials) -> JSONResponse:
    """Log in. Nothing here knows of the guard."""
    if USERS.get(given.username) != given.password:
        return JSONResponse({"error": "wrong user name or password"}, status_code=401)
    return JSONResponse({"token": f"token of {given.username}"})


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
guarded = GuardMiddleware(app, gate(), trusted_proxies=["127.0.0.1"])
