"""Fuzz target: two sides of an SMTP connection, cut into segments and holes by the input itself."""

from fuzz.talk import script, talk
from lapwing.events import Side
from lapwing.protocols.smtp import SmtpParser

C, S = Side.CLIENT, Side.SERVER
HELLO = ((S, b"220 mail ESMTP\r\n"), (C, b"EHLO a\r\n"), (S, b"250-mail\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"))
SEEDS = (
    script(*HELLO, (C, b"AUTH PLAIN AGEAYg==\r\n"), (S, b"535 no\r\n"), (C, b"QUIT\r\n"), (S, b"221 bye\r\n")),
    script(*HELLO, (C, b"AUTH LOGIN\r\n"), (S, b"334 VXNlcm5hbWU6\r\n"), (C, b"YQ==\r\n"), (S, b"334 UGFzc3dvcmQ6\r\n"),
           (C, b"Yg==\r\n"), (S, b"235 ok\r\n"), (C, b"MAIL FROM:<a@example.com>\r\n"), (S, b"250 ok\r\n"),
           (C, b"RCPT TO:<b@example.com>\r\n"), (S, b"250 ok\r\n"), (C, b"DATA\r\n"), (S, b"354 go on\r\n"),
           (C, b"Subject: x\r\n\r\nhello\r\n..dot\r\n.\r\n"), (S, b"250 ok\r\n")),
)  # fmt: skip


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("smtp", SmtpParser, data)
