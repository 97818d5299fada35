"""Fuzz target: two sides of an HTTP connection, cut into segments and holes by the input itself."""

import sys

from fuzz.talk import talk
from lapwing.protocols.http import HttpParser


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("http", HttpParser, data)


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
