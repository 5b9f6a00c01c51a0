"""Standard Webhooks and CloudEvents, both ways: what the sink http sends is checked by a receiver of our own, and taken by
a second Patchbay, once each, whatever becomes of the answers; what the source standard-webhooks takes is signed by
openssl."""

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse

import harness
import peer_slack
from harness import FLEET, check, dumps, equal, fault, sample, wait_until
from peer_slack import RESET, Answer

NEW = "whsec_" + base64.b64encode(b"the new secret, of 32 bytes 4ever").decode()
OLD = "whsec_" + base64.b64encode(b"an old secret, of 32 bytes as well").decode()
TOKEN = "Bearer token-very-secret"

SINK = """\
  {name}:
    plugin: http
    url: {{{{file: {{folder}}/{name}.url}}}}
    secret: [{{{{file: {{folder}}/new.secret}}}}, {{{{file: {{folder}}/old.secret}}}}]
    mode: {mode}
    headers:
      - {{{{name: Authorization, value: {{{{file: {{folder}}/token}}}}}}}}
    allow_private: true
    retry: {{{{initial: 20ms, max: 100ms}}}}
"""


def write(daemon, name, text):
    path = os.path.join(daemon.folder, name)
    with open(path, "w") as f:
        f.write(text + "\n")
    os.chmod(path, 0o600)


def sender(t, **sinks):
    """A Patchbay that takes Motive's events and posts them. sinks: (url, mode) by name."""
    text = FLEET + "sinks:\n" + "".join(SINK.format(name=n, mode=mode) for n, (_, mode) in sinks.items())
    daemon = t.daemon(text + "routes:\n  - to: [%s]\n" % ", ".join(sinks), start=False)
    for name, (url, _) in sinks.items():
        write(daemon, name + ".url", url)
    write(daemon, "new.secret", NEW)
    write(daemon, "old.secret", OLD)
    write(daemon, "token", TOKEN)
    return daemon.start()


RECEIVER = """\
listen: {{listen}}
journal: {{journal}}
sources:
  sister:
    plugin: standard-webhooks
    {key}
sinks:
  audit:
    plugin: csv-export
    path: {{export}}/audit.csv
    columns: [id, time, time_source, type, subject, dedupe, ref: .data.id, inner: .data.data.id]
routes:
  - to: audit
"""


def receiver(t, key, start=True):
    return t.daemon(RECEIVER.format(key=key), start=start)


# ---- The specification a second time


def signature(secret, msg_id, timestamp, body):
    key = base64.b64decode(secret[len("whsec_"):])
    content = msg_id.encode() + b"." + str(timestamp).encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def signed(body, msg_id="msg_1", secret=OLD, timestamp=None, extra=""):
    timestamp = int(time.time()) if timestamp is None else timestamp
    return {"Webhook-Id": msg_id, "Webhook-Timestamp": timestamp,
            "Webhook-Signature": extra + signature(secret, msg_id, timestamp, body)}


def assert_genuine(got):
    """By each of the sender's secrets, so a receiver may know either."""
    msg_id, timestamp = got.headers["webhook-id"], got.headers["webhook-timestamp"]
    check(abs(int(timestamp) - time.time()) < 60, "webhook-timestamp: %s" % timestamp)
    equal(got.headers["webhook-signature"].split(" "),
          [signature(secret, msg_id, timestamp, got.body) for secret in (NEW, OLD)], "signatures")


def structured_event(got):
    equal(got.headers["content-type"], "application/cloudevents+json; charset=UTF-8", "content type")
    event = json.loads(got.body)
    check(not [name for name in got.headers if name.startswith("ce-")], "headers of binary mode: %r" % got.headers)
    data = re.fullmatch(rb'.*?"datacontenttype":"application/json","data":(.*)}', got.body, re.S).group(1)
    return dict(event, data=data)


def binary_event(got):
    event = {name[3:]: urllib.parse.unquote(value, errors="strict") for name, value in got.headers.items()
             if name.startswith("ce-")}
    check("datacontenttype" not in event, "ce-datacontenttype must not be there")
    return dict(event, datacontenttype=got.headers["content-type"], data=got.body)


