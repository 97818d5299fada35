"""Prints everything a detector says of some attacks and of some ordinary days; `test_builds` compares the builds."""

import msgspec

from lapwing.detect import Detector
from lapwing.testing.logins import guess_here_login_there, nat, stuffing_distributed, targeted

if __name__ == "__main__":
    for build in (stuffing_distributed, targeted, nat, guess_here_login_there):
        subject = Detector()
        events = build(7).events
        for event in events:
            for told in subject.observe(event):
                print(msgspec.json.encode(told).decode())
            print(subject.verdict)
        subject.restore(subject.snapshot())
        for told in subject.finish(events[-1].ts_ns):
            print(msgspec.json.encode(told).decode())
