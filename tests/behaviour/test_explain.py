"""`patchbay explain` says of an event or a quarantined request what came, what was checked, what each route decided and
because of what, and what became of each delivery. `patchbay events --follow` prints what comes, as it comes."""

import signal
import subprocess
import threading

from harness import *

ROUTES = FLEET + """\
  campus:
    plugin: lms
    allow_from: [127.0.0.1]
sinks:
  hook:
    plugin: moody
    path: {folder}/hook
  audit:
    plugin: moody
    path: {folder}/audit
routes:
  - from: campus
    to: audit
  - type: [vehicle_*, hos_*]
    to: audit
  - from: fleet
    type: 'fault_code_*'
    when: .data.code == "J1939" and (.data.score > 80 or .data.vehicle.number == "T9")
    to: hook
  - when: .data.vehicle | test("x")
    to: audit
"""
FIRST = 1 + ROUTES.split("\n").index("  - from: campus")  # the line of the first route


def daemon_with_moody(t):
    return t.daemon(ROUTES, env=WITH_MOODY)


def has(text, *parts):
    for part in parts:
        check(part in text, "%r is not in:\n%s" % (part, text))


def test_routes_say_what_decided(t):
    daemon = daemon_with_moody(t)
    with daemon.client() as client:
        event = client.fleet(fault(1, score=71)).event_id
        match = client.fleet(fault(2, score=81)).event_id
    wait_until(lambda: [d["state"] for d in daemon.show(event)["deliveries"]].count("owed") == 0, "both sinks")
    page = daemon.cli("explain", event)
    has(page, "routes.yaml:%d campus -> audit: from: campus; it came from fleet" % FIRST,
        "routes.yaml:%d * -> audit: type: vehicle_*, hos_*: none matches fault_code_opened" % (FIRST + 2),
        "routes.yaml:%d fleet -> hook: type matched; when: `.data.score > 80` was false, .data.score is 71; "
        "`.data.vehicle.number == \"T9\"` was false, .data.vehicle.number is \"T123\"" % (FIRST + 4),
        "routes.yaml:%d * -> audit: when: `.data.vehicle | test(\"x\")`: " % (FIRST + 8), "as routes.yaml stands now",
        "HMAC-SHA1", "fleet.secret")
    route = [r for r in json.loads(daemon.cli("explain", event, "--json"))["routes"] if r["line"] == FIRST + 4][0]
    equal((route["matches"], route["verdict"]), (False, "`when` is false"), "the verdict")
    has(route["why"], "`.data.score > 80` was false, .data.score is 71")
    has(daemon.cli("explain", match), "routes.yaml:%d fleet -> hook: matches" % (FIRST + 4))
    has(daemon.cli("show", match), "routes.yaml:%d\n" % (FIRST + 4), "patchbay explain %s" % match)
    daemon.cli("explain", "0193", code=1)
    daemon.cli("explain", code=2)


def test_deliveries_with_every_attempt(t):
    daemon = daemon_with_moody(t)
    with daemon.client() as client:
        dead = client.fleet(fault(1, score=99, do="bad", why="nobody wants it")).event_id
        parked = client.fleet(fault(2, score=99, do="retry", why="not now")).event_id
        again = client.fleet(fault(1, score=99, do="bad", why="nobody wants it"))
    equal(again.event_id, dead, "the repeat's event")
    wait_until(lambda: {d["sink"]: d["state"] for d in daemon.show(dead)["deliveries"]}["hook"] == "dead", "the death")
    wait_until(lambda: daemon.show(parked)["attempts"], "an attempt")
    has(daemon.cli("explain", dead), "(event): nobody wants it", "1. dead after", "came again",
        "to do: ", "`patchbay replay %s --sink hook`" % dead)
    has(daemon.cli("explain", parked), "parked", "next try", "1. retry after", "not now")
    repeat = [e["id"] for e in daemon.lines("events") if e["status"] == "duplicate"][0]
    has(daemon.cli("explain", repeat), "repeat of %s" % dead, "patchbay explain %s" % dead)