class Got:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body


class Receiver(peer_slack.Peer):
    """Keeps what was posted; script(got) says what to answer."""

    def __init__(self, script=lambda got: Answer(204, ""), **more):
        super().__init__(script, **more)

    def answer(self, sock, method, path, headers, body):
        equal(method, "POST", "method")
        got = Got(path, headers, body)
        with self.lock:
            self.got.append(got)
        answer = self.script(got)
        if isinstance(answer, Answer):
            sock.sendall(answer.bytes())
            return True
        equal(answer, RESET, "what to do")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        return False


def state(daemon, event_id, sink):
    return {d["sink"]: d for d in daemon.show(event_id)["deliveries"]}.get(sink, {}).get("state")


def wait_done(daemon, ids, sink):
    wait_until(lambda: all(state(daemon, i, sink) == "done" for i in ids), lambda: "done by %s\n%s" % (sink, daemon.tail()))


# ---- The sink


def test_both_modes_are_cloudevents_and_signed(t):
    peer = Receiver()
    d = sender(t, whole=(peer.url("/whole"), "structured"), bare=(peer.url("/bare"), "binary"))
    bodies = {}
    with d.client() as client:
        for name in harness.samples("motive"):
            body = sample("motive", name)
            answer = client.fleet(body)
            equal(answer.status, 200, name)
            if name != "ping":  # a test call goes nowhere
                bodies[answer.event_id] = body
        odd = fault(9007199254740993, code="\u00e4\u20ac \U0001f697 \"%\"", vehicle={"id": "7 \u00e4%\"\U0001f697", "number": "T1"})
        bodies[client.fleet(odd).event_id] = odd
    got = peer.wait(2 * len(bodies), 30)
    equal(len(got), 2 * len(bodies), "requests")
    seen = {"/whole": {}, "/bare": {}}
    for g in got:
        assert_genuine(g)
        equal(g.headers["authorization"], TOKEN, "configured header")
        event = structured_event(g) if g.path == "/whole" else binary_event(g)
        equal(g.headers["webhook-id"], event["id"], "webhook-id")
        seen[g.path][event["id"]] = event
    equal(seen["/whole"], seen["/bare"], "both modes say the same")
    equal({i: e["data"] for i, e in seen["/whole"].items()}, bodies, "the provider's JSON, byte for byte")
    for i, event in seen["/whole"].items():
        shown = d.show(i)
        equal({n: event[n] for n in ("specversion", "source", "datacontenttype")},
              {"specversion": "1.0", "source": "patchbay:/fleet", "datacontenttype": "application/json"}, "attributes")
        equal((event["type"], event["kind"], event["dedupe"]), (shown["type"], shown["kind"], shown["dedupe"]), "attributes")
        equal(event["time"], shown["time"], "time")
        equal(event.get("subject", ""), shown["subject"] or "", "subject")
        check("test" not in event, "no test call: %r" % event)
    wait_done(d, bodies, "whole")
    wait_done(d, bodies, "bare")


def test_what_answers_do(t):
    busy = threading.Event()

    def script(got):
        if got.path == "/busy" and not busy.is_set():
            busy.set()
            return Answer(503, "", {"Retry-After": "1"})
        word = got.path.strip("/")
        return Answer(int(word) if word.isdigit() else 200, "<html>hunter2</html>", {"Location": "https://example.com/"})

    peer = Receiver(script)
    names = {"busy": "done", "a413": "dead", "a422": "dead", "a410": "owed", "a401": "owed", "a302": "owed"}
    d = sender(t, **{n: (peer.url("/" + n.lstrip("a") if n != "busy" else "/busy"), "structured") for n in names})
    with d.client() as client:
        event = client.fleet(fault(1)).event_id
    for name, wanted in names.items():
        if wanted == "owed":
            wait_until(lambda: "sink %s" % name in d.logged() and "the receiver answered %s: " % name[1:] in d.logged(),
                       lambda: "%s is broken, and the log says so\n%s" % (name, d.tail()))
            check(state(d, event, name) not in ("done", "dead"), "%s: %r" % (name, state(d, event, name)))
        else:
            wait_until(lambda: state(d, event, name) == wanted, lambda: "%s %s\n%s" % (name, wanted, d.tail()))
    check("hunter2" not in d.logged(), "an answer's body is in the log")
    equal({line["sink"]: (line["class"], line["why"]) for line in d.lines("dead")},
          {"a%d" % n: ("event", "the receiver answered %d: it does not take this event" % n) for n in (413, 422)},
          "dead letters")


