# cython: show_performance_hints=False
# mypy: ignore-errors
"""The compiled look into tunnels; semantics are those of `plain_tunnels`, function by function.

Rules as in `hot`. `pkt` ends with the frame; `last` is where the carrying payload ends, which padding may follow.
"""

import cython
from cython import int as cint
from cython import longlong as i64
from cython import uchar as u8
from cython.cimports.lapwing.wire.hot_types import PacketRow

if not cython.compiled:
    raise ImportError("lapwing.wire.hot_tunnels runs only compiled; lapwing.wire.plain_tunnels is its twin")

MAX_VLAN_TAGS = cython.declare(cint, 8)
MAX_MPLS_LABELS = cython.declare(cint, 16)
MAX_GTP_EXTENSIONS = cython.declare(cint, 8)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(-1)
def _be16(pkt: cython.const[u8][::1], at: cython.Py_ssize_t) -> cint:
    return (cython.cast(cint, pkt[at]) << 8) | pkt[at + 1]


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _be32(pkt: cython.const[u8][::1], at: cython.Py_ssize_t) -> i64:
    return (cython.cast(i64, _be16(pkt, at)) << 16) | _be16(pkt, at + 2)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _ip(pkt: cython.const[u8][::1], at: cython.Py_ssize_t, last: cython.Py_ssize_t, announced: i64) -> i64:
    """`at` and version as one number where a sane IP header of at most `announced` bytes begins, otherwise 0."""
    kind: cint
    total: i64
    header: cint
    if at + 20 > last:
        return 0
    kind = pkt[at] >> 4
    if kind == 4:
        header = (pkt[at] & 15) * 4
        total = _be16(pkt, at + 2)
        if header < 20 or total < header or total > announced:
            return 0
        return (cython.cast(i64, at) << 4) | 4
    if kind == 6 and at + 40 <= last and _be16(pkt, at + 4) + 40 <= announced:
        return (cython.cast(i64, at) << 4) | 6
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _typed(
    pkt: cython.const[u8][::1],
    row: cython.pointer(PacketRow),
    kind: cint,
    at: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    announced: i64,
) -> i64:
    """What an EtherType says stands at `at`."""
    begin: cython.Py_ssize_t = at
    turns: cint = 0
    vlan_id: cint = row.vlan_id
    outer_vlan_id: cint = row.outer_vlan_id
    session: cint = 0
    label: i64 = 0
    found: i64
    if kind == 0x6558:  # transparent Ethernet bridging
        if at + 14 > last:
            return 0
        kind = _be16(pkt, at + 12)
        at += 14
    while kind == 0x8100 or kind == 0x88A8 or kind == 0x9100:
        turns += 1
        if turns > MAX_VLAN_TAGS or at + 4 > last:
            return 0
        if _be16(pkt, at) & 0xFFF:
            outer_vlan_id = vlan_id
            vlan_id = _be16(pkt, at) & 0xFFF
        kind = _be16(pkt, at + 2)
        at += 4
    if kind == 0x8864:
        if at + 8 > last:
            return 0
        session = _be16(pkt, at + 2)
        kind = _be16(pkt, at + 6)
        kind = 0x0800 if kind == 0x21 or kind == 0x57 else 0
        at += 8
    elif kind == 0x8847 or kind == 0x8848:
        turns = 0
        while True:
            turns += 1
            if turns > MAX_MPLS_LABELS or at + 5 > last:
                return 0
            at += 4
            if pkt[at - 2] & 1:
                break
        label = _be32(pkt, at - 4) >> 12
        kind = 0x0800
    if kind != 0x0800 and kind != 0x86DD:
        return 0
    found = _ip(pkt, at, last, announced - (at - begin))
    if found:
        row.vlan_id, row.outer_vlan_id = vlan_id, outer_vlan_id
        if session:
            row.pppoe_session = session
        if label:
            row.mpls_label = label
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _ppp(pkt: cython.const[u8][::1], at: cython.Py_ssize_t, last: cython.Py_ssize_t, announced: i64) -> i64:
    """PPP with or without address and control bytes, its protocol in one byte or two (RFC 1661, RFC 1662)."""
    begin: cython.Py_ssize_t = at
    kind: cint
    if at + 4 > last:
        return 0
    if pkt[at] == 0xFF and pkt[at + 1] == 3:
        at += 2
    kind = pkt[at]
    at += 1
    if kind & 1 == 0:
        kind = (kind << 8) | pkt[at]
        at += 1
    if kind == 0x21 or kind == 0x57:
        return _ip(pkt, at, last, announced - (at - begin))
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _gre(
    pkt: cython.const[u8][::1],
    row: cython.pointer(PacketRow),
    at: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    announced: i64,
) -> i64:
    """GRE (RFC 2784, RFC 2890), its PPTP form (RFC 2637) and mirrored frames (ERSPAN)."""
    begin: cython.Py_ssize_t = at
    flags: cint
    kind: cint
    if at + 4 > last:
        return 0
    flags = _be16(pkt, at)
    kind = _be16(pkt, at + 2)
    at += 4
    if flags & 0x4000 or flags & 7 > 1:
        return 0  # source routes, which nobody sends, or a version to come
    if flags & 0x8000:
        at += 4
    if flags & 0x2000:
        at += 4
    if flags & 0x1000:
        at += 4
    if flags & 7 == 1 and flags & 0x0080:
        at += 4
    if kind == 0x880B:
        return _ppp(pkt, at, last, announced - (at - begin))
    if kind == 0x88BE:
        if flags & 0x1000:
            at += 8  # type II has its own header, type I has none
        kind = 0x6558
    elif kind == 0x22EB:
        if at + 12 > last:
            return 0
        at += 20 if pkt[at + 11] & 1 else 12
        kind = 0x6558
    return _typed(pkt, row, kind, at, last, announced - (at - begin))


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _geneve(
    pkt: cython.const[u8][::1],
    row: cython.pointer(PacketRow),
    at: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    announced: i64,
) -> i64:
    """Geneve (RFC 8926)."""
    size: cint
    if at + 8 > last or pkt[at] >> 6 != 0 or pkt[at + 1] & 0x3F:
        return 0
    size = 8 + (pkt[at] & 0x3F) * 4
    return _typed(pkt, row, _be16(pkt, at + 2), at + size, last, announced - size)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _gtp(pkt: cython.const[u8][::1], at: cython.Py_ssize_t, last: cython.Py_ssize_t, announced: i64) -> i64:
    """GTP-U version 1, user data only (3GPP TS 29.281)."""
    begin: cython.Py_ssize_t = at
    kind: cint = 0
    turns: cint = 0
    if at + 12 > last or pkt[at] & 0xF0 != 0x30 or pkt[at + 1] != 0xFF:
        return 0
    if pkt[at] & 7:
        kind = pkt[at + 11]
        at += 4
        if not pkt[at - 4] & 4:
            kind = 0
    at += 8
    while kind:
        turns += 1
        if turns > MAX_GTP_EXTENSIONS or at + 4 > last or pkt[at] == 0:
            return 0
        at += pkt[at] * 4
        if at > last:
            return 0
        kind = pkt[at - 1]
    return _ip(pkt, at, last, announced - (at - begin))


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _teredo(pkt: cython.const[u8][::1], at: cython.Py_ssize_t, last: cython.Py_ssize_t, announced: i64) -> i64:
    """IPv6 behind an authentication and an origin indication (RFC 4380, 5.1.1)."""
    begin: cython.Py_ssize_t = at
    found: i64
    if at + 4 <= last and _be16(pkt, at) == 1:
        at += 13 + pkt[at + 2] + pkt[at + 3]
    if at + 2 <= last and _be16(pkt, at) == 0:
        at += 8
    found = _ip(pkt, at, last, announced - (at - begin))
    if found & 15 != 6 or pkt[at + 6] == 59:
        return 0  # the last: a bubble, by which a client keeps its way open
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def _l2tp(pkt: cython.const[u8][::1], at: cython.Py_ssize_t, last: cython.Py_ssize_t, announced: i64) -> i64:
    """Data messages of L2TP version 2 (RFC 2661, 3.1)."""
    begin: cython.Py_ssize_t = at
    flags: cint
    if at + 6 > last:
        return 0
    flags = _be16(pkt, at)
    if flags & 0x8000 or flags & 15 != 2:
        return 0
    at += 6
    if flags & 0x4000:
        at += 2
    if flags & 0x0800:
        at += 4
    if flags & 0x0200:
        if at + 2 > last:
            return 0
        at += 2 + _be16(pkt, at)
    return _ppp(pkt, at, last, announced - (at - begin))


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def inner_of_ip(
    pkt: cython.const[u8][::1],
    row: cython.pointer(PacketRow),
    at: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    announced: i64,
) -> i64:
    """Where IP begins inside a payload of IP, as `offset << 4 | version`; 0 where none does.

    What stood before it of VLAN tags, PPPoE and labels is noted in the row.
    """
    found: i64
    if row.protocol == 47:
        return _gre(pkt, row, at, last, announced)
    found = _ip(pkt, at, last, announced)
    if found & 15 == (4 if row.protocol == 4 else 6):
        return found
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def inner_of_udp(
    pkt: cython.const[u8][::1],
    row: cython.pointer(PacketRow),
    at: cython.Py_ssize_t,
    last: cython.Py_ssize_t,
    announced: i64,
) -> i64:
    """The same inside a payload of UDP; ports tell which kind of tunnel it may be, its content whether it is."""
    if row.dst_port == 4789 or row.dst_port == 8472:
        if at + 8 > last or pkt[at] & 8 == 0:
            return 0
        return _typed(pkt, row, 0x6558, at + 8, last, announced - 8)
    if row.dst_port == 6081:
        return _geneve(pkt, row, at, last, announced)
    if row.dst_port == 2152 or row.src_port == 2152:
        return _gtp(pkt, at, last, announced)
    if row.dst_port == 3544 or row.src_port == 3544:
        return _teredo(pkt, at, last, announced)
    if row.dst_port == 1701 or row.src_port == 1701:
        return _l2tp(pkt, at, last, announced)
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(-1)
def tunnel_id(pkt: cython.const[u8][::1], protocol: cint, src_port: cint, dst_port: cint, at: cython.Py_ssize_t) -> i64:
    """The number that tells a tunnel found here from others between the same ends; 0 where there is none."""
    flags: cint
    if protocol == 47:
        flags = _be16(pkt, at)
        if not flags & 0x2000:
            return 0
        at += 8 if flags & 0x8000 else 4
        return _be16(pkt, at + 2) if flags & 7 else _be32(pkt, at)
    if protocol != 17:
        return 0
    if dst_port == 4789 or dst_port == 8472 or dst_port == 6081:
        return _be32(pkt, at + 4) >> 8
    if dst_port == 2152 or src_port == 2152:
        return _be32(pkt, at + 4)
    if dst_port == 3544 or src_port == 3544:
        return 0
    return _be32(pkt, at + (4 if _be16(pkt, at) & 0x4000 else 2))
