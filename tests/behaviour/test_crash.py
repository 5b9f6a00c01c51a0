"""A plugin that crashes or hangs harms only itself: the worker is started anew, every other event is delivered, what was
accepted is never lost, and the culprit is named."""

import json
import os
import shutil
import signal

import harness
from harness import Closed, WITH_MOODY, check, children, dumps, equal, wait_until

ROUTES = """\
listen: {listen}
admin: 127.0.0.1:0
journal: {journal}
sources:
  things:
    plugin: crasher
    secret: s3cret
  others:
    plugin: crasher
    secret: s3cret
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, source, n: .data.n]
    batch: {{linger: 0ms}}
  fragile:
    plugin: crasher
    path: {folder}/fragile
routes:
  - to: audit
  - from: things
    to: fragile
"""
AUTHENTIC = {"x-secret": "s3cret"}


def body(n, **more):
    return dumps(dict({"id": "n%d" % n, "n": n}, **more))


def post(daemon, data, path="/in/things", **headers):
    """As a provider does it: again, if the connection is refused or reset."""
    def once():
        try:
            with daemon.client(5) as client:
                return client.post(path, data, dict(AUTHENTIC, **headers))
        except (OSError, Closed):
            return None
    return wait_until(once, "no answer")


def crash(daemon, data, path="/in/things", **headers):
    """Once; no answer must come."""
    before = daemon.logged().count("crashed the worker")
    try:
        with daemon.client(20) as client:
            answer = client.post(path, data, dict(AUTHENTIC, **headers))
        check(False, "answered %r, though the plugin crashes with it" % answer)
    except (OSError, Closed):
        pass
    wait_until(lambda: daemon.logged().count("crashed the worker") > before and children(daemon.process.pid),
               "no new worker")


def end_worker(daemon, how):
    """Returns when it is gone: the others of its threads go on for a moment."""
    worker = daemon.worker()
    os.kill(worker, how)
    wait_until(lambda: worker not in children(daemon.process.pid), "the worker goes on")


def delivered(daemon):
    try:
        with open(os.path.join(daemon.folder, "fragile")) as f:
            return f.read().split()
    except FileNotFoundError:
        return []


def dead(daemon, *more):
    return daemon.lines("dead", "--limit", "0", *more)


