"""Requests that were refused because of a mistake of ours are recovered once it is mended: every one, once each."""

import fcntl
import json
import os
import socket
import stat
import threading

import harness
from harness import FLEET_SECRET, LEARNING_KEY, check, dumps, equal, fault, motivate_body, motive_headers, sample, wait_until

RELOAD = "run `patchbay reload`"


def secret(daemon, name, text):
    with open(os.path.join(daemon.folder, name), "w") as f:
        f.write(text + "\n")


def results(daemon, source, *arguments, code=0):
    lines = [json.loads(line) for line in daemon.cli("reverify", source, "--json", *arguments, code=code).splitlines()]
    check(lines and lines[-1]["result"] == "end", "the last line is the sum: %r" % lines)
    return lines[:-1], lines[-1]


def counts(end):
    return {key: end[key] for key in ("admitted", "here", "nothing", "fails", "before") if end[key]}


def test_a_wrong_secret_beside_the_running_daemon(t):
    daemon = t.daemon(start=False)
    secret(daemon, "fleet.secret", "mistyped")
    daemon.start()
    with daemon.client() as client:
        for n in range(5):
            equal(client.fleet(fault(n)).status, 403, "with the wrong secret")
        equal(client.post("/in/fleet", fault(99), motive_headers(fault(99), "forged")).status, 403, "a forged one")
    _, end = results(daemon, "fleet", code=1)
    equal(counts(end), {"fails": 6}, "before it is mended")
    secret(daemon, "fleet.secret", FLEET_SECRET)

    lines, end = results(daemon, "fleet", "--dry-run")
    equal(counts(end), {"admitted": 5, "fails": 1}, "dry run")
    equal(daemon.lines("events", "--limit", "0")[0]["status"], "refused", "a dry run changes nothing")
    text = daemon.cli("reverify", "fleet")
    check("fleet: 5 admitted (5 events), 0 already here, 0 without an event, 1 still fails" in text, text)
    check(RELOAD in daemon.cli_errors, "it says that the daemon has the old secret still: %r" % daemon.cli_errors)
    rows = daemon.wait_rows(5)
    equal([row["ref"] for row in rows], ["0", "1", "2", "3", "4"], "in their order")
    event = daemon.show(rows[0]["id"])
    check("(reverified)" in event["verified"], event["verified"])
    check("secret 1 of 1" in event["verified"] or "fleet.secret" in event["verified"], event["verified"])

    _, end = results(daemon, "fleet", code=1)
    equal(counts(end), {"fails": 1, "before": 5}, "a second run")
    listed = [line["admitted"] for line in daemon.lines("events", "--quarantine")]
    equal(sorted(filter(None, listed)), sorted(row["id"] for row in rows), "what became of the quarantined")
    equal(daemon.cli("events", "--quarantine").count("admitted since as"), 5, "the same for people")
    with daemon.client() as client:
        equal(client.fleet(fault(5)).status, 403, "the daemon has the old secret still")
    daemon.cli("reload")
    with daemon.client() as client:
        equal(client.fleet(fault(5)).status, 200, "after the reload")
        equal(client.fleet(fault(0)).status, 200, "a retry")
    _, end = results(daemon, "fleet")
    equal(counts(end), {"here": 1, "fails": 1, "before": 5}, "fault 5 was refused once, and accepted since")
    check(RELOAD not in daemon.cli_errors, daemon.cli_errors)
    equal(len(daemon.wait_rows(6)), 6, "rows")
    check("reverify fleet, as an operator asked: 5 admitted, 0 already here, 0 without an event, 1 still fail" in daemon.logged(),
          "the log does not say what was admitted")
    check(FLEET_SECRET not in daemon.logged(), "the log shows the secret")


