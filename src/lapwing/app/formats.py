"""The shapes of output, by the names `-o` takes."""

from enum import StrEnum


class Format(StrEnum):
    """What `-o` accepts."""

    TABLE = "table"  # for people
    JSON = "json"  # one array
    NDJSON = "ndjson"  # one event a line
    CSV = "csv"
    PARQUET = "parquet"  # flow records only
    ZEEK = "zeek"  # a folder of logs
    EVE = "eve"  # one event a line, under the names of EVE


ELSEWHERE: dict[str, str] = {
    Format.PARQUET: "-o parquet is for flow records: `lapwing flows ... -o parquet`",
    Format.ZEEK: "-o zeek writes a folder of logs from captures: `lapwing read ... -o zeek --logdir DIR`",
}  # where the shapes are to be had that are no stream of events
