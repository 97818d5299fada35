"""Why rows differ, or are not compared: one line a case, each a thing a protocol expert can check in the trace."""

LOGGED_WITHOUT_CHECKSUMS = frozenset(
    {
        "scripts.base.protocols.ftp.ftp-password-pass-command",
        "scripts.base.protocols.ftp.ftp-password-pass-command-hidden",
        "scripts.base.protocols.http.no-uri",
        "scripts.base.protocols.quic.decrypt-crash",
        "scripts.base.protocols.quic.fragmented-crypto",
        "scripts.base.protocols.quic.merlinc2",
        "scripts.base.protocols.quic.quic-log",
    }
)
"""Cases whose log has the packets with wrong checksums: it was made without looking at them."""

_VNTAG = "VN-Tag is not decoded in this version"
_OLD_HTTP = "HTTP/0.9"
_OTHER_START = "TLS that a protocol begins which is not read in this version"
_DAMAGED = (
    "every packet has a wrong checksum: Zeek logs a connection of no packets, Lapwing opens no flow and reports them "
    "as `wire.bad_checksum`"
)
_INNER_DAMAGED = "wrong checksums inside a tunnel, and a log cut to histories, which does not say of which flow"

CUT_BY_ATTEMPT_TIMER = "scripts.base.protocols.ssh.half-duplex-client"
"""One side only: Zeek's timer for unanswered attempts cuts connections that take over 5 seconds in two."""

OUT_OF_SCOPE: dict[str, str] = {
    "core.vntag": _VNTAG,
    "core.vntag-in-vlan": _VNTAG,
    "core.tunnels.ayiya": "tunnels of AYIYA, whose servers are gone since 2017, are not looked into",
    "core.tunnels.ayiya-large-identity": "tunnels of AYIYA, whose servers are gone since 2017, are not looked into",
    "core.tunnels.gre-aruba-amsdu": "frames of IEEE 802.11 inside GRE are not looked into",
    "core.nflog": "the link type NFLOG is not decoded in this version",
    "scripts.base.protocols.quic.decrypt-crash": "made by a fuzzer: IP and UDP lengths contradict the packets",
    "scripts.base.frameworks.netcontrol.packetfilter": "the case's script makes Zeek drop packets of the connection",
    "scripts.policy.frameworks.conn_key.vlan_fivetuple_lookup_connection": (
        "the case's script makes the VLAN a part of the connection key"
    ),
}
"""Whole cases that cannot be compared."""

NOT_COMPARED: dict[tuple[str, str], str] = {
    ("conn.log", "core.tunnels.geneve-inner-tcp-bad-checksum"): _INNER_DAMAGED,
    ("conn.log", "core.tunnels.vxlan-inner-tcp-bad-checksum"): _INNER_DAMAGED,
    ("http.log", "scripts.base.protocols.http.http-09"): _OLD_HTTP,
    ("http.log", "scripts.base.protocols.http.http-09-content-length-confusion"): _OLD_HTTP,
    ("http.log", "scripts.base.protocols.http.no-version"): _OLD_HTTP,
    ("http.log", "scripts.base.protocols.http.inner-transfer-encoding-ossfuzz"): "made by a fuzzer: no HTTP/1.x in it",
    ("ssl.log", "scripts.base.protocols.rdp.rdp-no-cookie-msthash"): _OTHER_START,
    ("ssl.log", "scripts.base.protocols.rdp.rdp-to-ssl"): _OTHER_START,
    ("ssl.log", "scripts.base.protocols.xmpp.server-dialback-dpd"): _OTHER_START,
    ("ssl.log", "scripts.base.protocols.xmpp.client-dpd"): _OTHER_START,
    ("ssl.log", "scripts.base.protocols.xmpp.starttls"): _OTHER_START,
    ("ssl.log", "scripts.base.protocols.ssl.dtls-stun-dpd"): "DTLS",
    ("ssl.log", "scripts.base.protocols.ftp.gridftp"): "one connection speaks TLS inside replies of FTP (ADAT)",
    ("ssl.log", "scripts.base.protocols.websocket.wstunnel-https"): "TLS inside a WebSocket",
    ("ssh.log", "scripts.base.protocols.websocket.wstunnel-ssh"): "SSH inside a WebSocket",
    ("ssh.log", "scripts.base.protocols.websocket.wstunnel-ssh-configure"): "SSH inside a WebSocket",
}
"""One log of a case that cannot be compared."""

CONN_REASONS: dict[str, str] = {
    "core.tcp.bad-checksum-syn": _DAMAGED,
    "core.tunnels.gtp.inner_teredo": "the first packet comes from port 3544, which Zeek knows as a server's (Teredo)",
    "core.tunnels.vxlan-unknown-internal-packet": _DAMAGED,
    "core.udp-corrupt": _DAMAGED,
    "scripts.base.protocols.ftp.gridftp": "Zeek stops following what it takes for a bulk data connection of GridFTP",
}
HTTP_REASONS: dict[str, str] = {
    "scripts.base.protocols.http.http-bad-request-with-version": (
        "binary bytes come first: Zeek takes nothing of the request, Lapwing reads it behind them (`GET /txt`)"
    ),
    "scripts.base.protocols.http.inner-transfer-encoding-reproducer": (
        "Zeek counts the last line of the answer's body with a CRLF that was not sent; 35 bytes were"
    ),
    "scripts.base.protocols.ssh.http-port-22": (
        "Zeek counts the last line of the answer's body with a CRLF that was not sent; 12630 bytes were"
    ),
}
FTP_REASONS: dict[str, str] = {
    "scripts.base.protocols.ftp.ftp-max-command-length": (
        "Zeek drops commands of over 100 letters and gives their replies to the next; Lapwing keeps them apart"
    ),
}
SMTP_REASONS: dict[str, str] = {}
SSH_REASONS: dict[str, str] = {
    "scripts.base.protocols.ssh.mlkem_kex": (
        "a first key is refused (76 bytes, FAILURE in this cipher) before the second is let in: two attempts"
    ),
}
DNS_REASONS: dict[str, str] = {}
SSL_REASONS: dict[str, str] = {}
QUIC_REASONS: dict[str, str] = {}
NTP_REASONS: dict[str, str] = {}
WEBSOCKET_REASONS: dict[str, str] = {}

ALL_REASONS = (
    CONN_REASONS,
    HTTP_REASONS,
    FTP_REASONS,
    SMTP_REASONS,
    SSH_REASONS,
    DNS_REASONS,
    SSL_REASONS,
    QUIC_REASONS,
    NTP_REASONS,
    WEBSOCKET_REASONS,
)
