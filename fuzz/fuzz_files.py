"""Fuzz target: files in mails and in bodies, however they are coded and cut."""

from lapwing.protocols.files import Entities, FileReader, body_reader
from tests.protocols.test_files import MAIL

KINDS = ("multipart/form-data; boundary=B", "text/plain", "application/json", "image/png", "")
CODINGS = ("", "gzip", "deflate", "br")
SEEDS = (
    bytes((0, 7)) + MAIL,
    bytes((1, 3)) + b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n--B--\r\n',
    bytes((6, 5)) + b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x04\x00\x43\xbe\xb7\xe8\x01\x00\x00\x00",
    bytes((11, 2)) + b"\x78\x9c\x4b\x04\x00\x00\x62\x00\x62",
)


def run(data: bytes) -> None:
    """No more files than there are, none larger than what codings allow, and the same ones however they are cut."""
    if len(data) < 2:
        return
    whole, cut = (_reader(data[0]) for _ in range(2))
    whole.add(data[2:])
    step = data[1] % 31 + 1
    for at in range(2, len(data), step):
        cut.add(data[at : at + step])
    files = whole.finish()
    assert files == cut.finish()
    assert len(files) <= 100


def _reader(choice: int) -> Entities | FileReader:
    if choice == 0:
        return Entities()
    fields = [("Content-Type", KINDS[choice % len(KINDS)]), ("Content-Encoding", CODINGS[choice % len(CODINGS)])]
    return body_reader(fields, choice % 2 == 1)
