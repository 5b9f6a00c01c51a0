"""Who is let in: the documented signature vectors, everything near them that must be refused, key rotation,
address lists."""

import time

import harness
from harness import check, dumps, equal, fault, motivate_body, motivate_sign, motivate_token

SWAPPED = "7395d181ea84dc0dd2b2b62a00fc2c8a1f54d010"  # what the documentation's own command line prints

MOTIVE_VECTORS = [
    (b'["fault_code_closed"]', "f04a8386a21a6cba0447024e83b3f0983352bb72"),
    (b"[vehicle_location_updated]", "b2f6972b75df821d2e152939a016ce1f67f04e0b"),
    (b'["vehicle_location_updated"]', "2b7ff37fedef4a86725f11b5b76dbfca68bf4d57"),
    (b"", "7f6869b12e52894302cc949ee742fd02ae3449b9"),
    (b"{}", "f353b38d924efff21162e425af08293d7ff0bc04"),
]


def test_motive_vectors(t):
    daemon = t.daemon()
    with daemon.client() as client:
        for body, signature in MOTIVE_VECTORS:
            for text in (signature, signature.upper()):
                equal(client.post("/in/fleet", body, {"x-kt-webhook-signature": text}).status, 200, "%r" % body)


def test_motive_refuses(t):
    daemon = t.daemon()
    body, good = MOTIVE_VECTORS[0]
    wrong = {
        "the documentation's swapped vector": {"X-KT-Webhook-Signature": SWAPPED},
        "none": {},
        "empty": {"X-KT-Webhook-Signature": ""},
        "too short": {"X-KT-Webhook-Signature": good[:39]},
        "too long": {"X-KT-Webhook-Signature": good + "0"},
        "another digit": {"X-KT-Webhook-Signature": good[:-1] + "3"},
        "no hex": {"X-KT-Webhook-Signature": "g" * 40},
        "with its algorithm": {"X-KT-Webhook-Signature": "sha1=" + good},
        "the secret itself": {"X-KT-Webhook-Signature": harness.FLEET_SECRET},
        "keyed with the decoded secret": {"X-KT-Webhook-Signature": "033db203" + good[8:]},
        "another header": {"X-Motive-Signature": good},
    }
    with daemon.client() as client:
        for what, headers in wrong.items():
            equal(client.post("/in/fleet", body, headers).status, 403, "signature: " + what)
        signed = fault(1)
        equal(client.post("/in/fleet", signed + b"\n", harness.motive_headers(signed)).status, 403, "one byte more")
        equal(client.post("/in/fleet", signed, harness.motive_headers(signed, "another secret")).status, 403, "another key")
        equal(client.fleet(signed).status, 200, "well signed, afterwards")
    daemon.wait_rows(1)
    check(harness.FLEET_SECRET not in daemon.logged(), "the log shows the secret")


MOTIVATE_VECTOR = dict(timestamp=1700000000, token="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX")
MOTIVATE_SIGNATURE = "254EAF930AD2464F092DB6492AF119A7E3989E11385BFC1874421D8B48FAEBEC"


ANY_TIME = harness.ROUTES.replace("    plugin: motivate\n", "    plugin: motivate\n    timestamp_tolerance: 0\n")


def test_motivate_vector(t):
    equal(motivate_sign(**MOTIVATE_VECTOR), MOTIVATE_SIGNATURE, "the test's own signature")
    daemon = t.daemon(ANY_TIME)
    with daemon.client() as client:
        message = motivate_body("m-1", {"badge_id": 1}, **MOTIVATE_VECTOR)
        equal(client.post("/in/learning", message).status, 200, "documented vector")
    with t.daemon(ANY_TIME).client() as client:
        lower = message.replace(MOTIVATE_SIGNATURE.encode(), MOTIVATE_SIGNATURE.lower().encode())
        equal(client.post("/in/learning", lower).status, 200, "lower case")


