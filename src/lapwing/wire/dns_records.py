"""DNS resource records: names of types and classes, and record data in presentation form."""

import re
from base64 import b64encode
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from struct import Struct, error

from lapwing.events import WireError
from lapwing.wire.dns_names import escape, read_name, unescape, write_name

# IANA DNS parameters, resource record types.
TYPE_NAMES = {
    1: "A", 2: "NS", 3: "MD", 4: "MF", 5: "CNAME", 6: "SOA", 7: "MB", 8: "MG", 9: "MR", 10: "NULL", 11: "WKS",
    12: "PTR", 13: "HINFO", 14: "MINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB", 19: "X25", 20: "ISDN", 21: "RT",
    22: "NSAP", 23: "NSAP-PTR", 24: "SIG", 25: "KEY", 26: "PX", 27: "GPOS", 28: "AAAA", 29: "LOC", 30: "NXT",
    31: "EID", 32: "NIMLOC", 33: "SRV", 34: "ATMA", 35: "NAPTR", 36: "KX", 37: "CERT", 38: "A6", 39: "DNAME",
    40: "SINK", 41: "OPT", 42: "APL", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY",
    49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 55: "HIP", 59: "CDS", 60: "CDNSKEY",
    61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS", 99: "SPF", 104: "NID", 105: "L32",
    106: "L64", 107: "LP", 108: "EUI48", 109: "EUI64", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR",
    253: "MAILB", 254: "MAILA", 255: "ANY", 256: "URI", 257: "CAA", 258: "AVC", 260: "AMTRELAY", 32768: "TA",
    32769: "DLV",
}  # fmt: skip
CLASS_NAMES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
TYPE_NUMBERS = {name: number for number, name in TYPE_NAMES.items()}

