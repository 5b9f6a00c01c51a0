"""The journal is checked, measured, pruned, backed up and exported while the daemon works; it is mended, restored and moved
to another machine, and what was owed is delivered."""

import base64
import glob
import json
import os
import random
import shutil
import sqlite3
import subprocess

import harness
import journal_reader
from harness import WITH_MOODY, check, equal, fault, mood, taken, wait_until
from load import Load, exactly_once

SMALL = "retention: {{size: 1M}}\n"  # segments of 128 KiB
WITH_HOOK = harness.FLEET + """\
retention: {{size: 1G}}
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, type, ref: .data.id]
  hook:
    plugin: moody
    path: {folder}/hook
    mood: {folder}/hook.mood
    retry: {{initial: 50ms, max: 50ms}}
routes:
  - to: [audit, hook]
"""


def journal(daemon, *arguments, code=0):
    """The last line of what a command says with --json, and those before it."""
    lines = [json.loads(line) for line in daemon.cli("journal", *arguments, "--json", code=code).splitlines()]
    return lines[-1], lines[:-1]


def with_hook(t, word):
    daemon = t.daemon(WITH_HOOK, start=False, env=WITH_MOODY)
    mood(daemon, "hook", word)
    return daemon.start()


def hooked(daemon):
    return {event_id for event_id, did, _, _ in taken(daemon, "hook") if did == "ok"}


def segments(folder):
    return sorted(glob.glob(os.path.join(folder, "events", "*.seg")))


# ---- check, repair


def test_check_beside_a_daemon_under_load(t):
    daemon = t.daemon(harness.ROUTES + SMALL)
    load = Load(daemon.address, connections=8, padding=500).start()
    for n in range(6):
        wait_until(lambda: len(load.answered) > 300 * n, "load")
        end, found = journal(daemon, "check")
        equal(([f for f in found if f["result"] == "damage"], end["running"]), ([], True), "check")
    load.stop()
    exactly_once(daemon, load)
    daemon.stop()
    end, found = journal(daemon, "check")
    equal((end["running"], end["damages"], end["events"] > 0), (False, 0, True), "check")


def test_damage_is_named_and_mended_and_the_rest_delivered(t):
    daemon = with_hook(t, "down")
    with daemon.client() as client:
        ids = [client.fleet(fault(n)).event_id for n in range(60)]
    daemon.wait_rows(60)
    daemon.stop()
    records = {r["id"]: r for r in journal_reader.read_log(os.path.join(daemon.journal, "events"))}
    lost = [ids[n] for n in (7, 30, 31)]
    for event_id in lost:
        record = records[event_id]
        path = os.path.join(daemon.journal, "events", "%08x.seg" % record["segment"])
        with open(path, "r+b") as f:
            f.seek(record["at"] + 150)
            f.write(b"\0garbage\0")
    _, found = journal(daemon, "check", code=1)
    # One may have been parked by now; an index may not be made yet, which is a remark.
    found = [f for f in found if f["file"] != "state.db" and f["result"] == "damage"]
    equal(sum(f["to"] - f["from"] for f in found), sum(records[i]["size"] for i in lost), "bytes")
    place = records[lost[0]]
    equal((found[0]["file"], found[0]["from"], found[0]["to"]),
          ("events/%08x.seg" % place["segment"], place["at"], place["at"] + place["size"]), "place")
    check("still owed to: hook" in found[0]["means"], found[0]["means"])
    before = {p: open(p, "rb").read() for p in segments(daemon.journal)}
    end, _ = journal(daemon, "repair", code=1)
    equal((end["applied"], {p: open(p, "rb").read() for p in segments(daemon.journal)}), (False, before), "a dry run")
    end, _ = journal(daemon, "repair", "--apply")
    for path in before:
        aside = os.path.join(end["aside"], "events", os.path.basename(path))
        if os.path.exists(aside):
            equal(open(aside, "rb").read(), before[path], "the original")
    journal(daemon, "check")
    mood(daemon, "hook", "ok")
    daemon.start()
    wait_until(lambda: hooked(daemon) == set(ids) - set(lost), "what was not damaged is delivered")
    with daemon.client() as client:
        equal(client.fleet(fault(8)).event_id, ids[8], "a repeat of what is there")
    daemon.wait_rows(60)


