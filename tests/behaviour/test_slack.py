"""Messages in Slack: what each of Slack's answers does to event and sink, that nothing an event says gets out of its
message, that no event is lost and every message names its events, and that the rate is kept."""

import json
import os
import random

import peer_slack as slack
from harness import FLEET, check, equal, fault, main, own_address, wait_until

TOKEN = "xoxb-17-very-secret-token"
HOOK = "/services/T0SECRET/B0SECRET/hook-very-secret"

HEAD = FLEET + "sinks:\n"

WEBHOOK = """\
  safety:
    plugin: slack
    webhook_url: {{file: {folder}/hook.secret}}
    allow_private: true
    retry: {{initial: {initial}ms, max: 200ms}}
    rate: {rate}
    {more}
routes:
  - to: safety
"""


def daemon(t, peer, rate="off", more="", initial=50, start=True):
    d = t.daemon(HEAD + WEBHOOK, start=False, rate=rate, more=more, initial=initial)
    write_secret(d, "hook.secret", peer.url(HOOK))
    return d.start() if start else d


def write_secret(d, name, text):
    with open(os.path.join(d.folder, name), "w") as f:
        f.write(text + "\n")
    os.chmod(os.path.join(d.folder, name), 0o600)


def post(d, first, n, **more):
    """Posts events of these numbers; gives their ids."""
    ids = []
    with d.client() as client:
        for i in range(first, first + n):
            answer = client.fleet(fault(i, **more))
            equal(answer.status, 200, "answer to event %d" % i)
            ids.append(answer.event_id)
    return ids


def deliveries(d, event_id):
    return {x["sink"]: x for x in d.show(event_id)["deliveries"]}


def delivered(d, event_id, sink="safety"):
    return deliveries(d, event_id)[sink]["state"] == "done"


def test_one_message(t):
    peer = slack.Peer()
    d = daemon(t, peer)
    [event] = post(d, 1, 1)
    [got] = peer.wait(1)
    equal(got.text, "fleet: *fault_code_opened*, vehicle 1\n_event %s_" % event, "default text")
    equal(got.path, HOOK, "path")
    check("authorization" not in got.headers, "a webhook needs no Authorization")
    check(got.headers["user-agent"].startswith("patchbay/"), got.headers["user-agent"])
    wait_until(lambda: delivered(d, event), "done")


def test_chat_post_message(t):
    peer = slack.Peer(lambda got: slack.Answer(200, '{{"ok":true,"channel":"C1","ts":"1.{}"}}'.format(len(peer.got))))
    routes = HEAD + """\
  safety:
    plugin: slack
    token: {{file: {folder}/token.secret}}
    channel: '#safety'
    api_url: {api}
    allow_private: true
routes:
  - to: safety
"""
    d = t.daemon(routes, start=False, api=peer.url("/api"))
    write_secret(d, "token.secret", TOKEN)
    d.start()
    [event] = post(d, 1, 1)
    [got] = peer.wait(1)
    equal(got.path, "/api/chat.postMessage", "path")
    equal(got.headers["authorization"], "Bearer " + TOKEN, "Authorization")
    equal(got.json["channel"], "#safety", "channel")
    wait_until(lambda: delivered(d, event), "done")


MESSAGE, CONFIG, DESTINATION, LATER, UNKNOWN = "bad_event", "config", "destination", "later", "unknown"
WEBHOOK_ANSWERS = {
    MESSAGE: [(400, w) for w in ("invalid_payload", "no_text", "missing_text_or_fallback_or_attachments", "invalid_blocks",
                                 "invalid_blocks_format", "too_many_attachments")],
    CONFIG: [(400, "user_not_found")],
    DESTINATION: [(403, "action_prohibited"), (403, "posting_to_general_channel_denied"), (403, "invalid_token"),
                  (403, "team_disabled"), (404, "channel_not_found"), (404, "no_service"), (404, "no_service_id"),
                  (404, "no_team"), (404, "no_active_hooks"), (410, "channel_is_archived")],
    LATER: [(500, "rollup_error"), (502, "bad_gateway"), (429, "rate_limited"), (503, "")],
    UNKNOWN: [(400, "something_new")],
}
API_ANSWERS = {
    MESSAGE: ["msg_too_long", "msg_blocks_too_long", "no_text", "invalid_blocks", "invalid_blocks_format",
              "too_many_attachments", "metadata_too_large", "invalid_arg_name", "invalid_array_arg", "invalid_charset",
              "invalid_form_data", "invalid_post_type", "missing_post_type", "invalid_json", "json_not_object"],
    CONFIG: ["user_not_found"],
    DESTINATION: ["channel_not_found", "not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel",
                  "ekm_access_denied", "not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive",
                  "missing_scope", "team_access_not_granted", "access_denied", "enterprise_is_restricted",
                  "deprecated_endpoint"],
    LATER: ["org_login_required", "rate_limited", "ratelimited", "internal_error", "fatal_error", "service_unavailable",
            "request_timeout"],
    UNKNOWN: ["something_new"],
}


