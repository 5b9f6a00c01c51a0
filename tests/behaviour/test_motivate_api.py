"""The REST half of Motivate Cloud: events that call it, events that it is polled for, and details that it is asked for,
against a stand-in that follows its manual."""

import glob
import os

from harness import check, dumps, equal, main, motivate_body, own_address, wait_until
from peer_motivate import CLIENT, MotivateCloud, PASSWORD, SECRET_KEY, USER

CLIENT_OPTIONS = """
    api_url: {api}
    client_id: %s
    username: %s
    secret_key: {{file: {folder}/secret.key}}
    allow_private: true""" % (CLIENT, USER)

AWARDS = """\
listen: {listen}
journal: {journal}
sources:
  campus:
    plugin: lms
    allow_from: [127.0.0.0/8]
sinks:
  awards:
    plugin: motivate""" + CLIENT_OPTIONS + """{more}
    path: '/users/\\(.data.user)/awards'
    body: '{{course: .data.title, completed: .time}}'
    retry: {{initial: 100ms, factor: 1}}
routes:
  - to: awards
"""

POLLED = """\
listen: {listen}
journal: {journal}
sources:
  learning:
    plugin: motivate
    webhook_key: {{file: {folder}/learning.key}}""" + CLIENT_OPTIONS + """
    poll:
      - {{path: /users, every: 10s, page_size: 5, subject: login_id, time: changed}}
      - {{path: /badges, type: badge, every: 1h, id: badge_id}}
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, type, kind, subject, time, n: .data.id // .data.badge_id, name: .data.name]
routes:
  - to: audit
"""

ENRICHED = """\
listen: {listen}
journal: {journal}
sources:
  learning:
    plugin: motivate
    webhook_key: {{file: {folder}/learning.key}}""" + CLIENT_OPTIONS + """
    enrich: {{path: '/ftplogs/\\(.data.event_data.ftp_log_id)/errors', within: 2s}}
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, kind, job: .data.event_data.ftp_log_id, first: '.details[0].error', why: .details_error]
  wrong:
    plugin: csv-export
    path: {export}/wrong.csv
    columns: [id, rows: '.details | length']
routes:
  - to: audit
  - to: wrong
    when: .details != null
"""


def daemon(t, cloud, routes, key=SECRET_KEY, more="", password=None, start=True):
    d = t.daemon(routes, start=False, api=cloud.url, more=more)
    for name, text in (("secret.key", key), ("password.key", password)):
        if text:
            with open(os.path.join(d.folder, name), "w") as f:
                f.write(text + "\n")
            os.chmod(os.path.join(d.folder, name), 0o600)
    return d.start() if start else d


def completion(number, user="bob"):
    return dumps({"id": "completion-%d" % number, "timestamp": "2026-01-05T12:45:33Z", "source": "course_completed",
                  "event": "courseCompletion", "user": user, "title": "Course \"%d\"" % number})


def complete(d, number, user="bob"):
    with d.client() as c:
        answer = c.post("/in/campus", completion(number, user))
    equal(answer.status, 200, "answer to a completion")
    return answer.event_id


def delivery(d, event_id, sink="awards"):
    for each in d.show(event_id)["deliveries"]:
        if each["sink"] == sink:
            return each
    return {}


def ended(d, event_id, state, seconds=15):
    return wait_until(lambda: delivery(d, event_id).get("state") == state and delivery(d, event_id),
                      lambda: "%s wanted, there is %r; the log:\n%s" % (state, d.show(event_id), d.tail()), seconds)


