"""What an operator should know reaches him once: as an event by any route, in /health, /metrics and the log; and is told
to be over. A crash or a restart tells nobody twice, and no alarm is the cause of another."""

import contextlib
import http.server
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time

import harness
from harness import WITH_MOODY, check, children, dumps, equal, mood, taken, wait_until

ROUTES = """\
listen: {listen}
admin: 127.0.0.1:0
journal: {journal}
alarms: {{grace: %(grace)s}}
%(top)s
sources:
  things:
    plugin: crasher
    secret: s3cret
    silence: %(silence)s
sinks:
  alarms:
    plugin: csv-export
    path: {export}/alarms.csv
    columns: [id, source, plugin, type, kind, subject, time_source, dedupe, state: .data.state, severity: .data.severity,
              count: .data.count, message: .data.message, since: .data.since]
    batch: {{linger: 0ms}}
  desk:
    plugin: moody
    path: {folder}/desk
    mood: {folder}/desk.mood
    retry: {{initial: 10ms, max: 100ms}}
%(sinks)s
routes:
  - to: desk
    from: things
  - from: patchbay
    to: alarms
%(routes)s
"""


def routes(grace="200ms", silence="off", top="", sinks="", routes=""):
    return ROUTES % {"grace": grace, "silence": silence, "top": top, "sinks": sinks, "routes": routes}


def daemon(t, start=True, journal=None, **more):
    return t.daemon(routes(**more), env=WITH_MOODY, start=start, journal=journal)


def post(d, n, status=200, presented="s3cret", **more):
    with d.client() as client:
        answer = client.post("/in/things", dumps(dict({"id": "n%d" % n, "n": n}, **more)), {"x-secret": presented})
    equal(answer.status, status, "answer to %d" % n)
    return answer.event_id


def admin(d, path):
    """Of the process that runs now: it says its address a moment after it answers."""
    def ask():
        addresses = re.findall(r"admin on 127\.0\.0\.1:(\d+)", d.logged())
        if not addresses:
            return None
        try:
            with harness.Client(("127.0.0.1", int(addresses[-1]))) as client:
                client.send(client.request(b"", path, {}, "GET"))
                answer = client.answer()
        except (OSError, harness.Closed):
            return None
        return answer.status, answer.body.decode()
    return wait_until(ask, "no answer from the admin address")


def alarms(d, kind=None):
    return [(r["type"], r["subject"], r["state"]) for r in d.rows("alarms.csv") if kind in (None, r["type"])]


def wait_alarms(d, kind, wanted, seconds=15):
    wait_until(lambda: len(alarms(d, kind)) >= len(wanted),
               lambda: "wanted %r, there is %r; log:\n%s" % (wanted, d.rows("alarms.csv"), d.tail()), seconds)
    equal(alarms(d, kind), wanted, "alarms")
    return [r for r in d.rows("alarms.csv") if r["type"] == kind]


def stands(d, kind):
    return re.findall(r'^patchbay_alarm\{type="%s",what="\w*",about="(\S*?)",severity="(\w+)"} 1$' % kind,
                      admin(d, "/metrics")[1], re.M)


class Endpoint:
    """Takes what is posted."""

    def __init__(self):
        self.got = []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                endpoint.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]


def test_silence(t):
    endpoint = Endpoint()
    d = daemon(t, silence="400ms", sinks="  pager: {{plugin: http, url: '%s', allow_private: true}}" % endpoint.url,
               routes="  - {{from: patchbay, type: source_*, when: .data.severity == \"warning\", to: pager}}")
    row = wait_alarms(d, "source_silent", [("source_silent", "things", "raised")])[0]
    equal((row["source"], row["plugin"], row["kind"], row["time_source"], row["dedupe"]),
          ("patchbay", "patchbay", "source_silent", "provider", "strong"), "envelope")
    check("nothing genuine has come for" in row["message"], row["message"])
    equal(stands(d, "source_silent"), [("things", "warning")], "metric")
    status, text = admin(d, "/health")
    equal(status, 200, "a warning is no reason for 503")
    check(text.startswith("ok\nwarning: source things: nothing genuine"), text)
    post(d, 1, 403, "forged")  # is no sign of life
    check(stands(d, "source_silent"), "silenced by a forged request")
    post(d, 2)
    wait_until(lambda: ("source_silent", "things", "cleared") in alarms(d), "not cleared: %r" % alarms(d))
    wait_until(lambda: len(endpoint.got) >= 2, "not posted: %r" % endpoint.got)
    equal([(e["type"], e["data"]["state"], e["data"]["about"], e["data"]["what"]) for e in endpoint.got[:2]],
          [("source_silent", "raised", "things", "source"), ("source_silent", "cleared", "things", "source")], "posted")
    check(endpoint.got[1]["data"]["message"].startswith("over, after"), endpoint.got[1])
    check(d.logged().count('level=warning msg="alarm source_silent: ') >= 1 and "alarm source_silent is over" in d.logged(), d.logged())
    shown = d.show(row["id"])
    equal((shown["source"], shown["plugin"]), ("patchbay", "patchbay"), "show")
    explained = d.cli("explain", row["id"])
    check("from: things; it came from patchbay" in explained and "alarms" in explained, explained)
    check(any(e["source"] == "patchbay" for e in d.lines("events", "--source", "patchbay")), "events does not list it")