def answer_by_path(got):
    """/services/STATUS/WORD, /api/WORD/chat.postMessage"""
    parts = got.path.split("/")
    if parts[1] == "api":
        return slack.failed(parts[2])
    status, word = int(parts[2]), parts[3]
    return slack.Answer(status, word, {"Retry-After": "3600"} if status == 429 else {}, shown=False)


def errors(t, cases, options):
    """One event for one sink for each answer. cases: {sink: (meaning, word)}."""
    text = HEAD
    for name in cases:
        text += "  %s:\n    plugin: slack\n    allow_private: true\n    retry: [1h]\n%s" % (name, options[name])
    text += "routes:\n  - to: [%s]\n" % ", ".join(cases)
    d = t.daemon(text, start=False)
    write_secret(d, "token.secret", TOKEN)
    d.start()
    [event] = post(d, 1, 1)

    def says(name, word, sentence):
        return any("sink %s: %s" % (name, sentence) in line and "Slack answered" in line and word in line
                   for line in d.logged().splitlines())

    def missing():
        """The first sink where it is not as it must be."""
        by_sink = deliveries(d, event)
        for name, (meaning, word) in cases.items():
            one = by_sink.get(name, {})
            state, told = one.get("state"), word in json.dumps(one)
            good = {MESSAGE: state == "dead" and told,
                    CONFIG: state == "dead" and told,
                    UNKNOWN: state not in ("dead", "done", None) and told,
                    DESTINATION: state not in ("dead", "done", None) and says(name, word, "nothing can be delivered until"),
                    LATER: state not in ("dead", "done", None) and says(name, word, "nothing can be delivered now")}
            if not good[meaning]:
                return "%s (%s, %s): %r" % (name, word, meaning, one)
        return ""

    wait_until(lambda: not missing(), missing, 20)
    for name, (meaning, word) in cases.items():
        if meaning not in (DESTINATION, LATER):
            check("sink %s: nothing can be" % name not in d.logged(), "%s (%s): the sink goes on" % (name, word))


def test_every_answer_of_a_webhook(t):
    peer = slack.Peer(answer_by_path)
    cases, options = {}, {}
    for meaning, answers in WEBHOOK_ANSWERS.items():
        for status, word in answers:
            name = "w%d" % len(cases)
            cases[name] = meaning, word
            options[name] = "    webhook_url: %s\n" % peer.url("/services/%d/%s" % (status, word))
    errors(t, cases, options)
    check(len(peer.all()) >= len(cases), "every sink has posted")


def test_every_answer_of_the_api(t):
    peer = slack.Peer(answer_by_path)
    cases, options = {}, {}
    for meaning, words in API_ANSWERS.items():
        for word in words:
            name = "a%d" % len(cases)
            cases[name] = meaning, word
            options[name] = "    token: {{file: {folder}/token.secret}}\n    channel: C1\n    api_url: %s\n" % \
                peer.url("/api/" + word)
    errors(t, cases, options)


def test_a_bad_message_harms_no_other(t):
    peer = slack.Peer(lambda got: slack.Answer(400, "invalid_payload") if "T666" in got.text else slack.OK)
    d = daemon(t, peer, more="text: 'vehicle \\(.data.vehicle.number)'")
    first = post(d, 1, 3)
    bad = post(d, 4, 1, vehicle={"id": 6, "number": "T666"})
    last = post(d, 5, 3)
    equal(set(peer.wait_shown(first + last).values()), {1}, "each once")
    wait_until(lambda: deliveries(d, bad[0])["safety"]["state"] == "dead", "dead")


def test_retry_after_is_waited_for(t):
    peer = slack.Peer(lambda got: slack.slow_down(2) if len(peer.got) == 1 else slack.OK)
    d = daemon(t, peer)
    events = post(d, 1, 1)
    peer.wait_shown(events)
    first, second = peer.all()
    check(second.at - first.at >= 1.99, "came again after %.2f s, asked for 2" % (second.at - first.at))


def test_stalls_and_resets(t):
    script = [slack.STALL, slack.RESET, slack.HALF, slack.Answer(200, "ok" * 100000), slack.SHOWN[slack.HALF], slack.OK]
    peer = slack.Peer(lambda got: script[len(peer.got) - 1])
    d = daemon(t, peer, more="timeout: 300ms")
    [event] = post(d, 1, 1)
    got = peer.wait(len(script), 30)
    for one in got:
        equal(one.ids, [event], "each try names the same event")
    equal(peer.shown_ids(), {event: 2}, "shown twice, since nobody can know")
    wait_until(lambda: delivered(d, event), "done")
    check("may have been posted" in d.cli("show", event) + d.logged(), "it is said that it may come twice")