_SHORT = Struct("!H")
_SOA_TAIL = Struct("!5I")
_SRV = Struct("!3H")
_NAPTR = Struct("!HH")
_DS = Struct("!HBB")
_ZEROS = re.compile(r"\b0(?::0)+\b")
_MAPPED_PREFIX = bytes(10) + b"\xff\xff"
_QUOTED_STRING = re.compile(r'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)  # one without an end is one too: looked at once


def type_name(number: int) -> str:
    """Return `A`, `TXT`, ...; `TYPE1234` for a number without a name."""
    return TYPE_NAMES.get(number) or f"TYPE{number}"


def class_name(number: int) -> str:
    """Return `IN`, `CH`, ...; `CLASS1234` for a number without a name."""
    return CLASS_NAMES.get(number) or f"CLASS{number}"


def present(data: bytes, pos: int, end: int, rtype: int) -> str:
    """Return the record data `data[pos:end]` as text; `\\# length hex` (RFC 3597) where it is not understood."""
    reader = _READERS.get(rtype)
    if reader is not None:
        try:
            text, stop = reader(data, pos, end)
            if stop == end:
                return text
        except (IndexError, error, WireError):
            pass  # shown as it is
    return f"\\# {end - pos} {data[pos:end].hex()}".rstrip()


Reader = Callable[[bytes, int, int], tuple[str, int]]  # record data to text and where it stopped


def _ipv4(data: bytes, pos: int, end: int) -> tuple[str, int]:
    if end - pos != 4:
        raise WireError("an IPv4 address has 4 bytes")
    a, b, c, d = data[pos:end]
    return f"{a}.{b}.{c}.{d}", end


def _ipv6(data: bytes, pos: int, end: int) -> tuple[str, int]:
    if end - pos != 16:
        raise WireError("an IPv6 address has 16 bytes")
    return ipv6_text(data[pos:end]), end


def ipv6_text(address: bytes) -> str:
    """Return 16 bytes as text (RFC 5952): the longest run of zero groups, the first of equals, becomes `::`."""
    if address.startswith(_MAPPED_PREFIX):
        return "::ffff:" + ".".join(map(str, address[12:]))
    groups = ":".join(group.lstrip("0") or "0" for group in address.hex(":", 2).split(":"))
    spans = [run.span() for run in _ZEROS.finditer(groups)]
    start, stop = max(spans, key=lambda span: span[1] - span[0], default=(0, 0))
    return groups if stop == 0 else f"{groups[:start].rstrip(':')}::{groups[stop:].lstrip(':')}"


def _name(data: bytes, pos: int, _end: int) -> tuple[str, int]:
    name, pos = read_name(data, pos)
    return name or ".", pos


def _numbered_name(data: bytes, pos: int, _end: int) -> tuple[str, int]:
    name, stop = read_name(data, pos + 2)
    return f"{_SHORT.unpack_from(data, pos)[0]} {name or '.'}", stop


def _two_names(data: bytes, pos: int, _end: int) -> tuple[str, int]:
    first, pos = read_name(data, pos)
    second, pos = read_name(data, pos)
    return f"{first or '.'} {second or '.'}", pos


def _soa(data: bytes, pos: int, end: int) -> tuple[str, int]:
    names, pos = _two_names(data, pos, end)
    return f"{names} {' '.join(map(str, _SOA_TAIL.unpack_from(data, pos)))}", pos + _SOA_TAIL.size


def _srv(data: bytes, pos: int, _end: int) -> tuple[str, int]:
    priority, weight, port = _SRV.unpack_from(data, pos)
    target, stop = read_name(data, pos + _SRV.size)
    return f"{priority} {weight} {port} {target or '.'}", stop


def _string(data: bytes, pos: int, end: int) -> tuple[str, int]:
    stop = pos + 1 + data[pos]
    if stop > end:
        raise WireError("character string reaches past its record")
    return f'"{escape(data[pos + 1 : stop])}"', stop


def _strings(data: bytes, pos: int, end: int) -> tuple[str, int]:
    texts = []
    while True:
        text, pos = _string(data, pos, end)
        texts.append(text)
        if pos == end:
            return " ".join(texts), pos


def _naptr(data: bytes, pos: int, end: int) -> tuple[str, int]:
    order, preference = _NAPTR.unpack_from(data, pos)
    flags, pos = _string(data, pos + _NAPTR.size, end)
    service, pos = _string(data, pos, end)
    pattern, pos = _string(data, pos, end)
    replacement, pos = read_name(data, pos)
    return f"{order} {preference} {flags} {service} {pattern} {replacement or '.'}", pos


def _caa(data: bytes, pos: int, end: int) -> tuple[str, int]:
    start = pos + 2 + data[pos + 1]
    tag = data[pos + 2 : start]
    if start > end or not (tag.isascii() and tag.isalnum()):
        raise WireError("a CAA tag is letters and digits")
    return f'{data[pos]} {tag.decode()} "{escape(data[start:end])}"', end


def _uri(data: bytes, pos: int, end: int) -> tuple[str, int]:
    priority, weight = _NAPTR.unpack_from(data, pos)
    return f'{priority} {weight} "{escape(data[pos + 4 : end])}"', max(end, pos + 5)


def _ds(data: bytes, pos: int, end: int) -> tuple[str, int]:
    tag, algorithm, digest = _DS.unpack_from(data, pos)
    return f"{tag} {algorithm} {digest} {data[pos + 4 : end].hex()}", max(end, pos + 5)


def _sshfp(data: bytes, pos: int, end: int) -> tuple[str, int]:
    return f"{data[pos]} {data[pos + 1]} {data[pos + 2 : end].hex()}", max(end, pos + 3)


def _tlsa(data: bytes, pos: int, end: int) -> tuple[str, int]:
    return f"{data[pos]} {data[pos + 1]} {data[pos + 2]} {data[pos + 3 : end].hex()}", max(end, pos + 4)


def _dnskey(data: bytes, pos: int, end: int) -> tuple[str, int]:
    flags, protocol, algorithm = _DS.unpack_from(data, pos)
    return f"{flags} {protocol} {algorithm} {b64encode(data[pos + 4 : end]).decode()}", max(end, pos + 5)


_READERS: dict[int, Reader] = {
    TYPE_NUMBERS[name]: reader
    for reader, names in (
        (_ipv4, ("A",)),
        (_ipv6, ("AAAA",)),
        (_name, ("NS", "CNAME", "PTR", "DNAME", "MB", "MG", "MR", "MD", "MF")),
        (_numbered_name, ("MX", "AFSDB", "RT", "KX")),
        (_two_names, ("RP", "MINFO")),
        (_soa, ("SOA",)),
        (_srv, ("SRV",)),
        (_strings, ("TXT", "SPF", "HINFO")),
        (_naptr, ("NAPTR",)),
        (_caa, ("CAA",)),
        (_uri, ("URI",)),
        (_ds, ("DS", "CDS", "DLV")),
        (_sshfp, ("SSHFP",)),
        (_tlsa, ("TLSA", "SMIMEA")),
        (_dnskey, ("DNSKEY", "CDNSKEY")),
    )
    for name in names
}


def encode_data(rtype: int, text: str) -> bytes:
    """Return the wire form of record data, uncompressed, from the text `present` gives.

    Knows the types an answering server needs; others are given as `\\# length hex`. Raises WireError.
    """
    try:
        if text.startswith("\\# "):
            return _encode_unknown(text)
        writer = _WRITERS[TYPE_NAMES[rtype]]
        return writer(text.split(" "))
    except (KeyError, ValueError, error) as problem:
        raise WireError(f"no {type_name(rtype)} record data: {problem}") from None


def _encode_unknown(text: str) -> bytes:
    _, size, *digits = text.split(" ")
    data = bytes.fromhex("".join(digits))
    if len(data) != int(size):
        raise WireError("length and data differ")
    return data


def _encode_strings(words: list[str]) -> bytes:
    found = _QUOTED_STRING.findall(" ".join(words))
    if not found or not all(end for _, end in found):
        raise WireError("character strings stand between quotation marks")
    strings = [unescape(text) for text, _ in found]
    return b"".join(bytes((len(string),)) + string for string in strings)


def _encode_soa(words: list[str]) -> bytes:
    primary, mailbox, *numbers = words
    return write_name(primary) + write_name(mailbox) + _SOA_TAIL.pack(*map(int, numbers))


def _encode_srv(words: list[str]) -> bytes:
    return _SRV.pack(*map(int, words[:3])) + write_name(" ".join(words[3:]))


_WRITERS: dict[str, Callable[[list[str]], bytes]] = {
    "A": lambda words: IPv4Address(words[0]).packed,
    "AAAA": lambda words: IPv6Address(words[0]).packed,
    **dict.fromkeys(("NS", "CNAME", "PTR", "DNAME"), lambda words: write_name(words[0])),
    "MX": lambda words: _SHORT.pack(int(words[0])) + write_name(words[1]),
    "TXT": _encode_strings,
    "SOA": _encode_soa,
    "SRV": _encode_srv,
}
