"""A full disk: events are refused with 503, at once, and taken again by itself when there is room; nothing that
was answered 200 is lost."""

import os
import time

import harness
from harness import check, equal, fault, wait_until
from load import Load, exactly_once


def fill(path):
    """Takes all the room there is."""
    with open(path, "wb", buffering=0) as f:
        for size in (1 << 20, 4096, 512):
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass


def test_journal_disk_fills_up(t):
    state = os.path.join(t.folder, "small")
    t.mount(state, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    daemon = t.daemon(journal=os.path.join(state, "journal"))
    with daemon.client() as client:
        equal(client.fleet(fault(1)).status, 200, "before")

    ballast = os.path.join(state, "ballast")
    everything = Load(daemon.address)  # never started: collects
    for first in (1000000, 2000000):
        fill(ballast)
        load = Load(daemon.address, connections=8, start=first, padding=4000).start()
        try:
            wait_until(lambda: len(load.refused) > 50,
                       lambda: "no 503 although the disk is full; %d answered 200" % len(load.answered), 60)
        finally:
            load.stop()
        check(daemon.running(), "the daemon ended")
        with daemon.client() as client:
            began = time.monotonic()
            answer = client.fleet(load.body(first - 1))
            equal(answer.status, 503, "with a full disk")
            check(int(answer.headers.get("retry-after", "0")) > 0, "503 without Retry-After: %r" % answer.headers)
            check(time.monotonic() - began < 1 * harness.SLOWER, "503 took %.1f s" % (time.monotonic() - began))
        os.unlink(ballast)
        wait_until(lambda: status(daemon, load.body(first - 1)) == 200, lambda: "there is room again; the log:\n" + daemon.tail())
        load.retry(2)
        everything.sent |= load.sent
        everything.answered.update(load.answered)
    exactly_once(daemon, everything, also={"1", "999999", "1999999"})
    check("space" in daemon.logged().lower() or "full" in daemon.logged().lower(), "the log does not say why:\n" + daemon.tail())
    daemon.stop()


def status(daemon, body):
    with daemon.client() as client:
        return client.fleet(body).status


def test_restart_on_a_full_disk(t):
    """It may start, or say why not; what it had is all there once there is room."""
    state = os.path.join(t.folder, "small")
    t.mount(state, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    daemon = t.daemon(journal=os.path.join(state, "journal"))
    load = Load(daemon.address, connections=4).start()
    time.sleep(0.5)
    daemon.kill()
    load.stop()
    ballast = os.path.join(state, "ballast")
    fill(ballast)
    try:
        daemon.start()
        daemon.kill()
    except harness.Failed:
        check("space" in daemon.logged().lower() or "full" in daemon.logged().lower(), "the log does not say why:\n" + daemon.tail())
        if daemon.running():
            daemon.kill()
    os.unlink(ballast)
    daemon.start()
    load.retry()
    exactly_once(daemon, load)


def test_export_disk_fills_up(t):
    """The sink's disk is full: intake goes on, rows come when there is room, each once and whole."""
    export = os.path.join(t.folder, "small")
    t.mount(export, "-t", "tmpfs", "-o", "size=1m", "tmpfs")
    daemon = t.daemon(harness.ROUTES.replace("    columns", "    retry: {{initial: 100ms, max: 500ms}}\n    columns"), export=export)
    fill(os.path.join(export, "ballast"))
    load = Load(daemon.address, connections=4, limit=3000).start()
    load.join()
    equal(len(load.answered), 3000, "events answered 200 while the sink cannot write")
    check(len(daemon.rows()) < 3000, "the disk was not full")
    os.unlink(os.path.join(export, "ballast"))
    exactly_once(daemon, load)


harness.main()