def test_a_damaged_database(t):
    """Its tables of deliveries are garbage; how far the sinks had come is saved, or all is owed."""
    for whole in (False, True):
        daemon = with_hook(t, "down")
        with daemon.client() as client:
            ids = [client.fleet(fault(n)).event_id for n in range(40)]
        daemon.wait_rows(40)
        daemon.stop()
        path = os.path.join(daemon.journal, "state.db")
        with open(path, "r+b") as f:
            f.seek(0 if whole else 4096 * 2)
            f.write(random.randbytes(os.path.getsize(path) if whole else 4096 * 3))
        _, found = journal(daemon, "check", code=1)
        equal(found[-1]["file"], "state.db", "what is damaged")
        _, steps = journal(daemon, "repair", "--apply")
        check("may come a second time" in steps[-1]["what"], steps)
        journal(daemon, "check")
        mood(daemon, "hook", "ok")
        daemon.start()
        wait_until(lambda: hooked(daemon) >= set(ids), "nothing that was owed is lost")
        daemon.stop()


def test_a_repair_without_room_loses_no_sink(t):
    """Wherever in it the disk becomes full: a daemon that starts then still knows what is owed, and to whom."""
    daemon = with_hook(t, "down")
    with daemon.client() as client:
        for n in range(20):
            client.fleet(fault(n))
    daemon.wait_rows(20)
    daemon.stop()
    whole = daemon.journal
    daemon.journal = os.path.join(daemon.folder, "small")
    daemon.write_routes(WITH_HOOK)
    sinks = "SELECT name, cursor, checkpoint FROM sinks ORDER BY name"
    with sqlite3.connect(os.path.join(whole, "state.db")) as db:
        db.execute("PRAGMA user_version = 0")  # it needs to be made anew
        wanted = db.execute(sinks).fetchall()
    db.close()
    failed = 0
    for spare in range(0, 400, 16):
        os.makedirs(daemon.journal, exist_ok=True)
        used = int(subprocess.check_output(["du", "-sk", whole]).split()[0])
        t.mount(daemon.journal, "-t", "tmpfs", "-o", "size=%dk" % (used + spare), "tmpfs")
        shutil.copytree(whole, daemon.journal, dirs_exist_ok=True)
        path = os.path.join(daemon.journal, "state.db")
        done = subprocess.run([harness.PATCHBAY, "journal", "repair", "--apply", "-c", daemon.routes], env=daemon.env,
                              capture_output=True)
        failed += done.returncode != 0
        subprocess.check_call(["mount", "-o", "remount,size=%dk" % (used + 16384), daemon.journal])  # to read it takes room, too
        with sqlite3.connect(path) as db:
            equal(db.execute(sinks).fetchall(), wanted, "sinks, with %d KiB to spare; %s" % (spare, done.stderr))
        db.close()
        subprocess.check_call(["umount", daemon.journal])
    check(0 < failed < 25, "%d of 25 repairs failed" % failed)


def test_what_root_makes_is_the_daemons(t):
    if os.geteuid() != 0:
        raise harness.Skip("needs root")
    daemon = t.daemon()
    with daemon.client() as client:
        for n in range(5):
            client.fleet(fault(n))
    daemon.wait_rows(5)
    lines = daemon.cli("journal", "export")
    daemon.stop()
    at = os.path.join(daemon.folder, "events.jsonl")
    with open(at, "w") as f:
        f.write(lines)
    os.chmod(at, 0o600)
    os.chmod(os.path.dirname(daemon.folder), 0o755)
    os.chmod(daemon.folder, 0o755)
    subprocess.check_call(["chown", "-R", "65534:65534", daemon.journal])
    with sqlite3.connect(os.path.join(daemon.journal, "state.db")) as db:
        db.execute("PRAGMA user_version = 0")
    db.close()
    journal(daemon, "repair", "--apply")
    shutil.rmtree(os.path.join(daemon.journal, "events"))  # it is made anew
    journal(daemon, "prune", "--older", "30d")
    equal(journal(daemon, "import", at)[0]["imported"], 5, "imported")
    every = [daemon.journal] + glob.glob(daemon.journal + "/**", recursive=True)
    equal([f for f in every if os.stat(f).st_uid != 65534], [], "files of root's")


