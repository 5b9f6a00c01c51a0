"""A changed routes.yaml, changed secrets and changed plugins are taken up while everything runs: nothing is lost, refused
or delivered twice by that; what did not change goes on; and a configuration that fails changes nothing, and says why."""

import json
import os
import shutil
import signal
import socket
import stat

import harness
from harness import FLEET_SECRET, check, dumps, equal, fault, mood, motive_headers, taken, wait_until
from load import Load, exactly_once

ROUTES = """\
listen: {listen}
admin: 127.0.0.1:0
journal: {journal}
sources:
  fleet:
    plugin: motive
    secret: {{file: {folder}/fleet.secret}}
  campus:
    plugin: lms
    allow_from: [127.0.0.0/8]
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, ref: .data.id]
  good: {{plugin: moody, path: {folder}/good}}
  other: {{plugin: moody, path: {folder}/other, mood: {folder}/other.mood}}
routes:
  - to: [audit, good]
  - type: fault_code_opened
    to: other
"""


def install(daemon, build, name="moody.so", in_place=False):
    """One of moody's builds, as a package manager does it, or as `cp` does."""
    source = [os.path.join(harness.FIXTURES + build, f) for f in os.listdir(harness.FIXTURES + build) if f.endswith(".so")][0]
    target = os.path.join(daemon.folder, "plugins", name)
    if in_place:
        with open(source, "rb") as f, open(target, "wb") as to:
            shutil.copyfileobj(f, to)
    else:
        shutil.copyfile(source, target + ".new")
        os.chmod(target + ".new", 0o644)
        os.rename(target + ".new", target)
    return target


def daemon(t, routes=ROUTES, start=True):
    d = t.daemon(routes, start=False)
    os.makedirs(os.path.join(d.folder, "plugins"))
    d.env["PATCHBAY_PLUGIN_PATH"] = harness.PLUGINS + ":" + os.path.join(d.folder, "plugins")
    install(d, "")
    return d.start() if start else d


def reload_(d, code=0):
    """What the daemon says: the texts of faults, of warnings, and its last line."""
    lines = [json.loads(line) for line in d.cli("reload", "--json", code=code).splitlines()]
    by = lambda kind: [line["text"] for line in lines if line["result"] == kind]
    equal(lines[-1]["result"], "end", "the last line")
    equal(lines[-1]["reloaded"], code == 0, "reloaded")
    return by("fault"), by("warning"), lines[-1]


def counts(kept=0, replaced=0, added=0, removed=0):
    return {"kept": kept, "replaced": replaced, "added": added, "removed": removed}


def made(d, sink, build=None):
    """How many instances of a sink of moody's were made."""
    return d.logged().count("sink %s (" % sink + ("moody): made" if build is None else "moody): made, build %s" % build))


def metric(d, name):
    address = d.logged().split("admin on 127.0.0.1:")[-1].split('"')[0]
    with harness.Client(("127.0.0.1", int(address))) as client:
        client.send(client.request(b"", "/metrics", {}, "GET"))
        lines = client.answer().body.decode().splitlines()
    return [line.split()[-1] for line in lines if line.split()[0] == name]


def post(d, *numbers, status=200):
    with d.client() as client:
        answers = [client.fleet(fault(n)) for n in numbers]
    equal([a.status for a in answers], [status] * len(numbers), "answers")
    return [a.event_id for a in answers]


def wait_taken(d, sink, ids, seconds=20):
    wait_until(lambda: set(ids) <= {e[0] for e in taken(d, sink)},
               lambda: "sink %s has %d of %d; the log:\n%s" % (sink, len(taken(d, sink)), len(ids), d.tail()), seconds)


# ---- Under load ------------------------------------------------------------------------------------------