def test_nothing_secret_is_told(t):
    address = harness.own_address()  # where nobody listens
    d = sender(t, gone=("http://%s:%d/hook-very-secret?key=very-secret" % address, "structured"))
    peer = Receiver(lambda got: Answer(500, "token-very-secret " + NEW))
    failing = sender(t, fails=(peer.url("/hook-very-secret"), "binary"))
    for daemon, sign in ((d, "%s:%d" % address), (failing, "answered 500")):
        with daemon.client() as client:
            event = client.fleet(fault(1)).event_id
        wait_until(lambda: sign in daemon.logged(), lambda: "the log says %s\n%s" % (sign, daemon.tail()))
        told = daemon.logged() + daemon.cli("show", event) + daemon.cli("explain", event) + daemon.cli("check")
        for secret in ("very-secret", NEW[6:], OLD[6:]):
            check(secret not in told, "%r is told" % secret)
            for folder, _, files in os.walk(daemon.journal):
                for name in files:
                    try:
                        with open(os.path.join(folder, name), "rb") as f:
                            check(secret.encode() not in f.read(), "%r is in %s" % (secret, name))
                    except OSError:
                        pass  # a socket


# ---- From one Patchbay to another


def test_each_event_arrives_once_when_answers_are_lost(t):
    b = receiver(t, "secret: {{file: {folder}/old.secret}}", start=False)
    write(b, "old.secret", OLD)  # the sender has a new one already
    b.start()
    losses = {}

    def forward(got):
        """Hands it on, and lets the first answer for each event get lost: to A a failure, to B a success."""
        keep = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")
        with b.client() as client:
            answer = client.post("/in/sister", got.body, {n: got.headers[n] for n in keep})
        equal(answer.status, 200, "B's answer")
        n = losses[got.headers["webhook-id"]] = losses.get(got.headers["webhook-id"], 0) + 1
        return RESET if n == 1 else Answer(answer.status, "")

    peer = Receiver(forward)
    a = sender(t, sister=(peer.url("/lossy"), "structured"))
    with a.client() as client:
        ids = [client.fleet(fault(n)).event_id for n in range(12)]
    wait_done(a, ids, "sister")
    equal(losses, {i: 2 for i in ids}, "tries")
    rows = b.wait_rows(len(ids))
    equal(sorted(row["ref"] for row in rows), sorted(ids), "each once, by A's id")
    equal(sorted(int(row["inner"]) for row in rows), list(range(12)), "what Motive said")
    for row in rows:
        equal((row["type"], row["subject"], row["time"], row["time_source"], row["dedupe"]),
              ("fault_code_opened", "vehicle 1", "2026-01-05T12:45:33Z", "provider", "strong"), "row")
    event = b.show(rows[0]["id"])
    check("HMAC-SHA256" in event["verified"] and "old.secret" in event["verified"], event["verified"])
    a.cli("replay", ids[0], "--force")  # a replay is the same event still
    wait_until(lambda: losses[ids[0]] == 3, "the replay arrives")
    b.stop()
    equal(len(b.rows()), len(ids), "rows after the replay")


