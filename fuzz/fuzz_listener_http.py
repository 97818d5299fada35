"""Fuzz target: the collector's HTTP/1 door."""

from fuzz.listeners import SITE, Target
from lapwing.callbacks.responders import HttpResponder

SEEDS = (
    b"\0GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x20GET /?header=X:1&status=418&body=y&delay=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /b64_body:eA==/ HTTP/1.1\r\n\r\n",
    b"\xfePOST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"\1POST /a HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
)
run = Target(
    lambda peer, now_ns, _: HttpResponder(peer, now_ns, site=SITE),
    b"GET /n HTTP/1.1\r\nHo",
    b"st: n.oast.example.com\r\n\r\n",
).run