def ask(d):
    """A reload by the control socket itself, which is quicker than a process each time. True: reloaded."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        folder = os.open(d.journal, os.O_PATH)
        s.connect("/proc/self/fd/%d/control" % folder)
        os.close(folder)
        s.sendall(b"reload\n")
        text = b""
        while True:
            got = s.recv(65536)
            if not got:
                break
            text += got
    lines = [json.loads(line) for line in text.splitlines()]
    equal(lines[-1]["result"], "end", "the last line")
    check(lines[-1]["reloaded"] or any(line["result"] == "fault" for line in lines), "a refusal says why: %r" % lines)
    return lines[-1]["reloaded"]


GOOD = [
    lambda text: text,
    lambda text: text.replace("  - type: fault_code_opened\n    to: other\n", ""),
    lambda text: text.replace("export}/audit.csv\n", "export}/audit.csv\n    retry: {{initial: 2s}}\n"),
    lambda text: text.replace("path: {folder}/good", "path: {folder}/good, retry: {{initial: 5ms}}"),
    lambda text: text.replace("  campus:\n    plugin: lms\n    allow_from: [127.0.0.0/8]\n", ""),
    lambda text: text.replace("  - type: fault_code_opened\n", "  - type: [fault_code_opened, 'x*']\n    when: .data.id > 0\n"),
]
BROKEN = [
    lambda text: text.replace("routes:", "routes: ["),
    lambda text: text.replace("to: other", "to: othre"),
    lambda text: text.replace("plugin: lms", "plugin: lsm"),
    lambda text: text.replace("fleet.secret", "nowhere.secret"),
]


def change(d, i):
    """The i-th change and its reload; a third of them are no good. Returns whether it was taken up."""
    text, wanted = GOOD[i % len(GOOD)](ROUTES), i % 3 != 2
    if i % 6 == 5:  # what runs was mapped from that file: it is cut short in place
        os.truncate(os.path.join(d.folder, "plugins", "moody.so"), i * 10)
    elif not wanted:
        text = BROKEN[i // 3 % len(BROKEN)](ROUTES)
    elif i % 4 == 0:
        install(d, "2" if i % 8 else "", in_place=i % 16 == 0)
    d.write_routes(text)
    equal(ask(d), wanted, "reload %d is taken up" % i)
    if i % 6 == 5:
        install(d, "2" if i % 4 == 1 else "")
    return wanted


def test_reloads_under_load(t):
    d = daemon(t)
    load = Load(d.address, connections=6).start()
    rounds = 36 if harness.SANITIZE else 120
    good = 0
    for i in range(rounds):
        before = len(load.answered)
        good += change(d, i)
        wait_until(lambda: len(load.answered) > before, "the load goes on")
    d.write_routes(ROUTES)
    check(ask(d), "the last one is taken up")
    alive = [thread.is_alive() for thread in load.threads]
    load.stop()
    check(all(alive), "no connection is closed")
    equal(load.refused, {}, "requests answered 5xx")
    equal(load.unanswered(), [], "requests without an answer")
    exactly_once(d, load)
    wait_taken(d, "good", load.answered.values(), 60)
    equal(metric(d, 'patchbay_reloads_total{result="refused"}'), [str(rounds - good)], "refused reloads")
    equal(metric(d, "patchbay_generation"), [str(good + 2)], "generation")


def test_memory_does_not_grow_by_reloads(t):
    if harness.SANITIZE:
        raise harness.Skip("memory under a sanitizer says nothing")
    d = daemon(t)
    for i in range(48):
        change(d, i)
        post(d, i)
    warm_kib, descriptors = d.rss_kib(), len(os.listdir("/proc/%d/fd" % d.worker()))
    for i in range(48, 248):
        change(d, i)
    check(d.rss_kib() - warm_kib < 1024, "memory grew by %d KiB" % (d.rss_kib() - warm_kib))
    wait_until(lambda: len(os.listdir("/proc/%d/fd" % d.worker())) <= descriptors + 3, "descriptors are given back")


# ---- Plugins ---------------------------------------------------------------------------------------------


def test_a_plugin_dropped_in_is_used(t):
    d = daemon(t)
    d.write_routes(ROUTES.replace("routes:", "  late: {{plugin: newcomer, path: {folder}/late}}\nroutes:\n  - to: late"))
    faults, _, _ = reload_(d, code=1)
    equal(len(faults), 1, "faults")
    check("there is no plugin 'newcomer'" in faults[0], faults[0])
    early = post(d, 1)
    install(d, "3", "newcomer.so")
    _, _, end = reload_(d)
    equal((end["sinks"], end["sources"], end["plugins_loaded"]), (counts(3, added=1), counts(2), 1), "what came of it")
    ids = post(d, 2, 3)
    wait_taken(d, "late", ids)
    check(early[0] not in {e[0] for e in taken(d, "late")}, "a new sink begins with the next event")
    d.write_routes(ROUTES)
    equal(reload_(d)[2]["sinks"], counts(3, removed=1), "sinks without it")
    wait_until(lambda: "sink late (newcomer): destroyed" in d.logged(), "its instance goes")


def test_a_replaced_plugin_is_used_from_the_reload_on(t):
    d = daemon(t)
    wait_taken(d, "good", post(d, 1))
    equal((made(d, "good"), made(d, "audit")), (1, 0), "instances")
    install(d, "2", in_place=True)  # `cp` over a file that is in use
    wait_taken(d, "good", post(d, 2))
    equal(made(d, "good"), 1, "nothing happens by itself")
    _, _, end = reload_(d)
    equal((end["sinks"], end["plugins_loaded"]), (counts(1, replaced=2), 1), "what came of it")
    wait_taken(d, "good", post(d, 3))
    equal(made(d, "good", 2), 1, "instances of the new build")
    wait_until(lambda: d.logged().count("destroyed, build 1") == 2, "the old ones go")
    install(d, "2")  # another file with the same content is no other build
    _, _, end = reload_(d)
    equal((end["sinks"], end["plugins_loaded"]), (counts(3), 0), "the same build again")
    install(d, "")
    _, _, end = reload_(d)
    equal((end["sinks"], end["plugins_loaded"]), (counts(1, replaced=2), 0), "the first build is here still")
    wait_taken(d, "good", post(d, 4))
    equal(len(taken(d, "good")), 4, "each event once")


def test_a_plugin_that_is_no_good_is_refused(t):
    d = daemon(t)
    target = install(d, "2")
    os.truncate(target, 3000)
    faults, _, _ = reload_(d, code=1)
    equal(len(faults), 2, "one fault for each sink that uses it: %r" % faults)
    check(all("plugin 'moody' was refused: %s: it is truncated" % target in f for f in faults), faults)
    check(all(f.startswith(d.routes + ":1") and f in d.logged() for f in faults), "with their place, and in the log")
    wait_taken(d, "good", post(d, 1))
    install(d, "2")
    stray = install(d, "3", "stray.so")
    os.chmod(stray, stat.S_IRUSR | stat.S_IWUSR | stat.S_IWOTH)
    _, warnings, _ = reload_(d)
    check(any(stray in w and "others than its owner may write" in w for w in warnings), "one that nobody uses: %r" % warnings)
    wait_taken(d, "good", post(d, 2))


# ---- Instances -------------------------------------------------------------------------------------------


def test_routes_change_and_instances_go_on(t):
    d = daemon(t)
    first = post(d, 1)
    wait_taken(d, "other", first)
    d.write_routes(ROUTES.replace("  - type: fault_code_opened", "  # not these any more\n  - type: other_type"))
    _, _, end = reload_(d)
    equal((end["sinks"], end["sources"], end["generation"]), (counts(3), counts(2), 2), "what came of it")
    second = post(d, 2)
    wait_taken(d, "good", second)
    wait_until(lambda: d.rows() and len(d.rows()) == 2, "the CSV")
    d.write_routes(ROUTES)
    reload_(d)
    third = post(d, 3)
    wait_taken(d, "other", third)
    equal([e[0] for e in taken(d, "other")], first + third, "events of `other`, by the routes of their time")
    equal((made(d, "good"), made(d, "other")), (1, 1), "instances")
    equal(len(os.listdir(d.export)), 1, "files of the CSV")


def test_a_sink_changes_while_its_call_hangs(t):
    d = daemon(t)
    mood(d, "other", "hang")
    ids = post(d, 1)
    wait_until(lambda: taken(d, "other"), "the call has begun")
    d.write_routes(ROUTES.replace("other.mood", "mood2"))
    _, _, end = reload_(d)  # does not wait
    equal(end["sinks"], counts(2, replaced=1), "what came of it")
    ids += post(d, 2)
    wait_taken(d, "good", ids)
    exact = len(taken(d, "other"))
    equal((exact, made(d, "other")), (1, 2), "calls, and instances")
    wait_until(lambda: "takes up its work when a call that began before" in d.logged(), "it says what it waits for")
    d.write_routes(ROUTES.replace("other.mood", "mood3"))
    reload_(d)  # the one that waits is replaced, too
    mood(d, "other", "ok")
    wait_taken(d, "other", ids)
    equal([e[0] for e in taken(d, "other")], ids, "each event once: the old call's result counts")
    wait_until(lambda: d.logged().count("sink other (moody): destroyed") == 2, "the old ones go")


def test_a_call_that_never_returns_is_left_behind(t):
    text = ROUTES.replace("path: {folder}/other,", "path: {folder}/other, timeout: 300ms,")
    d = daemon(t, text)
    mood(d, "other", "hang")
    ids = post(d, 1)
    wait_until(lambda: taken(d, "other"), "the call has begun")
    d.write_routes(text.replace("other.mood", "mood2"))
    reload_(d)
    wait_until(lambda: len(taken(d, "other")) == 2, "the successor delivers it")
    wait_taken(d, "other", ids + post(d, 2))
    equal(metric(d, 'patchbay_sink_stuck_calls{sink="other"}'), ["1"], "calls that are stuck")
    mood(d, "other", "ok")
    wait_until(lambda: d.logged().count("sink other (moody): destroyed") >= 1, "it frees itself when it returns")


def test_a_secret_is_changed_in_its_file(t):
    d = daemon(t)
    other = "another-secret-of-the-provider-0001"
    with open(os.path.join(d.folder, "fleet.secret"), "w") as f:
        f.write(other + "\n")
    post(d, 1)
    _, _, end = reload_(d)
    equal((end["sources"], end["sinks"]), (counts(1, replaced=1), counts(3)), "what came of it")
    post(d, 2, status=403)
    with d.client() as client:
        equal(client.post("/in/fleet", fault(3), motive_headers(fault(3), other)).status, 200, "signed with the new one")
    check(other not in d.logged() and FLEET_SECRET not in d.logged(), "the log shows no secret")


def test_sources_and_limits_change_under_a_connection(t):
    d = daemon(t)
    lesson = dumps({"id": "e1", "timestamp": "2026-03-01T10:20:30Z", "source": "course_completed", "notifiableId": "c",
                    "user": "u", "userDetail": {"id": "u"}})
    with d.client() as client, d.client() as slow:
        equal(client.post("/in/campus", lesson).status, 200, "before")
        request = slow.request(lesson.replace(b"e1", b"e2"), "/in/campus")
        slow.send(request[:-20])  # the request has begun
        equal(client.fleet(fault(1)).status, 200, "and is seen")
        text = ROUTES.replace("  campus:", "  academy:")
        d.write_routes(text + "limits: {{body: 1K}}\n")
        _, _, end = reload_(d)
        equal(end["sources"], counts(1, added=1, removed=1), "what came of it")
        equal(client.post("/in/academy", lesson).status, 200, "there is another source")
        equal(client.post("/in/campus", lesson).status, 404, "and the first is gone")
        post(d, 2)
        with d.client() as large:
            equal(large.fleet(fault(3, padding="x" * 2000)).status, 413, "a body that is too large now")
        slow.send(request[-20:])
        equal(slow.answer().status, 200, "what had begun ends as it began")


# ---- What is said ----------------------------------------------------------------------------------------


def test_every_fault_is_said_and_nothing_changes(t):
    d = daemon(t)
    text = ROUTES.replace("to: other", "to: othre").replace("allow_from:", "allow_form:").replace("plugin: csv-export", "plugin: csv")
    d.write_routes(text)
    faults, _, end = reload_(d, code=1)
    found = (d.cli("check", code=1) + d.cli_errors).splitlines()
    equal(faults, [line for line in found if line.startswith(d.routes) and "warning: " not in line], "the same as `check` says")
    equal(len(faults), 3, "faults")
    check(all(f in d.logged() for f in faults), "all of them in the log")
    equal((end["generation"], end["sinks"]), (1, counts()), "what came of it")
    d.cli("reload", code=1)
    check(all(f in d.cli_errors for f in faults) and "refused" in d.cli_errors, d.cli_errors)
    d.write_routes(ROUTES.replace("sinks:", "sinks: ["))
    d.cli("reload", code=1)
    check("%s:" % d.routes in d.cli_errors and "refused" in d.cli_errors, "of a file that is no YAML: %r" % d.cli_errors)
    d.process.send_signal(signal.SIGHUP)
    wait_until(lambda: d.logged().count("reload refused") == 4, "by SIGHUP, too")
    wait_taken(d, "good", post(d, 1))
    equal((made(d, "good"), made(d, "other")), (1, 1), "instances")


def test_an_instance_that_cannot_be_made_is_a_fault(t):
    d = daemon(t)
    text = ROUTES.replace("routes:", "  bad: {{plugin: moody, path: ''}}\nroutes:")
    d.write_routes(text.replace("good: {{plugin: moody, path: {folder}/good}}", "good: {{plugin: moody, path: {folder}/good2}}"))
    faults, _, _ = reload_(d, code=1)
    equal(len(faults), 1, "faults: %r" % faults)
    check("path" in faults[0] or "sink 'bad' (plugin moody) cannot start" in faults[0], faults[0])
    wait_taken(d, "good", post(d, 1))


def test_what_takes_a_restart_is_said(t):
    d = daemon(t)
    d.write_routes(ROUTES.replace("admin: 127.0.0.1:0", "admin: 127.0.0.1:1").replace("listen: {listen}", "listen: [{listen}, 127.0.0.1:0]")
                   + "limits: {{connections: 7, body: 1K}}\nretention: {{size: 1G}}\n")
    _, warnings, end = reload_(d)
    equal([(w[len(d.routes):].split(" ")[0], "only when patchbay is started again" in w) for w in warnings],
          [(":1:10:", True), (":2:8:", True), (":22:1:", True)], "warnings: %r" % warnings)
    check(all(w in d.logged() for w in warnings), "in the log, too")
    with d.client() as client:
        equal(client.fleet(fault(1, padding="x" * 2000)).status, 413, "what need not wait does not")
    d.stop()
    d.cli("reload", code=1)
    check("no daemon runs" in d.cli_errors, d.cli_errors)


if __name__ == "__main__":
    harness.main()
