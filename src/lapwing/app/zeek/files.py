"""Rows of `files.log`: what messages carried, and what data connections of FTP were."""

from collections.abc import Iterator

from lapwing.app.zeek.names import fuid, fuid_of_flow
from lapwing.app.zeek.places import is_local
from lapwing.app.zeek.rows import NS_PER_S, Row
from lapwing.events import FlowClosed, SessionMessaged, Side
from lapwing.events.messages import HttpRequest, HttpResponse, SmtpMail
from lapwing.events.messages.carried import CarriedFile

_DIGESTS = ("MD5", "SHA1", "SHA256")


class FileRows:
    """A row for each file in a message. How long it took is not known: it is told when it is over."""

    def add(self, event: SessionMessaged) -> Iterator[Row]:
        """A message is told with all its files."""
        message = event.message
        if isinstance(message, HttpRequest | HttpResponse | SmtpMail):
            for number, file in enumerate(message.files):
                depth = file.depth if isinstance(message, SmtpMail) else message.index + 1
                yield _common(event, event.side) | _row(file) | {"fuid": fuid(event, number), "depth": depth}

    def end(self) -> Iterator[Row]:
        """Nothing is left."""
        yield from ()


def _common(event: SessionMessaged, sender: Side) -> Row:
    address = event.client_ip if sender is Side.CLIENT else event.server_ip
    return {
        "ts": event.ts_ns,
        "source": event.protocol.upper(),
        "local_orig": is_local(address),
        "is_orig": sender is Side.CLIENT,
        "overflow_bytes": 0,
        "timedout": False,
    }


def _row(file: CarriedFile) -> Row:
    return {
        "analyzers": _DIGESTS if file.sha256 else (),
        "mime_type": file.mime_type,
        "filename": file.name,
        "seen_bytes": file.seen_bytes,
        "total_bytes": file.total_bytes,
        "missing_bytes": file.missing_bytes,
        "md5": file.md5,
        "sha1": file.sha1,
        "sha256": file.sha256,
        "mime_type_declared": file.declared_type,
    }


def of_transfer(flow: FlowClosed) -> Iterator[Row]:
    """The row of a data connection of FTP, whose bytes are counted and not looked at; none without bytes."""
    from_client = flow.client_stream_bytes > 0
    sent = flow.client_stream_bytes if from_client else flow.server_stream_bytes
    missed = flow.client_missed_bytes if from_client else flow.server_missed_bytes
    if sent:
        yield {
            "ts": flow.first_ts_ns,
            "fuid": fuid_of_flow(flow),
            "source": "FTP_DATA",
            "depth": 0,
            "analyzers": (),
            "duration": (flow.last_ts_ns - flow.first_ts_ns) / NS_PER_S,
            "local_orig": is_local(flow.client_ip if from_client else flow.server_ip),
            "is_orig": from_client,
            "seen_bytes": sent - missed,
            "missing_bytes": missed,
            "overflow_bytes": 0,
            "timedout": False,
        }
