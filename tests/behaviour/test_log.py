"""The log: a program can read every line of it, whoever it quotes; it leads to the event; it says as much as it is told
to, of each plugin; systemd's journal gets priorities; and nobody can fill the disk with it."""

import json
import os
import pty
import signal
import socket
import subprocess
from datetime import datetime

import harness
from harness import *

ROUTES = "plugins: {folder}/no-such-folder\n" + FLEET + """\
  things:
    plugin: crasher
    secret: s3cret
sinks:
  hook:
    plugin: moody
    path: {folder}/hook
    mood: {folder}/hook.mood
    retry: {{initial: 5ms, max: 5ms}}
  quiet:
    plugin: moody
    path: {folder}/quiet
    mood: {folder}/quiet.mood
    retry: {{initial: 5ms, max: 5ms}}
  fragile:
    plugin: crasher
    path: {folder}/fragile
routes:
  - from: fleet
    to: [hook, quiet]
  - from: things
    to: fragile
"""
HOSTILE = "x\n<0>level=error msg=\"forged\"\r\x1b[31m\x00\u202e\u2028 level=error event=0"


def log_is(text):
    return ROUTES + "log: " + text.replace("{", "{{").replace("}", "}}") + "\n"


def about(daemon, words, **members):
    """The lines whose message has these words, and which have these members."""
    return [line for line in daemon.log_lines()
            if words in line["msg"] and members.items() <= line.items()]


def wait_for(daemon, words, **members):
    return wait_until(lambda: about(daemon, words, **members), lambda: "a line %r %r in\n%s" % (words, members, daemon.tail()))[0]


def fault_that(n, do, **more):
    return fault(n, event_data=dict({"do": do}, **more))


def post(daemon, *bodies):
    with daemon.client() as client:
        return [client.fleet(body).event_id for body in bodies]


def post_thing(daemon, body):
    try:
        with daemon.client() as client:
            return client.post("/in/things", dumps(body), {"x-secret": "s3cret"}).event_id
    except (OSError, Closed):
        return None


def at_work_again(daemon):
    wait_until(lambda: daemon.logged().rfind("ready: ") > daemon.logged().rfind("crashed the worker"), "the next worker is at work")


