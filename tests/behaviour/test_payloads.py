"""Every payload that the providers document: posted over a socket, answered, journaled, a row in the CSV."""

import re

import harness
from harness import check, dumps, equal, fault, motivate_body, sample, samples

# Action, and the time that the event carries, None where only the receipt is known.
MOTIVE = {
    "asset_geofence_event": ["2021-10-12T13:43:19Z", "2021-10-12T13:39:55Z"],
    "driver_performance_event_updated": ["2023-04-12T01:28:12Z", "2023-04-12T01:28:11Z"],
    "engine_toggle_event": None,
    "fault_code_closed": None,
    "fault_code_opened": ["2017-01-05T12:45:33Z", "2017-01-01T12:45:33Z"],
    "hos_violation_upserted": ["2017-01-04T18:00:00Z", "2017-01-04T17:23:00Z"],
    "inspection_report_upserted": "any",
    "speeding_event_created": ["2023-04-17T13:47:27Z", "2023-04-17T13:46:04Z"],
    "user_upserted": None,
    "vehicle_geofence_event": ["2021-10-12T19:30:45Z", "2021-10-12T02:53:15Z"],
    "vehicle_location_received": ["2017-01-01T12:00:00Z"],
    "vehicle_location_updated": ["2017-01-01T12:00:00Z"],
    "vehicle_upserted": None,
}
LMS = {  # type and time; a quiz names no type but its topic's
    "course_completed": ("course_completed", "2019-10-17T20:50:53.103Z"),
    "course_completed-2019": ("course_completed", "2019-10-17T20:50:53.103Z"),
    "learning_path_completed": ("learning_path_completed", "2025-11-13T16:26:44.600Z"),
    "quiz_attempt": ("quiz", "2025-12-12T20:01:44.187Z"),
}
MOTIVATE = {
    "badge_earned": {"badge_id": 7, "badge_name": "Early bird", "description": "Before six"},
    "course_completed": {"course_id": 12, "course_name": "Safety", "score_is_known": True, "score": 87.50,
                         "completion_date": "2026-03-01", "compliant_until": None},
    "course_pack_completed": {"course_pack_id": 3, "course_pack_name": "Basics", "earned_certificate": True},
    "level_reached": {"level_id": 2, "level_name": "Explorer"},
    "reward_redeemed": {"reward_id": 5, "title": "Mug", "price": 150, "quantity": 2},
    "ftp_job": {"ftp_log_id": 991, "file_type": "U", "received_date_utc": "2026-03-01T01:02:03Z", "status": "Success",
                "message": None, "orig_file_name": "u.csv", "processed_file_name": "u-1.csv", "row_count": 10},
}


def accepted(t, daemon, answer, body, source, plugin, type_, kind):
    """What must hold for every accepted event: answer and journaled envelope. Returns the envelope."""
    equal(answer.status, 200, "%s: status" % type_)
    check(len(answer.body) <= 100, "%s: the answer's body is not tiny: %r" % (type_, answer.body))
    check(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", answer.event_id or ""),
          "%s: Patchbay-Event-Id is no UUIDv7: %r" % (type_, answer.event_id))
    shown = daemon.show(answer.event_id)
    for field, wanted in (("id", answer.event_id), ("source", source), ("plugin", plugin), ("type", type_), ("kind", kind)):
        equal(shown.get(field), wanted, "%s: journaled %s" % (type_, field))
    equal(shown["raw"], body.decode(), "%s: journaled bytes" % type_)
    equal(shown["data"], harness.json.loads(body), "%s: journaled data" % type_)
    check(shown["verified"], "%s: how it was verified is not said" % type_)
    return shown


def timed(shown, times, what):
    if times == "any":
        return
    if times is None:
        equal(shown["time_source"], "received", "%s: time_source" % what)
        equal(shown["time"], shown["received"], "%s: time" % what)
    else:
        equal(shown["time_source"], "provider", "%s: time_source" % what)
        moment = shown["time"].replace(".000Z", "Z")
        check(moment in times, "%s: time is %r, wanted one of %r" % (what, moment, times))


