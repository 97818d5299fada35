"""What a flow's packets looked like, beside its record: sizes, gaps, flags, the first packets one by one.

Both tables keep the same running figures while `FlowSettings.features` asks for them; here they become columns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.flows.layout import RECORD_DTYPE

OPENING_BYTES = 64  # of payload a side begins with, for its entropy; kept in the table, never handed out
SCOPES = ("client", "server", "both")
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")
MOMENTS = ("syn", "syn_ack", "ack", "request", "response")  # kept plus one, so that 0 is "not seen"

MEASURE_DTYPE = np.dtype(
    [
        ("size_mean", "<f8"),
        ("size_m2", "<f8"),  # sum of squared differences from the mean (Welford's method)
        ("gap_mean", "<f8"),
        ("gap_m2", "<f8"),
        ("last_ns", "<i8"),
        ("gap_min", "<i8"),
        ("gap_max", "<i8"),
        ("count", "<u4"),
        ("size_min", "<u4"),
        ("size_max", "<u4"),
    ],
    align=True,
)

Rows = NDArray[np.void]
_LOG_TERMS = np.array([0.0] + [count * np.log2(count) for count in range(1, OPENING_BYTES + 1)])


def features_dtype(early_packets: int) -> np.dtype[np.void]:
    """Columns of features; those of single packets only where there are any.

    Sizes are frame bytes on the wire, gaps the time since the packet before it of the same scope. `stddev` is that of
    a sample. Rates of a flow with one packet, and times that were not seen, are 0.
    """
    fields: list[Any] = []
    for scope in SCOPES:
        for name, unit, whole in (("packet", "bytes", "<u4"), ("gap", "ns", "<i8")):
            fields += [(f"{scope}_{name}_{kind}_{unit}", whole) for kind in ("min", "max")]
            fields += [(f"{scope}_{name}_{kind}_{unit}", "<f8") for kind in ("mean", "stddev")]
    fields += [(f"{side}_{flag}_count", "<u4") for side in SCOPES[:2] for flag in FLAGS]
    fields += [(f"{side}_rtt_ns", "<i8") for side in SCOPES[:2]]
    fields += [("response_ns", "<i8")]
    fields += [(f"{side}_entropy_bits", "<f8") for side in SCOPES[:2]]
    if early_packets:
        fields += [("early_bytes", "<u4", (early_packets,)), ("early_gaps_ns", "<i8", (early_packets,))]
        fields += [("early_sides", "u1", (early_packets,)), ("early_count", "u1")]
    return np.dtype(fields)


def full_dtype(early_packets: int) -> np.dtype[np.void]:
    """RECORD_DTYPE and the columns of features behind it."""
    features = features_dtype(early_packets)
    return np.dtype([*_fields(RECORD_DTYPE), *_fields(features)])


def joined(records: Rows, features: Rows) -> Rows:
    """Records and their features, row by row, as one array of `full_dtype`."""
    dtype = np.dtype([*_fields(records.dtype), *_fields(features.dtype)])
    rows = np.empty(len(records), dtype)
    for part in (records, features):
        for name in part.dtype.names or ():
            rows[name] = part[name]
    return rows


def records_of(table: Any) -> Rows:
    """The records of a table's last call, with their features where it keeps some."""
    features = table.features
    records: Rows = table.records
    return records if features is None else joined(records, features)


def feature_rows(
    measures: Rows,
    flags: NDArray[np.uint32],
    moments: NDArray[np.int64],
    openings: NDArray[np.uint8],
    opening_sizes: NDArray[np.uint8],
    early: tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint8]],
) -> Rows:
    """The running figures of ended flows as columns: measures by scope, flags by side, and so on."""
    early_packets = early[0].shape[1]
    rows = np.zeros(len(measures), features_dtype(early_packets))
    for place, scope in enumerate(SCOPES):
        measure = measures[:, place]
        _spread(rows, f"{scope}_packet_{{}}_bytes", measure, "size", measure["count"])
        _spread(rows, f"{scope}_gap_{{}}_ns", measure, "gap", np.maximum(measure["count"], 1) - 1)
    for place, side in enumerate(SCOPES[:2]):
        for number, flag in enumerate(FLAGS):
            rows[f"{side}_{flag}_count"] = flags[:, place, number]
        rows[f"{side}_entropy_bits"] = _entropy(openings[:, place], opening_sizes[:, place])
    syn, syn_ack, ack, request, response = moments.T
    rows["server_rtt_ns"] = np.where((syn > 0) & (syn_ack > 0), syn_ack - syn, 0)
    rows["client_rtt_ns"] = np.where((syn_ack > 0) & (ack > 0), ack - syn_ack, 0)
    rows["response_ns"] = np.where(response > 0, response - request, 0)
    if early_packets:
        rows["early_bytes"], rows["early_gaps_ns"], rows["early_sides"] = early
        rows["early_count"] = np.minimum(measures[:, 2]["count"], early_packets)
    return rows


def _spread(rows: Rows, name: str, measure: Rows, kind: str, count: NDArray[Any]) -> None:
    rows[name.format("min")] = measure[f"{kind}_min"]
    rows[name.format("max")] = measure[f"{kind}_max"]
    rows[name.format("mean")] = measure[f"{kind}_mean"]
    rows[name.format("stddev")] = np.sqrt(measure[f"{kind}_m2"] / np.maximum(count.astype(np.int64) - 1, 1))


def _entropy(openings: NDArray[np.uint8], sizes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Bits per byte of each opening (Shannon); 0 where there is none."""
    counts = np.zeros((len(openings), 256), np.uint8)
    known = np.arange(OPENING_BYTES) < sizes[:, None]
    np.add.at(counts, (np.nonzero(known)[0], openings[known]), 1)
    total = np.maximum(sizes.astype(np.int64), 1)
    entropy: NDArray[np.float64] = (_LOG_TERMS[total] - _LOG_TERMS[counts].sum(axis=1)) / total
    return np.maximum(entropy, 0.0)


def _fields(dtype: np.dtype[np.void]) -> list[Any]:
    return [(name, dtype.fields[name][0]) for name in dtype.names or () if dtype.fields is not None]
