"""Fuzz target: the collector's HTTP/2 door."""

from fuzz.listeners import SITE, Target
from lapwing.callbacks.responders.http2 import Http2Responder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
REQUEST = b"\0\0\5\1\5\0\0\0\1\x82\x84\x86\x41\x00"
SEEDS = (
    b"\0" + PREFACE + REQUEST,
    b"\xfe" + PREFACE + b"\0\0\5\1\4\0\0\0\1\x83\x84\x86\x41\x00" + b"\0\0\3\0\1\0\0\0\1abc",
    b"\1" + PREFACE + REQUEST + b"\0\0\4\3\0\0\0\0\1\0\0\0\x08" + b"\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0",
)
run = Target(lambda peer, now_ns, _: Http2Responder(peer, now_ns, site=SITE), PREFACE, REQUEST).run