def test_motive(t):
    daemon = t.daemon()
    check(set(MOTIVE) <= set(samples("motive")), "documented samples are missing: %r" % (set(MOTIVE) - set(samples("motive"))))
    ids = {}
    with daemon.client() as client:
        for action, times in MOTIVE.items():
            body = sample("motive", action)
            answer = client.fleet(body)
            shown = accepted(t, daemon, answer, body, "fleet", "motive", action, action)
            timed(shown, times, action)
            check(shown["subject"], "%s: no subject" % action)
            ids[answer.event_id] = action
    rows = daemon.wait_rows(len(MOTIVE))
    equal({r["id"]: r["type"] for r in rows}, ids, "rows")
    equal({r["source"] for r in rows}, {"fleet"}, "source in the rows")
    # Nobody can tell a toggle from its repeat, and the row says so.
    equal({r["type"] for r in rows if r["dedupe"] != "strong"}, {"engine_toggle_event"}, "types whose dedupe is not strong")


def test_motive_unknown_action_is_carried_under_its_own_name(t):
    daemon = t.daemon()
    body = dumps({"action": "something_new_upserted", "id": "x-1", "vehicle": {"id": 7}})
    with daemon.client() as client:
        accepted(t, daemon, client.fleet(body), body, "fleet", "motive", "something_new_upserted", "something_new_upserted")
    equal(daemon.wait_rows(1)[0]["type"], "something_new_upserted", "type in the CSV")


def test_motive_array_is_one_event_each(t):
    daemon = t.daemon()
    events = [{"action": "fault_code_opened", "id": n, "last_observed_at": "2026-01-01T00:00:00Z"} for n in (1, 2, 3)]
    with daemon.client() as client:
        equal(client.fleet(dumps(events)).status, 200, "status")
        equal(client.fleet(dumps(events)).status, 200, "status of the repeat")
        client.fleet(dumps(events[:2] + [dict(events[2], id=4)]))
        client.fleet(fault(99))
    rows = daemon.wait_rows(5)
    equal(sorted(r["ref"] for r in rows), ["1", "2", "3", "4", "99"], "ids in the CSV")


def test_motive_test_calls_are_answered_and_not_routed(t):
    daemon = t.daemon()
    bodies = [b"[vehicle_location_updated]", b'["vehicle_location_updated"]', b'["fault_code_closed"]', b" [ fault_code_opened ]\n"]
    with daemon.client() as client:
        for body in bodies:
            equal(client.fleet(body).status, 200, "status for %r" % body)
        refused = client.post("/in/fleet", bodies[0], {"X-KT-Webhook-Signature": "0" * 40})
        equal(refused.status, 403, "status for a wrongly signed test call")
        for body in (b"", b"{}"):
            equal(client.fleet(body).status, 200, "status for %r" % body)
        client.fleet(fault(1))
    equal([r["ref"] for r in daemon.wait_rows(1)], ["1"], "rows")


def test_lms(t):
    daemon = t.daemon()
    ids = {}
    with daemon.client() as client:
        for name, (type_, time_) in LMS.items():
            body = sample("lms", name)
            if name == "course_completed-2019":  # has the id and time of course_completed: make it another event
                body = body.replace(b"32ed16df", b"32ed16e0")
            kind = name.split("-")[0]
            answer = client.post("/in/campus", body)
            shown = accepted(t, daemon, answer, body, "campus", "lms", type_, kind)
            timed(shown, [time_], name)
            ids[answer.event_id] = kind
    rows = daemon.wait_rows(len(LMS))
    equal({r["id"]: r["kind"] for r in rows}, ids, "rows")


def test_lms_other_paths_and_unknown(t):
    daemon = t.daemon()
    other = sample("lms", "learning_path_completed").replace(b'"learning_path_completed"', b'"milestone_completed"')
    unknown = dumps({"id": "u-1", "timestamp": "2026-01-01T00:00:00Z", "source": "course_started", "type": "status_change"})
    with daemon.client() as client:
        accepted(t, daemon, client.post("/in/campus", other), other, "campus", "lms", "milestone_completed", "learning_path_other")
        accepted(t, daemon, client.post("/in/campus", unknown), unknown, "campus", "lms", "course_started", "unknown")
    daemon.wait_rows(2)


