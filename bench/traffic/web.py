"""TLS that nobody can read and HTTP/1.1 that everybody can."""

import base64
import json
import random
import struct

from bench.traffic.script import ACK, CLIENT, MSS, PSH, SERVER, THINK_US, TRIP_US, Pool, Script, zipf_sizes

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.9.1",
    "python-requests/2.32.3",
)
WORDS = ("account", "order", "invoice", "report", "search", "basket", "help", "profile", "archive", "status")
BURST_SEGMENTS = 64  # sent before the next round trip
OPAQUE_SEGMENTS = 256  # distinct full segments of ciphertext; longer transfers repeat them
WIRE_FAST = 400.0  # the first request follows the handshake at once


def tls_record(kind: int, body: bytes) -> bytes:
    return struct.pack(">BHH", kind, 0x0303, len(body)) + body


def client_hello(host: str, rng: random.Random) -> bytes:
    """A TLS 1.3 ClientHello: name, ALPN, versions, groups, one key share (RFC 8446 section 4.1.2)."""

    def extension(number: int, body: bytes) -> bytes:
        return struct.pack(">HH", number, len(body)) + body

    name = host.encode()
    share = struct.pack(">HH", 0x001D, 32) + rng.randbytes(32)
    extensions = b"".join(
        (
            extension(0, struct.pack(">HBH", len(name) + 3, 0, len(name)) + name),
            extension(10, struct.pack(">HHH", 4, 0x001D, 0x0017)),
            extension(16, struct.pack(">H", 12) + b"\x02h2\x08http/1.1"),
            extension(13, struct.pack(">HHHH", 6, 0x0403, 0x0804, 0x0401)),
            extension(43, b"\x04\x03\x04\x03\x03"),
            extension(51, struct.pack(">H", len(share)) + share),
        )
    )
    ciphers = struct.pack(">HHHH", 6, 0x1301, 0x1302, 0x1303)
    body = b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + ciphers + b"\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    return tls_record(22, b"\x01" + len(body).to_bytes(3, "big") + body)


def server_hello(rng: random.Random) -> bytes:
    extensions = struct.pack(">HHHHHHH", 43, 2, 0x0304, 51, 36, 0x001D, 32) + rng.randbytes(32)
    body = b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\x13\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = tls_record(22, b"\x02" + len(body).to_bytes(3, "big") + body)
    return hello + tls_record(20, b"\x01") + tls_record(23, rng.randbytes(2_300))


