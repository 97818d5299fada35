"""Flow records as Arrow columns, by names of `flow.closed`; needs the extra `columns`. Imported only when asked for."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lapwing.flows import (
    CLOSE_REASONS,
    CONN_STATES,
    RECORD_DTYPE,
    ROLE_EVIDENCE,
    TRANSPORTS,
    addresses,
    community_ids,
    transport_codes,
)

Words = Callable[[int], str]

_WORD = pa.dictionary(pa.int8(), pa.string())
_TIME = pa.timestamp("ns", "UTC")
_WORDS = {"transport": TRANSPORTS, "reason": CLOSE_REASONS, "role_evidence": ROLE_EVIDENCE, "conn_state": CONN_STATES}
_RECORD_NAMES = {"reason": "close_reason"}
_INTEGERS = {"u1": pa.uint8(), "<u2": pa.uint16(), "<u4": pa.uint32(), "<u8": pa.uint64(), "<i8": pa.int64()}
_FLAGS = frozenset({"client_tcp_flags", "server_tcp_flags"})
_CARRIERS = {"client_carriers": "client_carrier", "server_carriers": "server_carrier"}  # and columns of records
_HALVES = frozenset({f"{side}_{half}" for side in ("client", "server") for half in ("hi", "lo")})
_TEXTS = frozenset({"close_reason", "conn_state", "role_evidence", "history", "ip_version", "tag", *_CARRIERS.values()})
_ALREADY = _HALVES | _TEXTS
_PLAIN = tuple(name for name in RECORD_DTYPE.names or () if name not in _ALREADY)


def _kind(name: str) -> pa.DataType:
    assert RECORD_DTYPE.fields is not None
    return pa.uint8() if name in _FLAGS else _INTEGERS[RECORD_DTYPE.fields[name][0].str.replace("|", "")]


SCHEMA = pa.schema(
    [
        ("start", _TIME),
        ("end", _TIME),
        ("community_id", pa.string()),
        *[(name, _WORD) for name in ("transport",)],
        ("client_ip", pa.string()),
        ("server_ip", pa.string()),
        *[(name, _WORD) for name in ("reason", "role_evidence", "conn_state")],
        ("history", pa.string()),
        ("tag", pa.string()),
        *[(name, pa.string()) for name in _CARRIERS],
        *[(name, _kind(name)) for name in _PLAIN],
    ]
)


_EARLY = ("early_bytes", "early_gaps_ns", "early_sides")
_FEATURE_TYPES = {"<u4": pa.uint32(), "<i8": pa.int64(), "<f8": pa.float64()}


def schema_of(dtype: np.dtype[np.void]) -> pa.Schema:
    """SCHEMA, and behind it the features that `dtype` has."""
    schema = SCHEMA
    for name in _feature_names(dtype):
        if name in _EARLY:
            kind = pa.list_({"early_bytes": pa.uint32(), "early_gaps_ns": pa.int64()}.get(name, pa.uint8()))
        else:
            kind = _FEATURE_TYPES[dtype[name].str]
        schema = schema.append(pa.field(name, kind))
    return schema


def _feature_names(dtype: np.dtype[np.void]) -> list[str]:
    return [name for name in (dtype.names or ())[len(RECORD_DTYPE.names or ()) :] if name != "early_count"]


def _lists(values: NDArray[Any], counts: NDArray[np.uint8]) -> pa.Array:
    """The first `counts` values of each row as a list column."""
    kept = values[np.arange(values.shape[1]) < counts[:, None]]
    offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int32))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(kept))


def batch_of(records: NDArray[np.void], words: Words | None = None, carriers: Words | None = None) -> pa.RecordBatch:
    """Records (RECORD_DTYPE) as one batch of SCHEMA; nothing of `records` is kept.

    `words` say what a tag means, `carriers` what the number of a carrier does.
    """
    columns: dict[str, Any] = {
        "start": pa.array(records["first_ts_ns"].copy()).cast(pa.timestamp("ns")).cast(_TIME),
        "end": pa.array(records["last_ts_ns"].copy()).cast(pa.timestamp("ns")).cast(_TIME),
        "community_id": pa.array(community_ids(records), pa.string()),
        "history": pa.array(records["history"].astype("U24"), pa.string()),
    }
    columns["tag"] = _said(records["tag"], words)
    for name, numbers in _CARRIERS.items():
        columns[name] = _said(records[numbers], carriers)
    for side in ("client", "server"):
        coded = addresses(records, side)
        texts = pa.DictionaryArray.from_arrays(pa.array(coded.codes), pa.array(coded.values, pa.string()))
        columns[f"{side}_ip"] = texts.cast(pa.string())
    for name, known in _WORDS.items():
        codes = transport_codes(records) if name == "transport" else records[_RECORD_NAMES.get(name, name)]
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(known, pa.string()))
    for name in _PLAIN:
        columns[name] = pa.array(records[name].astype(np.uint8) if name in _FLAGS else records[name].copy())
    for name in _feature_names(records.dtype):
        listed = name in _EARLY
        columns[name] = (
            _lists(records[name], records["early_count"]) if listed else pa.array(np.ascontiguousarray(records[name]))
        )
    schema = schema_of(records.dtype)
    return pa.RecordBatch.from_arrays([columns[field.name] for field in schema], schema=schema)


def _said(numbers: NDArray[Any], words: Words | None) -> pa.Array:
    """What each of these numbers stands for."""
    found, places = np.unique(numbers, return_inverse=True)
    said = pa.array([words(number) if words else "" for number in found.tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), said).cast(pa.string())


def batches_of(
    chunks: Iterable[NDArray[np.void]], rows: int, words: Words | None = None, carriers: Words | None = None
) -> Iterator[pa.RecordBatch]:
    """Records as batches of `rows` rows, the last one of what is left; at most that many are held."""
    held: list[NDArray[np.void]] = []
    count = 0
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            piece = chunk[at : at + rows - count]
            at += len(piece)
            count += len(piece)
            held.append(piece.copy())
            if count == rows:
                yield batch_of(np.concatenate(held), words, carriers)
                held, count = [], 0
    if count:
        yield batch_of(np.concatenate(held), words, carriers)


def reader_of(
    chunks: Iterable[NDArray[np.void]],
    rows: int,
    words: Words | None = None,
    dtype: np.dtype[np.void] = RECORD_DTYPE,
    carriers: Words | None = None,
) -> pa.RecordBatchReader:
    """The batches as a reader, which other libraries take without a copy (Arrow C stream)."""
    return pa.RecordBatchReader.from_batches(schema_of(dtype), batches_of(chunks, rows, words, carriers))


def write_parquet(reader: pa.RecordBatchReader, sink: Any) -> int:
    """Write all batches to a path or binary stream; returns the number of rows."""
    from pyarrow import parquet

    return _write(reader, sink, lambda out: parquet.ParquetWriter(out, reader.schema, compression="zstd"))


def write_csv(reader: pa.RecordBatchReader, sink: Any) -> int:
    """Write all batches as CSV with a header; returns the number of rows. Lists are numbers between spaces."""
    from pyarrow import csv

    flat = pa.schema([(one.name, pa.string() if one.name in _EARLY else one.type) for one in reader.schema])
    return _write((_flat(batch, flat) for batch in reader), sink, lambda out: csv.CSVWriter(out, flat))


def _write(batches: Iterable[pa.RecordBatch], sink: Any, make: Callable[[Any], Any]) -> int:
    """Write batches to a path or binary stream by the writer that `make` gives for it; returns the number of rows.

    Nothing goes out before the first batch was read: what cannot be read leaves no empty table behind.
    """
    coming = iter(batches)
    with _whole(sink) as out:
        first = next(coming, None)
        count = 0
        with make(out) as writer:
            for batch in coming if first is None else chain((first,), coming):
                writer.write_batch(batch)
                count += batch.num_rows
    return count


@contextmanager
def _whole(sink: Any) -> Iterator[Any]:
    """What to write to for `sink`. Of a path: a file beside it, which takes its place when everything was written."""
    if not isinstance(sink, str | os.PathLike):
        yield sink
        return
    path = Path(sink)
    if path.exists() and not path.is_file():  # a pipe, a device
        with path.open("wb") as out:
            yield out
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _flat(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Lists as text."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in _EARLY:
            column = pa.array([" ".join(map(str, values)) for values in column.to_pylist()], pa.string())
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)
