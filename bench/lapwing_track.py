"""Lapwing, parse + track: every flow record handed out as a row, nothing above the transport looked at."""

import json
import sys
import time

import lapwing


def main() -> None:
    begin = time.perf_counter()
    flows = flow_packets = flow_bytes = 0
    with lapwing.flows(sys.argv[1]) as reading:
        for records in reading.records():
            flows += len(records)
            for side in ("client", "server"):
                flow_packets += int(records[f"{side}_packet_count"].sum())
                flow_bytes += int(records[f"{side}_wire_bytes"].sum())
        packets = reading.statistics()["capture.packets"]
    seconds = time.perf_counter() - begin
    answer = {"packets": packets, "flows": flows, "flow_packets": flow_packets, "flow_bytes": flow_bytes}
    print(json.dumps(answer | {"seconds": seconds}))


main()
