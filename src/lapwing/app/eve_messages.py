"""Protocol messages under the names that EVE has for them.

Each function takes what it names out of the fields of a message; the rest stays under its own names, so that nothing
is lost.
A message stands alone, as everywhere here: EVE lines of a request and of its answer are two, joined by `flow_id`.
"""

from collections.abc import Callable
from typing import Any

from lapwing.app.shapes import rfc3339
from lapwing.events import Message, Side
from lapwing.events.messages import (
    DnsQuery,
    DnsResponse,
    FtpCommand,
    FtpReply,
    HttpRequest,
    HttpResponse,
    SmtpCommand,
    SmtpMail,
    SmtpReply,
    SshBanner,
    SshKexInit,
)
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.events.messages.ldap import LdapBind, LdapRequest, LdapResult
from lapwing.events.messages.pop3 import Pop3Command, Pop3Reply
from lapwing.events.messages.quic import QuicInitial
from lapwing.events.messages.tls import TlsCertificates, TlsClientHello, TlsServerHello

Fields = dict[str, Any]


def named_message(message: Message, side: Side, said: Fields) -> Fields:
    """The object of EVE for `message`, whose plain values are `said`; what it names is taken out of them."""
    name = _NAMES.get(type(message))
    found = {} if name is None else name(side, said)
    return {key: value for key, value in found.items() if value is not None}


def _header(said: Fields, name: str) -> str | None:
    return next((value for key, value in said.get("headers", ()) if key.lower() == name), None)


def _http_request(_side: Side, said: Fields) -> Fields:
    return {
        "hostname": said.pop("host", None),
        "url": said.pop("target"),
        "http_method": said.pop("method"),
        "http_user_agent": _header(said, "user-agent"),
        "http_refer": _header(said, "referer"),
        "xff": _header(said, "x-forwarded-for"),
        "protocol": f"HTTP/{said.pop('version')}",
    }


def _http_response(_side: Side, said: Fields) -> Fields:
    return {
        "url": said.pop("request_target", None),
        "http_method": said.pop("request_method", None),
        "http_content_type": _header(said, "content-type"),
        "redirect": _header(said, "location"),
        "protocol": f"HTTP/{said.pop('version')}",
        "status": said.pop("status"),
        "length": said.pop("body_bytes", 0),
    }


def _asked(said: Fields) -> Fields:
    first: Fields = next(iter(said.get("questions", ())), {})
    return {"id": said.pop("transaction_id"), "rrname": first.get("name"), "rrtype": first.get("qtype")}


def _dns_query(_side: Side, said: Fields) -> Fields:
    return {
        "type": "query",
        **_asked(said),
        "opcode": said.pop("opcode", 0),
        "rd": said.pop("recursion_desired", False),
    }


_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def _dns_response(_side: Side, said: Fields) -> Fields:
    rcode = said.pop("rcode", 0)
    answers = [
        {"rrname": one["name"], "rrtype": one["rtype"], "ttl": one["ttl_s"], "rdata": one["data"]}
        for one in said.pop("answers", ())
    ]
    flags = {"aa": "authoritative", "tc": "truncated", "rd": "recursion_desired", "ra": "recursion_available"}
    return {
        "type": "answer",
        **_asked(said),
        "opcode": said.pop("opcode", 0),
        "rcode": _RCODES.get(rcode, str(rcode)),
        **{short: said.pop(long, False) for short, long in flags.items()},
        "answers": answers,
    }


def _client_hello(_side: Side, said: Fields) -> Fields:
    return {
        "sni": said.pop("server_name", None),
        "version": said.pop("version").replace("TLSv", "TLS "),
        "ja3": {"hash": said.pop("ja3")},
        "ja4": said.pop("ja4"),
        "client_alpns": said.pop("alpn", None),
    }


def _server_hello(_side: Side, said: Fields) -> Fields:
    alpn = said.pop("alpn", None)
    return {
        "version": said.pop("version").replace("TLSv", "TLS "),
        "ja3s": {"hash": said.pop("ja3s")},
        "server_alpns": None if alpn is None else [alpn],
    }


def _certificates(side: Side, said: Fields) -> Fields:
    """The first certificate; of the chain the rest stays."""
    chain = said["certificates"]
    if not chain:
        return {}
    first = chain.pop(0)
    shown = {
        "subject": first.pop("subject", None),
        "issuerdn": first.pop("issuer", None),
        "serial": first.pop("serial", None),
        "sha256": first.pop("sha256"),
        "notbefore": rfc3339(first.pop("not_before_ns", 0)),
        "notafter": rfc3339(first.pop("not_after_ns", 0)),
        "subjectaltname": first.pop("alternative_names", None),
        "key": first.pop("key", None),
    }
    known = {key: value for key, value in shown.items() if value is not None}
    return {"client": known} if side is Side.CLIENT else known


