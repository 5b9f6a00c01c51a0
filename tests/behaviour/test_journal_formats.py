"""The daemon goes on with the journal of every released version, and leaves that of a later one as it is."""

import glob
import hashlib
import itertools
import os
import shutil
import sqlite3
import subprocess

import harness
from harness import check, equal, fault, wait_until

ROUTES = harness.FLEET + """\
retention: {{age: 36500d}}
sinks:
  done:
    plugin: csv-export
    path: {export}/done.csv
    columns: [id, time, type]
  down:
    plugin: moody
    path: {folder}/down
    behaviour: ok
  some:
    plugin: moody
    path: {folder}/some
    behaviour: ok
    retry: [30d]
routes:
  - to: done
  - when: .data.id >= 24
    to: [down, some]
"""


def formats():
    found = sorted(glob.glob(os.path.join(harness.TOP, "tests", "journal", "format-*")))
    check(found, "no formats")
    return found


def restore(folder, journal):
    for path in glob.glob(os.path.join(folder, "*", "*.hex")):
        to = os.path.join(journal, os.path.relpath(path, folder))[:-4]
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(path) as f, open(to, "wb") as out:
            for line in f.read().splitlines():
                digits, _, times = line.partition("*")
                out.write(bytes.fromhex(digits) * int(times or 1))
    with open(os.path.join(folder, "state.sql")) as f:
        db = sqlite3.connect(os.path.join(journal, "state.db"))
        db.executescript(f.read())
        db.close()
    with open(os.path.join(folder, "expected")) as f:
        return {name: int(count) for name, count in (line.split() for line in f)}


def test_it_goes_on_with_what_a_release_left(t):
    for folder in formats():
        daemon = t.daemon(ROUTES, start=False, env=harness.WITH_MOODY)
        expected = restore(folder, daemon.journal)
        daemon.cli("journal", "check")
        daemon.start()
        listed = daemon.lines("events", "--limit", "0")
        equal(sum(e["status"] == "event" for e in listed), expected["events"], "events of " + folder)
        owed = wait_until(lambda: len(harness.taken(daemon, "down")) == 7 and harness.taken(daemon, "down"), "what was owed")
        equal([(did, n) for _, did, n, _ in owed], [("ok", 1)] * 7, "deliveries that were owed")
        dead = daemon.lines("dead")
        equal([(d["sink"], d["why"]) for d in dead], [("some", "no such vehicle")] * expected["dead"], "dead letters")
        states = [d["state"] for e in listed if e["status"] == "event" for d in daemon.show(e["id"])["deliveries"] if d["sink"] == "some"]
        equal(states.count("parked"), expected["parked"], "parked")
        daemon.cli("replay", "--sink", "some")
        wait_until(lambda: len(harness.taken(daemon, "some")) >= expected["dead"], "replayed")
        with daemon.client() as client:
            client.fleet(fault(90))
        wait_until(lambda: len(harness.taken(daemon, "down")) == 8, "a new event")
        daemon.stop()
        daemon.cli("journal", "check")


def contents(folder):
    """{name: hash} of everything but the lock."""
    found = {}
    for path in glob.glob(os.path.join(folder, "**"), recursive=True):
        if os.path.isfile(path) and not path.endswith(("/lock", "-shm", "-wal")):
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


def newer_segment(journal):
    path = sorted(glob.glob(os.path.join(journal, "events", "*.seg")))[-1]
    with open(path, "r+b") as f:
        f.seek(7)
        f.write(b"\2")
        f.seek(20)
        f.write(b"another layout")
    return "has format 2, this program reads 1"


def newer_state(journal):
    db = sqlite3.connect(os.path.join(journal, "state.db"))
    db.execute("PRAGMA user_version = 1000")
    db.close()
    return "has version 1000, this program knows"


def test_a_later_format_is_refused_and_not_touched(t):
    """Whoever went back to an older release by mistake has lost nothing."""
    for make_newer, folder in itertools.product((newer_segment, newer_state), formats()[-1:]):
        daemon = t.daemon(ROUTES, start=False, env=harness.WITH_MOODY)
        restore(folder, daemon.journal)
        says = make_newer(daemon.journal)
        with open(os.path.join(daemon.journal, "events", "00000009.pre"), "wb") as f:
            f.write(bytes(100))  # what a start would tidy up
        before = contents(daemon.journal)
        served = subprocess.run([harness.PATCHBAY, "serve", "-c", daemon.routes], env=daemon.env, cwd=daemon.folder,
                                capture_output=True, timeout=60 * harness.SLOWER)
        error = served.stderr.decode()
        equal(served.returncode, 1, "exit code of serve")
        for part in (says, "written by a newer Patchbay; install that one again. Nothing was changed"):
            check(part in error, "serve said %r" % error)
        for command in (("events",), ("dead",), ("journal", "export"), ("journal", "repair", "--apply"), ("journal", "backup", daemon.folder + "/copy")):
            daemon.cli(*command, code=1)
            check("later format" in daemon.cli_errors or says in daemon.cli_errors, "%s said %r" % (command, daemon.cli_errors))
        check("use the release that wrote it" in daemon.cli("journal", "check", code=1), "check")
        equal(contents(daemon.journal), before, "what stands in the journal")
        shutil.rmtree(daemon.journal)


harness.main()
