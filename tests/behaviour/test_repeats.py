"""A provider's retry never makes a second event, and two real events never become one: the whole matrix of
identities, in one run of the daemon, after an orderly restart, and after kill -9."""

import time

import harness
from harness import check, command, dumps, equal, motivate_body, motivate_token, sample, wait_until


def motive(name, **changes):
    event = harness.json.loads(sample("motive", name))
    event.update(changes)
    return dumps(event)


def made(action, **fields):
    return dumps(dict({"action": action}, **fields))


def lms(name, **changes):
    event = harness.json.loads(sample("lms", name))
    event.update(changes)
    return dumps(event)


NEW, SAME = "a new event", "a repeat"
BADGE = {"badge_id": 7, "badge_name": "Early bird"}
UUID = "5d3d5cf6-501f-4566-ad07-a80c05c743a7"

# Each line of a case: a body, and what it is after the lines before it. SAME may name the line that it repeats.
CASES = {
    "location, received and updated share an id": ("fleet", [
        (motive("vehicle_location_updated"), NEW), (motive("vehicle_location_received"), NEW),
        (motive("vehicle_location_updated"), SAME), (motive("vehicle_location_received", speed=1), (SAME, 1)),
        (motive("vehicle_location_received", id=UUID[:-1] + "8"), NEW)]),
    "vehicle snapshot: only the latest state counts": ("fleet", [
        (motive("vehicle_upserted"), NEW), (motive("vehicle_upserted"), SAME),
        (motive("vehicle_upserted", status="inactive"), NEW), (motive("vehicle_upserted"), NEW),
        (motive("vehicle_upserted"), (SAME, 3)), (motive("vehicle_upserted", id=124), NEW),
        (motive("vehicle_upserted"), (SAME, 3))]),
    "user snapshot": ("fleet", [
        (motive("user_upserted"), NEW), (motive("user_upserted"), SAME), (motive("user_upserted", role="admin"), NEW),
        (motive("user_upserted"), NEW)]),
    "fault: opened, closed, opened again": ("fleet", [
        (motive("fault_code_opened"), NEW), (motive("fault_code_closed"), NEW), (motive("fault_code_opened"), SAME),
        (motive("fault_code_opened", num_observations=9), SAME), (motive("fault_code_closed"), (SAME, 1)),
        (motive("fault_code_opened", last_observed_at="2017-02-05T12:45:33Z"), NEW)]),
    "inspection: several reports of one id": ("fleet", [
        (motive("inspection_report_upserted"), NEW), (motive("inspection_report_upserted"), SAME),
        (motive("inspection_report_upserted", trigger="updated"), NEW),
        (motive("inspection_report_upserted", trigger="updated", status="corrected"), NEW),
        (motive("inspection_report_upserted", trigger="deleted"), NEW), (motive("inspection_report_upserted"), SAME)]),
    "hours of service": ("fleet", [
        (motive("hos_violation_upserted"), NEW), (motive("hos_violation_upserted"), SAME),
        (motive("hos_violation_upserted", end_time="2017-01-04T19:00:00Z"), NEW)]),
    "geofence: entry and exit share an id": ("fleet", [
        (motive("vehicle_geofence_event", event_type="geofence_entry"), NEW), (motive("vehicle_geofence_event"), NEW),
        (motive("vehicle_geofence_event"), (SAME, 1)), (motive("vehicle_geofence_event", duration=1), (SAME, 1)),
        (motive("asset_geofence_event", id=45055326), NEW)]),
    "performance: created once, updated many times": ("fleet", [
        (motive("driver_performance_event_updated", action="driver_performance_event_created"), NEW),
        (motive("driver_performance_event_updated", action="driver_performance_event_created", lat=1), SAME),
        (motive("driver_performance_event_updated"), NEW), (motive("driver_performance_event_updated"), (SAME, 2)),
        (motive("driver_performance_event_updated", coaching_status="coached"), NEW)]),
    "speeding: created once, updated many times": ("fleet", [
        (motive("speeding_event_created"), NEW), (motive("speeding_event_created", status="valid"), SAME),
        (motive("speeding_event_created", action="speeding_event_updated"), NEW),
        (motive("speeding_event_created", action="speeding_event_updated"), (SAME, 2)),
        (motive("speeding_event_created", action="speeding_event_updated", status="valid"), NEW)]),
    "duty status: the id is the user's": ("fleet", [
        (made("user_duty_status_updated", id=5, updated_at="2026-01-01T00:00:00Z", duty_status="driving"), NEW),
        (made("user_duty_status_updated", id=5, updated_at="2026-01-01T00:00:00Z", duty_status="driving", x=1), SAME),
        (made("user_duty_status_updated", id=5, updated_at="2026-01-01T00:00:01Z", duty_status="driving"), NEW)]),
    "form entry": ("fleet", [
        (made("form_entry_upserted", id=5, trigger="created", vendor_dispatch_id="1744302113019687286"), NEW),
        (made("form_entry_upserted", id=5, trigger="created", vendor_dispatch_id="1744302113019687286"), SAME),
        (made("form_entry_upserted", id=5, trigger="created", vendor_dispatch_id="1744302113019687287"), NEW)]),
    "unknown action with an id": ("fleet", [
        (made("brand_new_event", id=5), NEW), (made("brand_new_event", id=5), SAME), (made("brand_new_event", id=5, x=1), NEW),
        (made("brand_new_event", id="5"), NEW)]),
    "ids beyond double precision": ("fleet", [
        (made("speeding_event_created", id=9007199254740993), NEW), (made("speeding_event_created", id=9007199254740992), NEW),
        (b'{"action":"speeding_event_created","id":12345678901234567890123}', NEW),
        (b'{"action":"speeding_event_created","id":12345678901234567890124}', NEW)]),
    "toggles that were answered are all real": ("fleet", [
        (motive("engine_toggle_event"), NEW), (motive("engine_toggle_event"), NEW),
        (motive("engine_toggle_event", trigger="off"), NEW), (motive("engine_toggle_event"), NEW)]),
    "completion: id and timestamp": ("campus", [
        (lms("course_completed"), NEW), (lms("course_completed"), SAME), (lms("course_completed-2019"), SAME),
        (lms("course_completed", timestamp="2020-10-17T20:50:53.103Z"), NEW),
        (lms("course_completed", id="32ed16df-27cb-5f72-90ff-4eaf39346f87"), NEW), (lms("quiz_attempt"), NEW),
        (lms("quiz_attempt", grade=1), (SAME, 5)), (lms("learning_path_completed"), NEW)]),
    "no id at all: the bytes": ("campus", [
        (dumps({"timestamp": "2026-01-01T00:00:00Z", "x": 1}), NEW), (dumps({"timestamp": "2026-01-01T00:00:00Z", "x": 1}), SAME),
        (dumps({"timestamp": "2026-01-01T00:00:00Z", "x": 2}), NEW)]),
    "message: new token and time, same message": ("learning", [
        (motivate_body("m-1", BADGE), NEW), (motivate_body("m-1", BADGE), SAME),
        (motivate_body("m-1", BADGE, timestamp=int(time.time()) - 60), SAME), (motivate_body("m-2", BADGE), NEW)]),
}


