"""Lapwing with reassembly, all parsers, logins and detection, every event taken from the iterator.

The families are those `lapwing read` prints: logins, findings, anomalies. `--all` also makes an event of every flow
and of every protocol message. Python looks for cycles as seldom as in `lapwing read`.
"""

import json
import sys
import time
from collections import Counter

from lapwing.app.collecting import rare_collections
from lapwing.app.reading import read

REPORTED = ("auth", "finding", "anomaly", "sensor")
EVERYTHING = ("flow", "session", "auth", "finding", "anomaly", "decision", "sensor")


def main() -> None:
    families = EVERYTHING if "--all" in sys.argv else REPORTED
    begin, begin_cpu = time.perf_counter(), time.process_time()
    seen: Counter[str] = Counter()
    with rare_collections(), read(sys.argv[1], events=families) as reading:
        for events in reading.lists():
            seen.update(type(event).__name__ for event in events)
        statistics = reading.statistics()
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    took = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    saw = {"packets": statistics["capture.packets"], "flows": seen["FlowClosed"]}
    print(json.dumps(saw | took | {"messages": statistics["sessions.messages"]} | seen))


main()
