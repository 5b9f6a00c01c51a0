"""What was given up is listed with its reason and every attempt; a person delivers it again, by id, sink, class or time,
and never twice what was delivered, unless told to. Beside a running daemon, and without one."""

import datetime
import time

from harness import *

ROUTES = FLEET + """\
sinks:
  hook:
    plugin: moody
    path: {folder}/hook
    mood: {folder}/hook.mood
  audit:
    plugin: moody
    path: {folder}/audit
    behaviour: ok
routes:
  - type: fault_code_opened
    when: .data.id < 900
    to: [hook, audit]
  - to: audit
"""


def daemon_with_moody(t, **more):
    return t.daemon(ROUTES, env=WITH_MOODY, **more)


def post(daemon, *events):
    with daemon.client() as client:
        return [client.fleet(event).event_id for event in events]


def state(daemon, event_id, sink="hook"):
    return {d["sink"]: d["state"] for d in daemon.show(event_id)["deliveries"]}[sink]


def wait_states(daemon, ids, wanted, sink="hook"):
    wait_until(lambda: all(state(daemon, i, sink) == wanted for i in ids), "deliveries to %s that are %s" % (sink, wanted))


def replay(daemon, *arguments, code=0):
    return json.loads(daemon.cli("replay", *arguments, "--json", code=code))


def test_listed_with_reason_and_attempts(t):
    daemon = daemon_with_moody(t)
    bad = post(daemon, *[fault(i, do="bad", why="vehicle %d is not known" % i) for i in range(3)])
    config = post(daemon, fault(10, do="config", why="there is no field 'name'"))
    good = post(daemon, fault(11))
    wait_states(daemon, bad + config, "dead")
    wait_states(daemon, good, "done")
    listed = daemon.lines("dead")
    equal([(d["id"], d["sink"], d["class"], d["attempts"]) for d in listed],
          [(i, "hook", "event", 1) for i in bad] + [(config[0], "hook", "configuration", 1)], "dead")
    equal(listed[1]["why"], "vehicle 1 is not known", "why")
    equal((listed[1]["type"], listed[1]["source"], listed[1]["subject"]), ("fault_code_opened", "fleet", "vehicle 1"), "event")
    check(abs(datetime.datetime.fromisoformat(listed[1]["at"].replace("Z", "+00:00")).timestamp() - time.time()) < 300, "time")
    groups = daemon.lines("dead", "--group")
    equal([(g["count"], g["sink"], g["class"], g["why"], g["example"]) for g in groups],
          [(3, "hook", "event", "vehicle # is not known", bad[2]), (1, "hook", "configuration", "there is no field 'name'", config[0])],
          "groups")
    equal([d["id"] for d in daemon.lines("dead", "--class", "configuration")], config, "--class")
    equal([d["id"] for d in daemon.lines("dead", "--limit", "2")], [bad[2], config[0]], "the newest two")
    equal(daemon.lines("dead", "--sink", "audit"), [], "--sink of another")
    equal(len(daemon.lines("dead", "--since", "1h", "--until", "2100-01-01")), 4, "--since")
    equal(daemon.lines("dead", "--until", "1h ago"), [], "--until")
    daemon.cli("dead", "--sink", "hok", code=1)
    check("did you mean 'hook'?" in daemon.cli_errors, daemon.cli_errors)
    text = daemon.cli("dead")
    for part in ("vehicle # is not known", "vehicle 2 is not known", config[0], "All of them"):
        check(part in text, "%r is not in:\n%s" % (part, text))
    page = daemon.cli("dead", bad[0][:18])
    for part in ("1. dead after", "vehicle 0 is not known", "`patchbay replay %s --sink hook`" % bad[0]):
        check(part in page, "%r is not in:\n%s" % (part, page))
    daemon.cli("dead", good[0], code=1)
    check("was given up" in daemon.cli_errors, daemon.cli_errors)
    daemon.stop()
    equal(daemon.lines("dead"), listed, "dead, without a daemon")


def test_replay_by_id(t):
    daemon = daemon_with_moody(t)
    first, second = post(daemon, fault(1, do="bad"), fault(2, do="bad"))
    wait_states(daemon, [first, second], "dead")
    mood(daemon, "hook", "ok")
    did = replay(daemon, first[:18], "--dry-run")
    equal((did["dry_run"], did["sinks"]["hook"]["replayed"], did["sinks"]["audit"]["delivered"]), (True, 1, 1), "dry run")
    equal(state(daemon, first), "dead", "after a dry run")
    did = replay(daemon, first[:18])
    equal((did["replayed"], did["sinks"]["hook"]["replayed"], did["sinks"]["audit"]["delivered"]), (1, 1, 1), "replay")
    wait_states(daemon, [first], "done")
    equal(state(daemon, second), "dead", "the other one")
    equal([(i, do, n) for i, do, n, _ in taken(daemon, "hook") if i == first], [(first, "bad", 1), (first, "ok", 1)], "attempts")
    attempts = [a for a in daemon.show(first)["attempts"] if a["sink"] == "hook"]
    equal([a["result"] for a in attempts], ["dead", "replayed", "done"], "history")
    check("with `patchbay replay %s" % first[:18] in attempts[1]["why"], attempts[1]["why"])
    equal([d["id"] for d in daemon.lines("dead")], [second], "what is still dead")
    did = replay(daemon, first, code=1)  # there is nothing left to do
    equal((did["replayed"], did["sinks"]["hook"]["delivered"]), (0, 1), "delivered already")
    check("--force" in daemon.cli("replay", first, code=1), "it does not say what could be done")
    equal(replay(daemon, first, "--force", "--sink", "hook")["replayed"], 1, "--force")
    wait_until(lambda: len([1 for i, *_ in taken(daemon, "hook") if i == first]) == 3, "the delivery that was forced")
    equal(len(taken(daemon, "audit")), 2, "deliveries to the other sink")
    daemon.cli("replay", "00000000-0000-7000-8000-000000000000", code=1)
    check("no event" in daemon.cli_errors, daemon.cli_errors)


