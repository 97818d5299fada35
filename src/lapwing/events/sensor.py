"""The product about itself."""

from lapwing.events.base import Event


class SensorStarted(Event, frozen=True, gc=False, kw_only=True, tag="sensor.started"):
    """A source was opened."""

    ts_ns: int
    source: str


class SensorLagged(Event, frozen=True, gc=False, kw_only=True, tag="sensor.lagged"):
    """Something was lost between the wire and the reader: `where` names the layer."""

    ts_ns: int
    where: str
    lost_count: int


class SensorFailed(Event, frozen=True, gc=False, kw_only=True, tag="sensor.failed"):
    """A source could not be read (further), or what is kept and carried out beside could not be. `detail` says why."""

    ts_ns: int
    source: str
    detail: str
    offset: int | None = None


class SensorEnded(Event, frozen=True, gc=False, kw_only=True, tag="sensor.ended"):
    """A source ended. `counters` has every layer's monotone counters, e.g. `{"wire.packets": 12}`."""

    ts_ns: int
    source: str
    counters: dict[str, int]
