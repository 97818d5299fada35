"""LDAP messages by hand."""

from lapwing.wire.ber import write, write_integer


def message(number: int, operation: bytes) -> bytes:
    return write(0x30, write_integer(number), operation)


def simple_bind(number: int, name: str, secret: str) -> bytes:
    parts = write_integer(3), write(4, name.encode()), write(0x80, secret.encode())
    return message(number, write(0x60, *parts))


def sasl_bind(number: int, mechanism: str, data: bytes) -> bytes:
    sasl = write(0xA3, write(4, mechanism.encode()), write(4, data))
    return message(number, write(0x60, write_integer(3), write(4), sasl))


def result(number: int, code: int, text: str = "", *, tag: int = 0x61) -> bytes:
    return message(number, write(tag, write_integer(code, 10), write(4), write(4, text.encode())))


def search(number: int, base: str) -> bytes:
    return message(number, write(0x63, write(4, base.encode()), write_integer(2, 10)))


def entry(number: int, name: str, size: int = 10) -> bytes:
    return message(number, write(0x64, write(4, name.encode()), write(0x30, bytes(size))))


def start_tls(number: int) -> bytes:
    return message(number, write(0x77, write(0x80, b"1.3.6.1.4.1.1466.20037")))