def test_quarantined(t):
    daemon = daemon_with_moody(t)
    body = fault(1)
    with daemon.client() as client:
        equal(client.post("/in/fleet", body, dict(motive_headers(body, "wrong"), **{"X-Trace": "a b"})).status, 403, "status")
        equal(client.fleet(b'"neither event nor list"').status, 200, "status")
    refused, malformed = ([e["id"] for e in daemon.lines("events") if e["status"] == s][0] for s in ("refused", "malformed"))
    page = daemon.cli("explain", refused)
    has(page, "refused", "failed       the check that it is the provider's", "matches none of the configured secrets",
        "`patchbay reverify fleet`", "x-trace: a b", "POST /in/fleet", '"J1939"')
    check("\n  :" not in page, "what Patchbay noted stands among the headers:\n" + page)
    shown = json.loads(daemon.cli("explain", refused, "--json"))
    equal((shown["status"], shown["failed_check"], shown["admitted"]), ("refused", "verify", None), "refused")
    raw = daemon.cli("explain", refused, "--raw")
    check(raw.startswith("POST /in/fleet\n") and raw.endswith("\n\n" + body.decode()), "raw: %r" % raw)
    equal(daemon.cli("show", refused, "--raw"), body.decode(), "show --raw")
    has(daemon.cli("explain", malformed), "genuine", "to be understood", "plugin 'motive' does not know it", "neither event nor list")


class Follower:
    """`patchbay events --follow`, and the lines it has printed."""

    def __init__(self, daemon, *arguments):
        self.process = subprocess.Popen([PATCHBAY, "events", "-c", daemon.routes, "--follow", *arguments], env=daemon.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(l.decode() for l in self.process.stdout), daemon=True).start()

    def wait(self, count):
        wait_until(lambda: len(self.lines) >= count, lambda: "%d lines wanted, there are %r" % (count, self.lines))
        return self.lines

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(20), self.process.stderr.read().decode()


def test_follow(t):
    daemon = daemon_with_moody(t)
    with daemon.client() as client:
        first = client.fleet(fault(1)).event_id
        follower = Follower(daemon, "--json", "--since", "1h")
        json_lines = lambda: [json.loads(l) for l in follower.lines]
        follower.wait(1)
        second = client.fleet(fault(2)).event_id
        client.fleet(fault(2))
        follower.wait(3)
        body = fault(3)
        client.post("/in/fleet", body, motive_headers(body, "wrong"))
        follower.wait(4)
        third = client.fleet(fault(4)).event_id
    follower.wait(5)
    equal([(l["status"], l["id"]) for l in json_lines() if l["status"] == "event"],
          [("event", first), ("event", second), ("event", third)], "followed")
    equal([l["status"] for l in json_lines()], ["event", "event", "duplicate", "refused", "event"], "followed")
    daemon.stop()
    daemon.start()  # the follower does not mind
    with daemon.client() as client:
        fourth = client.fleet(fault(5)).event_id
    equal(json.loads(follower.wait(6)[5])["id"], fourth, "after a restart")
    equal(follower.end(signal.SIGINT), (0, ""), "the end by SIGINT")


def test_follow_into_a_pipe_that_closes(t):
    daemon = daemon_with_moody(t)
    with daemon.client() as client:
        client.fleet(fault(1))
    follower = subprocess.Popen([PATCHBAY, "events", "-c", daemon.routes, "-f", "--since", "1h"], env=daemon.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(follower.stdout.readline().startswith(b"RECEIVED"), "no heading")
    follower.stdout.close()
    with daemon.client() as client:
        client.fleet(fault(2))
    equal(follower.wait(20 * SLOWER), -signal.SIGPIPE, "exit code")
    equal(follower.stderr.read(), b"", "stderr")


def test_follow_only_so_many(t):
    daemon = daemon_with_moody(t)
    with daemon.client() as client:
        old = client.fleet(fault(1)).event_id
        follower = Follower(daemon, "--json", "--limit", "1", "--type", "fault_code_*")
        numbers = iter(range(2, 1000000))

        def one_more():  # it may not look yet
            client.fleet(fault(next(numbers)))
            return follower.lines

        wait_until(one_more, "a line")
    equal(follower.process.wait(20 * SLOWER), 0, "exit code")
    equal(len(follower.lines), 1, "lines")
    check(json.loads(follower.lines[0])["id"] != old, "what came before it began")


if __name__ == "__main__":
    main()