def test_nothing_gets_out_of_its_message(t):
    peer = slack.Peer()
    blocks = """digest: 0
    text: 'in \\(.data.where)'
    blocks: >-
      [{{"type": "section", "text": {{"type": "mrkdwn", "text": "*Where:* \\(.data.where)"}},
        "fields": [{{"type": "plain_text", "text": "\\(.data.code)"}}]}}]"""
    d = daemon(t, peer, more=blocks.replace("{{", "{").replace("}}", "}"))
    evil = ["<!channel>", "<https://evil|click>", "<@U017>", "&lt;!here&gt;", "a & b", "\"}}]", "\\", "\\\"", "\n\t\r",
            "\x01\x1f\x7f", "\u2028", "{\"type\":\"divider\"}", "\U0001f697" * 3, "`*_~"]
    with d.client() as client:
        for i, where in enumerate(evil):
            equal(client.fleet(fault(i + 1, where=where)).status, 200, "answer")
    got = peer.wait(len(evil))
    equal(sorted(g.text for g in got), sorted("in " + escape(where) for where in evil), "texts")
    equal(sorted(g.json["blocks"][0]["text"]["text"] for g in got), sorted("*Where:* " + escape(w) for w in evil), "blocks")
    for one in got:
        equal([b["type"] for b in one.json["blocks"]], ["section", "context"], "the blocks")
        equal(one.json["blocks"][1]["elements"][0]["text"], "event " + one.ids[0], "the event's name")


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_long_texts(t):
    peer = slack.Peer()
    d = daemon(t, peer, more="digest: 0\n    text: '\\(.data.where)'")
    ids = []
    with d.client() as client:
        for i, unit in enumerate(["x", "\U0001f697", "\u00e4", "&", "<\u20ac"]):
            for shift in range(4):
                ids.append(client.fleet(fault(i * 10 + shift + 1, where="-" * shift + unit * 20000)).event_id)
    peer.wait_shown(ids)
    for one in peer.all():
        text = one.text.encode()
        check(3980 <= len(text) <= 4000, "%d bytes" % len(text))
        check(one.text.endswith("\u2026\n_event %s_" % one.ids[0]), one.text[-80:])
        check("\ufffd" not in one.text, "cut inside a character: %r" % one.text[-60:])
        plain = one.text.replace("&amp;", "").replace("&lt;", "")
        check("&" not in plain, "cut inside an entity: %r" % one.text[-60:])


def test_digest(t):
    peer = slack.Peer(lambda got: slack.slow_down(1) if len(peer.got) == 1 else slack.OK)
    d = daemon(t, peer, more="digest: 5")
    ids = post(d, 1, 250)
    equal(set(peer.wait_shown(ids).values()), {1}, "each once")
    digests = [g for g in peer.shown() if "events* in one message" in g.text]
    check(len(peer.shown()) < 60 and len(digests) >= 3, "%d messages, %d digests" % (len(peer.shown()), len(digests)))
    for one in digests:
        check("*%d events* in one message" % len(one.ids) in one.text, one.text[:100])
        check("%d \u00d7 fault_code_opened, " % len(one.ids) in one.text and "(UTC)\n" in one.text, one.text[:200])
        check(len(one.text.encode()) <= 4000, "length of a digest")


def test_rate(t):
    """One message a second is one message a second, also for a daemon that is killed and begins anew."""
    peer = slack.Peer()
    d = daemon(t, peer, rate="1/s", more="digest: 0")
    ids = post(d, 1, 4)
    peer.wait(2)
    d.kill()
    d.start()
    count = peer.wait_shown(ids, 20)
    check_rate(peer, 1, 1)
    check(sum(count.values()) <= len(ids) + 1, "sent again, beside what was under way at the kill: %r" % count)


def check_rate(peer, count, seconds):
    """Never more than count requests within that time. A request is on its way for a while, the first of a connection
    for longer: a tenth of a second is forgiven."""
    at = sorted(g.at for g in peer.all())
    for i in range(len(at) - count):
        took = at[i + count] - at[i]
        check(took >= seconds - 0.1, "%d requests within %.3f s" % (count + 1, took))


def test_tls(t):
    address = own_address()
    good = slack.certificate(t.folder, "good", "IP:" + address[0])
    other = slack.certificate(t.folder, "other", "DNS:elsewhere.example.com")
    peer = slack.Peer(tls=good, address=address)
    stranger = slack.Peer(tls=other)
    d = daemon(t, peer, more="ca_file: " + good[0])
    ids = post(d, 1, 3)
    peer.wait_shown(ids)
    for why, p, ca in (("self-signed certificate", peer, None), ("it is for another name", stranger, other[0])):
        d = daemon(t, p, more="ca_file: " + ca if ca else "")
        post(d, 1, 1)
        wait_until(lambda: "certificate of %s:%d is not accepted" % p.address in d.logged() and why in d.logged(), d.logged)
        check("until this is mended" in d.logged(), d.tail())
    equal(len(peer.all()), 3, "nothing was sent without a good certificate")
    equal(len(stranger.all()), 0, "nothing was sent to a stranger")


