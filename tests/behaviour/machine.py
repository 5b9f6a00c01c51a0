"""A machine for tests: the systemd of this system, started as the first process of namespaces of its own, over this
system's /usr and an /etc and /var of its own, with Patchbay installed in /usr/local. Only root can have it, and only where
systemd is installed; elsewhere the test is skipped."""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

import harness
from harness import Skip, wait_until

BUILD = os.path.dirname(harness.PATCHBAY)
SYSTEMD = "/usr/lib/systemd/systemd" if os.path.exists("/usr/lib/systemd/systemd") else "/lib/systemd/systemd"

BOOT = r"""
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
for folder in usr opt; do
	[ -d "/$folder" ] || continue
	mkdir -p "$root/$folder"
	mount --bind "/$folder" "$root/$folder"
	mount -o remount,bind,ro "$root/$folder"
done
for name in bin sbin lib lib64 lib32; do
	if [ -L "/$name" ]; then
		ln -s "$(readlink "/$name")" "$root/$name"
	elif [ -d "/$name" ]; then
		mkdir "$root/$name"
		mount --bind "/$name" "$root/$name"
	fi
done
mount --bind "$2" "$root/usr/local"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for name in null zero full random urandom tty; do
	touch "$root/dev/$name"
	mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/old"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
cd "$root"
pivot_root . old
umount -l /old
mount --make-rshared /
exec env -i container=test PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$3" --system --unit=basic.target \
	--log-target=null --show-status=0
"""

MASKED = ("systemd-udevd.service systemd-udev-trigger.service systemd-sysctl.service systemd-modules-load.service "
          "systemd-resolved.service systemd-networkd.service systemd-timesyncd.service systemd-logind.service "
          "systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket "
          "systemd-journal-flush.service systemd-update-utmp.service systemd-random-seed.service systemd-pstore.service "
          "systemd-hwdb-update.service ldconfig.service systemd-binfmt.service dev-hugepages.mount dev-mqueue.mount "
          "sys-kernel-debug.mount sys-kernel-tracing.mount kmod-static-nodes.service").split()


def need():
    if harness.SANITIZE:
        raise Skip("a sanitizer does not run in the unit's sandbox")
    if os.geteuid() != 0:
        raise Skip("needs root to boot a systemd of its own")
    if not os.path.exists(SYSTEMD):
        raise Skip("systemd is not installed")


def own_network():
    """This process, and all that it starts, in a network of its own, with nothing but loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000) != 0:
        raise Skip("no network namespace can be made: " + os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh", b"lo", 0x41) + bytes(22))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING


class Machine:
    def __init__(self, folder):
        self.root = os.path.join(folder, "root")
        self.stage = os.path.join(folder, "stage")
        self.pid = None
        self.group = None
        for name in ("proc", "sys", "dev", "run", "tmp", "var/log", "var/lib", "var/tmp", "root", "etc/systemd/system", "home"):
            os.makedirs(os.path.join(self.root, name))
        self.install()
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
        self.write("etc/group", "root:x:0:\nnogroup:x:65534:\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl/openssl.cnf"):
            self.copy("etc/" + name)
        for unit in MASKED:
            os.symlink("/dev/null", os.path.join(self.root, "etc/systemd/system", unit))
        self.boot()

    def install(self):
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr/local", "--component", "runtime"],
                              env=dict(os.environ, DESTDIR=self.stage), capture_output=True, text=True)
        harness.equal(done.returncode, 0, "cmake --install\n" + done.stdout + done.stderr)
        shutil.copytree(os.path.join(self.stage, "etc"), os.path.join(self.root, "etc"), dirs_exist_ok=True)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)

    def copy(self, name):
        source, target = "/" + name, os.path.join(self.root, name)
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        elif os.path.exists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)

    def boot(self):
        self.group = cgroup()
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "sh", "-eu", "-c", BOOT, "sh", self.root,
             os.path.join(self.stage, "usr/local"), SYSTEMD],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: open(os.path.join(self.group, "cgroup.procs"), "w").write("0"))
        self.process = process
        try:
            wait_until(self.is_up, "systemd does not come up", 20)
        except harness.Failed as e:
            self.halt()
            raise Skip("%s: %s" % (e, process.stdout.read().decode("utf-8", "replace")[-500:]))

    def is_up(self):
        if self.process.poll() is not None:
            raise harness.Failed("systemd ends at once")
        found = harness.children(self.process.pid)
        self.pid = found[0] if found else None
        return self.pid and self.run("systemctl", "is-active", "basic.target", check=False).returncode == 0

    def run(self, *command, check=True):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C", "-r", "-w", *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if check and done.returncode:
            raise harness.Failed("%s: exit code %d\n%s%s" % (" ".join(command), done.returncode, done.stdout, done.stderr))
        return done

    def show(self, unit, *properties):
        values = [self.run("systemctl", "show", unit, "-p", p, "--value").stdout.strip() for p in properties]
        return values[0] if len(values) == 1 else values

    def halt(self):
        if self.process.poll() is None:
            for pid in harness.children(self.process.pid):  # the first process: with it all others end
                os.kill(pid, 9)
            self.process.kill()
        self.process.wait()
        wait_until(lambda: remove_group(self.group), "the control group stays")


def cgroup():
    for base in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(os.path.join(base, "cgroup.procs")) and os.path.exists(os.path.join(base, "cgroup.controllers")):
            path = os.path.join(base, "patchbay-test-%d" % os.getpid())
            try:
                os.makedirs(path, exist_ok=True)
                return path
            except OSError as e:
                raise Skip("no control group can be made: %s" % e)
    raise Skip("there is no cgroup2 file system")


def remove_group(path):
    for folder, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True