def test_motivate_refuses(t):
    daemon = t.daemon()
    now, token = int(time.time()), motivate_token()
    good = motivate_sign(now, token)

    def body(signature, timestamp=now):
        return dumps({"timestamp": timestamp, "token": token, "signature": signature, "event_type": "x",
                      "message_id": "m", "event_data": {"badge_id": 1}})

    wrong = {
        "another key": body(motivate_sign(now, token, "another key")),
        "another timestamp": body(good, now + 1),
        "empty": body(""), "null": body(None), "a number": body(12), "too short": body(good[:-1]), "too long": body(good + "0"),
        "no hex": body("G" * 64), "of the token alone": body(motivate_sign("", token)),
        "missing": dumps({"timestamp": now, "token": token, "event_data": {}}),
        "no token": dumps({"timestamp": now, "signature": motivate_sign(now, ""), "message_id": "m", "event_data": {}}),
        "no timestamp": dumps({"token": token, "signature": motivate_sign("", token), "message_id": "m", "event_data": {}}),
        "not JSON": b"hello", "an array": b"[1]", "nothing": b"",
    }
    with daemon.client() as client:
        for what, message in wrong.items():
            equal(client.post("/in/learning", message).status, 403, "signature: " + what)
        equal(client.post("/in/learning", body(good)).status, 200, "well signed, afterwards")
    daemon.wait_rows(1)


def test_motivate_timestamp(t):
    """The last of seven tries comes 2 h 3 min after the first: that must pass. What is much older passes too, unless
    a tolerance is set."""
    now = int(time.time())
    for routes, status in ((harness.ROUTES, 200), (ANY_TIME.replace("tolerance: 0", "tolerance: 3h"), 403)):
        daemon = t.daemon(routes)
        with daemon.client() as client:
            for seconds, wanted in ((0, 200), (-123 * 60, 200), (60, 200), (-86400, status), (86400, status)):
                body = motivate_body("m%d" % seconds, {"badge_id": 1}, timestamp=now + seconds)
                equal(client.post("/in/learning", body).status, wanted, "timestamp %d s from now" % seconds)
        daemon.wait_rows(5 if status == 200 else 3)


def test_motivate_signs_the_numbers_own_text(t):
    """1700000000.0 and 1.7e9 are the same number, but not the same text."""
    daemon = t.daemon(ANY_TIME)
    with daemon.client() as client:
        for text in ("1700000000.0", "1.7e9", "17000000000000000001"):
            token = motivate_token()
            message = (b'{"timestamp":%s,"token":"%s","signature":"%s","event_type":"x","message_id":"m%s","event_data":{}}'
                       % (text.encode(), token.encode(), motivate_sign("1700000000", token).encode(), text.encode()))
            equal(client.post("/in/learning", message).status, 403, "%s signed as 1700000000" % text)


ROTATION = """\
listen: {listen}
journal: {journal}
sources:
  fleet:
    plugin: motive
    secret: [{{file: {folder}/new.secret}}, {{file: {folder}/fleet.secret}}]
  learning:
    plugin: motivate
    webhook_key: [{{env: NEW_KEY}}, {{file: {folder}/learning.key}}]
sinks:
  audit: {{plugin: csv-export, path: "{export}/audit.csv", columns: [id, source]}}
routes:
  - to: audit
"""


def test_rotation_both_keys_count(t):
    daemon = t.daemon(ROTATION, start=False, env={"NEW_KEY": "a new key"})
    with open(daemon.folder + "/new.secret", "w") as f:
        f.write("a new secret\n")
    daemon.start()
    with daemon.client() as client:
        for n, secret in enumerate(("a new secret", harness.FLEET_SECRET)):
            equal(client.post("/in/fleet", fault(n), harness.motive_headers(fault(n), secret)).status, 200, secret)
        equal(client.post("/in/fleet", fault(9), harness.motive_headers(fault(9), "an old secret")).status, 403, "a third secret")
        for key in ("a new key", harness.LEARNING_KEY):
            equal(client.post("/in/learning", motivate_body(key, {"badge_id": 1}, key=key)).status, 200, key)
        equal(client.post("/in/learning", motivate_body("m", {}, key="an old key")).status, 403, "a third key")
    daemon.wait_rows(4)


ADDRESSES = """\
listen: {listen}
journal: {journal}
trusted_proxies: {proxies}
sources:
  campus:
    plugin: lms
    allow_from: {allowed}
sinks:
  audit: {{plugin: csv-export, path: "{export}/audit.csv", columns: [id]}}
routes:
  - to: audit
"""