def test_repair_keeps_away_from_a_daemon(t):
    daemon = t.daemon()
    daemon.cli("journal", "repair", "--apply", code=1)
    check("is in use by another patchbay; stop that one first" in daemon.cli_errors, daemon.cli_errors)


# ---- size, prune


def test_size_says_which_sink_holds_it_up(t):
    daemon = with_hook(t, "down")
    with daemon.client() as client:
        for n in range(50):
            client.fleet(fault(n, padding="x" * 1000))
        client.post("/in/fleet", b"forged", {"X-KT-Webhook-Signature": "00"})
    daemon.wait_rows(50)
    size, _ = journal(daemon, "size")
    sinks = {s["sink"]: s for s in size["sinks"]}
    check(sinks["hook"]["held_bytes"] > 50000 and sinks["hook"]["oldest_received"], sinks["hook"])
    fleet = [s for s in size["sources"] if s["source"] == "fleet"][0]
    equal((size["events"], fleet["records"], fleet["quarantine_records"]), (50, 50, 1), "records")
    check(50000 < fleet["bytes"] <= size["events_bytes"], size)
    equal(size["limit_bytes"], 1 << 30, "limit")
    check("hook" in daemon.cli("journal", "size"), "for people")
    mood(daemon, "hook", "ok")
    wait_until(lambda: len(hooked(daemon)) == 50, "delivered")
    wait_until(lambda: {s["sink"]: s for s in journal(daemon, "size")[0]["sinks"]}["hook"]["held_bytes"] == 0, "nothing is held up")


def test_prune_never_takes_what_is_owed(t):
    daemon = t.daemon(WITH_HOOK.replace("1G", "1M"), start=False, env=WITH_MOODY)
    mood(daemon, "hook", "down")
    daemon.start()
    with daemon.client() as client:
        ids = [client.fleet(fault(n, padding="x" * 2000)).event_id for n in range(200)]
    daemon.wait_rows(200)
    end, _ = journal(daemon, "prune", "--size", "0", code=1)
    equal((end["segments"], end["held"]), (0, True), "while it is owed")
    mood(daemon, "hook", "ok")
    wait_until(lambda: hooked(daemon) == set(ids), "delivered")
    equal(journal(daemon, "prune", "--older", "1h")[0]["segments"], 0, "nothing is that old")
    # the host itself notes how far it has come a little later
    wait_until(lambda: not journal(daemon, "prune", "--size", "0", "--dry-run", code=None)[0]["held"], "all is settled")
    would = journal(daemon, "prune", "--size", "300K", "--dry-run")[0]
    equal(len(segments(daemon.journal)), 4, "segments, after a dry run")
    gone = journal(daemon, "prune", "--size", "300K")[0]
    equal((gone["segments"], gone["segments"] > 0, gone["left_bytes"] <= 300 << 10), (would["segments"], True, True), "pruned")
    equal(len(segments(daemon.journal)), 4 - gone["segments"], "segments")
    with daemon.client() as client:
        equal(client.fleet(fault(0, padding="x" * 2000)).event_id, ids[0], "a repeat of what was pruned")
    daemon.stop()
    end, _ = journal(daemon, "prune", "--older", "0")
    equal((end["held"], len(segments(daemon.journal))), (False, 1), "without a daemon")
    journal(daemon, "check")
    daemon.start()
    with daemon.client() as client:
        equal(client.fleet(fault(0, padding="x" * 2000)).event_id, ids[0], "a repeat, after a restart")
    for wrong in (("--older", "1d", "--size", "1G"), (), ("--older", "soon"), ("--size", "-1")):
        daemon.cli("journal", "prune", *wrong, code=2)


