"""A root in which systemd runs, as the first process of namespaces of its own: for what installing starts and stops."""

import os
import subprocess

import harness
from harness import Skip, wait_until

BOOT = r"""
mount --make-rprivate /
mount --bind "$0" "$0"
mount -t proc proc "$0/proc"
mount -t sysfs -o ro sysfs "$0/sys"
mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$0/run"
cd "$0"
mkdir old
pivot_root . old
umount -l /old
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target \
	--log-target=null --show-status=0
"""


def control_group():
    for base in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(os.path.join(base, "cgroup.controllers")):
            path = os.path.join(base, "patchbay-packages-%d" % os.getpid())
            try:
                os.mkdir(path)
                return path
            except OSError as e:
                raise Skip("no control group can be made: %s" % e) from None
    raise Skip("there is no cgroup2 file system")


class Booted:
    def __init__(self, t, root):
        self.group = control_group()
        root.run("systemctl", "mask", "systemd-udevd.service", "systemd-journald.service", "systemd-journald.socket",
                 "systemd-journald-dev-log.socket", "systemd-journal-flush.service", "systemd-logind.service")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "sh", "-eu", "-c", BOOT, root.folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: open(os.path.join(self.group, "cgroup.procs"), "w").write("0"))
        t.undo.append(self.halt)
        try:
            wait_until(self.is_up, "systemd does not come up", 30)
        except harness.Failed as e:
            self.halt()
            raise Skip("%s: %s" % (e, self.process.stdout.read().decode("utf-8", "replace")[-500:])) from None

    def is_up(self):
        if self.process.poll() is not None:
            raise harness.Failed("systemd ends at once")
        found = harness.children(self.process.pid)
        self.pid = found[0] if found else None
        return self.pid and self.run("systemctl", "is-active", "basic.target", code=None).strip() == "active"

    def run(self, *command, code=0):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-a", "-r", "-w", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                               "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        if code is not None and done.returncode != code:
            raise harness.Failed("%s: exit code %d, wanted %d\n%s" % (" ".join(command), done.returncode, code, done.stdout))
        return done.stdout

    def state(self):
        """Whether the service is enabled and active, and its main process."""
        ask = [self.run("systemctl", *question, "patchbay.service", code=None).strip()
               for question in (["is-enabled"], ["is-active"], ["show", "-p", "MainPID", "--value"])]
        return ask[0], ask[1], int(ask[2])

    def halt(self):
        if self.process.poll() is None:
            for pid in harness.children(self.process.pid):  # the first process: with it all others end
                os.kill(pid, 9)
            self.process.kill()
        self.process.wait()
        wait_until(self.remove_group, "the control group stays")

    def remove_group(self):
        try:
            for folder, _, _ in os.walk(self.group, topdown=False):
                os.rmdir(folder)
        except OSError:
            return False
        return True
