"""Listeners as state machines: bytes in, bytes to send and interactions out.

A connection's responder is made with its peer and the time, started, then fed; a DNS datagram is answered at once.
"""

from lapwing.callbacks.responders.base import (
    Close,
    Control,
    DiscardData,
    Limits,
    OpenData,
    Output,
    Responder,
    Send,
    SendData,
    StartTls,
)
from lapwing.callbacks.responders.dns import DnsResponder, DnsStreamResponder
from lapwing.callbacks.responders.ftp import FtpResponder
from lapwing.callbacks.responders.http import HttpResponder
from lapwing.callbacks.responders.http_answers import Asked, HttpAnswer, HttpSite
from lapwing.callbacks.responders.ldap import LdapResponder
from lapwing.callbacks.responders.smtp import SmtpResponder
from lapwing.callbacks.responders.zone import CustomRecord, Zone

__all__ = [
    "Asked",
    "Close",
    "Control",
    "CustomRecord",
    "DiscardData",
    "DnsResponder",
    "DnsStreamResponder",
    "FtpResponder",
    "HttpAnswer",
    "HttpResponder",
    "HttpSite",
    "LdapResponder",
    "Limits",
    "OpenData",
    "Output",
    "Responder",
    "Send",
    "SendData",
    "SmtpResponder",
    "StartTls",
    "Zone",
]