# ---- backup


def test_backups_under_load_while_segments_are_pruned(t):
    daemon = t.daemon(harness.ROUTES + SMALL)
    copy = os.path.join(daemon.folder, "copy")
    load = Load(daemon.address, connections=8, padding=2000).start()
    for n in range(6):
        wait_until(lambda: len(load.answered) > 400 * n, "load")
        end, _ = journal(daemon, "backup", copy, *(["--link"] if n % 2 else []))
        equal(end["damages"], 0, "damages of the copy")
    load.stop()
    exactly_once(daemon, load)
    wait_until(lambda: int(os.path.basename(segments(daemon.journal)[0])[:8], 16) > 1, "something is pruned")
    journal(daemon, "backup", copy)
    again, _ = journal(daemon, "backup", copy)
    equal(again["copied"], 0, "copied though nothing was new")
    check(int(os.path.basename(segments(copy)[0])[:8], 16) > 1, "what was pruned is still in the copy")
    for path in glob.glob(os.path.join(copy, "**"), recursive=True):
        equal(os.stat(path).st_mode & 0o007, 0, "rights of others to " + path)


def restore(daemon, copy):
    shutil.move(daemon.journal, daemon.journal + ".broken")
    subprocess.run(["cp", "-a", copy, daemon.journal], check=True)


def test_restored_nothing_that_was_owed_is_lost(t):
    """Killed at a random moment under load, with a sink that is down: of the copy every event is delivered. The CSV is
    newer than the copy: its rows behind that are cut off, and come again with the providers' retries."""
    daemon = with_hook(t, "down")
    copy = os.path.join(daemon.folder, "copy")
    load = Load(daemon.address, connections=4, padding=200, patient=True).start()
    wait_until(lambda: len(load.answered) > random.randrange(50, 300), "load")
    before = dict(load.answered)
    journal(daemon, "backup", copy)
    wait_until(lambda: len(load.answered) > len(before) + random.randrange(50, 300), "more load")
    wait_until(lambda: len(daemon.rows()) > len(before), "rows that are newer than the copy")
    load.ending.set()
    daemon.kill()
    load.join()
    saved = {r["id"] for r in journal_reader.read_log(os.path.join(copy, "events")) if r["kind"] == "event"}
    check(set(before.values()) <= saved, "the copy has what was answered before")
    restore(daemon, copy)
    mood(daemon, "hook", "ok")
    daemon.start()
    wait_until(lambda: saved <= hooked(daemon), "what was owed in the copy")
    wait_until(lambda: {r["id"] for r in daemon.rows()} == saved, lambda: "rows: %d, wanted those of %d events" % (len(daemon.rows()), len(saved)))
    equal(len(daemon.rows()), len(saved), "no row twice")
    with daemon.client() as client:
        for number, event_id in load.answered.items():
            again = client.fleet(load.body(number)).event_id
            equal(again == event_id, event_id in saved, "a retry of event %d, which is %s" % (number, "known" if event_id in saved else "lost"))
    wait_until(lambda: len(daemon.rows()) == len(load.sent | set(load.answered)) or len(daemon.rows()) >= len(load.answered), "rows of all")
    rows = [r["ref"] for r in daemon.rows()]
    equal(sorted(rows), sorted(set(rows)), "each once")
    check({str(n) for n in load.answered} <= set(rows), "all are there")


def test_a_backup_refuses_the_wrong_folder(t):
    daemon, other = t.daemon(), t.daemon()
    copy = os.path.join(daemon.folder, "copy")
    for d in (daemon, other):
        with d.client() as client:
            client.fleet(fault(1))
    journal(daemon, "backup", copy)
    for to, says in ((copy, "of another journal"), (daemon.folder, "has other files in it"), (other.journal, "is the journal itself"),
                     (daemon.journal, "in use by another patchbay")):
        other.cli("journal", "backup", to, code=1)
        check(says in other.cli_errors, other.cli_errors)


