"""Why rows differ, or are not compared: one line a case, each a thing a protocol expert can check in the trace."""

LOGGED_WITHOUT_CHECKSUMS = frozenset(
    {
        "scripts.base.protocols.ftp.ftp-password-pass-command",
        "scripts.base.protocols.ftp.ftp-password-pass-command-hidden",
        "scripts.base.protocols.http.no-uri",
        "scripts.base.protocols.quic.decrypt-crash",
        "scripts.base.protocols.quic.fragmented-crypto",
        "scripts.base.protocols.quic.merlinc2",
    }
)
"""Cases whose log has the packets with wrong checksums: it was made without looking at them."""

_MPLS = "MPLS is not decoded in this version"
_VNTAG = "VN-Tag is not decoded in this version"
_TUNNEL = "the flow lies inside a tunnel"
_DAMAGED = (
    "every packet has a wrong checksum: Zeek logs a connection of no packets, Lapwing opens no flow and reports them "
    "as `wire.bad_checksum`"
)

OUT_OF_SCOPE: dict[str, str] = {
    "core.mpls-in-vlan": _MPLS,
    "core.vntag": _VNTAG,
    "core.vntag-in-vlan": _VNTAG,
    "core.nflog": "the link type NFLOG is not decoded in this version",
    "scripts.base.frameworks.netcontrol.packetfilter": "the case's script makes Zeek drop packets of the connection",
    "scripts.policy.frameworks.conn_key.vlan_fivetuple_lookup_connection": (
        "the case's script makes the VLAN a part of the connection key"
    ),
    "scripts.base.protocols.ftp.gridftp": "the case's script makes Zeek stop tracking the bulk connection early",
    "scripts.base.protocols.websocket.wstunnel-ssh": "SSH inside a WebSocket",
    "scripts.base.protocols.websocket.wstunnel-ssh-configure": "SSH inside a WebSocket",
    "scripts.base.protocols.http.http-09": "HTTP/0.9",
}
"""Whole cases that cannot be compared."""

NOT_COMPARED: dict[tuple[str, str], str] = {
    ("conn.log", "scripts.base.protocols.ssh.half-duplex-client"): (
        "one side only: Zeek's timer for unanswered attempts cuts each connection in two after 5 seconds"
    ),
    ("http.log", "core.tunnels.ayiya"): _TUNNEL,
    ("http.log", "core.tunnels.gtp.outer_ip_frag"): _TUNNEL,
    ("dns.log", "core.tunnels.gre-pptp"): _TUNNEL,
    ("dns.log", "core.tunnels.max-depth"): _TUNNEL,
    ("smtp.log", "scripts.base.protocols.http.http-connect"): "SMTP inside a tunnel made by HTTP CONNECT",
}
"""One log of a case that cannot be compared."""

CONN_REASONS: dict[str, str] = {
    "core.tcp.bad-checksum-syn": _DAMAGED,
    "core.tunnels.ayiya": "Zeek takes port 5072 for a server's because it knows AYIYA there; the first packet came from it",
    "core.tunnels.geneve-inner-tcp-bad-checksum": _TUNNEL,
    "core.tunnels.gtp.outer_ip_frag": "IP fragments are not put together in this version",
    "core.tunnels.vxlan-inner-tcp-bad-checksum": _TUNNEL,
    "core.tunnels.vxlan-unknown-internal-packet": _DAMAGED,
    "core.udp-corrupt": _DAMAGED,
    "core.vlan-mpls": _MPLS,
}
HTTP_REASONS: dict[str, str] = {
    "core.vlan-mpls": _MPLS,
    "scripts.base.protocols.http.http-bad-request-with-version": (
        "the client starts with binary bytes: Lapwing does not call that HTTP, whatever the server answers"
    ),
    "scripts.base.protocols.http.http-methods": (
        "the client starts with a line without target and version: Lapwing does not call that HTTP"
    ),
    "scripts.base.protocols.http.inner-transfer-encoding-ossfuzz": "made by a fuzzer: no line of it is HTTP/1.x",
    "scripts.base.protocols.http.inner-transfer-encoding-reproducer": (
        "Zeek counts the body of a `message/rfc822` after taking it apart, and an unfinished last line with a CRLF"
    ),
    "scripts.base.protocols.http.smuggle-http-request": (
        "Zeek counts the body of a `message/rfc822` after taking it apart; Content-Length says 80, and 80 bytes are sent"
    ),
    "scripts.base.protocols.ssh.http-port-22": (
        "Zeek counts an unfinished last line with a CRLF; 12630 bytes follow the head"
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
DNS_REASONS: dict[str, str] = {
    "core.ipv6-frag": "IP fragments are not put together in this version",
}