def test_a_sister_that_is_down_loses_nothing(t):
    b = receiver(t, "secret: {{file: {folder}/old.secret}}", start=False)
    write(b, "old.secret", OLD)
    a = sender(t, sister=("http://%s:%d/in/sister" % b.address, "structured"))
    with a.client() as client:
        ids = [client.fleet(fault(n)).event_id for n in range(30)]
    wait_until(lambda: "cannot be connected to" in a.logged(), lambda: "it is down\n" + a.tail())
    b.start()
    equal(sorted(row["ref"] for row in b.wait_rows(len(ids))), sorted(ids), "rows")
    wait_done(a, ids, "sister")


# ---- The source


def key_pair(folder, name):
    """By openssl: the private key's file, and the public key as a provider shows it."""
    private = os.path.join(folder, name + ".pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
    der = subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    return private, "whpk_" + base64.b64encode(der[-32:]).decode()


def signature_v1a(private, msg_id, timestamp, body):
    content = private + ".content"
    with open(content, "wb") as f:
        f.write(msg_id.encode() + b"." + str(timestamp).encode() + b"." + body)
    made = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", private, "-in", content], check=True,
                          capture_output=True).stdout
    return "v1a," + base64.b64encode(made).decode()


def test_ed25519_by_openssl(t):
    (private, public), (_, other) = key_pair(t.folder, "provider"), key_pair(t.folder, "other")
    d = receiver(t, "public_key: [%s, %s]" % (other, public))
    now = int(time.time())
    for n, body in enumerate((sample("standard-webhooks", "contact_created"), dumps({"type": "a", "data": "x" * 100000}))):
        headers = {"webhook-id": "msg_%d" % n, "webhook-timestamp": now,
                   "webhook-signature": "v1,AAAA " + signature_v1a(private, "msg_%d" % n, now, body)}
        with d.client() as client:
            first = client.post("/in/sister", body, headers)
            equal(first.status, 200, "signed by openssl")
            equal(client.post("/in/sister", body, headers).event_id, first.event_id, "the same again")
            equal(client.post("/in/sister", body + b" ", headers).status, 403, "changed")
            equal(client.post("/in/sister", body, dict(headers, **{"webhook-timestamp": now - 1})).status, 403, "moved")
        check("ed25519, public key 2 of 2" in d.show(first.event_id)["verified"], d.show(first.event_id)["verified"])
    rows = d.wait_rows(2)
    equal([row["type"] for row in rows], ["contact.created", "a"], "rows")
    equal(rows[0]["time"], "2026-03-02T08:15:30.250Z", "time")
    d.cli("send", "sister", "contact_created", code=1)
    check("add a 'secret'" in d.cli_errors, d.cli_errors)


def test_only_what_is_genuine_and_near_has_an_effect(t):
    d = receiver(t, "secret: [{{file: {folder}/new.secret}}, {{file: {folder}/old.secret}}]", start=False)
    write(d, "new.secret", NEW)
    write(d, "old.secret", OLD)
    d.start()
    body, now = sample("standard-webhooks", "invoice_paid"), int(time.time())
    stranger = "whsec_" + base64.b64encode(b"a stranger's secret").decode()
    wrong = [
        {},
        signed(body, secret=stranger),
        signed(body, timestamp=now - 3600),
        signed(body, timestamp=now + 3600),
        signed(body, msg_id="msg.1"),
        signed(body + b" "),
        {k: v for k, v in signed(body).items() if k != "Webhook-Id"},
        dict(signed(body), **{"webhook-id": "msg_1"}),  # a second one
        dict(signed(body), **{"Webhook-Signature": signature(OLD, "msg_1", now, body)[3:]}),
    ]
    with d.client() as client:
        for headers in wrong:
            equal(client.post("/in/sister", body, headers).status, 403, "%r" % headers)
        equal(client.post("/in/sister", body, signed(body, extra="v1,AAAA v2,x ")).status, 200, "genuine")
        equal(client.post("/in/sister", body, signed(body, secret=NEW, timestamp=now - 60)).status, 200, "again")
        equal(client.post("/in/sister", dumps({"type": "other"}), signed(dumps({"type": "other"}))).status, 200,
              "another body under the same id")
        equal(client.post("/in/sister", b"[]", signed(b"[]", "msg_2")).status, 200, "not understood")
    [row] = d.wait_rows(1)
    equal((row["type"], row["subject"]), ("invoice.paid", "inv_20260302_0017"), "row")


