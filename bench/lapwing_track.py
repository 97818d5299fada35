"""Lapwing, parse + track: every flow record handed out as a row, nothing above the transport looked at."""

import json
import sys
import time

from lapwing.app.flow_reading import flows


def main() -> None:
    begin, begin_cpu = time.perf_counter(), time.process_time()
    records = flow_packets = flow_bytes = 0
    with flows(sys.argv[1]) as reading:
        for rows in reading.records():
            records += len(rows)
            for side in ("client", "server"):
                flow_packets += int(rows[f"{side}_packet_count"].sum())
                flow_bytes += int(rows[f"{side}_wire_bytes"].sum())
        packets = reading.statistics()["capture.packets"]
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    took = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    saw = {"packets": packets, "flows": records, "flow_packets": flow_packets, "flow_bytes": flow_bytes}
    print(json.dumps(saw | took))


main()