def test_each_plugin_without_a_daemon(t):
    daemon = t.daemon(harness.ROUTES.replace('[127.0.0.1, "::1"]', "192.0.2.1"), start=False)
    secret(daemon, "fleet.secret", "mistyped")
    secret(daemon, "learning.key", "mistyped")
    daemon.start()
    course, toggle = sample("lms", "course_completed"), sample("motive", "engine_toggle_event")
    with daemon.client() as client:
        for n in range(3):
            equal(client.post("/in/learning", motivate_body("m%d" % n, {"badge_id": n})).status, 403, "motivate")
        equal(client.post("/in/campus", course).status, 403, "lms")
        equal(client.post("/in/campus", course).status, 403, "lms, again")
        for body in (fault(1), dumps([json.loads(fault(2)), json.loads(fault(3))]), toggle, toggle, b"[]"):
            equal(client.fleet(body).status, 403, "motive")
    daemon.kill()
    secret(daemon, "fleet.secret", FLEET_SECRET)
    secret(daemon, "learning.key", LEARNING_KEY)
    daemon.write_routes(harness.ROUTES)
    equal(counts(results(daemon, "learning")[1]), {"admitted": 3}, "learning")
    equal(counts(results(daemon, "campus")[1]), {"admitted": 1, "here": 1}, "campus: the second is a repeat")
    lines, end = results(daemon, "fleet")
    equal(end["admitted"] + end["nothing"] + end["fails"], 5, "fleet: %r" % lines)
    equal(end["admitted"], 4, "fleet: %r" % lines)
    equal(end["events"], 5, "fleet: an array of two, and two engine toggles that nothing tells apart")
    for source in ("learning", "campus"):
        equal(results(daemon, source)[1]["admitted"], 0, source + " again")
    daemon.start()
    rows = daemon.wait_rows(3 + 1 + 5)
    equal(sorted(row["ref"] for row in rows if row["source"] == "learning"), ["m0", "m1", "m2"], "message ids")
    equal(len({row["id"] for row in rows}), 9, "ids")


def test_what_the_provider_sent_again_meanwhile(t):
    daemon = t.daemon(start=False)
    secret(daemon, "learning.key", "mistyped")
    daemon.start()
    bodies = [motivate_body("m%d" % n, {"badge_id": n}) for n in range(6)]
    with daemon.client() as client:
        for body in bodies + bodies[:2]:
            equal(client.post("/in/learning", body).status, 403, "with the wrong key")
    daemon.stop()
    secret(daemon, "learning.key", LEARNING_KEY)
    daemon.start()
    with daemon.client() as client:
        for body in bodies[3:]:
            equal(client.post("/in/learning", body).status, 200, "its retry, with the right one")
    _, end = results(daemon, "learning")
    equal(counts(end), {"admitted": 3, "here": 5}, "reverify")
    with daemon.client() as client:
        for body in bodies:
            equal(client.post("/in/learning", body).status, 200, "a late retry")
    equal(sorted(row["ref"] for row in daemon.wait_rows(6)), ["m%d" % n for n in range(6)], "each once")


def test_path_secret(t):
    routes = harness.ROUTES.replace("    plugin: motive\n", "    plugin: motive\n    path_secret: {{file: {folder}/path}}\n")
    daemon = t.daemon(routes, start=False)
    secret(daemon, "path", "an-old-secret")
    daemon.start()
    with daemon.client() as client:
        for n in range(3):
            equal(client.fleet(fault(n), "/in/fleet/the-new-secret").status, 403, "with the other path")
        equal(client.fleet(fault(3)).status, 403, "without any")
        equal(client.fleet(fault(4), "/in/fleet/guessed-secret").status, 403, "with a guess")
        equal(client.fleet(fault(5), "/in/fleet/an-old-secret").status, 200, "as configured")
    secret(daemon, "path", "the-new-secret")
    _, end = results(daemon, "fleet")
    equal(counts(end), {"admitted": 3, "fails": 2}, "reverify")
    check(end["live_refuses"], "the daemon knows the old path only")
    equal(sorted(row["ref"] for row in daemon.wait_rows(4)), ["0", "1", "2", "5"], "recovered")
    for folder, _, names in os.walk(daemon.journal):
        for name in names:
            if os.path.isfile(os.path.join(folder, name)):
                with open(os.path.join(folder, name), "rb") as f:
                    data = f.read()
                for word in (b"the-new-secret", b"guessed-secret", b"an-old-secret"):
                    check(word not in data, "%s in %s" % (word, name))


def test_malformed(t):
    """Authentic, but not understood, now as then: it stays in quarantine, and the reason is said."""
    daemon = t.daemon()
    with daemon.client() as client:
        equal(client.fleet(b"{nonsense").status, 200, "answered so that it is not sent again")
    lines, end = results(daemon, "fleet", code=1)
    equal(counts(end), {"fails": 1}, "reverify")
    check(lines[0]["why"], "a reason")
    text = daemon.cli("reverify", "fleet", code=1)
    check(lines[0]["request"] in text and lines[0]["why"] in text, text)