def test_a_wrong_secret_is_mended(t):
    """Refused requests keep their headers; they are as near to their time of arrival as they were."""
    d = receiver(t, "secret: {{file: {folder}/old.secret}}", start=False)
    write(d, "old.secret", NEW)
    d.start()
    body = sample("standard-webhooks", "cloudevent")
    with d.client() as client:
        equal(client.post("/in/sister", body, signed(body)).status, 403, "with the wrong secret")
    write(d, "old.secret", OLD)
    text = d.cli("reverify", "sister")
    check("1 admitted" in text, text)
    [row] = d.wait_rows(1)
    equal((row["type"], row["subject"]), ("fault_code_opened", "vehicle 1201"), "row")


def test_send_plays_the_provider(t):
    d = receiver(t, "secret: {{file: {folder}/old.secret}}", start=False)
    write(d, "old.secret", OLD)
    d.start()
    for name in harness.samples("standard-webhooks"):
        check(name in d.cli("send", "sister", "--list"), "send --list has %s" % name)
        d.cli("send", "sister", name, "--count", "3")
    rows = d.wait_rows(9)
    equal(len({row["subject"] for row in rows if row["type"] == "contact.created"}), 3, "contacts")


TRIED = """\
config: routes.yaml
tests:
  - name: genuine
    source: sister
    sample: contact_created
    set: {data.id: "17", data.name: "\u00e4 \\"b\\""}
    expect:
      why: HMAC-SHA256, secret 1 of 2 (env NOT_SET)
      type: contact.created
      subject: "17"
      time: "2026-03-02T08:15:30.250Z"
      dedupe: strong
      sinks: out
      rendered:
        out: {specversion: "1.0", source: "patchbay:/sister", type: contact.created, subject: "17", dedupe: strong}
  - name: forged
    source: sister
    sample: contact_created
    signed: wrong
    expect: {verdict: refused, why: "none of the configured secrets (2: env NOT_SET, env NEITHER)"}
"""


def test_a_configuration_is_tried_without_its_secrets(t):
    for name, text in (("tests.yaml", TRIED), ("routes.yaml", """\
listen: 127.0.0.1:1
journal: state
sources:
  sister: {plugin: standard-webhooks, secret: [{env: NOT_SET}, {env: NEITHER}]}
sinks:
  out: {plugin: http, url: {env: NOT_SET_URL}, secret: {env: NOT_SET}, mode: binary}
routes:
  - to: out
""")):
        with open(os.path.join(t.folder, name), "w") as f:
            f.write(text)
    done = subprocess.run([harness.PATCHBAY, "test", os.path.join(t.folder, "tests.yaml")], capture_output=True, text=True,
                          env=dict(os.environ, PATCHBAY_PLUGIN_PATH=harness.PLUGINS))
    equal((done.returncode, done.stderr), (0, ""), "patchbay test: %s" % done.stdout)


def test_the_readmes_examples_are_right(t):
    for plugin, env in (("http", {"WAREHOUSE_URL": "https://warehouse.example.edu/events", "WAREHOUSE_SECRET": NEW,
                                  "WAREHOUSE_TOKEN": TOKEN}),
                        ("standard-webhooks", {"BILLING_SECRET": NEW})):
        with open(os.path.join(harness.TOP, "plugins", plugin, "README.md")) as f:
            example = re.search(r"```yaml\n(.*?)```", f.read(), re.S).group(1)
        path = os.path.join(t.folder, plugin + ".yaml")
        with open(path, "w") as f:
            f.write(example)
        done = subprocess.run([harness.PATCHBAY, "check", "-c", path], capture_output=True,
                              env=dict(os.environ, PATCHBAY_PLUGIN_PATH=harness.PLUGINS, **env))
        equal((done.returncode, done.stderr), (0, b""), "check of the example of %s: %r" % (plugin, done.stdout))


if __name__ == "__main__":
    harness.main()
