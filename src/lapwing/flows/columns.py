"""Flow records as columns, in bulk: no Python object per row but the text of an address that was not seen before."""

from binascii import b2a_base64
from hashlib import sha1
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lapwing.flows.layout import RECORD_DTYPE
from lapwing.flows.rules import ICMP, ICMP6, TCP, UDP
from lapwing.flows.text import SCTP, address_text, community_id

TRANSPORTS = ("tcp", "udp", "icmp", "icmp6", "sctp", "other")
_TRANSPORT_CODES = np.full(256, TRANSPORTS.index("other"), np.int8)
_TRANSPORT_CODES[[TCP, UDP, ICMP, ICMP6, SCTP]] = range(5)

COUNTERS = tuple(name for name in RECORD_DTYPE.names or () if name.startswith(("client_", "server_")))[6:-2]
_PAIRED = np.isin(np.arange(256), (TCP, UDP, SCTP))  # whose community id is made of sorted endpoints with ports


class Coded(NamedTuple):
    """Text by number: row k has `values[codes[k]]`."""

    codes: NDArray[np.int32]
    values: list[str]


def transport_codes(records: NDArray[np.void]) -> NDArray[np.int8]:
    """Index into TRANSPORTS, row by row."""
    codes: NDArray[np.int8] = _TRANSPORT_CODES[records["ip_protocol"]]
    return codes


def addresses(records: NDArray[np.void], side: str) -> Coded:
    """The addresses of `side` (`client` or `server`) as text (RFC 5952), each different one made once."""
    low, high = records[f"{side}_lo"], records[f"{side}_hi"]
    codes = np.empty(len(records), np.int32)
    values: list[str] = []
    for version in (4, 0):
        chosen = records["ip_version"] == version
        found, places = np.unique(low[chosen], return_inverse=True)
        codes[chosen] = places + len(values)
        values += [address_text(version, 0, one) for one in found.tolist()]
    chosen = records["ip_version"] == 6
    pairs = np.stack((high[chosen], low[chosen]), axis=1)
    found, places = np.unique(pairs, axis=0, return_inverse=True)
    codes[chosen] = places.reshape(-1) + len(values)
    values += [address_text(6, upper, lower) for upper, lower in found.tolist()]
    return Coded(codes, values)


def community_ids(records: NDArray[np.void]) -> list[str]:
    """Community ids, row by row. Endpoints are sorted in bulk; a digest each is what remains."""
    version, protocol = records["ip_version"], records["ip_protocol"]
    found: list[str] = [""] * len(records)
    rest = np.ones(len(records), bool)
    for ip_version, words in ((4, 1), (6, 4)):
        chosen = _PAIRED[protocol] & (version == ip_version)
        rest &= ~chosen
        places = np.flatnonzero(chosen)
        if len(places):
            _digest(records[places], words, places.tolist(), found)
    for place, row in zip(np.flatnonzero(rest).tolist(), records[rest].tolist(), strict=True):
        _, _, client_hi, client_lo, server_hi, server_lo, client_port, server_port, _, _, ip_version, number, *_ = row
        client, server = (client_hi, client_lo, client_port), (server_hi, server_lo, server_port)
        found[place] = community_id(ip_version, number, client, server)
    return found


def _digest(records: NDArray[np.void], words: int, places: list[int], found: list[str]) -> None:
    """Fill in the ids of flows with ports; `words` of 64 bits hold both addresses in network order."""
    client = (records["client_hi"], records["client_lo"], records["client_port"])
    server = (records["server_hi"], records["server_lo"], records["server_port"])
    swap = np.zeros(len(records), bool)
    same = np.ones(len(records), bool)
    for ours, theirs in zip(client, server, strict=True):
        swap |= same & (ours > theirs)
        same &= ours == theirs
    first = [np.where(swap, theirs, ours) for ours, theirs in zip(client, server, strict=True)]
    second = [np.where(swap, ours, theirs) for ours, theirs in zip(client, server, strict=True)]
    layout = [("seed", ">u2"), ("addresses", ">u8", (words,)), ("protocol", "u1"), ("zero", "u1")]
    rows = np.zeros(len(records), [*layout, ("first", ">u2"), ("second", ">u2")])
    if words == 1:
        rows["addresses"][:, 0] = first[1] << np.uint64(32) | second[1]
    else:
        rows["addresses"] = np.stack((first[0], first[1], second[0], second[1]), axis=1)
    rows["protocol"], rows["first"], rows["second"] = records["ip_protocol"], first[2], second[2]
    data, size = rows.tobytes(), rows.itemsize
    for number, place in enumerate(places):
        digest = sha1(data[number * size : (number + 1) * size], usedforsecurity=False).digest()
        found[place] = "1:" + b2a_base64(digest, newline=False).decode()
