"""Every sink gets what it is owed, at its own pace, whatever the others do: dead, slow and hanging sinks, kill -9 in
the middle, order by subject, a rate that holds across restarts."""

import collections

import harness
from harness import check, dumps, equal, mood, taken, wait_until

ROUTES = """\
listen: {listen}
journal: {journal}
sources:
  campus:
    plugin: lms
    allow_from: [127.0.0.0/8]
sinks:
%s
routes:
  - to: [%s]
"""


def daemon(t, start=True, **sinks):
    text = "".join("  %s: {{plugin: moody, path: {folder}/%s, mood: {folder}/%s.mood, %s}}\n" % (n, n, n, o) for n, o in sinks.items())
    return t.daemon(ROUTES % (text, ", ".join(sinks)), start=start, env=harness.WITH_MOODY)


def event(number, user="u", **more):
    body = {"id": "e%d" % number, "timestamp": "2026-03-01T10:20:30Z", "source": "course_completed", "notifiableId": "c",
            "user": user, "userDetail": {"id": user}}
    body.update(more)
    return dumps(body)


def post(d, numbers, **more):
    ids = []
    with d.client() as client:
        for n in numbers:
            answer = client.post("/in/campus", event(n, **more), {})
            equal(answer.status, 200, "answer to event %d" % n)
            ids.append(answer.event_id)
    return ids


def wait_taken(d, sink, ids, seconds=20):
    wait_until(lambda: set(ids) <= {e[0] for e in taken(d, sink)},
               lambda: "sink %s has %d of %d; the log:\n%s" % (sink, len(taken(d, sink)), len(ids), d.tail()), seconds)


def test_dead_slow_and_hanging_sinks_delay_no_other(t):
    d = daemon(t, good="behaviour: ok", dead="behaviour: down", hung="timeout: 300ms", slow="behaviour: slow")
    mood(d, "hung", "hang")
    ids = post(d, range(100))
    wait_taken(d, "good", ids)
    equal([e[0] for e in taken(d, "good")], ids, "the good sink's events, in order, once each")
    check(len(taken(d, "slow")) < 100, "the slow sink should not be through yet")
    check(len(taken(d, "dead")) < 20, "a dead sink is probed, not hammered: %d calls" % len(taken(d, "dead")))
    wait_until(lambda: "abandoned" in d.logged(), "that a call did not return is said")
    mood(d, "hung", "ok")
    wait_taken(d, "hung", ids)
    check(all(n <= 2 for n in collections.Counter(e[0] for e in taken(d, "hung")).values()), "a hung event is tried again once")


def test_a_call_that_never_returns_does_not_hold_up_the_stop(t):
    d = daemon(t, hung="behaviour: hang")  # deadline 30 s
    post(d, range(3))
    wait_until(lambda: taken(d, "hung"), "the call has begun")
    d.stop(15)
    states = {s["sink"]: s["state"] for s in d.show(taken(d, "hung")[0][0])["deliveries"]}
    equal(states["hung"], "owed", "state of the event that the call was about")


def test_kill_during_delivery_repeats_only_what_was_in_hand(t):
    d = daemon(t, many="behaviour: ok, concurrency: 4, retry: {{initial: 10ms, max: 100ms}}")
    ids = []
    for round_ in range(3):
        ids += post(d, range(round_ * 400, round_ * 400 + 400))
        wait_until(lambda: len(taken(d, "many")) > round_ * 350 + 50, "delivery is under way")
        d.kill()
        d.start()
    wait_taken(d, "many", ids)
    counts = collections.Counter(e[0] for e in taken(d, "many"))
    equal(set(counts), set(ids), "events delivered")
    twice = sum(n - 1 for n in counts.values())
    check(twice <= 3 * 4, "%d repeats, though at most 4 calls were in hand at each of 3 kills" % twice)


def test_order_by_subject_survives_failures_and_kills(t):
    d = daemon(t, ordered="order: subject, concurrency: 4, retry: {{initial: 20ms, max: 50ms}}")
    users = {}
    for n in range(240):
        user = "user%d" % (n % 6)
        users[post(d, [n], user=user, notifiableId=user, **({"do": "retry"} if n in (13, 50) else {}))[0]] = (user, n)
        if n in (80, 160):
            d.kill()
            d.start()
    mood(d, "ordered", "ok")  # now the two go through as well
    wait_taken(d, "ordered", users)
    wait_until(lambda: len({e[0] for e in taken(d, "ordered") if e[1] == "ok"}) == 240, "all delivered")
    last = {}
    for event_id, what, _, _ in taken(d, "ordered"):
        subject = d_subject(d, event_id)
        n = users[event_id][1]
        check(n >= last.get(subject, -1), "event %d of %s after event %d" % (n, subject, last.get(subject, -1)))
        last[subject] = n


_subjects = {}


def d_subject(d, event_id):
    if not _subjects:
        for e in d.lines("events", "--limit", "1000"):
            _subjects[e["id"]] = e["subject"]
    return _subjects[event_id]


def test_the_rate_holds_across_restarts(t):
    d = daemon(t, paced="behaviour: ok, rate: 4/s")
    ids = post(d, range(12))
    wait_until(lambda: len(taken(d, "paced")) >= 3, "some are through")
    d.kill()
    d.start()
    wait_taken(d, "paced", ids)
    times = sorted(e[3] for e in taken(d, "paced"))
    gaps = [b - a for a, b in zip(times, times[1:])]
    check(min(gaps) >= 249, "two calls within %d ms, where 250 are agreed" % min(gaps))


def test_what_fails_for_too_long_is_a_dead_letter_with_its_attempts(t):
    d = daemon(t, picky="retry: [50ms, 50ms]")
    bad, again, wrong = (post(d, [n], do=do)[0] for n, do in enumerate(("bad", "retry", "config")))
    good = post(d, [10])
    wait_taken(d, "picky", good)

    def dead(event_id):
        state = {s["sink"]: s for s in d.show(event_id)["deliveries"]}["picky"]
        return state if state["state"] == "dead" else None

    for event_id, class_ in ((bad, "event"), (again, "gave up"), (wrong, "configuration")):
        state = wait_until(lambda e=event_id: dead(e), "event %s ends as a dead letter" % event_id)
        equal(state["class"], class_, "class of the dead letter")
        check("told to be" in state["why"], "the reason is the sink's own: %r" % state["why"])
    attempts = d.show(again)["attempts"]
    equal([(a["number"], a["result"]) for a in attempts], [(1, "retry"), (2, "retry"), (3, "dead")], "attempts of the one given up")


def test_a_bad_sink_is_parked_probed_and_resumes(t):
    d = daemon(t, broken="retry: {{initial: 100ms, max: 300ms}}", good="behaviour: ok")
    mood(d, "broken", "badsink")
    ids = post(d, range(50))
    wait_taken(d, "good", ids)
    wait_until(lambda: len(taken(d, "broken")) >= 3, "it is probed")
    equal(len({e[0] for e in taken(d, "broken")}), 1, "events that it is probed with")
    mood(d, "broken", "ok")
    wait_taken(d, "broken", ids)
    counts = collections.Counter(e[0] for e in taken(d, "broken") if e[1] == "ok")
    check(set(counts.values()) == {1}, "each once, after all")
    check(d.logged().count("until this is mended") == 1, "the operator is told once, not at every probe")


if __name__ == "__main__":
    harness.main()