def test_usage_and_mistakes(t):
    daemon = t.daemon()
    check("nothing is quarantined" in daemon.cli("reverify", "fleet"), "nothing to do")
    daemon.cli("reverify", code=2)
    daemon.cli("reverify", "fleet", "campus", code=2)
    daemon.cli("reverify", "fleet now", code=2)
    for running in (True, False):
        daemon.cli("reverify", "fleeet", code=1)
        check("there is no source 'fleeet'" in daemon.cli_errors, daemon.cli_errors)
        os.rename(os.path.join(daemon.folder, "fleet.secret"), os.path.join(daemon.folder, "away"))
        daemon.cli("reverify", "fleet", code=1)
        check("fleet.secret" in daemon.cli_errors and "routes.yaml:" in daemon.cli_errors, daemon.cli_errors)
        os.rename(os.path.join(daemon.folder, "away"), os.path.join(daemon.folder, "fleet.secret"))
        if running:
            daemon.stop()


def test_killed_in_between(t):
    """kill -9 while requests are being recovered: the next run does the rest, and nothing twice."""
    daemon = t.daemon(start=False)
    secret(daemon, "fleet.secret", "mistyped")
    daemon.start()
    count = 400
    with daemon.client() as client:
        for n in range(count):
            equal(client.fleet(fault(n)).status, 403, "with the wrong secret")
    secret(daemon, "fleet.secret", FLEET_SECRET)
    recovered = 0
    for _ in range(3):
        with connect(daemon) as sock:
            sock.sendall(b"reverify fleet\n")
            taken = b""
            while taken.count(b'"admitted"') < 60:
                got = sock.recv(2000)
                check(got, "the daemon hung up: %r" % taken[-300:])
                taken += got
            daemon.kill()
        recovered += 60
        daemon.start()
    _, end = results(daemon, "fleet")
    equal(end["admitted"] + end["here"] + end["before"], count, "all of them: %r" % end)
    check(end["before"] >= recovered, "what was said to be admitted was: %r" % end)
    rows = daemon.wait_rows(count)
    equal(len({row["ref"] for row in rows}), count, "each once")


def test_waits_for_a_daemon_that_starts(t):
    """It has the journal before it listens to commands; so has another reverify."""
    daemon = t.daemon(start=False)
    secret(daemon, "fleet.secret", "mistyped")
    daemon.start()
    with daemon.client() as client:
        equal(client.fleet(fault(1)).status, 403, "with the wrong secret")
    daemon.stop()
    secret(daemon, "fleet.secret", FLEET_SECRET)
    with open(os.path.join(daemon.journal, "lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, fcntl.flock, (lock, fcntl.LOCK_UN))
        timer.start()
        equal(counts(results(daemon, "fleet")[1]), {"admitted": 1}, "once it is free")
        timer.join()


def connect(daemon):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20 * harness.SLOWER)
    folder = os.open(daemon.journal, os.O_PATH | os.O_DIRECTORY)
    try:
        sock.connect("/proc/self/fd/%d/control" % folder)
    finally:
        os.close(folder)
    return sock


def ask(daemon, data, hang_up=False):
    with connect(daemon) as sock:
        answer = b""
        try:
            sock.sendall(data)
            if hang_up:
                return None
            while got := sock.recv(65536):
                answer += got
        except (BrokenPipeError, ConnectionResetError):  # it need not read all of a line that is too long
            pass
        return answer


def test_control_socket(t):
    daemon = t.daemon()
    path = os.path.join(daemon.journal, "control")
    mode = os.stat(path).st_mode
    check(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, "%o" % mode)
    for junk in (b"\n", b"hello\n", b"reverify\n", b"reverify fleet now\n", b"reverify fleet dry-run more\n", b"\0\0\0\n"):
        answer = json.loads(ask(daemon, junk))
        equal(answer["result"], "error", repr(junk))
    equal(ask(daemon, b"x" * 100000 + b"\n"), b"", "a line too long")
    equal(ask(daemon, b"reverify fle", hang_up=True), None, "half a line")
    equal(json.loads(ask(daemon, b"reverify fleet\n"))["result"], "end", "and then a good one")
    equal(ask(daemon, b"reverify fleet"), b"", "a line without an end: dropped after a while")
    daemon.kill()
    check(os.path.exists(path), "left by kill -9")
    daemon.start()
    equal(json.loads(ask(daemon, b"reverify fleet\n"))["result"], "end", "after kill -9")
    daemon.stop()
    check(not os.path.exists(path), "gone when it has stopped")
    wait_until(lambda: not daemon.running(), "the end")


harness.main()
