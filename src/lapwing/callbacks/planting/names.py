"""What a planted thing is made of: a token's names, the planter's wishes, and randomness handed in."""

from hashlib import shake_256
from typing import NamedTuple

import msgspec

from lapwing.callbacks.responders.http_answers import HttpAnswer

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # base32, what access key ids are written in


# What a planted name answers that has nothing to show: whoever tries it sees a server like any other.
NOTHING_HERE = HttpAnswer(
    404,
    (("Content-Type", "text/html"),),
    b"<html>\n<head><title>404 Not Found</title></head>\n<body>\n<h1>Not Found</h1>\n</body>\n</html>\n",
)


class Names(msgspec.Struct, frozen=True):
    """A token below the collector's domain. `port` is None for the scheme's own.

    `base`, such as `http://192.0.2.10:8080`, is for places without DNS: addresses then carry the token in their path.
    """

    unique_id: str
    domain: str
    scheme: str = "https"
    port: int | None = None
    base: str = ""

    @property
    def host(self) -> str:
        """The DNS name."""
        return f"{self.unique_id}.{self.domain}"

    @property
    def netloc(self) -> str:
        """The DNS name, with the port where it is not the scheme's own."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def url(self, path: str = "/") -> str:
        """An address; `path` begins with a slash."""
        if self.base:
            return f"{self.base.rstrip('/')}/{self.unique_id}{path}"
        return f"{self.scheme}://{self.netloc}{path}"

    @property
    def mail_address(self) -> str:
        """A mail address whose domain is the token."""
        return f"accounts@{self.host}"


class Wishes(msgspec.Struct, frozen=True):
    """What the planter says. `target` is where a redirect leads; `site` the host name of the page that is watched."""

    target: str = ""
    site: str = ""
    title: str = ""


class Artefact(NamedTuple):
    """One planted thing. `text` is what to paste where there is no file; `answer` what the collector should answer."""

    text: str
    filename: str = ""
    data: bytes = b""
    answer: HttpAnswer | None = None


class Grain:
    """Random letters out of fresh entropy: equal entropy gives equal letters, and one use tells nothing of another."""

    def __init__(self, entropy: bytes) -> None:
        """Raises ValueError for fewer than 16 bytes."""
        if len(entropy) < 16:
            raise ValueError("at least 16 bytes of entropy")
        self._entropy = entropy

    def letters(self, use: str, count: int, alphabet: str = LETTERS) -> str:
        """Return `count` characters of `alphabet` for one use."""
        data = shake_256(self._entropy + use.encode()).digest(2 * count)
        return "".join(
            alphabet[int.from_bytes(data[2 * place : 2 * place + 2], "big") % len(alphabet)] for place in range(count)
        )