def _ssh_banner(side: Side, said: Fields) -> Fields:
    protocol, _, software = said["banner"].removeprefix("SSH-").partition("-")
    return {str(side): {"proto_version": protocol, "software_version": software}}


def _ssh_kexinit(side: Side, said: Fields) -> Fields:
    return {str(side): {"hassh": {"hash": said.pop("hassh")}}}


def _smtp_command(_side: Side, said: Fields) -> Fields:
    verb, argument = said["verb"], said.get("argument", "")
    named = {"HELO": "helo", "EHLO": "helo", "MAIL": "mail_from", "RCPT": "rcpt_to"}.get(verb)
    if named is None:
        return {}
    value = argument if named == "helo" else argument.partition(":")[2].strip()
    return {named: [value] if named == "rcpt_to" else value}


def _smtp_mail(_side: Side, said: Fields) -> Fields:
    return {"mail_from": f"<{said.pop('mail_from')}>", "rcpt_to": [f"<{one}>" for one in said.pop("rcpt_to")]}


def _smtp_reply(_side: Side, said: Fields) -> Fields:
    return {"completion_code": [str(said.pop("code"))], "reply": said.pop("text", "").split("\n")}


def _ftp_command(_side: Side, said: Fields) -> Fields:
    return {"command": said.pop("verb"), "command_data": said.pop("argument", None)}


def _pop3_command(_side: Side, said: Fields) -> Fields:
    return {"request": {"command": said.pop("verb"), "args": said.pop("argument", "").split()}}


def _pop3_reply(_side: Side, said: Fields) -> Fields:
    status = said.pop("status")
    word = {"ok": "OK", "err": "ERR"}.get(status, status)
    return {"response": {"success": status == "ok", "status": word, "header": said.pop("text", "")}}


def _ldap_bind(_side: Side, said: Fields) -> Fields:
    bind = {"version": said.pop("version"), "name": said.pop("name")}
    return {"request": {"operation": "bind_request", "message_id": said.pop("message_id"), "bind_request": bind}}


def _ldap_request(_side: Side, said: Fields) -> Fields:
    operation = f"{said.pop('operation').replace('-', '_')}_request"
    return {"request": {"operation": operation, "message_id": said.pop("message_id")}}


def _ldap_result(_side: Side, said: Fields) -> Fields:
    operation = said.pop("operation").replace("-", "_")
    answer = f"{operation}_result_done" if operation == "search" else f"{operation}_response"
    detail = {
        "result_code": said.pop("code"),
        "message": said.pop("text", ""),
        "matched_dn": said.pop("matched_name", ""),
    }
    return {"responses": [{"operation": answer, "message_id": said.pop("message_id"), answer: detail}]}


def _dhcp(_side: Side, said: Fields) -> Fields:
    return {
        "type": "reply" if said["type"] in ("offer", "ack", "nak") else "request",
        "id": said.pop("transaction_id"),
        "client_mac": said.pop("client_mac"),
        "assigned_ip": said.pop("assigned_ip", None),
        "client_ip": said.pop("client_ip", None),
        "relay_ip": said.pop("relay_ip", None),
        "requested_ip": said.pop("requested_ip", None),
        "dhcp_type": said.pop("type"),
        "hostname": said.pop("host_name", None),
        "lease_time": said.pop("lease_s", None),
    }


def _quic(_side: Side, said: Fields) -> Fields:
    return {"version": said.pop("version")}


_NAMES: dict[type, Callable[[Side, Fields], Fields]] = {
    HttpRequest: _http_request,
    HttpResponse: _http_response,
    DnsQuery: _dns_query,
    DnsResponse: _dns_response,
    TlsClientHello: _client_hello,
    TlsServerHello: _server_hello,
    TlsCertificates: _certificates,
    SshBanner: _ssh_banner,
    SshKexInit: _ssh_kexinit,
    SmtpCommand: _smtp_command,
    SmtpMail: _smtp_mail,
    SmtpReply: _smtp_reply,
    FtpCommand: _ftp_command,
    FtpReply: _smtp_reply,
    Pop3Command: _pop3_command,
    Pop3Reply: _pop3_reply,
    LdapBind: _ldap_bind,
    LdapRequest: _ldap_request,
    LdapResult: _ldap_result,
    DhcpPacket: _dhcp,
    QuicInitial: _quic,
}
