"""kill -9 at random moments under load: what was answered 200 is in the CSV exactly once."""

import random
import time

import harness
from harness import check
from load import Load, exactly_once

ROUTES = harness.ROUTES.replace("routes:\n  - to: audit\n", """\
  by_second:
    plugin: csv-export
    path: {export}/second-%H%M%S.csv
    columns: [id, ref: .data.id]
routes:
  - to: [audit, by_second]
""")


def rounds(t, count, retry):
    daemon = t.daemon(ROUTES)
    everything = Load(daemon.address)  # never started: collects
    for n in range(count):
        load = Load(daemon.address, connections=random.choice([1, 4, 16]), start=n * 1000000).start()
        time.sleep(random.uniform(0.02, 0.8))
        daemon.kill()
        load.stop()
        daemon.start()
        if retry:
            load.retry()
            harness.equal(load.unanswered(), [], "unanswered after the retry")
        everything.sent |= load.sent
        everything.answered.update(load.answered)
    check(len(everything.answered) > 20 * count, "hardly any load: %d events answered" % len(everything.answered))
    exactly_once(daemon, everything)
    exactly_once(daemon, everything, "second-*.csv")
    daemon.stop()
    exactly_once(daemon, everything)
    exactly_once(daemon, everything, "second-*.csv")
    print("%d kills, %d events answered, %d sent" % (count, len(everything.answered), len(everything.sent)))


def test_kill_under_load(t):
    rounds(t, 8, retry=False)


def test_kill_under_load_and_retries(t):
    rounds(t, 6, retry=True)


def test_kill_while_starting(t):
    """Killed again before it is up: recovery must survive its own interruption."""
    daemon = t.daemon(ROUTES)
    load = Load(daemon.address, start=0).start()
    time.sleep(0.5)
    daemon.kill()
    load.stop()
    for n in range(8):
        log = open(daemon.log, "ab")
        process = harness.subprocess.Popen([harness.PATCHBAY, "serve", "-c", daemon.routes], env=daemon.env, stdout=log, stderr=log)
        time.sleep(random.uniform(0, 0.08))
        process.kill()
        process.wait()
        log.close()
    daemon.start()
    load.retry()
    exactly_once(daemon, load)
    exactly_once(daemon, load, "second-*.csv")


def test_orderly_stop_under_load(t):
    """SIGTERM: what is under way is finished, the rest refused or cut off; nothing answered is lost."""
    daemon = t.daemon(ROUTES)
    everything = Load(daemon.address)
    for n in range(3):
        load = Load(daemon.address, connections=8, start=n * 1000000).start()
        time.sleep(0.4)
        daemon.stop()
        load.stop()
        daemon.start()
        load.retry()
        everything.sent |= load.sent
        everything.answered.update(load.answered)
    exactly_once(daemon, everything)
    exactly_once(daemon, everything, "second-*.csv")


harness.main()