def test_a_failing_delivery_leads_to_its_event(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    [event] = post(daemon, fault_that(1, "down", why="no such host"))
    line = wait_for(daemon, "sink hook: nothing can be delivered now: no such host", level="warning", sink="hook", plugin="moody")
    equal(line["event"], event, "the event in the line")
    check("no such host" in daemon.cli("show", line["event"]), "`show` tells more about it")
    [bad] = post(daemon, fault_that(2, "bad", why="no such person"))
    equal(wait_for(daemon, "sink quiet: an event is a dead letter now (event): no such person", sink="quiet")["event"], bad, "the dead letter")
    daemon.cli("explain", bad)


def test_every_line_is_an_object(t):
    """Also the first ones, of a worker that is started anew, and of what a sender has the plugin say."""
    daemon = t.daemon(log_is("{format: json, plugins: {moody: debug}}"), env=WITH_MOODY)
    [event] = post(daemon, fault_that(1, "down", why=HOSTILE))
    line = wait_for(daemon, "nothing can be delivered now", sink="hook")
    check("<0>level=error msg=\"forged\"" in line["msg"], line)
    equal(wait_for(daemon, "is told down", sink="quiet", level="debug")["event"], event, "the event of a plugin's own line")
    thing = wait_until(lambda: post_thing(daemon, {"id": "a", "act": "null"}), "it is accepted")
    crash = wait_for(daemon, "sink fragile (plugin crasher) crashed the worker", sink="fragile", plugin="crasher", level="error")
    equal(crash["event"], thing, "the event in the line of the supervisor")
    wait_for(daemon, "it is not tried again", event=thing)
    at_work_again(daemon)
    post_thing(daemon, {"id": "b", "parse": "null"})
    kept = wait_for(daemon, "is in quarantine as", source="things", plugin="crasher")
    check(kept["event"] in daemon.cli("explain", kept["event"]), "that leads to the request")
    at_work_again(daemon)
    daemon.cli("reload")
    daemon.stop()
    first = daemon.log_texts()[0]
    check(first.startswith('{"time":"2') and "there is no folder" in first, "the warning about the file is the first: %s" % first)
    for text in daemon.log_texts():
        line = json.loads(text)
        check(not {"time", "level", "msg"} - line.keys(), text)
        check(text.isprintable() and text.isascii(), "what could steer a terminal is escaped: %r" % text)


def test_no_sender_can_forge_a_line(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    post(daemon, fault_that(1, "down", why=HOSTILE))
    line = wait_for(daemon, "nothing can be delivered now", sink="hook")
    check("x\n<0>level=error msg=\"forged\"\r\x1b[31m" in line["msg"], line)
    equal({line["level"] for line in about(daemon, "")}, {"info", "warning"}, "levels")


def test_levels_of_plugins_and_their_reload(t):
    daemon = t.daemon(log_is("{plugins: {moody: error}}"), env=WITH_MOODY)
    post(daemon, fault_that(1, "ok"), fault_that(2, "bad"))
    wait_until(lambda: len(daemon.lines("dead")) == 2, "both sinks have given it up")
    equal(about(daemon, "", plugin="moody"), [], "lines of and about moody")
    daemon.write_routes(log_is("{level: warning, plugins: {mody: debug}}"))
    daemon.cli("reload", code=1)
    wait_for(daemon, "'log': there is no plugin 'mody'; did you mean 'moody'?", level="error")
    daemon.write_routes(log_is("{level: warning, plugins: {moody: debug}}"))
    daemon.cli("reload")
    [event] = post(daemon, fault_that(3, "ok"))
    wait_for(daemon, "sink hook (moody): is told ok", level="debug", event=event)
    daemon.write_routes(log_is("{format: json, level: info}"))
    daemon.cli("reload")
    equal(wait_for(daemon, "generation 3", level="info")["level"], "info", "the reload that asked for it is told of")
    check(not about(daemon, "generation 2"), "at `warning` a reload is not worth a line")
    check(daemon.log_texts()[-1].startswith("{"), "the format is taken up, too")
    before = len(about(daemon, "is told"))
    [event] = post(daemon, fault_that(4, "ok"))
    wait_until(lambda: all(event in {i for i, *_ in taken(daemon, sink)} for sink in ("hook", "quiet")), "it is delivered")
    equal(len(about(daemon, "is told")), before, "moody has no level of its own any more")


def test_verbose_is_from_the_first_line_on(t):
    daemon = t.daemon(log_is("{level: error}"), env=WITH_MOODY, start=False)
    with open(daemon.log, "wb") as log:
        daemon.process = subprocess.Popen([harness.PATCHBAY, "serve", "--verbose", "-c", daemon.routes], env=daemon.env, cwd=daemon.folder,
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(daemon.answers, "it answers")
    [event] = post(daemon, fault_that(1, "ok"))
    wait_for(daemon, "is told ok", level="debug", event=event)
    wait_for(daemon, "there is no folder", level="warning")


def serve_under_systemd(daemon, ready=True):
    """Its stderr is a socket that JOURNAL_STREAM names. Returns all that it said until it had ended."""
    ours, its = socket.socketpair()
    st = os.fstat(its.fileno())
    process = subprocess.Popen([harness.PATCHBAY, "serve", "-c", daemon.routes], cwd=daemon.folder, stdin=subprocess.DEVNULL,
                               env=dict(daemon.env, JOURNAL_STREAM="%d:%d" % (st.st_dev, st.st_ino)), stderr=its)
    its.close()
    ours.settimeout(30 * harness.SLOWER)
    text = b""
    try:
        while piece := ours.recv(65536):
            text += piece
            if ready and b"ready: " in text:
                process.send_signal(signal.SIGTERM)
                ready = False
        process.wait(30 * harness.SLOWER)
    finally:
        process.kill()
        process.wait()
    return text.decode().split("\n")[:-1]


def test_systemd_gets_priorities(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY, start=False)
    for routes, first in ((ROUTES, "<4>level=warning msg="), (log_is("{format: json}"), '<4>{"level":"warning","msg":')):
        daemon.write_routes(routes)
        texts = serve_under_systemd(daemon)
        check(texts[0].startswith(first), texts[0])
        lines = [log_members(text) for text in texts]
        equal([(line["priority"], line["level"]) for line in lines], [(4, "warning")] + [(6, "info")] * (len(lines) - 1), "priorities")
        check(not any("time" in line for line in lines), "the journal knows the time")
    daemon.write_routes(ROUTES.replace("moody", "mody"))
    lines = [log_members(text) for text in serve_under_systemd(daemon, ready=False)]
    errors = [line["msg"] for line in lines if line["priority"] == 3]
    check("no plugin 'mody'; did you mean 'moody'?" in errors[0] and errors[0].startswith(daemon.routes + ":13:13: "), lines)
    check(all(line["level"] in ("error", "warning") for line in lines), lines)


def test_check_before_the_start_gets_priorities(t):
    """ExecStartPre= of the unit: `journalctl -p err` shows why it did not start."""
    daemon = t.daemon(ROUTES.replace("moody", "mody"), env=WITH_MOODY, start=False)
    with open(os.path.join(daemon.folder, "said"), "w+b") as said:
        st = os.fstat(said.fileno())
        for stream, wanted in (("%d:%d" % (st.st_dev, st.st_ino), True), ("1:1", False)):
            said.seek(0)
            said.truncate()
            done = subprocess.run([harness.PATCHBAY, "check", "-c", daemon.routes], env=dict(daemon.env, JOURNAL_STREAM=stream),
                                  stdout=subprocess.DEVNULL, stderr=said)
            equal(done.returncode, 1, "exit code")
            said.seek(0)
            lines = said.read().decode().splitlines()
            for about, priority in (("no plugin 'mody'", "<3>"), ("there is no folder", "<4>")):
                line = next((line for line in lines if about in line), "")
                check(line.startswith((priority if wanted else "") + daemon.routes + ":"), line)


def test_who_sits_at_a_terminal_reads_faults_as_check_shows_them(t):
    daemon = t.daemon(ROUTES.replace("moody", "mody"), env=WITH_MOODY, start=False)
    ours, its = pty.openpty()
    process = subprocess.Popen([harness.PATCHBAY, "serve", "-c", "routes.yaml"], env=daemon.env, cwd=daemon.folder, stdin=its, stdout=its, stderr=its)
    os.close(its)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:  # its end has been closed
        pass
    equal(process.wait(30 * harness.SLOWER), 1, "exit code")
    os.close(ours)
    daemon.cli("check", code=1)
    check("routes.yaml:13:13: there is no plugin 'mody'; did you mean 'moody'?" in text.decode().splitlines(), text)


def test_nobody_fills_the_disk_with_it_or_hides_another(t):
    """A destination that goes up and down, and events that it refuses: told of now and then. The first line about another
    sink is written at once all the same."""
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    mood(daemon, "quiet", "ok")
    events = post(daemon, *[fault_that(n, ("down", "ok", "bad")[n % 3]) for n in range(150)])
    wait_until(lambda: {events[-1], events[-2]} <= {event for event, *_ in taken(daemon, "hook")}, "all have been tried", 60)
    check(sum(did == "down" for _, did, n, _ in taken(daemon, "hook") if n == 1) == 50, "it was down fifty times")
    mood(daemon, "quiet", "down")
    post(daemon, fault_that(1000, "ok"))
    wait_for(daemon, "sink quiet: nothing can be delivered now")
    lines = daemon.log_lines()
    seconds = (datetime.fromisoformat(lines[-1]["time"][:-1]) - datetime.fromisoformat(lines[0]["time"][:-1])).total_seconds()
    for words in ("nothing can be delivered now", "works again", "is a dead letter now"):
        found = len(about(daemon, words, sink="hook"))
        check(1 <= found <= 2 + seconds / 10, "%d lines in %d s: %s" % (found, seconds, words))


if __name__ == "__main__":
    main()
