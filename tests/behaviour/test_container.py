"""Without a service manager: as the first process of a container, whose root is read-only and whose user has no name."""

import os
import re
import shutil
import signal
import subprocess

import harness
from harness import Skip, check, equal, fault, wait_until

USER = 54321  # nobody's

CONTAINER = r"""
folder=$1 build=$2
shift 2
mount --make-rprivate /
mount --bind "$folder/state" "$folder/state"
mount --bind "$folder/export" "$folder/export"
mount --bind "$build" "$folder/build"
mount -o remount,bind,ro /
mount -t proc proc /proc
exec env -i PATCHBAY_PLUGIN_PATH="$folder/build/plugins" \
	setpriv --reuid=%d --regid=%d --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
	"$folder/build/patchbay" serve -c "$folder/routes.yaml" <&-
""" % (USER, USER)


def container(t):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root, to make a container")
    if harness.SANITIZE:
        raise Skip("a sanitizer wants more than such a container has")
    daemon = t.daemon(start=False)
    os.makedirs(daemon.journal)
    os.makedirs(os.path.join(daemon.folder, "build"))
    os.chmod(t.folder, 0o755)
    for name in ("state", "export", "fleet.secret", "learning.key"):
        os.chown(os.path.join(daemon.folder, name), USER, USER)
    with open(daemon.log, "ab") as log:
        daemon.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-eu", "-c", CONTAINER, "sh", daemon.folder,
             os.path.dirname(harness.PATCHBAY)],
            env=daemon.env, cwd=daemon.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(daemon.answers, "no answer")
    except harness.Failed:
        if re.search("unshare failed|permission denied", daemon.tail()):
            raise Skip("no namespaces here: " + daemon.tail())
        raise harness.Failed("it does not run:\n" + daemon.tail())
    return daemon, harness.children(daemon.process.pid)[0]


def test_first_process_of_a_container(t):
    daemon, first = container(t)
    with open("/proc/%d/status" % first) as f:
        text = f.read()
    check(re.search(r"NSpid:\s+\d+\s+1\n", text), "it is the first process:\n" + text)
    check(re.search(r"Uid:\s+%d\s" % USER, text), "whose it is:\n" + text)
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    daemon.wait_rows(1)

    orphan = "sh -c 'exec 3>&-; (sleep 0.01; exit 3) & exit 0'"
    equal(subprocess.run(["nsenter", "-t", str(first), "-p", "-m", "sh", "-c", orphan]).returncode, 0, "nsenter")
    wait_until(lambda: len(harness.children(first)) == 1, lambda: "left: %r" % harness.children(first))

    worker = harness.children(first)[0]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: harness.children(first) not in ([], [worker]), "another worker")
    equal(daemon.client().fleet(fault(2)).status, 200, "status after a crash")
    daemon.wait_rows(2)
    os.kill(first, signal.SIGTERM)
    equal(daemon.process.wait(20), 0, "exit code")
    check("stopping: Terminated" in daemon.tail() and "stopped" in daemon.tail(), daemon.tail())


def test_nohup(t):
    daemon = t.daemon(start=False)
    with open(daemon.log, "ab") as log:
        daemon.process = subprocess.Popen(["nohup", harness.PATCHBAY, "serve", "-c", daemon.routes], env=daemon.env,
                                          cwd=daemon.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_until(daemon.answers, "no answer")
    worker = daemon.worker()
    os.kill(daemon.process.pid, signal.SIGHUP)  # as when its terminal is closed
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    daemon.cli("reload")
    equal(daemon.client().fleet(fault(2)).status, 200, "status after a reload")
    equal(daemon.worker(), worker, "the worker")


harness.main()
