"""Who may come in: places in all, places for each source, and arrivals for each source and second."""

from ipaddress import IPv6Address, ip_address

MAX_SOURCES = 65_536  # counted at one time; past that the newest share one counter
OTHERS = "others"
IPV6_BITS = 64  # of an address name a source: less is what one customer gets


def source_of(address: str) -> str:
    """The source an address belongs to: itself, or for IPv6 its network of 64 bits."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> IPV6_BITS << IPV6_BITS))
    return address


class Rate:
    """How many of each source in the current second."""

    def __init__(self, per_s: int) -> None:
        self.refused_count = 0
        self._per_s = per_s
        self._second = 0
        self._counts: dict[str, int] = {}

    def allows(self, source: str, now_ns: int) -> bool:
        """Count one more; False when it is one too many."""
        second = now_ns // 1_000_000_000
        if second != self._second:
            self._second = second
            self._counts.clear()
        count = self._counts.get(source, 0)
        if not count and len(self._counts) >= MAX_SOURCES:
            source, count = OTHERS, self._counts.get(OTHERS, 0)
        if count >= self._per_s:
            self.refused_count += 1
            return False
        self._counts[source] = count + 1
        return True


class Admission:
    """Connections that are open."""

    def __init__(self, *, total_count: int, per_source_count: int, per_source_s: int) -> None:
        self.open_count = 0
        self.refused_count = 0
        self._total = total_count
        self._per_source = per_source_count
        self._rate = Rate(per_source_s)
        self._open: dict[str, int] = {}

    def enter(self, source: str, now_ns: int) -> bool:
        """Take a place for a connection of a source; False when it has to go. Each True needs a `leave`."""
        own = self._open.get(source, 0)
        if self.open_count >= self._total or own >= self._per_source or not self._rate.allows(source, now_ns):
            self.refused_count += 1
            return False
        self.open_count += 1
        self._open[source] = own + 1
        return True

    def leave(self, source: str) -> None:
        """Give a place back."""
        self.open_count -= 1
        left = self._open[source] - 1
        if left:
            self._open[source] = left
        else:
            del self._open[source]