def test_addresses(t):
    """Tests connect from 127.0.0.1."""
    forwarded = lambda *hops: {"X-Forwarded-For": ", ".join(hops)}
    table = [
        # allow_from, trusted_proxies, headers, answer
        ("[54.243.7.71, 3.83.213.76]", "[]", {}, 403),
        ("[127.0.0.1]", "[]", {}, 200),
        ("[127.0.0.0/8]", "[]", {}, 200),
        ("[128.0.0.0/8, '2001:db8::/32']", "[]", {}, 403),
        ("[54.243.7.71]", "[]", forwarded("54.243.7.71"), 403),  # nobody trusts this sender
        ("[54.243.7.71]", "[127.0.0.1]", forwarded("54.243.7.71"), 200),
        ("[54.243.7.71]", "[127.0.0.1]", forwarded("54.243.7.71", "6.6.6.6"), 403),  # the proxy's word is the last one
        ("[54.243.7.71]", "[127.0.0.1, 10.0.0.0/8]", forwarded("6.6.6.6", "54.243.7.71", "10.1.2.3"), 200),
        ("[127.0.0.1]", "[127.0.0.1]", forwarded("6.6.6.6"), 403),
        ("['2001:db8::/32']", "[127.0.0.1]", forwarded("2001:db8::7"), 200),
        ("['2001:db8::/32']", "[127.0.0.1]", forwarded("2001:db9::7"), 403),
        ("[54.243.7.71]", "[127.0.0.1]", forwarded("garbage"), 403),
    ]
    for n, (allowed, proxies, headers, status) in enumerate(table):
        daemon = t.daemon(ADDRESSES, allowed=allowed, proxies=proxies)
        with daemon.client() as client:
            answer = client.post("/in/campus", dumps({"id": "e%d" % n, "timestamp": "2026-01-01T00:00:00Z"}), headers)
        equal(answer.status, status, "allow_from %s, trusted_proxies %s, %r" % (allowed, proxies, headers))
        daemon.stop()


SECRET_PATH = harness.ROUTES.replace("    plugin: lms\n", "    plugin: lms\n    path_secret: [3f9a0c11d2, 77aa00bb11]\n")


def test_secret_in_the_path(t):
    """For providers that sign nothing: the URL itself is the secret, and may be one of two while it changes."""
    daemon = t.daemon(SECRET_PATH)
    body = dumps({"id": "e", "timestamp": "2026-01-01T00:00:00Z", "source": "course_completed"})
    with daemon.client() as client:
        for path in ("/in/campus", "/in/campus/", "/in/campus/wrong", "/in/campus/3f9a0c11d", "/in/campus/3f9a0c11d2/x", "/in/campus/3F9A0C11D2"):
            answer = client.post(path, body)
            check(answer.status in (403, 404), "%s: %r" % (path, answer))
        first = client.post("/in/campus/3f9a0c11d2", body)
        second = client.post("/in/campus/77aa00bb11", body)
        equal((first.status, second.status), (200, 200), "with one of the secrets")
        equal(first.event_id, second.event_id, "one source, one event")
    daemon.wait_rows(1)
    everything = daemon.logged() + daemon.cli("events") + daemon.cli("events", "--quarantine", "--json")
    check("3f9a0c11d2" not in everything and "77aa00bb11" not in everything, "the secret is shown")


def test_refused_is_kept_for_the_operator(t):
    """After a wrong secret nothing is lost: what was refused stands in the quarantine, and has no effect."""
    daemon = t.daemon()
    with daemon.client() as client:
        equal(client.post("/in/fleet", fault(1), harness.motive_headers(fault(1), "wrong")).status, 403, "status")
        client.post("/in/learning", motivate_body("m", {}, key="wrong"))
        client.fleet(fault(2))
    equal([r["ref"] for r in daemon.wait_rows(1)], ["2"], "rows")
    kept = daemon.lines("events", "--quarantine")
    equal(sorted((e["source"], e["status"]) for e in kept), [("fleet", "refused"), ("learning", "refused")], "quarantine")
    for event in kept:
        check(event["why"], "no reason in the quarantine: %r" % event)
        shown = daemon.cli("show", event["id"], "--json")
        check(harness.FLEET_SECRET not in shown and harness.LEARNING_KEY not in shown, "a secret is shown:\n" + shown)


harness.main()
