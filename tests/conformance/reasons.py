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
OLD_HTTP = "HTTP/0.9"
_OTHER_START = "TLS that a protocol begins which is not read in this version"
_MADE_UP = "the case's script raises them itself"
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
    ("tunnel.log", "core.tunnels.gre-aruba"): "frames of IEEE 802.11 inside GRE are not looked into",
    ("tunnel.log", "core.tunnels.teredo-udp-in-udp"): "tunnels on ports that are not theirs are not looked into",
    ("tunnel.log", "core.tunnels.max-depth-exceeded"): "the case's script allows two tunnels",
    ("http.log", "scripts.base.protocols.http.http-09"): OLD_HTTP,
    ("http.log", "scripts.base.protocols.http.http-09-content-length-confusion"): OLD_HTTP,
    ("http.log", "scripts.base.protocols.http.no-version"): OLD_HTTP,
    ("http.log", "scripts.base.protocols.http.inner-transfer-encoding-ossfuzz"): "made by a fuzzer: no HTTP/1.x in it",
    ("weird.log", "scripts.base.protocols.http.http-09"): OLD_HTTP,
    ("weird.log", "scripts.base.protocols.http.http-09-content-length-confusion"): OLD_HTTP,
    ("weird.log", "scripts.base.protocols.http.inner-transfer-encoding-ossfuzz"): "made by a fuzzer: no HTTP/1.x in it",
    ("weird.log", "core.reporter-limit-reached-weird"): _MADE_UP,
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

DHCP_REASONS: dict[str, str] = {}
FILES_REASONS: dict[str, str] = {
    "scripts.base.protocols.http.bad-content-range": "Zeek tells no kind of a part whose range it cannot read",
    "scripts.base.protocols.http.query-method": "the library that tells kinds knows JSON by an object, this is a list",
    "scripts.base.protocols.http.version-mismatch": "the library that tells kinds knows no JavaScript: text/plain",
}
WEIRD_REASONS: dict[str, str] = {
    "scripts.base.protocols.http.http-11-request-then-cruft": (
        "Zeek gives a line that is no request the version 0.9, which is another than that of the request before it"
    ),
    "scripts.base.protocols.http.http-bad-request-with-version": (
        "binary bytes come first: Zeek takes nothing of the request, Lapwing reads it behind them (`GET /txt`)"
    ),
}

_NOT_READ = "of protocols that are not read in this version (SMB, IRC, SIP, SNMP, Redis, NCP, Gnutella, IGMP)"
_CASE_LIMIT = "limits that the case's script sets lower, or that Lapwing does not have"
_INSIDE = "inside headers, options and records that Lapwing does not take apart"
_CHECKSUMS = "wrong checksums, which Lapwing counts over the capture (`wire.bad_checksum`), not by connection"
_LINK = (
    "of the link and of tunnels, where Lapwing has its own, wider words (`wire.link_truncated`, `wire.ip_malformed`)"
)
_HOW_READ = "how Zeek's own parsers went about it: line ends, multipart bodies, encodings"

WEIRDS_LEFT_OUT: dict[str, str] = {
    name: reason
    for reason, names in {
        _NOT_READ: (
            "contentline_size_exceeded irc_line_size_exceeded irc_invalid_command SMB_discarded_dce_rpc_analyzers "
            "exceeded_gnutella_max_headers_length exceeded_gnutella_max_line_length igmp_invalid_checksum "
            "ncp_large_frame Redis_excessive_pipelining sip_junk_before_request smb_andx_depth_exceeded "
            "smb_andx_offset_not_advancing SMB_discarded_messages_state asn_oid_subidentifier_too_long"
        ),
        _CASE_LIMIT: (
            "DNS_Conn_count_too_large FTP_max_command_length_exceeded FTP_too_many_pending_commands "
            "too_many_analyzer_violations exceeded_tunnel_max_depth_in_tunnel max_packet_analyzer_depth_exceeded "
            "HTTP_bad_chunk_size"
        ),
        _INSIDE: (
            "EDNS_truncated_option DNS_SVCB_port_length_invalid truncated_ICMPv6_MLDv2_record icmp6_ra_bad_opt_offset "
            "icmp6_na_bad_opt_offset icmp6_ns_bad_opt_offset icmp6_redirect_bad_opt_offset bad_ipv6_dest_opt_len "
            "multiple_home_addr_opts bad_home_addr_len ftp_adat_bad_first_token_encoding base64_illegal_encoding "
            "pop3_server_command_unknown"
        ),
        _CHECKSUMS: "bad_TCP_checksum",
        _LINK: (
            "truncated_ethernet_frame invalid_IP_header_size excessively_large_fragment nflog_bad_tlv_len "
            "geneve_empty_packet triple_tagged_vlan_unsupported"
        ),
        _HOW_READ: (
            "line_terminated_with_single_CR http_no_crlf_in_header_list HTTP_nested_transfer_encoding_header "
            "missing_HTTP_entity"
        ),
    }.items()
    for name in names.split()
}
"""Names that only that program has a use for, and why."""

TUNNEL_REASONS: dict[str, str] = {
    "core.tunnels.gtp.inner_teredo": "a flow goes over to another tunnel: Lapwing keeps the first of each side",
}

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
    DHCP_REASONS,
    FILES_REASONS,
    TUNNEL_REASONS,
    WEIRD_REASONS,
)
