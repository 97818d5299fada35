"""Numbers and decisions both flow tables share, so that they cannot drift apart.

The compiled table repeats the per-packet decisions in C; this module is their definition.
"""

PAGE_BYTES = 2048  # unit in which out-of-order bytes are held; one full-size segment touches at most two
MAX_RUNS = 1024  # separate pieces waiting per side; bounds what one packet can set free at once
TRACKED_HOLES = 8  # holes remembered per side to tell late from repeated bytes; older ones count as missed
MAX_HOLE_LISTS = 65_536  # sides with remembered holes, 144 bytes each; beyond it new holes count as missed at once
WHEEL_TICKS = 4096  # sweep intervals the timer wheel spans; longer timeouts are looked at once a turn
MAX_CLOCK_NS = 1 << 62  # year 2116; a later timestamp would overflow when a timeout is added
CLOCK_TOLERANCE_NS = 1_000_000_000  # a step back beyond this is an anomaly; capture queues reorder by less
RST_BEHIND_BYTES = 65_536  # a RST may lag what its side sent by one unscaled window
HISTORY_LETTERS = 24
WELL_KNOWN_PORTS = 1024  # RFC 6335, section 6: system ports

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

# Endpoint states: what one side of a TCP flow has shown so far.
INACTIVE, PARTIAL, SYN_SENT, SYN_ACK_SENT, ESTABLISHED, CLOSED, RESET = range(7)

# Indexes into the tuples of `layout`.
ROLE_SYN, ROLE_SYN_ACK, ROLE_PORT, ROLE_FIRST = range(4)
BY_FIN, BY_RST, BY_IDLE, BY_ACTIVE, BY_EVICTION, BY_SUPERSEDE, BY_FLUSH, BY_FORCE = range(8)
OTH, S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR = range(13)
OVERLAP_CONFLICT, REASSEMBLY_OVERFLOW, OUT_OF_WINDOW, EVICTED, CLOCK_REGRESSION = range(5)

ICMP_PAIRS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
"""ICMP requests and their replies (RFC 792, 950, 1256): both directions are one flow."""

ICMP6_PAIRS = {128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139}
ICMP6_PAIRS |= {144: 145, 145: 144}
"""The same for ICMPv6 (RFC 4443, 2710, 4861, 4620, 6275)."""


ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
"""ICMP messages that quote the packet they are about (RFC 792), by type; `ICMP6_ERRORS` those of ICMPv6 (RFC 4443)."""

ICMP6_ERRORS = frozenset({1, 2, 3, 4})
ICMP_HEADER_BYTES = 8


def counterpart(protocol: int, kind: int) -> int:
    """The ICMP type that answers `kind`, or -1 when messages of this type go one way."""
    return (ICMP_PAIRS if protocol == ICMP else ICMP6_PAIRS).get(kind, -1)


def conn_state(protocol: int, client: int, server: int, *, silent: bool) -> int:
    """How a connection went, in Zeek's terms, from the states of its sides.

    For UDP a side that spoke is not INACTIVE. `silent`: neither side sent TCP payload.
    """
    if protocol == UDP:
        return (SF if server else S0) if client else (SHR if server else OTH)
    if protocol != TCP:
        return OTH
    client_unseen, server_unseen = client <= PARTIAL, server <= PARTIAL
    if server == RESET:
        refused = client in (SYN_SENT, SYN_ACK_SENT) or (client == RESET and silent)
        return REJ if refused else RSTRH if client_unseen else RSTR
    if client == RESET:
        return RSTOS0 if server_unseen else RSTO
    if client == CLOSED:
        return SF if server == CLOSED else SH if server_unseen else S2
    if server == CLOSED:
        return SHR if client_unseen else S3
    if client == SYN_SENT and server == INACTIVE:
        return S0
    return S1 if client == server == ESTABLISHED else OTH


def next_states(sender: int, other: int, flags: int) -> tuple[int, int]:
    """States of the sender and of the other side after a TCP packet with these flags (RFC 9293, section 3.3.2).

    A SYN-ACK that answers a SYN counts as established for both: the final ACK may pass us by.
    """
    if flags & RST:
        return (sender, other) if sender == other == CLOSED else (RESET, other)
    if sender >= CLOSED:
        return sender, other
    if flags & SYN:
        answers = other in (SYN_SENT, ESTABLISHED) if flags & ACK else other == SYN_ACK_SENT
        if answers and sender != PARTIAL:
            return ESTABLISHED, max(other, ESTABLISHED)
        if sender == INACTIVE:
            return (SYN_ACK_SENT if flags & ACK else SYN_SENT), other
        return sender, other
    if flags & FIN:
        return CLOSED, other
    if sender == INACTIVE:
        return (ESTABLISHED, ESTABLISHED) if other == SYN_ACK_SENT else (PARTIAL, other)
    return sender, other