def opaque_segments(rng: random.Random) -> list[bytes]:
    """Full segments of application-data records, four segments to a record."""
    record = 4 * MSS
    stream = b"".join(tls_record(23, rng.randbytes(record - 5)) for _ in range(OPAQUE_SEGMENTS // 4))
    return [stream[at : at + MSS] for at in range(0, len(stream), MSS)]


def tls_scripts(pool: Pool, rng: random.Random, *, largest: int) -> list[Script]:
    """From one small exchange to `largest` segments: two in five are bulk, the others many small records."""
    opaque = opaque_segments(rng)
    chatter = [tls_record(23, rng.randbytes(rng.choice((34, 60, 120, 300, 700, 1_200)))) for _ in range(200)]
    scripts = []
    for index, size in enumerate(zipf_sizes(1, largest, 60)):
        script = Script(pool, 443).open()
        hello = client_hello(f"{WORDS[index % len(WORDS)]}{index}.example.com", rng)
        script.ask(hello, server_hello(rng), TRIP_US)
        script.packet(CLIENT, PSH | ACK, tls_record(20, b"\x01") + tls_record(23, rng.randbytes(53)), TRIP_US)
        script.ask(tls_record(23, rng.randbytes(rng.randint(90, 900))), tls_record(23, rng.randbytes(320)))
        if index % 5 in (1, 3, 4):
            for _ in range(size // 2):
                script.ask(rng.choice(chatter), rng.choice(chatter), TRIP_US * 2)
        else:
            _bulk(script, opaque, size, CLIENT if index % 7 == 6 else SERVER, rng.randrange(OPAQUE_SEGMENTS))
        scripts.append(script.reset(SERVER) if index % 9 == 8 else script.close(index % 2))
    return scripts


def _bulk(script: Script, opaque: list[bytes], size: int, side: int, first: int) -> None:
    for at in range(0, size, BURST_SEGMENTS):
        count = min(size - at, BURST_SEGMENTS)
        pieces = [opaque[(first // 4 * 4 + at + i) % OPAQUE_SEGMENTS] for i in range(count)]
        script.segments(side, pieces, TRIP_US * 3, pace_us=900.0)


def request(method: str, target: str, host: str, agent: str, headers: str = "", body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body or method == "POST" else ""
    return (
        f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n"
        "Accept: text/html,*/*;q=0.8\r\n"
        f"Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
        f"{headers}{length}\r\n"
    ).encode() + body


def response(status: str, body: bytes, headers: str = "", kind: str = "text/html; charset=utf-8") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nServer: nginx\r\nDate: Fri, 02 Jan 2026 10:00:00 GMT\r\n"
        f"Content-Type: {kind}\r\n"
        f"{headers}Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
    ).encode() + body


def chunked(body: bytes, size: int = 4_000) -> bytes:
    chunks = b"".join(
        f"{len(part):x}\r\n".encode() + part + b"\r\n"
        for part in (body[at : at + size] for at in range(0, len(body), size))
    )
    head = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + chunks + b"0\r\n\r\n"


def page(rng: random.Random, length: int) -> bytes:
    text = " ".join(rng.choice(WORDS) for _ in range(length // 6))
    title = rng.choice(WORDS)
    return f"<!doctype html><html><head><title>{title}</title></head><body><p>{text}</p></body></html>".encode()


def browsing_scripts(pool: Pool, rng: random.Random, count: int) -> list[Script]:
    """Keep-alive page views: HTML, images, JSON, a 304 now and then."""
    scripts = []
    for index in range(count):
        host, agent = f"www{index % 40}.example.com", AGENTS[index % len(AGENTS)]
        cookie = f"Cookie: session={rng.randbytes(12).hex()}\r\n"
        script = Script(pool, 8080 if index % 10 == 9 else 80).open()
        for turn in range(1 + min(int(rng.expovariate(0.45)), 12)):
            target = f"/{rng.choice(WORDS)}/{rng.randrange(4000)}"
            think = THINK_US if turn else WIRE_FAST
            kind = rng.random()
            if kind < 0.35:
                answer = response("200 OK", page(rng, rng.randint(1_500, 14_000)))
            elif kind < 0.55:
                answer = response("200 OK", rng.randbytes(rng.randint(800, 40_000)), kind="image/webp")
            elif kind < 0.70:
                items = [{"id": rng.randrange(10**6), "name": rng.choice(WORDS)} for _ in range(rng.randint(2, 60))]
                answer = response("200 OK", json.dumps(items).encode(), kind="application/json")
            elif kind < 0.85:
                answer = chunked(page(rng, rng.randint(3_000, 18_000)))
            else:
                answer = b'HTTP/1.1 304 Not Modified\r\nServer: nginx\r\nETag: "a7c"\r\n\r\n'
            script.ask(request("GET", target, host, agent, cookie), answer, think)
        scripts.append(script.close(index % 2))
    return scripts


def download_scripts(pool: Pool, rng: random.Random, *, largest: int) -> list[Script]:
    """One file each, up to `largest` bytes, its content repeating every 64 KiB."""
    block = rng.randbytes(65_536)
    scripts = []
    for index, size in enumerate(zipf_sizes(60_000, largest, 12)):
        head = (
            f"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {size}\r\n"
            f"Accept-Ranges: bytes\r\n\r\n"
        ).encode()
        script = Script(pool, 80).open()
        script.ask(request("GET", f"/files/{index}.iso", "download.example.com", AGENTS[3]), head, WIRE_FAST)
        body = (block * (size // len(block) + 1))[:size]
        pieces = [body[at : at + MSS] for at in range(0, size, MSS)]
        scripts.append(script.segments(SERVER, pieces, TRIP_US, pace_us=700.0).close(SERVER))
    return scripts


def login_scripts(pool: Pool, rng: random.Random, count: int) -> list[Script]:
    """Form, JSON and Basic logins; about half of them fail, some after several tries on one connection."""
    scripts = []
    for index in range(count):
        host, agent = f"login{index % 12}.example.com", AGENTS[index % len(AGENTS)]
        script = Script(pool, 80).open()
        tries = 1 if rng.random() < 0.6 else rng.randint(2, 5)
        for turn in range(tries):
            user = f"user{rng.randrange(900)}"
            good = turn == tries - 1 and rng.random() < 0.6
            pair = _LOGINS[index % len(_LOGINS)](user, f"pass-{rng.randrange(10**6)}", host, agent, good, rng)
            script.ask(*pair, WIRE_FAST if turn == 0 else THINK_US)
        scripts.append(script.close(index % 2))
    return scripts


def _form(user: str, word: str, host: str, agent: str, good: bool, rng: random.Random) -> tuple[bytes, bytes]:
    body = f"username={user}%40example.com&password={word}&remember=1".encode()
    kind = "Content-Type: application/x-www-form-urlencoded\r\nReferer: http://example.com/login\r\n"
    ask = request("POST", "/login", host, agent, kind, body)
    if good:
        cookie = f"Location: /account\r\nSet-Cookie: session={rng.randbytes(16).hex()}; HttpOnly; Path=/\r\n"
        return ask, response("302 Found", b"", cookie)
    failed = (
        b"<html><body><form action='/login' method='post'>Wrong name or password."
        + page(rng, 900)
        + b"</form></body></html>"
    )
    return ask, response("200 OK" if rng.random() < 0.5 else "401 Unauthorized", failed)


def _json(user: str, word: str, host: str, agent: str, good: bool, rng: random.Random) -> tuple[bytes, bytes]:
    body = json.dumps({"email": f"{user}@example.com", "password": word}).encode()
    ask = request("POST", "/api/v1/login", host, agent, "Content-Type: application/json\r\n", body)
    reply = {"token": rng.randbytes(24).hex()} if good else {"error": "invalid_credentials"}
    return ask, response("200 OK" if good else "401 Unauthorized", json.dumps(reply).encode(), kind="application/json")


def _basic(user: str, word: str, host: str, agent: str, good: bool, rng: random.Random) -> tuple[bytes, bytes]:
    token = base64.b64encode(f"{user}:{word}".encode()).decode()
    ask = request("GET", "/private/", host, agent, f"Authorization: Basic {token}\r\n")
    if good:
        return ask, response("200 OK", page(rng, 1_200))
    return ask, response("401 Unauthorized", page(rng, 300), 'WWW-Authenticate: Basic realm="private"\r\n')


_LOGINS = (_form, _json, _basic)
