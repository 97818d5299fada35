"""Lapwing, everything: reassembly, all parsers, logins, detection; every event taken from the iterator."""

import json
import sys
import time
from collections import Counter

import lapwing


def main() -> None:
    begin = time.perf_counter()
    seen: Counter[str] = Counter()
    with lapwing.read(sys.argv[1]) as reading:
        for events in reading.lists():
            seen.update(type(event).__name__ for event in events)
        packets = reading.statistics()["capture.packets"]
    seconds = time.perf_counter() - begin
    flows = seen["FlowClosed"]
    print(json.dumps({"packets": packets, "flows": flows, "seconds": seconds, **seen}))


main()