# ---- export, import


def lines(path):
    with open(path, "rb") as f:
        return [json.loads(line) for line in f.read().splitlines()]


def without_late(exported):
    return [dict(line, flags=[flag for flag in line.get("flags", []) if flag != "late"]) for line in exported[1:]]


def run(daemon, *arguments, code=0, stdin=b""):
    done = subprocess.run([harness.PATCHBAY, "journal", *arguments], env=daemon.env, input=stdin, capture_output=True, timeout=60 * harness.SLOWER)
    equal(done.returncode, code, "exit code of %s: %s" % (arguments, done.stderr.decode("utf-8", "replace")))
    return done.stdout, done.stderr.decode("utf-8", "replace")


def test_moved_to_another_machine(t):
    """Every byte arrives; a retry there is known; nothing is delivered twice; a second import changes nothing."""
    old, new = t.daemon(), t.daemon(start=False)
    bodies = [fault(n) for n in range(30)] + [fault(99, text="\u00e9\u2028\U0001f69a \\u0000 \"quoted\" \t"), b'{"action":"engine_toggle_event"}']
    bodies += [b'{"action":"vehicle_upserted", "vehicle_id": 7, "n": %d}' % n for n in range(3)]
    with old.client() as client:
        ids = [client.fleet(body).event_id for body in bodies]
        client.fleet(bodies[3])
        client.fleet(b"{\"broken\": \xff}")
        client.post("/in/fleet", bytes(range(256)), {"X-KT-Webhook-Signature": "00", "X-Odd": "caf\u00e9"})
    old.wait_rows(len(bodies))
    file = os.path.join(old.folder, "all.jsonl")
    old.cli("journal", "export", "--quarantine", "--deliveries", file)
    exported = lines(file)
    equal((exported[0]["format"], exported[0]["version"]), ("patchbay-events", 1), "first line")
    records = [r for part in ("events", "quarantine") for r in journal_reader.read_log(os.path.join(old.journal, part)) if r["kind"] != "cursor"]
    equal(len(exported) - 1, len(records), "lines")
    for line, record in zip(exported[1:], records):
        data = line.get("data", "")
        data = base64.b64decode(data["base64"]) if isinstance(data, dict) else data.encode()
        equal((line["record"], data), (record["kind"], record["data"]), "a line")
    equal({d["state"] for line in exported[1:] for d in line.get("deliveries", [])}, {"done"}, "deliveries")
    run(old, "import", "--journal", old.journal, file, code=1)  # its daemon runs
    out, _ = run(new, "import", "--journal", new.journal, "--json", "-", stdin=open(file, "rb").read())
    equal(json.loads(out)["imported"], len([r for r in records if r["kind"] in ("event", "duplicate", "malformed")]), "imported")
    again = json.loads(run(new, "import", "--journal", new.journal, "--json", file)[0])
    equal((again["imported"], again["quarantined"], again["notes"]), (0, 0, 0), "the second time")
    back = os.path.join(new.folder, "back.jsonl")
    run(new, "export", "--journal", new.journal, "--quarantine", back)
    for line in exported:
        line.pop("deliveries", None)
    equal(without_late(lines(back)), without_late(exported), "what comes back")
    new.cli("journal", "check")
    new.start()
    with new.client() as client:
        for body, event_id in zip(bodies[:31], ids):
            equal(client.fleet(body).event_id, event_id, "a retry at the new place")
        fresh = client.fleet(fault(500)).event_id
    equal([r["id"] for r in new.wait_rows(1)], [fresh], "rows at the new place")
    equal(new.show(ids[5])["id"], ids[5], "an imported event")


def test_filters_of_an_export(t):
    daemon = t.daemon()
    with daemon.client() as client:
        client.fleet(fault(1))
        client.fleet(b'{"action":"vehicle_upserted", "vehicle_id": 7}')
        client.post("/in/campus", harness.sample("lms", harness.samples("lms")[0]))
    daemon.wait_rows(3)

    def types(*arguments):
        return [json.loads(line).get("type") for line in daemon.cli("journal", "export", *arguments).splitlines()[1:] if '"event"' in line]

    equal(types("--source", "fleet"), ["fault_code_opened", "vehicle_upserted"], "source")
    equal(types("--type", "vehicle_*"), ["vehicle_upserted"], "type")
    equal((types("--to", "1h"), len(types("--from", "1h"))), ([], 3), "time")


