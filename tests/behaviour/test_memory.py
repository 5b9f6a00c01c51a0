"""Memory and start-up time do not grow with what came before, nor with the backlog. The full size, a million
events, is measured by tests/bench; this is the same at a size that a test run can afford."""

import os
import time

import harness
from harness import Skip, check, command, equal, fault, motive_headers

BATCH = 200  # requests in one write


def pour(daemon, first, count, connections=4):
    """Pipelined, and so fast."""
    clients = [daemon.client(60) for _ in range(connections)]
    for start in range(first, first + count, BATCH * connections):
        for c, client in enumerate(clients):
            numbers = range(start + c * BATCH, start + (c + 1) * BATCH)
            bodies = [fault(n, padding="x" * 300) for n in numbers]
            client.send(b"".join(client.request(b, headers=motive_headers(b)) for b in bodies))
        for client in clients:
            for _ in range(BATCH):
                equal(client.answer().status, 200, "status")
    for client in clients:
        client.close()


def test_resident_memory_is_flat(t):
    if harness.SANITIZE:
        raise Skip("a sanitizer's memory is not the daemon's")
    daemon = t.daemon()
    pour(daemon, 0, 10400)
    daemon.wait_rows(10400, seconds=60)
    before = daemon.rss_kib()
    pour(daemon, 1000000, 80000)
    harness.wait_until(lambda: lines(daemon) >= 90401, lambda: "%d rows" % lines(daemon), 120)
    after = daemon.rss_kib()
    print("resident: %d KiB after 10,400 events, %d KiB after 90,400" % (before, after))
    check(after - before < 24 * 1024, "resident memory grew from %d to %d KiB over 80,000 events" % (before, after))


def lines(daemon):
    with open(os.path.join(daemon.export, "audit.csv"), "rb") as f:
        return sum(1 for _ in f)


def test_start_with_a_backlog(t):
    """A sink that could not work for a while: intake goes on, the next start is quick, then all is delivered once."""
    count = 40000 // harness.SLOWER // 800 * 800
    env, control = harness.failio(t.folder)
    routes = harness.ROUTES.replace("    columns", "    retry: {{initial: 100ms, max: 500ms}}\n    columns")
    daemon = t.daemon(routes, env=env)
    command(control, "fail /export/")
    pour(daemon, 0, count)
    daemon.kill()
    command(control, "ok")
    began = time.monotonic()
    daemon.start()
    with daemon.client() as client:
        equal(client.fleet(fault(10**9)).status, 200, "first answer")
    took = time.monotonic() - began
    print("first answer %.2f s after the start with a backlog of %d" % (took, count))
    check(took < 2 * harness.SLOWER, "first answer %.1f s after the start with a backlog of %d" % (took, count))
    rows = daemon.wait_rows(count + 1, seconds=120)
    equal(len({r["ref"] for r in rows}), count + 1, "different events in the CSV")


harness.main()
