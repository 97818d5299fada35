"""Fuzz target: two sides of an SSH connection, cut into segments and holes by the input itself."""

import sys

from fuzz.talk import talk
from lapwing.protocols.ssh import SshParser


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("ssh", SshParser, data)


if __name__ == "__main__":
    run(sys.stdin.buffer.read())
