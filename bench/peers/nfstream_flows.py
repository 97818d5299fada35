"""nfstream: one row per flow, dissection off (`--dissections 0`) or its default (20 packets).

Runs in the environment of the peers, so it imports nothing of this project.
"""

import argparse
import json
import time

from nfstream import NFStreamer

parser = argparse.ArgumentParser()
parser.add_argument("capture")
parser.add_argument("--dissections", type=int, default=20)


def main() -> None:
    arguments = parser.parse_args()
    begin = time.perf_counter()
    packets = flows = 0
    for flow in NFStreamer(source=arguments.capture, n_dissections=arguments.dissections):
        flows += 1
        packets += flow.bidirectional_packets
    seconds = time.perf_counter() - begin
    print(json.dumps({"packets": packets, "flows": flows, "seconds": seconds}))


if __name__ == "__main__":  # its meters are processes that import this file again
    main()
