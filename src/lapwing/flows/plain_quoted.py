"""The packet that an ICMP error is about."""

from lapwing.flows.rules import ICMP, ICMP6, TCP, UDP
from lapwing.flows.text import SCTP

MIN_QUOTED_BYTES = 28  # a header of IP and the 8 bytes behind it that every sender quotes (RFC 792)


def quoted_packet(packet: dict[str, int], data: memoryview) -> dict[str, int] | None:
    """The fields that name the flow of the packet an ICMP message quotes; None when they are not there."""
    at, size = packet["payload_off"], packet["payload_captured"]
    if size < MIN_QUOTED_BYTES:
        return None
    version = data[at] >> 4
    fields = {"ip_version": version, "tag": packet["tag"], "src_hi": 0, "dst_hi": 0, "src_port": 0, "dst_port": 0}
    if packet["protocol"] == ICMP:
        header = (data[at] & 15) * 4
        is_whole = version == 4 and header >= 20 and size >= header + 4
        if not is_whole or _be(data, at + 6, 2) & 0x1FFF:  # a later fragment has no ports
            return None
        fields |= {"protocol": data[at + 9], "src_lo": _be(data, at + 12, 4), "dst_lo": _be(data, at + 16, 4)}
    else:
        header = 40
        if version != 6 or size < header + 4:
            return None
        fields["protocol"] = data[at + 6]
        for place, name in enumerate(("src_hi", "src_lo", "dst_hi", "dst_lo")):
            fields[name] = _be(data, at + 8 + 8 * place, 8)
    first, second = _be(data, at + header, 2), _be(data, at + header + 2, 2)
    if fields["protocol"] in (TCP, UDP, SCTP):
        fields["src_port"], fields["dst_port"] = first, second
    elif fields["protocol"] in (ICMP, ICMP6):
        fields["icmp_type"], fields["icmp_code"] = first >> 8, first & 0xFF
    return fields


def _be(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