def test_imported_to_be_delivered(t):
    old, new = t.daemon(), with_hook(t, "down")
    with old.client() as client:
        ids = [client.fleet(fault(n)).event_id for n in range(20)]
    with new.client() as client:
        there = [client.fleet(fault(n)).event_id for n in (5, 100)]  # one of them has been sent here, too
    new.wait_rows(2)
    new.stop()
    file = os.path.join(old.folder, "all.jsonl")
    old.cli("journal", "export", file)
    quiet = os.path.join(new.folder, "quiet")
    shutil.copytree(new.journal, quiet)
    # to no sink: also not to one that is behind
    out = json.loads(run(new, "import", "--journal", new.journal, "--json", file)[0])
    equal(out["imported"], 20, "imported")
    new.cli("journal", "check")
    mood(new, "hook", "ok")
    new.start()
    wait_until(lambda: hooked(new) == set(there), "what was owed before")
    with new.client() as client:
        last = client.fleet(fault(101)).event_id
    wait_until(lambda: last in hooked(new), "what came after")
    equal(hooked(new), set(there) | {last}, "deliveries")
    new.cli("replay", ids[3], "--sink", "hook", "--skipped")
    new.cli("replay", ids[4], "--sink", "audit", "--force")
    wait_until(lambda: ids[3] in hooked(new), "an imported event that is replayed")
    wait_until(lambda: ids[4] in {r["id"] for r in new.rows()}, "an imported event that is replayed")
    new.stop()
    # to all
    shutil.rmtree(new.journal)
    shutil.move(quiet, new.journal)
    os.remove(os.path.join(new.folder, "hook"))
    out = json.loads(new.cli("journal", "import", "--deliver", "--json", file))
    equal((out["imported"], out["known"]), (19, 1), "imported")
    new.start()
    wait_until(lambda: hooked(new) == set(there) | set(ids) - {ids[5]}, "deliveries of what was imported")


def test_bad_lines_are_refused(t):
    daemon = t.daemon()
    with daemon.client() as client:
        for n in range(3):
            client.fleet(fault(n))
    file = os.path.join(daemon.folder, "all.jsonl")
    daemon.cli("journal", "export", file)
    good = open(file).read().splitlines()
    bad = os.path.join(daemon.folder, "bad.jsonl")
    to = os.path.join(daemon.folder, "new")
    for line, says in (("{", "is no JSON object"), ('{"record":"event"}', "'id' is the id of an event"), (good[2].replace('"event"', '"row"'), "'record' is none"),
                       (good[2].replace('"received":"', '"received":"x'), "'received' is a time"), (good[2].replace('"source":"fleet",', ""), "'source' is missing"),
                       (good[2].replace('"data":"', '"data":{"base64":"*"},"x":"'), "'data' is a string, or")):
        with open(bad, "w") as f:
            f.write("\n".join(good[:2] + [line] + good[3:]) + "\n")
        _, error = run(daemon, "import", "--journal", to, bad, code=1)
        check("%s:3: " % bad in error and says in error and "nothing was imported" in error, error)
        check(not os.path.exists(to), "something was imported")
    out, _ = run(daemon, "import", "--journal", to, "--keep-going", "--json", bad, code=1)
    equal((json.loads(out)["imported"], json.loads(out)["bad"]), (2, 1), "the good ones")
    for first, says in ((good[0].replace('"version":1', '"version":2'), "has version 2 of the format"), (good[1], "is not the first line")):
        with open(bad, "w") as f:
            f.write(first + "\n")
        _, error = run(daemon, "import", "--journal", to, bad, code=1)
        check(bad + ":1: " + says in error, error)


harness.main()
