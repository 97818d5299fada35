"""Which events a reader wants. What nobody wants is never built."""

from collections.abc import Iterable

FAMILIES = ("flow", "session", "auth", "anomaly", "finding", "decision", "sensor")


class Wanted:
    """The event families to build, as flags the driver can test cheaply.

    Logins are always recognised and judged; a family left out is only not handed to the reader.
    """

    def __init__(self, families: Iterable[str] = FAMILIES) -> None:
        """`families` are first words of event tags, e.g. `("auth", "finding")`.

        Raises ValueError for a word that names no family.
        """
        chosen = frozenset(families)
        unknown = chosen - frozenset(FAMILIES)
        if unknown:
            raise ValueError(f"no such event family: {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
        self.families = chosen
        self.flow = "flow" in chosen
        self.session = "session" in chosen
        self.auth = "auth" in chosen
        self.anomaly = "anomaly" in chosen
        self.finding = "finding" in chosen
        self.decision = "decision" in chosen
        self.sensor = "sensor" in chosen
