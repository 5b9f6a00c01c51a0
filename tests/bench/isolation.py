"""What a dead and a slow sink cost the others: the delivery delay of a third sink (from the event's id, which is the
millisecond of its arrival, to the call of the sink) and the rate of the intake, with and without them, in turns.

    python3 tests/bench/isolation.py [SECONDS]      a tree with the tests' fixtures: build/, or PATCHBAY"""

import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "behaviour"))
import harness  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6
RATE = 300

ALONE = harness.FLEET + """\
sinks:
  third: {{plugin: moody, path: {folder}/third, behaviour: ok}}
%s
routes:
  - to: [third%s]
"""
OTHERS = """\
  dead: {{plugin: moody, path: {folder}/dead, behaviour: down, retry: {{initial: 100ms, max: 1s}}}}
  slow: {{plugin: moody, path: {folder}/slow, behaviour: slow}}
"""


def daemon(folder, company):
    d = harness.Daemon(folder, ALONE % ((OTHERS, ", dead, slow") if company else ("", "")))
    d.env.update(harness.WITH_MOODY)
    return d.start()


def delays(d, first):
    sent, start = 0, time.monotonic()
    with d.client() as client:
        while time.monotonic() - start < SECONDS:
            client.fleet(harness.fault(first + sent))
            sent += 1
            time.sleep(max(0, start + sent / RATE - time.monotonic()))
    path = os.path.join(d.folder, "third")
    lines = lambda: open(path).read().splitlines()  # noqa: E731
    harness.wait_until(lambda: len(lines()) >= sent, "all delivered")
    out = []
    for line in lines():
        event_id, _, _, ms = line.split()
        out.append(int(ms) - int(event_id.replace("-", "")[:12], 16))
    return sorted(out)


def intake(d, run):
    out = subprocess.run(["wrk", "-t1", "-c64", "-d%ds" % SECONDS, "-s", os.path.join(harness.TOP, "tests/bench/signed.lua"),
                          "http://%s:%d/in/fleet" % d.address, "--", harness.FLEET_SECRET, str(run)], capture_output=True, text=True)
    return float([x for x in out.stdout.splitlines() if "Requests/sec" in x][0].split()[1])


def main():
    totals = {False: [], True: []}
    rates = {False: [], True: []}
    for turn in range(3):
        for company in (False, True):
            with tempfile.TemporaryDirectory(prefix="patchbay-bench-") as folder:
                d = daemon(folder, company)
                got = delays(d, 1 + turn * 1000000)
                totals[company] += got
                rates[company].append(intake(d, turn * 2 + company))
                print("%-8s p50 %d ms, p99 %d ms of %d; intake %.0f/s" % (
                    "company" if company else "alone", got[len(got) // 2], got[len(got) * 99 // 100], len(got), rates[company][-1]))
                d.kill()
    p99 = {c: sorted(v)[len(v) * 99 // 100] for c, v in totals.items()}
    print("p99 %d ms alone, %d ms in company: %.2f; intake %.2f of alone" % (
        p99[False], p99[True], p99[True] / max(p99[False], 1), sorted(rates[True])[1] / sorted(rates[False])[1]))


main()
