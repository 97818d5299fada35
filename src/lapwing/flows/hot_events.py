# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types of hot_types.pxd
"""Rows to events (Cython, pure-Python mode; types in `.pxd`). `objects.py` is its twin and says what they hold."""

import cython
from cython.cimports.lapwing.flows.hot_text import names_of
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.events import CloseReason, FlowClosed, FlowOpened, RoleEvidence
from lapwing.flows import objects
from lapwing.flows.hot_rows import with_history_words
from lapwing.flows.layout import CLOSE_REASONS, CONN_STATES, KEY_DTYPE, RECORD_DTYPE, ROLE_EVIDENCE

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_events runs only compiled; lapwing.flows.objects is its twin")

_RECORD_DTYPE = with_history_words(RECORD_DTYPE)
_ROLES = cython.declare(tuple, tuple(RoleEvidence(name) for name in ROLE_EVIDENCE))
_REASONS = cython.declare(tuple, tuple(CloseReason(name) for name in CLOSE_REASONS))
_STATES = cython.declare(tuple, tuple(CONN_STATES))
_room = cython.declare(bytearray, bytearray(HISTORY_LETTERS))
_text = cython.declare(u8[::1], _room)


def opened_events(rows, words=None, chains=None):
    """See `objects.opened_events`."""
    events: list = []
    if rows.dtype != KEY_DTYPE or not rows.flags.c_contiguous or not len(rows):
        return objects.opened_events(rows, words, chains)
    keys: cython.const[Key][::1] = rows
    at: cython.Py_ssize_t
    for at in range(keys.shape[0]):
        carrier: u32 = keys[at].client_carrier or keys[at].server_carrier
        carriers: tuple = chains(carrier) if carrier and chains else ()
        events.append(_opened(cython.address(keys[at]), words(keys[at].tag) if words else "", carriers))
    return events


def closed_events(rows, ts_ns=None, words=None, chains=None):
    """See `objects.closed_events`; rows with features are left to it."""
    events: list = []
    if rows.dtype != RECORD_DTYPE or not rows.flags.c_contiguous or not len(rows):
        return objects.closed_events(rows, ts_ns, words, chains)
    records: cython.const[Record][::1] = rows.view(_RECORD_DTYPE)
    at: cython.Py_ssize_t
    for at in range(records.shape[0]):
        when: i64 = records[at].last_ts_ns if ts_ns is None else ts_ns[at]
        events.append(_closed(cython.address(records[at]), when, words(records[at].tag) if words else "", chains))
    return events


def _opened(row, tag, carriers):
    names: tuple = names_of(
        row.ip_version,
        row.ip_protocol,
        row.client_hi,
        row.client_lo,
        row.client_port,
        row.server_hi,
        row.server_lo,
        row.server_port,
    )
    community, transport, client_ip, server_ip = names
    return FlowOpened(
        row.first_ts_ns,
        row.flow_id,
        community,
        transport,
        client_ip,
        row.client_port,
        server_ip,
        row.server_port,
        _ROLES[row.role_evidence],
        tag,
        carriers,
    )


def _closed(row, ts_ns, tag, chains):
    names: tuple = names_of(
        row.ip_version,
        row.ip_protocol,
        row.client_hi,
        row.client_lo,
        row.client_port,
        row.server_hi,
        row.server_lo,
        row.server_port,
    )
    community, transport, client_ip, server_ip = names
    return FlowClosed(
        ts_ns,
        row.flow_id,
        community,
        transport,
        client_ip,
        row.client_port,
        server_ip,
        row.server_port,
        _REASONS[row.close_reason],
        _ROLES[row.role_evidence],
        row.first_ts_ns,
        row.last_ts_ns,
        row.ip_protocol,
        row.vlan_id,
        _STATES[row.conn_state],
        _history(row),
        row.client_packet_count,
        row.server_packet_count,
        row.client_wire_bytes,
        row.server_wire_bytes,
        row.client_ip_bytes,
        row.server_ip_bytes,
        row.client_payload_bytes,
        row.server_payload_bytes,
        row.client_stream_bytes,
        row.server_stream_bytes,
        row.client_missed_bytes,
        row.server_missed_bytes,
        row.client_retransmit_count,
        row.server_retransmit_count,
        row.client_out_of_order_count,
        row.server_out_of_order_count,
        row.client_tcp_flags,
        row.server_tcp_flags,
        row.record_index,
        tag,
        None,
        row.outer_vlan_id,
        chains(row.client_carrier) if row.client_carrier and chains else (),
        chains(row.server_carrier) if row.server_carrier and chains else (),
    )


def _history(row):
    end: cython.Py_ssize_t = _letters(0, row.history_0)
    if end == 8:
        end = _letters(8, row.history_1)
    if end == 16:
        end = _letters(16, row.history_2)
    return _room[:end].decode("ascii")


def _letters(at, letters):
    """Write letters up to the first zero; returns where they end."""
    while letters != 0:
        _text[at] = letters & 0xFF
        at += 1
        letters >>= 8
    return at
