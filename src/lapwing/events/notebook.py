"""Events as small pieces of HTML, for notebooks. Everything in them is escaped: names come from attackers."""

from datetime import UTC, datetime
from html import escape
from typing import Any

import msgspec

_MAX_ITEMS = 20  # of a list shown; the rest is counted
_MAX_CHARS = 400  # of a text shown

Pairs = list[tuple[str, Any]]


def cell(value: Any) -> str:
    """One value, safe to stand in a page: no markup, nothing that does not print."""
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _MAX_ITEMS} more" if len(value) > _MAX_ITEMS else ""
        return ", ".join(cell(one) for one in value[:_MAX_ITEMS]) + more
    text = str(value)
    shown = text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}..."
    return escape("".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in shown))


def moment(ts_ns: int) -> str:
    """A time as people read it, to the microsecond."""
    return f"{datetime.fromtimestamp(ts_ns // 1_000 / 1e6, UTC):%Y-%m-%d %H:%M:%S.%f}Z"


def table(rows: Pairs, heads: tuple[str, ...] = ()) -> str:
    """A table of names and values; a tuple of values fills several columns under `heads`."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{one}</td>' for one in _cells(value))}</tr>" for name, value in rows
    )
    return f"<table>{f'<tr><th></th>{head}</tr>' if head else ''}{body}</table>"


def _cells(value: Any) -> list[str]:
    return [cell(one) for one in value] if isinstance(value, tuple) else [cell(value)]


def event_page(event: msgspec.Struct) -> str:
    """What kind of event, and its fields that say something: those of client and server side by side."""
    values = {name: _shown(name, getattr(event, name)) for name in _told(event)}
    sides = [name[7:] for name in values if name.startswith("client_") and f"server_{name[7:]}" in values]
    both: Pairs = [(name, (values.pop(f"client_{name}"), values.pop(f"server_{name}"))) for name in sides]
    kind = str(type(event).__struct_config__.tag or type(event).__name__)
    parts = [f"<b>{escape(kind)}</b>", table(both, ("client", "server")) if both else "", table(list(values.items()))]
    return "".join(parts)


def finding_page(event: Any) -> str:
    """A finding: its sentence, its reasons, and whom it is about."""
    head = f"<b>{escape(event.severity)}</b> {escape(event.finding)} <code>{cell(event.finding_id)}</code>"
    reasons = "".join(f"<li>{cell(one.sentence)}</li>" for one in event.evidence)
    rows: Pairs = [
        ("from", moment(event.first_ts_ns)),
        ("to", moment(event.last_ts_ns)),
        ("risk", event.risk),
        ("tries", f"{event.attempt_count:,}, {event.failure_count:,} failed, {event.success_count:,} succeeded"),
        ("accounts", event.accounts),
        ("sources", event.sources),
        ("techniques", event.techniques),
    ]
    return f"<div>{head}<p>{cell(event.sentence)}</p><ul>{reasons}</ul>{table(rows)}</div>"


def _told(event: msgspec.Struct) -> list[str]:
    """Names of the fields that are not as they are when there is nothing to say."""
    return [name for name in event.__struct_fields__ if getattr(event, name) not in (None, "", [], (), {})]


def _shown(name: str, value: Any) -> Any:
    if name.endswith("ts_ns") and isinstance(value, int):
        return moment(value)
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value
