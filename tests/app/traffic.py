"""Small captures for the commands to read."""

from pathlib import Path

from lapwing.app.units import NS_PER_S
from lapwing.testing import START_NS, TcpConversation, interleave, pcap


def web_login(number: int, *, accepted: bool) -> TcpConversation:
    """One connection with one login at a form."""
    talk = TcpConversation(
        "192.0.2.7", "198.51.100.21", client_port=40_000 + number, start_ns=START_NS + number * NS_PER_S
    )
    body = b"username=archive&password=swordfish%d" % number
    request = (
        b"POST /login HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: test\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nwrong.\n"
    entered = b"HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: session=x%d\r\nContent-Length: 0\r\n\r\n" % number
    return talk.handshake().client(request + body).server(entered if accepted else refused).close()


def guessing_at(path: Path, tries: int = 30) -> Path:
    """A capture in which one source guesses the password of one account."""
    path.write_bytes(pcap(interleave(*[web_login(number, accepted=False) for number in range(tries)])))
    return path


def calm_at(path: Path) -> Path:
    """A capture with a single ordinary login."""
    path.write_bytes(pcap(interleave(web_login(0, accepted=True))))
    return path
