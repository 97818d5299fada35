"""Typed protocol messages, one module per protocol, in one tagged union (`kind`).

A new protocol's module has its messages and their union, which is added to `Message` here; readers import the messages
from that module.
"""

from lapwing.events.messages.base import REDACTED, UNKNOWN_VERB, BaseMessage
from lapwing.events.messages.dhcp import DhcpMessage
from lapwing.events.messages.dns import DnsQuery, DnsQuestion, DnsRecord, DnsResponse, DnsUnanswered
from lapwing.events.messages.ftp import FtpCommand, FtpReply
from lapwing.events.messages.http import HttpRequest, HttpResponse
from lapwing.events.messages.icmp import IcmpMessage
from lapwing.events.messages.imap import ImapMessage
from lapwing.events.messages.ldap import LdapMessage
from lapwing.events.messages.ntp import NtpMessage
from lapwing.events.messages.pop3 import Pop3Message
from lapwing.events.messages.quic import QuicMessage
from lapwing.events.messages.smtp import AUTH_DATA_VERB, SmtpCommand, SmtpMail, SmtpReply
from lapwing.events.messages.ssh import SshAuthInferred, SshAuthUnanswered, SshBanner, SshKexInit
from lapwing.events.messages.tls import TlsMessage
from lapwing.events.messages.websocket import WebsocketMessages

Message = (
    HttpRequest
    | HttpResponse
    | FtpCommand
    | FtpReply
    | SmtpCommand
    | SmtpReply
    | SmtpMail
    | SshBanner
    | SshKexInit
    | SshAuthInferred
    | SshAuthUnanswered
    | DnsQuery
    | DnsResponse
    | DnsUnanswered
    | DhcpMessage
    | IcmpMessage
    | ImapMessage
    | LdapMessage
    | NtpMessage
    | Pop3Message
    | QuicMessage
    | TlsMessage
    | WebsocketMessages
)

__all__ = [
    "AUTH_DATA_VERB",
    "REDACTED",
    "UNKNOWN_VERB",
    "BaseMessage",
    "DnsQuery",
    "DnsQuestion",
    "DnsRecord",
    "DnsResponse",
    "DnsUnanswered",
    "FtpCommand",
    "FtpReply",
    "HttpRequest",
    "HttpResponse",
    "Message",
    "SmtpCommand",
    "SmtpMail",
    "SmtpReply",
    "SshAuthInferred",
    "SshAuthUnanswered",
    "SshBanner",
    "SshKexInit",
]
