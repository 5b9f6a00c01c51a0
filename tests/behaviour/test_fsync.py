"""A disk whose fdatasync fails, or is slow: no 200 without durability, no 200 after the provider has gone, and no
second try on pages that may be gone."""

import signal
import time

import harness
from harness import check, command, equal, fault, wait_until
from load import Load, exactly_once


def broken_disk(t):
    env, control = harness.failio(t.folder)
    return t.daemon(env=env), control


def status(daemon, number):
    with daemon.client() as client:
        return client.fleet(fault(number)).status


def test_failing(t):
    daemon, control = broken_disk(t)
    equal(status(daemon, 1), 200, "before")
    command(control, "fail /state/")
    for n in (2, 3, 4):
        with daemon.client() as client:
            answer = client.fleet(fault(n))
        equal(answer.status, 503, "while fdatasync fails")
        check("retry-after" in answer.headers, "503 without Retry-After: %r" % answer.headers)
    with open(control + ".log") as f:
        check("failed" in f.read(), "nothing failed: the daemon does not sync")
    check(daemon.running(), "the daemon ended")
    command(control, "ok")
    wait_until(lambda: status(daemon, 2) == 200, lambda: "recovery; the log:\n" + daemon.tail())
    for n in (3, 4):
        equal(status(daemon, n), 200, "the provider's retry")
    equal(sorted(r["ref"] for r in daemon.wait_rows(4)), ["1", "2", "3", "4"], "rows")
    check("input/output error" in daemon.logged().lower(), "the log does not say what happened:\n" + daemon.tail())
    daemon.stop()
    daemon.start()
    equal(status(daemon, 5), 200, "after a restart")
    equal(sorted(r["ref"] for r in daemon.wait_rows(5)), ["1", "2", "3", "4", "5"], "rows after a restart")


def test_failing_now_and_then_under_load_and_kill(t):
    daemon, control = broken_disk(t)
    load = Load(daemon.address, connections=8, patient=True).start()
    for _ in range(5):
        time.sleep(0.3)
        command(control, "fail /state/")
        time.sleep(0.2)
        command(control, "ok")
    wait_until(lambda: status(daemon, 900000000) == 200, lambda: "recovery; the log:\n" + daemon.tail())
    command(control, "fail /state/")
    time.sleep(0.2)
    daemon.kill()
    load.patient = False
    load.stop()
    command(control, "ok")
    daemon.start()
    check(load.refused, "no 503 was seen")
    load.retry()
    exactly_once(daemon, load, also={"900000000"})


def test_failing_at_start(t):
    daemon, control = broken_disk(t)
    equal(status(daemon, 1), 200, "before")
    daemon.kill()
    command(control, "fail /state/")
    try:
        daemon.start(5)
        equal(status(daemon, 2), 503, "while fdatasync fails")
        daemon.kill()
    except harness.Failed as e:
        if daemon.running():
            raise
        check("input/output error" in daemon.logged().lower(), "refused to start without saying why: %s" % e)
    command(control, "ok")
    daemon.start()
    equal(status(daemon, 2), 200, "afterwards")
    equal(sorted(r["ref"] for r in daemon.wait_rows(2)), ["1", "2"], "rows")


def test_slow(t):
    """The disk takes longer than the provider waits: 503 while it still listens, never a late 200."""
    daemon, control = broken_disk(t)
    equal(status(daemon, 1), 200, "before")
    command(control, "slow 4500 /state/")
    clients = [daemon.client() for _ in range(4)]
    began = time.monotonic()
    for n, client in enumerate(clients):
        body = fault(10 + n)
        client.send(client.request(body, headers=harness.motive_headers(body)))
    answers = [client.answer() for client in clients]
    took = time.monotonic() - began
    equal({a.status for a in answers}, {503}, "status")
    check(took < 3, "the answers took %.1f s; the provider waits 3 s" % took)
    began = time.monotonic()
    equal(status(daemon, 20), 503, "known to be slow")
    check(time.monotonic() - began < 3, "took %.1f s" % (time.monotonic() - began))
    command(control, "ok")
    wait_until(lambda: status(daemon, 20) == 200, lambda: "recovery; the log:\n" + daemon.tail())
    for n in range(4):
        equal(status(daemon, 10 + n), 200, "the provider's retry")
    for client in clients:
        client.close()
    equal(sorted(r["ref"] for r in daemon.wait_rows(6)), ["1", "10", "11", "12", "13", "20"], "rows")


def test_slow_and_the_patient_came_first(t):
    """Each provider is answered within its own patience, whoever waits before it."""
    daemon, control = broken_disk(t)
    equal(status(daemon, 1), 200, "before")
    command(control, "slow 4500 /state/")
    body = harness.sample("lms", "course_completed")  # its provider waits 15 s
    with daemon.client() as patient, daemon.client() as hasty, daemon.client() as late:
        patient.send(patient.request(body, "/in/campus"))
        began = time.monotonic()
        hasty.send(hasty.request(fault(2), headers=harness.motive_headers(fault(2))))
        equal(hasty.answer().status, 503, "the provider that waits 3 s")
        took = time.monotonic() - began
        check(took < 3, "its answer took %.1f s" % took)
        began = time.monotonic()
        equal(late.fleet(fault(3)).status, 503, "known to be slow")
        took = time.monotonic() - began
        check(took < 1, "that took %.1f s" % took)
        equal(patient.answer().status, 200, "the provider that waits 15 s")
    command(control, "ok")
    wait_until(lambda: status(daemon, 2) == 200, lambda: "recovery; the log:\n" + daemon.tail())


def test_stop_while_an_answer_is_noted(t):
    """Stopping does not wait for a disk that is slow, and what comes back from it later harms nobody."""
    daemon, control = broken_disk(t)
    equal(status(daemon, 1), 200, "before")
    command(control, "slow 1500 /state/")  # the event is in time, the note about its answer is not
    body = harness.sample("motive", "engine_toggle_event")
    with daemon.client() as client:
        client.send(client.request(body, headers=harness.motive_headers(body)))
        time.sleep(0.5)
        daemon.process.send_signal(signal.SIGTERM)
        equal(client.answer().status, 503, "an answer that could not be noted")
        code = daemon.process.wait(20 * harness.SLOWER)
    check(code == 0, "the daemon ended with %d; its log:\n%s" % (code, daemon.tail()))
    command(control, "ok")
    daemon.start()
    with daemon.client() as client:
        equal(client.fleet(body).status, 200, "the retry")


def test_slow_but_in_time(t):
    daemon, control = broken_disk(t)
    command(control, "slow 300 /state/")
    for n in range(3):
        equal(status(daemon, n), 200, "a disk that takes 0.3 s")
    command(control, "ok")
    daemon.wait_rows(3)


def test_export_disk_fails(t):
    """What could not be written to the CSV for certain is written again, once."""
    env, control = harness.failio(t.folder)
    routes = harness.ROUTES.replace("    columns", "    retry: {{initial: 100ms, max: 500ms}}\n    columns")
    daemon = t.daemon(routes, env=env)
    command(control, "fail /export/")
    load = Load(daemon.address, connections=4, limit=500).start()
    load.join()
    equal(len(load.answered), 500, "events answered 200 while the sink fails")
    time.sleep(0.5)
    command(control, "ok")
    exactly_once(daemon, load)
    daemon.stop()
    daemon.start()
    exactly_once(daemon, load)


harness.main()
