"""Fuzz target: the collector's FTP door."""

from fuzz.listeners import Target
from lapwing.callbacks.responders import FtpResponder

SEEDS = (
    b"\0USER x\r\nPASS y\r\nCWD /a\r\nSIZE b\r\nQUIT\r\n",
    b"\1USER x\r\nPASV\r\nPROT P\r\nRETR a\r\nQUIT\r\n",
    b"\xfeUSER x\r\nEPSV\r\nLIST\r\nSTOR a\r\nAUTH TLS\r\n",
)
run = Target(
    lambda peer, now_ns, _: FtpResponder(peer, now_ns, starttls=True),
    b"USER n\r\nPA",
    b"SS m\r\nCWD /n\r\nQUIT\r\n",
).run
