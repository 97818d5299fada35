"""Names asked and answered, pings, QUIC-like and other datagrams, and ports that nobody serves."""

import random
import struct

from bench.traffic.script import ACK, CLIENT, RST, SERVER, SYN, THINK_US, TRIP_US, Pool, Script, zipf_sizes

UDP, ICMP = 17, 1
ECHO_REQUEST, ECHO_REPLY = 8, 0
NAMES = ["www", "mail", "api", "cdn", "login", "shop", "news", "img", "static", "auth", "edge", "files"]


def _question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return labels + b"\0" + struct.pack(">HH", kind, 1)


def dns_scripts(pool: Pool, rng: random.Random, count: int) -> list[Script]:
    """A or AAAA, one to four answers; one in eight names does not exist, one in forty is not answered."""
    scripts = []
    for index in range(count):
        script = Script(pool, 53, UDP)
        kinds = (1, 28) if index % 5 == 0 else (28,) if index % 3 == 0 else (1,)
        name = f"{rng.choice(NAMES)}{rng.randrange(4000)}.example.com"
        for kind in kinds:
            number = rng.getrandbits(16)
            question = _question(name, kind)
            script.packet(CLIENT, 0, struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question, 60.0)
            if index % 40 == 39:
                continue
            missing = index % 8 == 7
            answers = [] if missing else [_address(rng, kind) for _ in range(rng.randint(1, 4))]
            flags = 0x8183 if missing else 0x8180
            head = struct.pack(">HHHHHH", number, flags, 1, len(answers), 0, 0)
            script.packet(SERVER, 0, head + question + b"".join(answers), TRIP_US * 2)
        scripts.append(script)
    return scripts


def _address(rng: random.Random, kind: int) -> bytes:
    data = bytes([198, 19]) + rng.randbytes(2) if kind == 1 else b"\x20\x01\x0d\xb8" + rng.randbytes(12)
    return struct.pack(">HHHIH", 0xC00C, kind, 1, 300, len(data)) + data


def ping_scripts(pool: Pool, rng: random.Random) -> list[Script]:
    scripts = []
    for count in (1, 2, 4, 4, 10):
        script = Script(pool, 0, ICMP)
        for _ in range(count):
            data = rng.randbytes(56)
            script.packet(CLIENT, ECHO_REQUEST, data, THINK_US * 5)
            script.packet(SERVER, ECHO_REPLY, data, TRIP_US * 2)
        scripts.append(script)
    return scripts


def quic_scripts(pool: Pool, rng: random.Random, *, largest: int) -> list[Script]:
    """A padded first datagram, then opaque ones of mixed sizes; smallest first."""
    opaque = [b"\x40" + rng.randbytes(rng.choice((30, 45, 200, 1250, 1250, 1250)) - 1) for _ in range(200)]
    scripts = []
    for size in zipf_sizes(4, largest, 24):
        script = Script(pool, 443, UDP)
        script.packet(CLIENT, 0, b"\xc0\0\0\0\x01\x08" + rng.randbytes(1_194), 0.0)
        script.packet(SERVER, 0, b"\xc0\0\0\0\x01\x08" + rng.randbytes(1_194), TRIP_US * 2)
        for turn in range(size):
            side = CLIENT if turn % 4 == 0 else SERVER
            script.packet(side, 0, rng.choice(opaque), TRIP_US if turn % 8 == 0 else 600.0)
        scripts.append(script)
    return scripts


def other_scripts(pool: Pool, rng: random.Random) -> list[Script]:
    """NTP, syslog in one direction, voice in both."""
    scripts = []
    for _ in range(4):
        script = Script(pool, 123, UDP)
        script.packet(CLIENT, 0, b"\x23" + rng.randbytes(47), 0.0)
        script.packet(SERVER, 0, b"\x24" + rng.randbytes(47), TRIP_US * 2)
        scripts.append(script)
    for length in (1, 3, 12):
        script = Script(pool, 514, UDP)
        for _ in range(length):
            script.packet(
                CLIENT,
                0,
                b"<134>Jan  2 10:00:00 host service: " + b"started a unit " * rng.randint(2, 8),
                THINK_US,
            )
        scripts.append(script)
    for length in (200, 600):
        script = Script(pool, 40_000, UDP)
        for turn in range(length):
            script.packet(turn % 2, 0, b"\x80\0" + rng.randbytes(170), 10_000.0)
        scripts.append(script)
    return scripts


def refused_scripts(pool: Pool) -> list[Script]:
    """Connections that never come to be: refused at once, or never answered."""
    refused, silent = Script(pool, 8443), Script(pool, 3389)
    refused.packet(CLIENT, SYN, b"", 0.0)
    refused.packet(SERVER, RST | ACK, b"", TRIP_US)
    silent.packet(CLIENT, SYN, b"", 0.0)
    return [refused, silent]


def tiny_scripts(pool: Pool, rng: random.Random) -> list[Script]:
    """Conversations of one to three hundred packets with hardly any payload, smallest first."""
    scripts = []
    for size in (1, 2, 2, 3, 4, 5, 6, 8, 10, 14, 20, 40, 100, 300):
        for protocol in (6, UDP, 6):
            script = Script(pool, 5222 if protocol == 6 else 3478, protocol)
            for turn in range(size):
                if protocol == 6 and turn < 3:
                    script.packet(turn % 2, (SYN, SYN | ACK, ACK)[turn], b"", 1.0)
                else:
                    script.packet(turn % 2, 24 if protocol == 6 else 0, rng.randbytes(rng.randint(1, 24)), 1.0)
            scripts.append(script)
    return scripts