def test_silence_by_the_sources_own_rhythm(t):
    """What earlier processes learned: ten days in which it never was quiet for longer than ten minutes."""
    d = daemon(t, silence="auto")
    post(d, 1)
    d.stop()
    minute, day = 60000, 86400000

    def start_after(quiet):
        now = int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(os.path.join(d.journal, "state.db"))) as db, db:
            db.execute("UPDATE notes SET value = ? WHERE name = 'source things'",
                       ("0 0 0 0 0 0 %d %d %d %d:%d" % (quiet, 10 * day, now - quiet, now // day, 10 * minute),))
            equal(db.total_changes, 1, "notes about the source")
        d.start()
    start_after(19 * minute)
    d.stop()
    equal(alarms(d), [], "alarms, though twice as long is not over yet")
    start_after(20 * minute)
    row = wait_alarms(d, "source_silent", [("source_silent", "things", "raised")])[0]
    check("(at most 10 min in the two weeks before)" in row["message"], row["message"])
    post(d, 2)
    wait_alarms(d, "source_silent", [("source_silent", "things", "raised"), ("source_silent", "things", "cleared")])


def test_a_sink_that_stops(t):
    d = daemon(t, grace="1s")
    mood(d, "desk", "down")
    post(d, 1)
    row = wait_alarms(d, "sink_stopped", [("sink_stopped", "desk", "raised")])[0]
    equal(row["severity"], "error", "severity")
    status, text = admin(d, "/health")
    equal(status, 503, "health")
    check(text.startswith("sink desk: "), text)
    equal(stands(d, "sink_stopped"), [("desk", "error")], "metric")
    d.stop()
    d.start()
    post(d, 2)
    wait_until(lambda: admin(d, "/health")[0] == 503, "the sink is in trouble again")
    check(stands(d, "sink_stopped"), "forgotten by the restart")
    mood(d, "desk", "ok")
    wait_alarms(d, "sink_stopped", [("sink_stopped", "desk", "raised"), ("sink_stopped", "desk", "cleared")])
    wait_until(lambda: not stands(d, "sink_stopped") and admin(d, "/health") == (200, "ok\n"), lambda: admin(d, "/health"))
    check("alarm sink_stopped" not in d.logged(), "said twice in the log")


def test_a_blip_is_no_alarm(t):
    d = daemon(t, grace="1m")
    mood(d, "desk", "down")
    post(d, 1)
    wait_until(lambda: admin(d, "/health")[0] == 503, "not seen")
    mood(d, "desk", "ok")
    wait_until(lambda: admin(d, "/health")[0] == 200, "not over")
    mood(d, "desk", "badsink")
    post(d, 2)
    wait_alarms(d, "sink_broken", [("sink_broken", "desk", "raised")])  # that is for a person, at once
    equal(alarms(d), [("sink_broken", "desk", "raised")], "alarms")


def test_the_alarms_own_sink_stops(t):
    """What it is owed waits, like all else."""
    d = daemon(t, sinks="  pager: {{plugin: moody, path: {folder}/pager, mood: {folder}/pager.mood, "
                        "retry: {{initial: 10ms, max: 50ms}}}}",
               routes="  - {{from: [patchbay, things], to: pager}}")
    mood(d, "pager", "down")
    post(d, 1)
    wait_alarms(d, "sink_stopped", [("sink_stopped", "pager", "raised")])
    event = d.rows("alarms.csv")[0]["id"]
    state = {s["sink"]: s["state"] for s in d.show(event)["deliveries"]}["pager"]
    check(state in ("owed", "parked"), "state of the alarm's event: " + state)
    mood(d, "pager", "ok")
    wait_alarms(d, "sink_stopped", [("sink_stopped", "pager", "raised"), ("sink_stopped", "pager", "cleared")])
    wait_until(lambda: {r["id"] for r in d.rows("alarms.csv")} <= {e[0] for e in taken(d, "pager")}, "not delivered")


def test_dead_letters_are_told_together_and_are_no_loop(t):
    d = daemon(t, grace="500ms", sinks="  pager: {{plugin: moody, path: {folder}/pager, behaviour: bad}}",
               routes="  - {{from: patchbay, to: pager}}")
    mood(d, "desk", "bad")
    for n in range(50):
        post(d, n)
    wait_until(lambda: sum(int(r["count"] or 0) for r in d.rows("alarms.csv")) >= 50,
               lambda: "told: %r" % d.rows("alarms.csv"))
    rows = d.rows("alarms.csv")
    check(len(rows) <= 5, "one for each: %r" % rows)
    equal({(r["type"], r["subject"], r["state"]) for r in rows}, {("deliveries_dead", "desk", "raised")}, "alarms")
    equal(sum(int(r["count"]) for r in rows), 50, "dead letters that were told of")
    wait_until(lambda: len([l for l in d.lines("dead", "--sink", "pager", "--limit", "0")]) == len(rows), "the alarms died")
    wait_alarms(d, "deliveries_dead", [("deliveries_dead", "desk", "raised")] * len(rows)
                + [("deliveries_dead", "desk", "cleared")], 30)
    equal({r["subject"] for r in d.rows("alarms.csv")}, {"desk"}, "no alarm is about the alarms' own deaths")


def test_no_plugin_crashes_with_alarms_for_ever(t):
    """Each alarm ends a worker three times; that is no alarm."""
    d = daemon(t, grace="300ms", sinks="  pager: {{plugin: crasher, path: {folder}/pager, act: 'null'}}",
               routes="  - {{from: [patchbay, things], to: pager}}")

    def posted():
        try:
            return post(d, 1)
        except (OSError, harness.Closed):
            return None
    event = wait_until(posted, "not accepted")
    for kind in ("plugin_crashed", "deliveries_dead"):
        wait_until(lambda: (kind, "pager", "cleared") in alarms(d), lambda: "not cleared: %r\n%s" % (alarms(d), d.tail()), 30)
    rows = d.rows("alarms.csv")
    wait_until(lambda: {l["id"] for l in d.lines("dead", "--limit", "0")} == {event} | {r["id"] for r in rows},
               lambda: "dead: %r" % d.lines("dead", "--limit", "0"), 30)
    told = {kind: sum(int(r["count"] or 0) for r in rows if r["type"] == kind) for kind in ("plugin_crashed", "deliveries_dead")}
    check(1 <= told["plugin_crashed"] <= 3, "told of crashes: %r" % rows)  # not of one with an alarm in the same batch
    equal(told["deliveries_dead"], 1, "told of dead letters")
    equal({r["type"] for r in d.rows("alarms.csv")}, {"plugin_crashed", "deliveries_dead"}, "alarms")


def test_a_crash_tells_nobody_twice(t):
    d = daemon(t, grace="1s", silence="500ms")
    mood(d, "desk", "down")
    wait_alarms(d, "source_silent", [("source_silent", "things", "raised")])
    d.write_routes(routes(grace="1s", silence="500ms").replace("crasher", "crashes"))
    d.cli("reload", code=1)
    wait_alarms(d, "configuration_refused", [("configuration_refused", "", "raised")])
    for n in range(5):
        worker = d.worker()
        os.kill(worker, signal.SIGSEGV)
        wait_until(lambda: worker not in children(d.process.pid) and children(d.process.pid), "no new worker")
        wait_until(lambda: d.answers(), "it does not answer")
        wait_until(lambda: stands(d, "source_silent") and stands(d, "configuration_refused"), "forgotten")
    equal(sorted(alarms(d)), [("configuration_refused", "", "raised"), ("source_silent", "things", "raised")], "alarms")
    d.write_routes(routes(grace="1s", silence="500ms"))
    d.cli("reload")
    wait_alarms(d, "configuration_refused", [("configuration_refused", "", "raised"), ("configuration_refused", "", "cleared")])
    post(d, 1)
    wait_until(lambda: ("source_silent", "things", "cleared") in alarms(d), "not cleared")


def test_a_secret_that_was_changed(t):
    d = daemon(t)
    post(d, 1)

    def refused():
        post(d, 2, 403, "other")
        return alarms(d, "source_refusing")
    wait_until(refused, "refused posts are no alarm")
    wait_alarms(d, "source_refusing", [("source_refusing", "things", "raised")])
    check("patchbay reverify things" in d.rows("alarms.csv")[0]["message"], d.rows("alarms.csv"))
    equal(admin(d, "/health")[0], 200, "health")
    d.stop()
    d.start()
    wait_until(lambda: stands(d, "source_refusing"), "forgotten")
    d.write_routes(routes().replace("s3cret", "other"))
    d.cli("reload")
    post(d, 3, presented="other")
    wait_alarms(d, "source_refusing", [("source_refusing", "things", "raised"), ("source_refusing", "things", "cleared")])


def test_says_which_version_runs(t):
    d = daemon(t)
    version = d.cli("--version").split()[1]
    [ready] = wait_until(lambda: [line["msg"] for line in d.log_lines() if line["msg"].startswith("ready: ")], "not ready")
    check(ready.endswith(", version " + version), ready)
    check('\npatchbay_build_info{version="%s"} 1\n' % version in admin(d, "/metrics")[1], admin(d, "/metrics")[1])


def test_a_reverify_ends_the_alarm(t):
    """But not while the daemon itself has the old secret: then the next post is refused as well."""
    d = daemon(t)

    def refused():
        post(d, 2, 403, "other")
        return alarms(d, "source_refusing")
    wait_until(refused, "refused posts are no alarm")
    d.write_routes(routes().replace("s3cret", "other"))
    d.cli("reverify", "things")
    check("reload" in d.cli_errors, d.cli_errors)
    post(d, 2, 403, "other")
    check(stands(d, "source_refusing"), "over, though the daemon has the old secret")
    d.cli("reload")
    d.cli("reverify", "things")
    wait_alarms(d, "source_refusing", [("source_refusing", "things", "raised"), ("source_refusing", "things", "cleared")])


def test_posts_that_are_not_understood(t):
    text = routes().replace("sources:\n", "sources:\n  campus: {{plugin: lms, allow_from: [127.0.0.0/8]}}\n").replace(
        "from: things", "from: [things, campus]")
    d = t.daemon(text, env=WITH_MOODY)

    def puzzled():
        with d.client() as client:
            equal(client.post("/in/campus", b"{").status, 200, "answer")
        return alarms(d, "source_malformed")
    wait_until(puzzled, "no alarm")
    wait_alarms(d, "source_malformed", [("source_malformed", "campus", "raised")])
    with d.client() as client:
        client.post("/in/campus", harness.sample("lms", harness.samples("lms")[0]))
    wait_alarms(d, "source_malformed", [("source_malformed", "campus", "raised"), ("source_malformed", "campus", "cleared")])


def test_a_plugin_that_is_left_out(t):
    d = daemon(t, start=False, sinks="  fragile: {{plugin: crasher, path: {folder}/fragile, create: 'null'}}",
               routes="  - {{from: things, to: fragile}}").start(60)
    row = wait_alarms(d, "plugin_left_alone", [("plugin_left_alone", "fragile", "raised")])[0]
    check("again and again" in row["message"] and row["severity"] == "error", row)
    status, text = admin(d, "/health")
    check(status == 503 and "sink fragile: its plugin crashed when it was made" in text, text)
    wait_until(lambda: sum(int(r["count"] or 0) for r in d.rows("alarms.csv") if r["type"] == "plugin_crashed") == 3,
               lambda: "crashes told: %r" % d.rows("alarms.csv"))


def test_a_reload_that_fails(t):
    d = daemon(t)
    d.write_routes(routes().replace("secret: s3cret", "secret: s3cret\n    path_secret: {{file: {folder}/things.secret}}"))
    d.cli("reload", code=1)
    row = wait_alarms(d, "configuration_refused", [("configuration_refused", "", "raised")])[0]
    check("routes.yaml:10:" in row["message"] and "things.secret" in row["message"], row["message"])
    equal(admin(d, "/health")[0], 200, "health: all goes on with what is at work")
    d.write_routes(routes())
    d.cli("reload")
    wait_alarms(d, "configuration_refused", [("configuration_refused", "", "raised"), ("configuration_refused", "", "cleared")])


def test_a_journal_that_fills_up(t):
    """Before it refuses, and when it does: that cannot be told by an event until it is over."""
    d = daemon(t, top="retention: {{size: 1M}}")
    mood(d, "desk", "down")
    for n in range(290):  # nine tenths of it
        post(d, n, fill="x" * 3000)
    wait_alarms(d, "journal_nearly_full", [("journal_nearly_full", "", "raised")])
    with d.client() as client:
        def refused():
            return client.post("/in/things", dumps({"id": "f", "fill": "x" * 60000}), {"x-secret": "s3cret"}).status == 503
        wait_until(lambda: refused() and "posts are answered 503 until" in admin(d, "/health")[1], "it does not refuse")
    equal(admin(d, "/health")[0], 503, "health")
    wait_until(lambda: stands(d, "journal_refusing"), "no metric")
    mood(d, "desk", "ok")
    wait_alarms(d, "journal_refusing", [("journal_refusing", "", "raised"), ("journal_refusing", "", "cleared")])
    wait_alarms(d, "journal_nearly_full", [("journal_nearly_full", "", "raised"), ("journal_nearly_full", "", "cleared")])


def test_a_file_system_that_fills_up(t):
    folder = os.path.join(t.folder, "small")
    t.mount(folder, "-t", "tmpfs", "-o", "size=64m", "tmpfs")
    d = daemon(t, top="retention: {{size: 1M}}", journal=os.path.join(folder, "state"))
    filler = os.path.join(folder, "filler")
    with open(filler, "wb") as f:
        f.write(b"x" * (60 << 20))
    row = wait_alarms(d, "journal_nearly_full", [("journal_nearly_full", "", "raised")])[0]
    check("its file system has" in row["message"], row["message"])
    os.unlink(filler)
    wait_alarms(d, "journal_nearly_full", [("journal_nearly_full", "", "raised"), ("journal_nearly_full", "", "cleared")])


def test_without_a_route_nothing_is_journaled(t):
    text = routes(silence="300ms").replace("  - from: patchbay\n    to: alarms\n", "  - {{from: '*', to: alarms}}\n")
    d = t.daemon(text, env=WITH_MOODY)
    wait_until(lambda: stands(d, "source_silent"), "no alarm")
    wait_until(lambda: "alarm source_silent: " in d.logged(), "not in the log")
    equal(d.lines("events"), [], "events")
    d.write_routes(routes(silence="300ms"))
    d.cli("reload")
    wait_alarms(d, "source_silent", [("source_silent", "things", "raised")])  # it still stands


def test_faults(t):
    d = daemon(t, start=False)
    good = open(d.routes).read()

    def says(old, new, what):
        with open(d.routes, "w") as f:
            f.write(good.replace(old, new))
        d.cli("check", code=1)
        check(what in d.cli_errors, d.cli_errors)
    says("things:", "patchbay:", "a source cannot be called 'patchbay'")
    says("silence: off", "silence: never", "'silence': 'never' is none of these")
    says("from: patchbay", "from: ['*', patchbay]", "'*' does not go together with 'patchbay'")
    says("from: patchbay", "from: patchbya", "did you mean 'patchbay'?")
    with open(d.routes, "w") as f:
        f.write(good)
    d.cli("check")


TESTS = """\
config: routes.yaml
tests:
  - name: silence goes to the page
    source: patchbay
    sample: source_silent
    set: {about: things}
    expect: {type: source_silent, kind: source_silent, subject: things, dedupe: strong, sinks: [alarms],
             rendered: {alarms: {columns: {state: raised, severity: warning}}}}
  - name: others do not get it
    source: patchbay
    sample: %s
    expect: {why_not: {desk: it came from patchbay}}
"""


def test_a_route_is_tried_without_an_alarm(t):
    d = daemon(t, start=False)
    path = os.path.join(d.folder, "tests.yaml")

    def run(sample):
        with open(path, "w") as f:
            f.write(TESTS % sample)
        return subprocess.run([harness.PATCHBAY, "test", path], env=d.env, capture_output=True, text=True)
    good, wrong = run("sink_stopped"), run("sink_stoped")
    equal((good.returncode, good.stdout.count("ok")), (0, 2), good.stdout + good.stderr)
    check(wrong.returncode == 1 and "did you mean 'sink_stopped'?" in wrong.stderr, wrong.stderr)


def test_an_alarm_is_sent_to_see_where_it_arrives(t):
    d = daemon(t)
    event = d.cli("send", "patchbay", "sink_stopped").strip()
    row = wait_alarms(d, "sink_stopped", [("sink_stopped", "desk", "raised")])[0]
    equal(row["id"], event, "its id")
    check(row["message"].startswith("only a trial: "), row["message"])
    check(not stands(d, "sink_stopped"), "it is none")
    d.cli("send", "patchbay", "sink_stoped", code=2)
    check("did you mean 'sink_stopped'?" in d.cli_errors, d.cli_errors)
    check("sink_stopped" in d.cli("send", "--list", "patchbay"), "list")
    d.write_routes(routes().replace("from: patchbay", "from: things"))
    d.cli("reload")
    d.cli("send", "patchbay", "sink_stopped", code=1)
    check("says 'from: patchbay'" in d.cli_errors, d.cli_errors)
    d.stop()
    d.cli("send", "patchbay", "sink_stopped", code=1)
    check("no daemon" in d.cli_errors or "made by the daemon" in d.cli_errors, d.cli_errors)


harness.main()