def no_secret_is_anywhere(d, cloud):
    """Neither in the log, nor in what the daemon keeps, nor in what commands print."""
    texts = {"log": d.logged().encode(), "events": d.cli("events", "--json").encode()}
    for path in glob.glob(os.path.join(d.journal, "**"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                texts[path] = f.read()
    with cloud.lock:
        secrets = [SECRET_KEY, PASSWORD] + [r.headers["authorization"][7:] for r in cloud.requests
                                            if "authorization" in r.headers]
    for name, text in texts.items():
        for secret in set(secrets):
            check(secret.encode() not in text, "%s holds the secret %s" % (name, secret))


def test_a_completion_awards_something(t):
    with MotivateCloud(own_address()) as cloud:
        d = daemon(t, cloud, AWARDS)
        ids = [complete(d, n, "b o/b?%d" % n) for n in range(5)]
        wait_until(lambda: len([r for r in cloud.requests if r.path.startswith("/users/")]) == 5,
                   lambda: "5 awards wanted; the log:\n" + d.tail())
        equal(len(cloud.logins()), 1, "logins")
        equal(cloud.logins()[0].headers["content-type"], "application/json", "how the login is sent")
        awards = [r for r in cloud.requests if r.path.startswith("/users/")]
        for n, r in enumerate(awards):
            equal(r.path, "/users/b%%20o%%2Fb%%3F%d/awards" % n, "path")
            equal(r.json(), {"course": 'Course "%d"' % n, "completed": "2026-01-05T12:45:33Z"}, "body")
            equal(r.headers["idempotency-key"], ids[n], "key of idempotency")
            equal(r.query, {}, "query")
        ended(d, ids[-1], "done")
        no_secret_is_anywhere(d, cloud)


def test_the_password_is_part_of_the_login_where_it_is_required(t):
    with MotivateCloud(own_address(), with_password=True) as cloud:
        d = daemon(t, cloud, AWARDS, password=PASSWORD,
                   more="\n    login: form\n    password: {file: password.key}")
        ended(d, complete(d, 1), "done")
        equal(cloud.logins()[0].headers["content-type"], "application/x-www-form-urlencoded", "how the login is sent")
        no_secret_is_anywhere(d, cloud)


def test_an_expired_token_is_renewed_and_nothing_is_sent_twice(t):
    with MotivateCloud(own_address()) as cloud:
        d = daemon(t, cloud, AWARDS)
        ended(d, complete(d, 1), "done")
        cloud.expire_tokens()
        ended(d, complete(d, 2), "done")
        equal(len(cloud.logins()), 2, "logins")
        equal(len(cloud.created), 2, "awards")


def test_a_request_whose_answer_never_came_keeps_its_key(t):
    with MotivateCloud(own_address()) as cloud:
        reached, go = cloud.hold("/users/bob/awards", 1)
        d = daemon(t, cloud, AWARDS, more="\n    timeout: 1s")
        event = complete(d, 1)
        check(reached.wait(30), "the request never came:\n" + d.tail())
        wait_until(lambda: len(cloud.asked("/users/bob/awards")) >= 2,
                   lambda: "a second try wanted; the log:\n" + d.tail(), 20)
        go.set()
        ended(d, event, "done")
        equal({r.headers["idempotency-key"] for r in cloud.asked("/users/bob/awards")}, {event}, "keys of idempotency")
        equal(len(cloud.created), 1, "awards")


def test_what_the_api_refuses_is_a_dead_letter_with_its_words(t):
    with MotivateCloud(own_address()) as cloud:
        d = daemon(t, cloud, AWARDS)
        cloud.next_answers["/users/bob/awards"] = [
            (400, {}, {"Message": "Bob has\r\nleft " + SECRET_KEY[:2]}),
            (429, {"Retry-After": "1"}, {"Message": "slowly"}),
            (503, {}, b"<html>down</html>"),
        ]
        dead = ended(d, complete(d, 1), "dead")
        check("Motivate Cloud answered 400: Bob has  left sk" in dead["why"], "why it died: %r" % dead)
        equal(dead["class"], "event", "class of the dead letter")
        ended(d, complete(d, 2), "done", 20)
        equal(len(cloud.created), 1, "awards")


def test_a_wrong_secret_stops_the_sink_and_is_mended(t):
    with MotivateCloud(own_address()) as cloud:
        d = daemon(t, cloud, AWARDS, key="wrong-secret-key")
        event = complete(d, 1)
        wait_until(lambda: "the login failed: Motivate Cloud answered 400: The login is wrong" in d.logged(),
                   lambda: "a refused login in the log:\n" + d.tail())
        check("wrong-secret-key" not in d.logged(), "the log holds the key")
        equal(len(cloud.created), 0, "awards")
        d.stop()
        with open(os.path.join(d.folder, "secret.key"), "w") as f:
            f.write(SECRET_KEY)
        d.start()
        ended(d, event, "done")


def items(n):
    return [{"id": i, "login_id": "user%d" % i, "name": "N, \"%d\"" % i, "changed": "2026-01-05T12:00:%02dZ" % (i % 60)}
            for i in range(n)]


def test_every_polled_item_is_an_event_once(t):
    with MotivateCloud(own_address()) as cloud:
        cloud.lists["/users"] = items(23)
        cloud.lists["/badges"] = [{"badge_id": "b%d" % i, "name": "B"} for i in range(150)]
        reached, go = cloud.hold("/users", 4)
        d = daemon(t, cloud, POLLED)
        check(reached.wait(30), "the 4th request for /users never came:\n" + d.tail())
        d.kill()
        del cloud.held["/users"]
        go.set()
        cloud.expire_tokens()
        before = len(cloud.asked("/users"))
        d.start()
        rows = d.wait_rows(173)
        equal(sorted(int(r["n"]) for r in rows if r["type"] == "users"), list(range(23)), "users")
        equal(len({r["n"] for r in rows if r["type"] == "badge"}), 150, "badges")
        user = next(r for r in rows if r["n"] == "7")
        equal((user["kind"], user["subject"], user["time"], user["name"]),
              ("polled", "user7", "2026-01-05T12:00:07Z", 'N, "7"'), "a polled event")
        first = cloud.asked("/users")[before]
        equal(first.query.get("page_num"), "4", "where the run goes on after the crash")
        equal(cloud.asked("/users")[0].query, {"page_size": "5", "pageSize": "5"}, "query of the first page")
        # the next run: one is new, one has changed, and the token ends in the middle
        cloud.lists["/users"].append(items(24)[23])
        cloud.lists["/users"][11] = dict(cloud.lists["/users"][11], name="other")
        seen = len(cloud.asked("/users"))
        wait_until(lambda: len(cloud.asked("/users")) >= seen + 2, "the second run", 30)
        cloud.expire_tokens()
        rows = d.wait_rows(175, seconds=30)
        equal(sorted((r["n"], r["name"]) for r in rows[173:]), [("11", "other"), ("23", 'N, "23"')], "what is new")
        wait_until(lambda: len(cloud.asked("/users")) >= seen + 6, "the second run's end", 20)
        equal(len(d.rows()), 175, "rows")
        no_secret_is_anywhere(d, cloud)


def test_pages_by_meta_and_csv_and_an_outage(t):
    with MotivateCloud(own_address()) as cloud:
        cloud.paging = "meta"
        cloud.lists["/users"] = items(12)
        cloud.lists["/badges"] = [{"badge_id": "b%d" % i, "name": 'a "b", c'} for i in range(130)]
        cloud.csv.add("/badges")
        cloud.paging = "link"  # a CSV has no meta
        cloud.next_answers["/users"] = [(500, {}, {"Message": "oops"})]
        cloud.next_answers["/badges"] = [(401, {}, {"Message": "once"})]
        d = daemon(t, cloud, POLLED)
        rows = d.wait_rows(142)
        equal({r["name"] for r in rows if r["type"] == "badge"}, {'a "b", c'}, "names from CSV")
        equal(len({r["n"] for r in rows}), 142, "items")


def ftp_job(number, errors):
    return motivate_body("job-%d" % number, {"ftp_log_id": number, "file_type": "U", "status": "Success",
                                             "row_count": 10, "error_count": errors})


def post_job(d, number, errors):
    with d.client() as c:
        equal(c.post("/in/learning", ftp_job(number, errors)).status, 200, "answer to a job")


def test_details_join_the_event_before_it_is_routed(t):
    with MotivateCloud(own_address()) as cloud:
        cloud.things["/ftplogs/1/errors"] = [{"row": 3, "error": "no such manager"}, {"row": 5, "error": "no e-mail"}]
        cloud.lists["/ftplogs/2/errors"] = [{"row": n, "error": "e%d" % n} for n in range(120)]
        cloud.next_answers["/ftplogs/2/errors"] = [(503, {}, {"Message": "busy"})]
        d = daemon(t, cloud, ENRICHED)
        post_job(d, 1, 2)
        post_job(d, 2, 120)
        post_job(d, 3, 0)
        rows = {r["job"]: r for r in d.wait_rows(3)}
        equal([(rows[n]["first"], rows[n]["why"]) for n in "123"], [("no such manager", ""), ("e0", ""), ("", "")], "details")
        equal(sorted(r["rows"] for r in d.wait_rows(2, "wrong*.csv")), ["120", "2"], "rows with errors")
        equal(cloud.asked("/ftplogs/3/errors"), [], "questions about a job without errors")
        no_secret_is_anywhere(d, cloud)


def test_without_the_api_the_event_goes_on_and_says_so(t):
    with MotivateCloud(own_address()) as cloud:
        cloud.next_answers["/ftplogs/1/errors"] = [(503, {}, {"Message": "busy"})] * 100
        d = daemon(t, cloud, ENRICHED)
        post_job(d, 1, 2)
        post_job(d, 2, 0)
        rows = {r["job"]: r for r in d.wait_rows(2)}
        check("no details within 2 s: Motivate Cloud answered 503: busy" in rows["1"]["why"], "why: %r" % rows["1"])
        check(len(cloud.asked("/ftplogs/1/errors")) >= 2, "it was asked again")
        equal(d.rows("wrong*.csv"), [], "what has details")


main()
