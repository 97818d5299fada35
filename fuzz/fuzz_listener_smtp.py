"""Fuzz target: the collector's SMTP door."""

from fuzz.listeners import Target
from lapwing.callbacks.responders import SmtpResponder

SEEDS = (
    b"\0EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
    b"\xfeHELO x\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\nRSET\r\nNOOP\r\nVRFY x\r\n",
    b"\1EHLO x\r\nAUTH PLAIN AGEAYg==\r\nBDAT 3 LAST\r\nabcSTARTTLS\r\n",
)
run = Target(
    lambda peer, now_ns, _: SmtpResponder(peer, now_ns, name="mail.example.com", starttls=True),
    b"EHLO n\r\nMAIL FROM:<n@x>\r\nRCPT TO:<m@x>\r\n",
    b"DATA\r\nx\r\n.\r\nQUIT\r\n",
).run
