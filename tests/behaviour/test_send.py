"""`patchbay send` plays every provider: real payloads, real signatures, and wrong ones on request."""

import os

import harness
from harness import check, equal, wait_until

SOURCES = ("fleet", "campus", "learning")


def names(daemon, source):
    return [e["name"] for e in daemon.lines("send", source, "--list")]


def test_list_and_send_everything(t):
    daemon = t.daemon()
    for source in SOURCES:
        events = names(daemon, source)
        check(events, source + ": no samples")
        text = daemon.cli("send", source, "--list")
        for event in events:
            check(event in text, "%s: %s is not in the list for people" % (source, event))
            daemon.cli("send", source, event)
    seen = wait_until(lambda: {s for s in (r["source"] for r in daemon.rows())} == set(SOURCES), "rows of every source")
    check(seen, "rows")


def test_count_makes_as_many_events(t):
    daemon = t.daemon()
    for source, event in (("fleet", "fault_code_opened"), ("campus", "course_completed"), ("learning", names(daemon, "learning")[0])):
        before = len(daemon.rows())
        daemon.cli("send", source, event, "--count", "100")
        rows = daemon.wait_rows(before + 100)
        equal(len({r["id"] for r in rows}), before + 100, "ids")


def test_bad_signature_is_refused(t):
    """Exit code 0 means here: every answer was 403."""
    daemon = t.daemon()
    for source, event in (("fleet", "fault_code_opened"), ("learning", names(daemon, "learning")[0])):
        daemon.cli("send", source, event, "--bad-signature")
    daemon.cli("send", "fleet", "fault_code_opened")
    equal([r["source"] for r in daemon.wait_rows(1)], ["fleet"], "rows")


def test_to_another_address(t):
    here, there = t.daemon(), t.daemon()
    daemon = here
    daemon.cli("send", "fleet", "fault_code_opened", "--to", "http://%s:%d/in/fleet" % there.address)
    there.wait_rows(1)
    equal(here.rows(), [], "rows at the daemon that was not asked")


def test_nobody_listens(t):
    daemon = t.daemon()
    daemon.stop()
    daemon.cli("send", "fleet", "fault_code_opened", code=1)
    host, port = daemon.address
    check(str(port) in daemon.cli_errors, "the error does not say where: %r" % daemon.cli_errors)


def test_says_where_the_reason_is(t):
    daemon = t.daemon()
    with open(os.path.join(daemon.folder, "fleet.secret"), "w") as f:
        f.write("another\n") # the daemon has the old one
    daemon.cli("send", "fleet", "fault_code_opened", code=1)
    check("403: " in daemon.cli_errors and "`patchbay events --quarantine`" in daemon.cli_errors, daemon.cli_errors)
    daemon.cli("send", "campus", "course_completed", "--to", "http://%s:%d/in/nowhere" % daemon.address, code=1)
    check("404: " in daemon.cli_errors and "'campus'" in daemon.cli_errors, daemon.cli_errors)
    daemon.cli("send", "fleet", "fault_code_opened", "--bad-signature")
    equal(daemon.cli_errors, "", "what was wanted needs no reason")


def test_usage(t):
    daemon = t.daemon()
    daemon.cli("send", "flet", "fault_code_opened", code=2)
    check("fleet" in daemon.cli_errors, "no 'did you mean': %r" % daemon.cli_errors)
    daemon.cli("send", "fleet", "fault_code_opend", code=2)
    check("fault_code_opened" in daemon.cli_errors, "no 'did you mean': %r" % daemon.cli_errors)
    daemon.cli("send", "fleet", "fault_code_opened", "--cuont", "3", code=2)
    daemon.cli("send", "fleet", "fault_code_opened", "--count", "many", code=2)
    daemon.cli("send", code=2)


harness.main()
