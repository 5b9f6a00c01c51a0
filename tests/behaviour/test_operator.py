"""What an operator is told who looks whether all is well: nothing alarming while it is, why an event waits while it is
not, and what to do where a command cannot be run as this user."""

import fcntl
import os
import pty
import signal
import subprocess
import termios

import harness
from harness import *

ROUTES = FLEET + """\
  learning:  # whose plugin can fetch details: the host has a place in the journal for that
    plugin: motivate
    webhook_key: {{file: {folder}/learning.key}}
sinks:
  hook:
    plugin: moody
    path: {folder}/hook
    mood: {folder}/hook.mood
    retry: {{initial: 400ms, max: 400ms}}
routes:
  - to: hook
"""


def daemon_with_moody(t, **more):
    return t.daemon(ROUTES, env=WITH_MOODY, **more)


def delivery(daemon, event):
    return daemon.show(event)["deliveries"][0]


def test_a_daemon_that_is_started_again_has_nothing_to_warn_of(t):
    daemon = daemon_with_moody(t)
    segment = lambda name: os.path.exists(os.path.join(daemon.folder, "state", "events", name))
    wait_until(lambda: segment("00000002.pre"), "the next segment")
    with daemon.client() as client:
        client.fleet(fault(1))
    daemon.stop()
    daemon.start()
    wait_until(lambda: not segment("00000001.seg"), "the empty first segment is pruned")
    daemon.stop()
    daemon.start()
    daemon.stop()
    equal({line["level"] for line in daemon.log_lines()}, {"info"}, daemon.logged())


def test_a_closed_terminal_ends_it_in_order(t):
    daemon = daemon_with_moody(t, start=False)
    ours, its = pty.openpty()
    process = subprocess.Popen([harness.PATCHBAY, "serve", "-c", daemon.routes], env=daemon.env, cwd=daemon.folder,
                               stdin=its, stdout=its, stderr=its, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(its)
    try:
        text = b""
        while b"ready: " not in text:
            text += os.read(ours, 4096)
        os.close(ours)  # the kernel sends it SIGHUP
        equal(process.wait(20 * harness.SLOWER), 0, "exit code")
    finally:
        process.kill()
        process.wait()


def test_hangup_reloads_unless_it_is_ignored(t):
    daemon = daemon_with_moody(t)
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "reloaded " in daemon.logged(), "it is in the log")
    daemon.stop()
    ignoring = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(daemon.log, "wb") as log:
        daemon.process = subprocess.Popen([harness.PATCHBAY, "serve", "-c", daemon.routes], env=daemon.env, cwd=daemon.folder,
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=ignoring)
    wait_until(daemon.answers, "it answers")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.cli("reload")  # comes after it, and is done when it returns
    equal(daemon.logged().count("reloaded "), 1, "reloads in the log")


def test_an_event_that_waits_behind_another_says_what_for(t):
    daemon = daemon_with_moody(t)
    mood(daemon, "hook", "down")
    with daemon.client() as client:
        first = client.fleet(fault(1)).event_id
        wait_until(lambda: "nothing can be delivered" in daemon.logged(), "the breaker")
        second = client.fleet(fault(2)).event_id
    equal(daemon.show(second)["attempts"], [], "attempts of the second")
    why = delivery(daemon, second)["why"]
    check(why.startswith("waits until the destination works; last tried ") and first in why, why)
    page = daemon.cli("explain", second)
    check("hook                 owed: " + why[:40] in page, page)
    mood(daemon, "hook", "ok")
    wait_until(lambda: delivery(daemon, second)["state"] == "done", "the second")


def test_a_secret_that_only_root_can_read(t):
    if os.geteuid() != 0:
        raise Skip("only root can read what others cannot")
    daemon = t.daemon(harness.FLEET, start=False)
    secret = os.path.join(daemon.folder, "fleet.secret")
    os.makedirs(daemon.journal)
    os.chown(daemon.journal, 12345, 12345)
    os.chmod(secret, 0o600)
    daemon.cli("check")
    check("fleet.secret, but the user that %s belongs to cannot" % daemon.journal in daemon.cli_errors, daemon.cli_errors)
    subprocess.run(["chgrp", "--reference=" + daemon.journal, secret], check=True)
    os.chmod(secret, 0o640)
    daemon.cli("check")
    equal("belongs to cannot" in daemon.cli_errors, False, daemon.cli_errors)


def test_a_wrong_url_is_seen_in_the_log(t):
    daemon = t.daemon()
    with daemon.client() as client:
        equal(client.post("/in/fleat/t0p-secret", b"{}").status, 404, "a path of no source")
    wait_until(lambda: "to a path that no source has was answered 404" in daemon.logged(), "not in the log")
    check("t0p-secret" not in daemon.logged(), "the path is in the log")


def test_reverify_leaves_no_files_that_the_daemon_cannot_open(t):
    daemon = daemon_with_moody(t, start=False)
    daemon.cli("reverify", "fleet", code=1)
    check("has `patchbay serve` run" in daemon.cli_errors, daemon.cli_errors)
    journal = os.path.join(daemon.folder, "state")
    check(not os.path.exists(journal), "it made a journal")
    daemon.start()
    daemon.stop()
    if os.geteuid() != 0:
        return
    os.chown(journal, 65534, 65534)
    daemon.cli("reverify", "fleet", code=1)
    check("belongs to another user" in daemon.cli_errors, daemon.cli_errors)


if __name__ == "__main__":
    main()