def test_one_event_in_a_hundred(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    accepted = {}
    for n in range(600):
        more = {"act": "null"} if n % 200 == 77 else {}
        answer = post(daemon, body(n, **more))
        equal(answer.status, 200, "answer")
        accepted[n] = answer.event_id
    good = {i for n, i in accepted.items() if n % 200 != 77}
    bad = {i for n, i in accepted.items() if n % 200 == 77}
    wait_until(lambda: set(delivered(daemon)) >= good and len(dead(daemon)) >= len(bad),
               lambda: "%d of %d delivered, dead: %r" % (len(set(delivered(daemon))), len(good), dead(daemon)), 60)
    equal(set(delivered(daemon)) & bad, set(), "delivered, though the plugin crashes with them")
    letters = dead(daemon)
    equal({letter["id"] for letter in letters}, bad, "dead letters")
    for letter in letters:
        equal((letter["sink"], letter["class"]), ("fragile", "plugin"), "dead letter")
        check("SIGSEGV" in letter["why"] and "crashed" in letter["why"] and "crasher" in letter["why"], letter["why"])
    rows = daemon.wait_rows(600)
    equal(sorted(int(row["n"]) for row in rows), list(range(600)), "rows of the sink beside it")
    check("sink fragile (plugin crasher) crashed the worker" in daemon.logged(), "the log does not name it")
    restarts = daemon.logged().count("crashed the worker")
    check(restarts <= 3 * len(bad), "%d restarts for %d bad events" % (restarts, len(bad)))


def each_way(t, how, word):
    """The third crash with an event is its last."""
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    before = post(daemon, body(1))
    bad = post(daemon, body(2, act=how))
    after = post(daemon, body(3))
    wait_until(lambda: dead(daemon), "no dead letter", 60)
    equal([letter["id"] for letter in dead(daemon)], [bad.event_id], "dead letters")
    check(word in dead(daemon)[0]["why"], "dead for another reason: %r" % dead(daemon)[0])
    wait_until(lambda: set(delivered(daemon)) == {before.event_id, after.event_id}, "not delivered")
    daemon.wait_rows(3)


def test_abort(t):
    each_way(t, "abort", "SIGABRT")


def test_exit(t):
    each_way(t, "exit", "exit(3)")


def test__exit(t):
    each_way(t, "_exit", "ended with exit status 4")


def test_an_end_without_a_crash(t):
    """What looks like an orderly stop is none, and the daemon goes on."""
    each_way(t, "exit well", "exit(0)")
    each_way(t, "_exit well", "ended with exit status 0")


def test_a_thread_of_the_plugin(t):
    """It is in no call; but whose code it runs, and which call waits for it, tells."""
    each_way(t, "thread crashes", "SIGSEGV at address 0x0 in crasher.so")
    each_way(t, "thread exits", "ended with exit status 0")


def test_a_handler_of_the_plugins_own(t):
    """No report of ours then; nor if the signal is blocked."""
    each_way(t, "handle", "ended with exit status 11")
    each_way(t, "block", "SIGSEGV")


def test_heap_corruption(t):
    if harness.SANITIZE:
        raise harness.Skip("the sanitizers see it first")
    each_way(t, "free", "SIGABRT in crasher.so")


def test_all_descriptors_closed(t):
    """It has happened before it is noticed, so the event may have been delivered."""
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    bad = post(daemon, body(1, act="close"))
    wait_until(lambda: dead(daemon), "no dead letter", 60)
    check("a descriptor was closed that is patchbay's own" in dead(daemon)[0]["why"], dead(daemon)[0]["why"])
    equal(dead(daemon)[0]["id"], bad.event_id, "dead letter")
    good = post(daemon, body(2)).event_id
    wait_until(lambda: good in delivered(daemon), "not delivered")
    daemon.wait_rows(2)


def test_many_calls_at_once(t):
    """Whichever way it ends the worker: the culprit is found among eight calls, and no other is blamed."""
    daemon = t.daemon(ROUTES.replace("    path: {folder}/fragile\n",
                                     "    path: {folder}/fragile\n    concurrency: 8\n    batch: {{events: 1}}\n"),
                      env=WITH_MOODY)
    ways = {10: "null", 40: "thread crashes", 70: "_exit", 100: "handle"}
    ids = [post(daemon, body(n, **({"act": ways[n]} if n in ways else {}))).event_id for n in range(120)]
    bad = {ids[n] for n in ways}
    wait_until(lambda: set(delivered(daemon)) >= set(ids) - bad and len(dead(daemon)) >= len(bad),
               lambda: "%d delivered, dead: %r" % (len(set(delivered(daemon))), dead(daemon)), 60)
    equal({letter["id"] for letter in dead(daemon)}, bad, "dead letters")
    daemon.wait_rows(120)


def test_order_goes_on_past_poison(t):
    daemon = t.daemon(ROUTES.replace("    path: {folder}/fragile\n",
                                     "    path: {folder}/fragile\n    concurrency: 4\n    order: subject\n"),
                      env=WITH_MOODY)
    special = {10: {"act": "null"}, 13: {"retry": "once"}, 20: {"retry": "once"}, 22: {"act": "null", "retry": "once"}}
    ids = [post(daemon, body(n, subject="s%d" % (n % 3), **special.get(n, {}))).event_id for n in range(45)]
    wait_until(lambda: len(set(delivered(daemon))) == 43 and len(dead(daemon)) == 2,
               lambda: "%d delivered, dead: %r" % (len(set(delivered(daemon))), dead(daemon)))
    equal({letter["id"] for letter in dead(daemon)}, {ids[10], ids[22]}, "dead letters")
    order = list(dict.fromkeys(ids.index(event) for event in delivered(daemon)))
    for subject in range(3):
        of_it = [n for n in order if n % 3 == subject]
        equal(of_it, sorted(of_it), "order of subject %d" % subject)


def test_polling_and_details(t):
    """Events go on without the details; and a source that crashes when it polls takes posts all the same."""
    daemon = t.daemon(ROUTES.replace("    secret: s3cret\nsinks", "    secret: s3cret\n    poll: 'null'\nsinks"),
                      env=WITH_MOODY)
    good, bad = [post(daemon, body(n, enrich=how)).event_id for n, how in enumerate(("it", "null"))]
    wait_until(lambda: set(delivered(daemon)) == {good, bad} and "left alone" in daemon.logged(),
               lambda: "delivered: %r" % delivered(daemon))
    check("3 times: SIGSEGV" in json.dumps(daemon.show(bad)), "the event does not say why there are no details")
    check("SIGSEGV" not in json.dumps(daemon.show(good)), "blamed, too")
    equal(daemon.logged().count("when it polled: SIGSEGV at"), 3, "crashes")
    equal(post(daemon, body(2), "/in/others").status, 200, "answer of the source that polls")
    daemon.wait_rows(3)


def test_what_a_child_does_is_not_the_workers(t):
    """A child that a plugin has forked crashes, exits, or lives on."""
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    good = [post(daemon, body(n, **more)) for n, more in enumerate((
        {"act": "child crashes"}, {"act": "child exits"}, {"parse": "child crashes"}, {"act": "child stays"}))]
    wait_until(lambda: set(delivered(daemon)) == {answer.event_id for answer in good}, "not delivered")
    check("crashed the worker" not in daemon.logged(), daemon.tail())
    bad = post(daemon, body(10, act="null")).event_id
    wait_until(lambda: [letter["id"] for letter in dead(daemon)] == [bad], lambda: "dead: %r" % dead(daemon))
    check("is in use" not in daemon.logged(), "a child holds the journal")


def test_stack_overflow(t):
    each_way(t, "overflow", "SIGSEGV")


def test_a_sink_that_loops(t):
    each_way(t, "loop", "did not return")


def test_poison_requests(t):
    """A body with which the source crashes, or loops for ever: kept, named, and after the third time not tried again."""
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    n = 0
    for how, word in (("null", "SIGSEGV"), ("loop", "did not return")):
        poison = body(1000 + n, parse=how)
        for _ in range(3):
            crash(daemon, poison)
            n += 1
            answer = post(daemon, body(n))
            equal(answer.status, 200, "the next event's answer")
        equal(post(daemon, poison).status, 200, "answer to what is known to be poison, and is kept")
        check("crashed" not in daemon.logged().splitlines()[-1], "it was tried again")
        letters = [letter for letter in dead(daemon) if word in letter["why"]]
        equal(len(letters), 3, "requests in quarantine, %r" % dead(daemon))
        equal({(letter["source"], letter["plugin"], letter["class"]) for letter in letters},
              {("things", "crasher", "plugin")}, "culprits")
        check("things" in daemon.cli("dead") and word in daemon.cli("dead"), "`dead` does not name the culprit")
        check("poison" not in daemon.cli("dead"), "the payload is shown")
    equal(len(daemon.wait_rows(n)), n, "rows")
    check("source things (plugin crasher) crashed the worker" in daemon.logged(), "the log does not name it")
    found = daemon.show(dead(daemon)[0]["id"])
    check("crasher" in json.dumps(found), "explain does not know it")


def test_a_crash_in_verify_is_not_an_event(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    for _ in range(3):
        crash(daemon, body(1), **{"x-verify": "null"})
    equal(post(daemon, body(1), **{"x-verify": "null"}).status, 403, "answer to what cannot be verified")
    equal(post(daemon, body(1)).status, 200, "the same body, sent well")
    equal(post(daemon, body(2), "/in/others").status, 200, "another source")
    daemon.wait_rows(2)


def test_connections_wait_for_the_next_worker(t):
    """No connection is refused while there is none."""
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    refused = 0
    for n in range(6):
        end_worker(daemon, signal.SIGSEGV)
        try:
            with daemon.client(20):
                pass
        except ConnectionRefusedError:
            refused += 1
        equal(post(daemon, body(n)).status, 200, "answer")
    equal(refused, 0, "refused connections")
    daemon.wait_rows(6)


def test_an_instance_that_cannot_be_made(t):
    """It is left out; all else goes on, and /health says so."""
    routes = ROUTES.replace("    path: {folder}/fragile\n", "    path: {folder}/fragile\n    create: 'null'\n")
    daemon = t.daemon(routes, env=WITH_MOODY, start=False).start(60)
    equal(post(daemon, body(1)).status, 200, "answer")
    daemon.wait_rows(1)
    check("left out" in daemon.logged(), "the log does not say so")
    equal(dead(daemon), [], "dead letters")


def test_what_crashed_goes_on_as_it_was(t):
    """What stands in the folders meanwhile, checked by nobody, counts only when it is asked for."""
    plugins = os.path.join(t.folder, "plugins")
    shutil.copytree(WITH_MOODY["PATCHBAY_PLUGIN_PATH"].split(":")[1], plugins)
    daemon = t.daemon(ROUTES, env={"PATCHBAY_PLUGIN_PATH": harness.PLUGINS + ":" + plugins})
    good = open(daemon.routes).read()
    with open(daemon.routes, "w") as f:
        f.write("listen: [\n")
    with open(os.path.join(plugins, "crasher.so"), "r+b") as f:
        f.truncate(5000)
    for n in range(3):
        end_worker(daemon, signal.SIGSEGV)
        equal(post(daemon, body(n)).status, 200, "answer")
    daemon.wait_rows(3)
    check("taken as it is now" not in daemon.logged(), daemon.logged())
    daemon.cli("reload", code=1)
    end_worker(daemon, signal.SIGSEGV)
    equal(post(daemon, body(3)).status, 200, "answer, after a reload that was refused")
    shutil.copy(os.path.join(WITH_MOODY["PATCHBAY_PLUGIN_PATH"].split(":")[1], "crasher.so"), plugins)
    with open(daemon.routes, "w") as f:
        f.write(good.replace("id, source,", "id, source, again: .data.n,").replace("audit.csv", "audit-new.csv"))
    daemon.cli("reload")
    end_worker(daemon, signal.SIGSEGV)
    os.unlink(daemon.routes)
    equal(post(daemon, body(4)).status, 200, "answer, after a reload that was taken")
    wait_until(lambda: [r["again"] for r in daemon.rows("audit-new*.csv")] == ["4"],
               lambda: "rows %r" % daemon.rows("audit-new*.csv"))
    with open(daemon.routes, "w") as f:
        f.write(good)


def own_plugins(t, routes=ROUTES):
    daemon = t.daemon(routes, start=False)
    folder = os.path.join(daemon.folder, "plugins")
    shutil.copytree(harness.FIXTURES, folder)
    daemon.env["PATCHBAY_PLUGIN_PATH"] = harness.PLUGINS + ":" + folder
    return daemon, folder


def eager(folder):
    """A plugin that crashes while it is loaded."""
    shutil.copy(os.path.join(harness.FIXTURES.replace("moody", "eager"), "eager.so"), folder)


def test_a_plugin_that_cannot_even_be_loaded(t):
    """It is left out at the start."""
    daemon, folder = own_plugins(t)
    eager(folder)
    daemon.start(60)
    equal(post(daemon, body(1)).status, 200, "answer")
    check("plugin eager.so crashed the worker: when it was loaded" in daemon.logged(), daemon.logged())
    check("cannot be taken up again" not in daemon.logged(), "nothing was at work before")
    with daemon.client() as client:
        check(client.post("/in/things", body(2), AUTHENTIC).status == 200, "answer")


def test_what_was_not_at_work_is_not_loaded_after_a_crash(t):
    daemon, folder = own_plugins(t)
    daemon.start()
    eager(folder)
    for n in range(3):
        end_worker(daemon, signal.SIGKILL)
        equal(post(daemon, body(n)).status, 200, "answer")
    check("eager" not in daemon.logged(), daemon.logged())
    daemon.cli("reload", code=1)
    equal(post(daemon, body(3)).status, 200, "answer, after a reload that crashed")
    equal(daemon.logged().count("plugin eager.so crashed the worker"), 1, "crashes")


def test_idle_is_not_forgiven_for_what_act_does_well(t):
    daemon = t.daemon(ROUTES.replace("    path: {folder}/fragile\n", "    path: {folder}/fragile\n    idle: 'null'\n"),
                      env=WITH_MOODY)
    def crashes():
        return daemon.logged().count("when it was idle: SIGSEGV at")

    for n in range(3):
        event = post(daemon, body(n)).event_id
        wait_until(lambda: event in delivered(daemon) and crashes() > n, "it does not crash")
    post(daemon, body(3))
    wait_until(lambda: "left alone" in daemon.logged(), "it is not parked")
    daemon.wait_rows(4)
    equal(crashes(), 3, "crashes")


def test_poison_is_let_in_once_the_plugin_is_mended(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    mended = os.path.join(daemon.folder, "mended")
    with open(daemon.routes) as f:
        text = f.read()
    with open(daemon.routes, "w") as f:
        f.write(text.replace("    secret: s3cret\n", "    secret: s3cret\n    mended: %s\n" % mended))
    daemon.cli("reload")
    poison = body(1, parse="null")
    for _ in range(3):
        crash(daemon, poison)
    equal(post(daemon, poison).status, 200, "answer to what is kept")
    equal(daemon.rows(), [], "rows")
    open(mended, "w").close()
    daemon.cli("reload")
    daemon.cli("reverify", "things")
    daemon.wait_rows(1)
    equal(dead(daemon), [], "what plugins crashed with, once it is in")


def test_a_left_out_instance_comes_back_with_a_reload(t):
    routes = ROUTES.replace("    path: {folder}/fragile\n", "    path: {folder}/fragile\n    create: 'null'\n")
    daemon = t.daemon(routes, env=WITH_MOODY, start=False).start(60)
    event = post(daemon, body(1)).event_id
    daemon.wait_rows(1)
    with open(daemon.routes) as f:
        text = f.read()
    with open(daemon.routes, "w") as f:
        f.write(text.replace("    create: 'null'\n", ""))
    daemon.cli("reload")
    wait_until(lambda: delivered(daemon) == [event], "not delivered")


def test_a_reload_that_crashes_is_refused_in_effect(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    with open(daemon.routes) as f:
        text = f.read()
    with open(daemon.routes, "w") as f:
        f.write(text.replace("    path: {0}/fragile\n".format(daemon.folder),
                             "    path: {0}/fragile\n    create: 'null'\n".format(daemon.folder)))
    for n in range(4):
        daemon.cli("reload", code=1)
        event = post(daemon, body(n)).event_id
        wait_until(lambda: event in delivered(daemon), "not delivered by what was at work before")
    check("left out" not in daemon.logged(), daemon.logged())


def test_killed_supervisor_leaves_nothing(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    worker = daemon.worker()
    post(daemon, body(1))
    daemon.kill()
    wait_until(lambda: not os.path.exists("/proc/%d" % worker) or
               open("/proc/%d/stat" % worker).read().split(")")[1].split()[0] == "Z", "the worker goes on")
    daemon.start()
    post(daemon, body(2))
    daemon.wait_rows(2)


def test_killed_worker_is_nobodys_fault(t):
    daemon = t.daemon(ROUTES, env=WITH_MOODY)
    for n in range(5):
        end_worker(daemon, signal.SIGKILL)
        equal(post(daemon, body(n)).status, 200, "answer")
    daemon.wait_rows(5)
    equal(dead(daemon), [], "dead letters")
    check("outside of any plugin's call" in daemon.logged(), "the log does not tell")


if __name__ == "__main__":
    harness.main()