def test_private_addresses(t):
    """A webhook is no way into one's own network."""
    d = t.daemon(HEAD + "  safety:\n    plugin: slack\n    webhook_url: https://localhost:1/very-secret\nroutes:\n  - to: safety\n")
    post(d, 1, 1)
    wait_until(lambda: "localhost:1 is at a private address" in d.logged(), d.logged)
    d = t.daemon(HEAD + "  safety:\n    plugin: slack\n    webhook_url: http://hooks.slack.com/very-secret\n"
                 "routes:\n  - to: safety\n", start=False)
    d.cli("check", code=1)
    check("in the clear" in d.cli_errors and "very-secret" not in d.cli_errors, d.cli_errors)


SECRETS = """\
  safety:
    plugin: slack
    webhook_url: {{file: {folder}/hook.secret}}
    allow_private: true
    retry: {{initial: 10ms, max: 50ms}}
    rate: off
  api:
    plugin: slack
    token: {{file: {folder}/token.secret}}
    channel: C1
    api_url: {api}
    allow_private: true
    retry: {{initial: 10ms, max: 50ms}}
    rate: off
routes:
  - to: [safety, api]
"""


def test_secrets_stay_secret(t):
    """Whatever goes wrong: neither log nor command line nor any file of the journal has the URL or the token."""
    words = iter([slack.Answer(403, "invalid_token"), slack.RESET, slack.Answer(404, "no_service"), slack.HALF,
                  slack.Answer(302, "", {"Location": "/elsewhere"}), slack.Answer(500, HOOK + TOKEN)])
    peer = slack.Peer(lambda got: next(words, slack.OK))
    d = t.daemon(HEAD + SECRETS, start=False, api=peer.url("/api"))
    write_secret(d, "hook.secret", peer.url(HOOK))
    write_secret(d, "token.secret", TOKEN)
    d.start()
    ids = post(d, 1, 2)
    peer.wait(8, 20)
    outputs = [d.cli("show", ids[0]), d.cli("show", ids[0], "--json"), d.cli("events", "--json"),
               d.cli("plugins", "slack"), d.cli("check", code=None), d.cli_errors]
    d.kill()
    for folder, _, names in os.walk(d.folder):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not name.endswith(".secret"):
                with open(path, "rb") as f:
                    outputs.append(f.read().decode("latin-1"))
    for output in outputs:
        for secret in (TOKEN, "hook-very-secret", "Bearer"):
            at = output.find(secret)
            check(at < 0, "a secret: ...%r..." % output[max(0, at - 200):at + 20])


def test_soak(t):
    """Slack on a bad day, and a daemon that is killed: every event is shown, and what is shown twice is what nobody
    could know. PATCHBAY_SOAK=10000 for a long one."""
    n = int(os.environ.get("PATCHBAY_SOAK", "500"))
    chance = random.Random(random.random())

    def bad_day(got):
        x = chance.random()
        if x < 0.5:
            return slack.slow_down(0)
        if x < 0.6:
            return slack.Answer(chance.choice([500, 502, 503]), "rollup_error")
        if x < 0.62:
            return chance.choice([slack.STALL, slack.RESET, slack.HALF])
        if x < 0.64:
            return slack.SHOWN[chance.choice([slack.STALL, slack.RESET, slack.HALF])]
        return slack.OK

    peer = slack.Peer(bad_day)
    d = daemon(t, peer, rate="50/s", initial=5, more="timeout: 300ms\n    digest: 3\n    batch: {events: 8}")
    ids, kills = [], 0
    for part in range(4):
        ids += post(d, len(ids) + 1, n // 4)
        if part < 3:
            peer.wait(len(peer.all()) + 10, 30)
            d.kill()
            kills += 1
            d.start()
    count = peer.wait_shown(ids, 30 + n / 15)
    equal(set(count), set(ids), "what is shown is what was posted")
    for event in random.sample(ids, 5):
        wait_until(lambda: delivered(d, event), "done")
    check_rate(peer, 50, 1)
    again, seen = 0, set()
    for one in peer.all():
        if one.heard:
            again += seen.issuperset(one.ids)
            seen.update(one.ids)
    check(again <= 2 * kills, "%d messages were sent again although their answer had come; %d kills" % (again, kills))
    print("  %d events in %d messages, %d requests; %d events shown again" % (
        len(ids), len(peer.shown()), len(peer.all()), sum(c > 1 for c in count.values())))


if __name__ == "__main__":
    main()
