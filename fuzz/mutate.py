"""Changes to inputs: small ones that keep most of the structure, and splices of two."""

from random import Random

MAX_INPUT_BYTES = 4096  # longer inputs take longer and reach no other code
EDGES = (0, 1, 0x0A, 0x0D, 0x20, 0x7F, 0x80, 0xFE, 0xFF)
WORDS = (
    b"\r\n",
    b"\r\n\r\n",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"250-",
    b"Content-Length: ",
)


def mutated(random: Random, corpus: list[bytes]) -> bytes:
    """A new input from one or two of the corpus."""
    data = bytearray(random.choice(corpus))
    for _ in range(1 << random.randrange(4)):
        random.choice(CHANGES)(random, data, corpus)
    return bytes(data[:MAX_INPUT_BYTES])


def _place(random: Random, data: bytearray) -> int:
    return random.randrange(len(data) + 1)


def _flip(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _edge(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice(EDGES)


def _near(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    if data:
        at = random.randrange(len(data))
        data[at] = (data[at] + random.choice((-2, -1, 1, 2))) % 256


def _insert(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    at = _place(random, data)
    data[at:at] = random.choice((random.choice(WORDS), random.randbytes(random.randrange(1, 9))))


def _delete(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    at = _place(random, data)
    del data[at : at + random.randrange(1, 17)]


def _cut(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    del data[_place(random, data) :]


def _repeat(random: Random, data: bytearray, _corpus: list[bytes]) -> None:
    at = _place(random, data)
    piece = bytes(data[at : at + random.randrange(1, 65)])
    data[at:at] = piece * random.randrange(1, 4)


def _splice(random: Random, data: bytearray, corpus: list[bytes]) -> None:
    other = random.choice(corpus)
    begin = random.randrange(len(other) + 1)
    at = _place(random, data)
    data[at : at + random.randrange(33)] = other[begin : begin + random.randrange(257)]


CHANGES = (_flip, _flip, _edge, _near, _insert, _insert, _delete, _cut, _repeat, _splice, _splice)