def test_motivate(t):
    daemon = t.daemon()
    wanted = {}
    with daemon.client() as client:
        for kind, data in MOTIVATE.items():
            body = motivate_body("m-" + kind, data, event_type="Their" + kind)
            answer = client.post("/in/learning", body)
            shown = accepted(t, daemon, answer, body, "learning", "motivate", "Their" + kind, kind)
            timed(shown, ["2026-03-01T10:20:30Z"], kind)
            wanted[answer.event_id] = "m-" + kind
        for name, data in (("none", {"x": 1}), ("two", {"badge_id": 1, "level_id": 2}), ("null", {"badge_id": None})):
            body = motivate_body("m-" + name, data, event_type="odd")
            answer = client.post("/in/learning", body)
            accepted(t, daemon, answer, body, "learning", "motivate", "odd", "unknown")
            wanted[answer.event_id] = "m-" + name
        test = client.post("/in/learning", motivate_body("m-test", MOTIVATE["badge_earned"], is_test_message=True))
        equal(test.status, 200, "status of a test message")
    rows = daemon.wait_rows(len(wanted))
    equal({r["id"]: r["ref"] for r in rows}, wanted, "rows")


EXACT = """\
listen: {listen}
journal: {journal}
sources:
  fleet: {{plugin: motive, secret: {{file: {folder}/fleet.secret}}}}
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns:
      - id
      - big: .data.big
      - speed: .data.speed
      - lon: .data.lon
      - intensity: .data.intensity
      - phone: .data.phone
      - formula: .data.formula
      - number: .data.number
      - text: .data.text
      - missing: .data.missing // .data.nothing
      - flag: .data.flag
routes:
  - from: fleet
    type: [vehicle_*]
    when: .data.wanted != false
    to: audit
"""


def test_csv_is_exact(t):
    """Numbers as the provider wrote them, RFC 4180 quoting, and no cell that a spreadsheet would run."""
    daemon = t.daemon(EXACT)
    data = (b'{"action":"vehicle_location_received","id":"a","big":1744302113019687286,"speed":15.715800000000002,'
            b'"lon":-121.9286528,"intensity":"-7.1 mph/s","phone":"+1 650 555 5555","formula":"=1+1",'
            b'"number":"-12.50","text":"a \\"quoted\\", and\\r\\nbroken \\u00e9","flag":false}')
    with daemon.client() as client:
        for body in (data, b'{"action":"vehicle_upserted","id":"b","wanted":false}', b'{"action":"user_upserted","id":"c"}',
                     b'{"action":"vehicle_upserted","id":"d","big":1e400}'):
            equal(client.fleet(body).status, 200, "status")
    rows = daemon.wait_rows(2)
    del rows[0]["id"]
    equal(rows[0], {
        "big": "1744302113019687286", "speed": "15.715800000000002", "lon": "-121.9286528",
        "intensity": "'-7.1 mph/s", "phone": "'+1 650 555 5555", "formula": "'=1+1", "number": "-12.50",
        "text": 'a "quoted", and\r\nbroken \u00e9', "missing": "", "flag": "false",
    }, "row")
    equal(rows[1]["big"], "1e400", "a number beyond double")


def test_events_says_what_came_in_and_where_it_went(t):
    daemon = t.daemon(EXACT)
    with daemon.client() as client:
        routed = client.fleet(b'{"action":"vehicle_upserted","id":"a"}').event_id
        unrouted = client.fleet(b'{"action":"user_upserted","id":"b"}').event_id
        client.post("/in/fleet", b"{}", {"X-KT-Webhook-Signature": "0" * 40})
    daemon.wait_rows(1)
    listed = {e["id"]: e for e in daemon.lines("events")}
    check(routed in listed and unrouted in listed, "events --json lists %r" % sorted(listed))
    equal(listed[routed]["type"], "vehicle_upserted", "type in the list")

    def state(event_id):
        return {d["sink"]: d["state"] for d in daemon.show(event_id)["deliveries"]}

    harness.wait_until(lambda: state(routed) == {"audit": "done"}, lambda: "delivery is %r" % state(routed))
    check("done" not in state(unrouted).values(), "an unrouted event shows as delivered: %r" % state(unrouted))
    for event_id in (routed, unrouted):
        text = daemon.cli("show", event_id)
        check(event_id in text, "show does not name the event:\n" + text)


harness.main()
