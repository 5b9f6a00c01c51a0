"""Whoever only looks needs neither the daemon's secrets nor a configuration without faults, harms nothing, and is told
when not all could be said."""

import os
import subprocess

import harness
from harness import check, equal, fault, wait_until


def with_one_event(t):
    daemon = t.daemon()
    body = fault(1)
    with daemon.client() as client:
        id_ = client.fleet(body).event_id
    wait_until(lambda: daemon.show(id_)["deliveries"][0]["state"] == "done", "the delivery")
    return daemon, id_


def test_without_the_secrets(t):
    daemon, id_ = with_one_event(t)
    for name in ("fleet.secret", "learning.key"):
        os.unlink(os.path.join(daemon.folder, name))
    daemon.cli("check", code=1)
    for running in (True, False):
        equal([e["id"] for e in daemon.lines("events")], [id_], "events, daemon running: %s" % running)
        equal(daemon.cli_errors, "", "errors of events")
        equal([r["verdict"] for r in daemon.show(id_)["routes"]], ["matches"], "routes")
        equal(daemon.cli_errors, "", "errors of show")
        if running:
            daemon.stop()
    check("fault_code_opened" in daemon.cli("send", "--list"), "send --list")


def test_with_a_faulty_configuration(t):
    daemon, id_ = with_one_event(t)
    with open(daemon.routes, "a") as f:
        f.write("  - to: nowhere\n")
    equal([e["deliveries"] for e in daemon.lines("events")], [{"audit": "done"}], "events")
    check("unknown sink 'nowhere'" in daemon.cli_errors, "events said %r" % daemon.cli_errors)
    shown = daemon.show(id_)
    equal((shown["routes"], shown["deliveries"][0]["state"]), (None, "done"), "show")
    check("not known: " in daemon.cli("show", id_), "show does not say why there are no routes")
    with open(daemon.routes, "w") as f:
        f.write("listen: 127.0.0.1:8080\n")
    daemon.cli("events", code=1)
    check("'journal' is missing" in daemon.cli_errors, "without a journal: %r" % daemon.cli_errors)


def test_output_that_cannot_be_written(t):
    daemon, id_ = with_one_event(t)
    for command in (["events"], ["show", id_], ["check"], ["plugins"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([harness.PATCHBAY, *command, "-c", daemon.routes], env=daemon.env, stdout=full, stderr=subprocess.PIPE)
        equal(done.returncode, 1, "exit code of %s into a full disk" % command[0])
        check(b"No space left" in done.stderr, "%s said %r" % (command[0], done.stderr))


def test_a_daemon_without_standard_descriptors(t):
    """Its log must not get into the files that take their numbers."""
    daemon = t.daemon(start=False)
    daemon.process = subprocess.Popen(["sh", "-c", 'exec "$0" serve -c "$1" <&- >&- 2>&-', harness.PATCHBAY, daemon.routes], env=daemon.env)
    wait_until(daemon.answers, "the daemon")
    for fd in range(3):
        equal(os.readlink("/proc/%d/fd/%d" % (daemon.process.pid, fd)), "/dev/null", "descriptor %d" % fd)
    daemon.stop()
    equal(os.path.getsize(os.path.join(daemon.journal, "lock")), 0, "bytes in the lock file")


harness.main()
