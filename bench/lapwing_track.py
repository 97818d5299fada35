"""Lapwing, parse + track: every flow record handed out as a row, nothing above the transport looked at."""

import json
import sys
import time

from lapwing.app.flow_reading import flows


def main() -> None:
    begin = time.perf_counter()
    records = flow_packets = flow_bytes = 0
    with flows(sys.argv[1]) as reading:
        for rows in reading.records():
            records += len(rows)
            for side in ("client", "server"):
                flow_packets += int(rows[f"{side}_packet_count"].sum())
                flow_bytes += int(rows[f"{side}_wire_bytes"].sum())
        packets = reading.statistics()["capture.packets"]
    seconds = time.perf_counter() - begin
    answer = {"packets": packets, "flows": records, "flow_packets": flow_packets, "flow_bytes": flow_bytes}
    print(json.dumps(answer | {"seconds": seconds}))


main()
