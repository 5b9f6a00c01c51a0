"""Writes down, as text, the journal that a program leaves: make.py PATCHBAY FOLDER. See README.md here."""

import glob
import itertools
import os
import sqlite3
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ROUTES = """\
listen: {listen}
journal: {journal}
retention: {{size: 1M}}
sources:
  fleet:
    plugin: motive
    secret: {{file: {folder}/fleet.secret}}
sinks:
  done:
    plugin: csv-export
    path: {export}/done.csv
    columns: [id, time, type]
  down:
    plugin: moody
    path: {folder}/down
    behaviour: down
  some:
    plugin: moody
    path: {folder}/some
    retry: [30d]
routes:
  - to: done
  - when: .data.id >= 24
    to: [down, some]
"""


def to_hex(path, end=None):
    with open(path, "rb") as f:
        data = f.read()[:end]
    lines = [data[i:i + 32].hex() for i in range(0, len(data), 32)]
    return "".join("%s%s\n" % (line, "*%d" % n if n > 1 else "") for line, n in ((k, len(list(g))) for k, g in itertools.groupby(lines)))


def write(folder, name, text):
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)


def write_down(harness, daemon, reader, folder):
    for part in ("events", "quarantine"):
        records = reader.read_log(os.path.join(daemon.journal, part))
        for path in sorted(glob.glob(os.path.join(daemon.journal, part, "*.seg"))):
            number = reader.read_header(path)["number"]
            end = max([64] + [r["at"] + r["size"] for r in records if r["segment"] == number])  # zeros may follow
            write(folder, "%s/%s.hex" % (part, os.path.basename(path)), to_hex(path, end))
        for path in glob.glob(os.path.join(daemon.journal, part, "*.idx")):
            write(folder, "%s/%s.hex" % (part, os.path.basename(path)), to_hex(path))
    db = sqlite3.connect(os.path.join(daemon.journal, "state.db"))
    version, = db.execute("PRAGMA user_version").fetchone()
    write(folder, "state.sql", "\n".join(db.iterdump()) + "\nPRAGMA user_version = %d;\n" % version)
    counts = {"events": sum(r["kind"] == "event" for r in reader.read_log(os.path.join(daemon.journal, "events"))),
              "refused": len(reader.read_log(os.path.join(daemon.journal, "quarantine"))),
              "parked": db.execute("SELECT count(*) FROM exceptions WHERE due IS NOT NULL").fetchone()[0],
              "dead": db.execute("SELECT count(*) FROM exceptions WHERE state = 3").fetchone()[0]}
    write(folder, "expected", "".join("%s %d\n" % count for count in counts.items()))
    db.close()


def main(patchbay, folder):
    os.environ["PATCHBAY"] = os.path.abspath(patchbay)
    sys.path.insert(0, os.path.join(TOP, "tests", "behaviour"))
    import harness
    import journal_reader
    bench = harness.Bench("make")
    daemon = bench.daemon(ROUTES, env=harness.WITH_MOODY)
    events = [harness.fault(n, do="ok", padding="x" * 8000) for n in range(26)]
    events += [harness.fault(n, do="bad", why="no such vehicle") for n in range(26, 29)]
    events += [harness.fault(n, do="retry", why="busy") for n in range(29, 31)]
    events += [events[0], b'{"action":"engine_toggle_event"}', b"[1, 2"]  # a repeat; told apart by its answer; not understood
    with daemon.client() as client:
        for event in events:
            harness.equal(client.fleet(event).status, 200, "status")
        client.post("/in/fleet", b"\xff forged", {"X-KT-Webhook-Signature": "00"})
    query = "SELECT (SELECT count(*) FROM exceptions WHERE sink = 'some') >= 5 AND (SELECT cursor >> 32 FROM sinks WHERE name = 'done') >= 2"

    def settled():
        db = sqlite3.connect(os.path.join(daemon.journal, "state.db"))
        try:
            return db.execute(query).fetchone()[0]
        finally:
            db.close()

    harness.wait_until(settled, "deliveries")
    harness.wait_until(lambda: glob.glob(os.path.join(daemon.journal, "events", "*.idx")), "an index")
    daemon.kill()
    write_down(harness, daemon, journal_reader, folder)
    bench.clean()


main(*sys.argv[1:])