def post(daemon, source, body):
    with daemon.client() as client:
        if source in ("fleet", "truck"):
            return client.post("/in/" + source, body, harness.motive_headers(body))
        return client.post("/in/" + source, body)


def play(daemon, between=lambda daemon: None):
    """Every case; between() is called before each line but the first. Returns the ids of all events."""
    ids = []
    for line in range(max(len(lines) for _, lines in CASES.values())):
        if line:
            between(daemon)
        for name, (source, lines) in CASES.items():
            if line >= len(lines):
                continue
            body, wanted = lines[line]
            answer = post(daemon, source, body)
            seen = play.seen.setdefault(name, [])
            equal(answer.status, 200, "%s, line %d: status" % (name, line))
            if wanted == NEW:
                check(answer.event_id not in seen, "%s, line %d: a new event was taken for a repeat" % (name, line))
                ids.append(answer.event_id)
            else:
                repeated = seen[wanted[1] if isinstance(wanted, tuple) else 0]
                equal(answer.event_id, repeated, "%s, line %d: a repeat carries the original's id" % (name, line))
            seen.append(answer.event_id)
    return ids


def played(daemon, between=lambda daemon: None):
    play.seen = {}
    ids = play(daemon, between)
    check(len(ids) == len(set(ids)), "event ids repeat")
    rows = daemon.wait_rows(len(ids))
    equal(sorted(r["id"] for r in rows), sorted(ids), "ids in the CSV")


def test_matrix(t):
    played(t.daemon())


def test_matrix_with_a_restart_between_any_two(t):
    def restart(daemon):
        daemon.stop()
        daemon.start()

    played(t.daemon(), restart)


def test_matrix_with_a_kill_between_any_two(t):
    def kill(daemon):
        daemon.kill()
        daemon.start()

    played(t.daemon(), kill)


TWO = harness.ROUTES.replace("  campus:", "  truck:\n    plugin: motive\n    secret: {{file: {folder}/fleet.secret}}\n  campus:")