def test_replay_where_no_route_leads(t):
    daemon = daemon_with_moody(t)
    event, = post(daemon, fault(950))
    wait_states(daemon, [event], "done", "audit")
    wait_until(lambda: state(daemon, event) == "not routed", "the sink to pass it by")
    post(daemon, fault(1))  # so that the sink has come past it
    wait_until(lambda: len(taken(daemon, "hook")) == 1, "the next event")
    equal(replay(daemon, event, code=1)["sinks"]["hook"]["not_routed"], 1, "without --force")
    equal(replay(daemon, event, "--force")["sinks"]["hook"]["replayed"], 0, "--force alone")
    equal(replay(daemon, event, "--force", "--sink", "hook")["replayed"], 1, "--force --sink")
    wait_until(lambda: [i for i, *_ in taken(daemon, "hook")][1:] == [event], "the delivery that no route asked for")


def test_replay_by_filter_and_rate(t):
    daemon = daemon_with_moody(t)
    bad = post(daemon, *[fault(i, do="bad") for i in range(6)])
    config = post(daemon, fault(10, do="config"))
    wait_states(daemon, bad + config, "dead")
    mood(daemon, "hook", "ok")
    for arguments in ([], ["--skipped"], ["--force"], ["--force", "--all"], ["--rate", "fast", "--all"], [bad[0], "--all"],
                      ["--class", "gave-up"]):
        daemon.cli("replay", *arguments, code=2)
    daemon.cli("dead", "--class", "gave-up", code=2)
    daemon.cli("replay", "--class", "destination", code=1)
    daemon.cli("replay", "--until", "1d", code=1)
    equal(replay(daemon, "--class", "configuration", "--since", "10m")["replayed"], 1, "by class and time")
    wait_states(daemon, config, "done")
    equal(replay(daemon, "--sink", "hook", "--rate", "10/s")["replayed"], 6, "by sink")
    wait_states(daemon, bad, "done")
    again = [(i, ms) for i, do, n, ms in taken(daemon, "hook") if i in bad and do == "ok"]
    equal([i for i, _ in again], bad, "in the order of their death")
    check(again[-1][1] - again[0][1] >= 450, "six at 10/s took %d ms" % (again[-1][1] - again[0][1]))
    daemon.cli("replay", "--all", code=1)
    equal(daemon.lines("dead"), [], "dead")


def test_replay_everything_that_came(t):
    """A destination has lost what it had: everything since then goes there again, and to no other."""
    daemon = daemon_with_moody(t)
    ids = post(daemon, fault(1), fault(2, do="bad"), fault(950), fault(3))
    wait_states(daemon, [ids[0], ids[3]], "done")
    wait_states(daemon, ids, "done", "audit")
    mood(daemon, "hook", "ok")
    did = replay(daemon, "--sink", "hook", "--since", "1h", "--force", "--rate", "off")
    equal((did["replayed"], did["sinks"]["hook"]["not_routed"], list(did["sinks"])), (3, 1, ["hook"]), "replayed")
    wait_until(lambda: len(taken(daemon, "hook")) == 6, "three deliveries more")
    equal([i for i, *_ in taken(daemon, "hook")][3:], [ids[0], ids[1], ids[3]], "deliveries")
    equal(len(taken(daemon, "audit")), 4, "deliveries to the other sink")


def test_parked_ones_are_due_at_once(t):
    daemon = t.daemon(ROUTES.replace("    mood:", "    retry: [1h, 1h]\n    mood:"), env=WITH_MOODY)
    event, = post(daemon, fault(1, do="retry"))
    wait_states(daemon, [event], "parked")
    mood(daemon, "hook", "ok")
    equal(replay(daemon, event)["sinks"]["hook"]["replayed"], 1, "replay")
    wait_states(daemon, [event], "done")
    equal([do for _, do, _, _ in taken(daemon, "hook")], ["retry", "ok"], "attempts")


def test_replay_without_a_daemon(t):
    daemon = daemon_with_moody(t)
    event, = post(daemon, fault(1, do="bad"))
    wait_states(daemon, [event], "dead")
    daemon.stop()
    mood(daemon, "hook", "ok")
    equal(replay(daemon, "--all")["replayed"], 1, "replay")
    equal(state(daemon, event), "parked", "until there is a daemon")
    daemon.start()
    wait_states(daemon, [event], "done")


if __name__ == "__main__":
    main()