def test_sources_do_not_share_identities(t):
    """One event may legitimately come to two sources."""
    daemon = t.daemon(TWO)
    for body in (motive("speeding_event_created"), motive("vehicle_upserted")):
        one, two = post(daemon, "fleet", body), post(daemon, "truck", body)
        check(one.event_id != two.event_id, "the same event at two sources became one")
        equal(post(daemon, "truck", body).event_id, two.event_id, "repeat at the second source")
    daemon.wait_rows(4)


def test_same_event_on_many_connections_at_once(t):
    """The repeat of an event whose commit is still under way waits for that commit, and is answered with its id."""
    daemon = t.daemon()
    clients = [daemon.client() for _ in range(32)]
    for n in range(20):
        body = motive("speeding_event_created", id=n)
        for client in clients:
            client.send(client.request(body, headers=harness.motive_headers(body)))
        answers = [client.answer() for client in clients]
        equal({a.status for a in answers}, {200}, "status")
        equal(len({a.event_id for a in answers}), 1, "ids for one event on 32 connections")
    for client in clients:
        client.close()
    daemon.wait_rows(20)


def test_token_guard(t):
    daemon = t.daemon()
    token = motivate_token()
    first = post(daemon, "learning", motivate_body("m-1", BADGE, token=token))
    equal(first.status, 200, "first")

    def again(daemon, when):
        repeat = post(daemon, "learning", motivate_body("m-1", BADGE, token=token))
        equal((repeat.status, repeat.event_id), (200, first.event_id), "%s: same token, same message is a retry" % when)
        replay = post(daemon, "learning", motivate_body("m-2", BADGE, token=token))
        equal(replay.status, 403, "%s: same token, another message is a replay" % when)

    again(daemon, "at once")
    daemon.stop()
    again(daemon.start(), "after a restart")
    daemon.kill()
    again(daemon.start(), "after kill -9")
    equal(post(daemon, "learning", motivate_body("m-2", BADGE)).status, 200, "the message under a token of its own")
    equal(sorted(r["ref"] for r in daemon.wait_rows(2)), ["m-1", "m-2"], "rows")


def hang_up(daemon, body):
    """Posts, and hangs up while the disk still works: no answer can have been received."""
    command(daemon.control, "slow 700 /state/")
    client = daemon.client()
    client.send(client.request(body, headers=harness.motive_headers(body)))
    time.sleep(0.2)
    client.reset()
    command(daemon.control, "ok")
    time.sleep(1.0 * harness.SLOWER)  # the provider's next try is a minute away; here, until the commit is through


def toggles(t):
    env, control = harness.failio(t.folder)
    daemon = t.daemon(env=env)
    daemon.control = control
    return daemon


ON, OFF = motive("engine_toggle_event"), motive("engine_toggle_event", trigger="off")


def test_toggle_unanswered_then_repeated_is_one_event(t):
    daemon = toggles(t)
    hang_up(daemon, ON)
    equal(post(daemon, "fleet", ON).status, 200, "the retry")
    daemon.wait_rows(1)
    equal(post(daemon, "fleet", ON).status, 200, "the engine again")
    daemon.wait_rows(2)


def test_toggle_unanswered_and_restart(t):
    for how in ("stop", "kill"):
        daemon = toggles(t)
        hang_up(daemon, ON)
        getattr(daemon, how)()
        daemon.start()
        equal(post(daemon, "fleet", ON).status, 200, "the retry")
        rows = daemon.wait_rows(1)
        daemon.stop()
        equal(len(daemon.rows()), 1, "rows at the end, after " + how)
        check(rows[0]["type"] == "engine_toggle_event", "row")


def test_toggle_opposite_breaks_the_match(t):
    """on (nobody heard our answer), off, on: the last one is a real one."""
    daemon = toggles(t)
    hang_up(daemon, ON)
    equal(post(daemon, "fleet", OFF).status, 200, "off")
    equal(post(daemon, "fleet", ON).status, 200, "on again")
    daemon.wait_rows(3)


def test_toggle_refused_was_never_an_event(t):
    daemon = toggles(t)
    command(daemon.control, "fail /state/")
    equal(post(daemon, "fleet", ON).status, 503, "while the disk fails")
    command(daemon.control, "ok")
    wait_until(lambda: post(daemon, "fleet", harness.fault(1)).status == 200, "recovery")
    equal(post(daemon, "fleet", ON).status, 200, "the retry")
    equal(sorted(r["type"] for r in daemon.wait_rows(2)), ["engine_toggle_event", "fault_code_opened"], "rows")


harness.main()
