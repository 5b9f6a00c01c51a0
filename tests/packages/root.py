"""A fresh root of Debian 12 to install packages into, and the daemon as it runs there: by the package's user, from the
installed files, without systemd."""

import glob
import os
import shutil
import subprocess
import time

import harness
from build import KEPT, need, run

MIRROR = "http://deb.debian.org/debian"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENV = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
APT = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root"]
KEEP_EDITED = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]


def base():
    """The smallest root, with apt's lists, made once a week and never installed into."""
    if os.geteuid() != 0:
        raise harness.Skip("needs root for a root of its own")
    need("debootstrap")
    folder = os.path.join(KEPT, "bookworm")
    if os.path.isdir(folder) and time.time() - os.stat(folder).st_mtime < 7 * 86400:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(KEPT, "archives", "partial"), exist_ok=True)
    new = folder + ".new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        run("debootstrap", "--variant=minbase", "bookworm", new, MIRROR)
    except harness.Failed as e:
        raise harness.Skip("debootstrap found no mirror: %s" % str(e)[-300:]) from None
    run("chroot", new, *APT, "update", env=ENV)
    os.utime(new)
    os.rename(new, folder)
    return folder


class Root:
    def __init__(self, t, name):
        self.folder = os.path.join(t.folder, name)
        run("cp", "-a", base(), self.folder)
        t.mount(self.path("proc"), "-t", "proc", "proc")
        t.mount(self.path("var/cache/apt/archives"), "--bind", os.path.join(KEPT, "archives"))
        os.makedirs(self.path("packages"))

    def path(self, path):
        return os.path.join(self.folder, path.lstrip("/"))

    def run(self, *command, user=None, code=0):
        who = ["--userspec=%s:%s" % (user, user)] if user else []
        return run("chroot", *who, self.folder, *command, code=code, env=ENV)

    def apt(self, *arguments):
        return self.run(*APT, *arguments)

    def bring(self, *files):
        """Copies packages into the root, and says where they are there."""
        for file in files:
            shutil.copy(file, self.path("packages"))
        return ["/packages/" + os.path.basename(file) for file in files]

    def write(self, path, text, mode=0o644, group=None):
        with open(self.path(path), "w") as f:
            f.write(text)
        self.run("chmod", "%o" % mode, path)
        if group:
            self.run("chgrp", group, path)

    def read(self, path):
        with open(self.path(path)) as f:
            return f.read()

    def owner(self, path):
        return self.run("stat", "-c", "%U:%G %a", path).strip()

    def named_patchbay(self):
        """Every path of that name outside of what package managers and logs remember."""
        found = self.run("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/packages", "-o", "-path", "/var/lib/dpkg",
                         "-o", "-path", "/var/cache", "-o", "-path", "/var/log", ")", "-prune", "-o", "-path", "*patchbay*", "-print")
        return sorted(found.split())

    def forbid_services(self):
        """As docker does it: nothing may be started by installing."""
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)


class Installed(harness.Daemon):
    """The installed daemon. Its configuration and journal are where the package has them."""

    def __init__(self, t, root):
        self.root, self.address, self.process = root, harness.own_address(), None
        self.folder, self.log = root.folder, os.path.join(t.folder, "daemon.log")
        self.export = root.path("/var/lib/patchbay/export")
        t.daemons.append(self)

    def configure(self):
        """What a newcomer does after `apt install`: secrets, a folder for the export, and routes.yaml."""
        root = self.root
        root.write("/etc/patchbay/fleet.secret", harness.FLEET_SECRET + "\n", 0o640, "patchbay")
        root.write("/etc/patchbay/learning.key", harness.LEARNING_KEY + "\n", 0o640, "patchbay")
        root.run("mkdir", "/var/lib/patchbay/export", user="patchbay")
        self.edited = harness.ROUTES.format(listen="%s:%d" % self.address, journal="/var/lib/patchbay",
                                            folder="/etc/patchbay", export="/var/lib/patchbay/export")
        with open(root.path("/etc/patchbay/routes.yaml"), "w") as f: # as an editor does: owner and mode stay
            f.write(self.edited)
        return self

    def start(self, seconds=20):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["chroot", "--userspec=patchbay:patchbay", self.root.folder, "/usr/bin/patchbay", "serve"],
                env=ENV, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_until(self.answers, lambda: "daemon does not answer; its log:\n" + self.tail(), seconds)
        return self

    def cli(self, *arguments, code=0):
        return self.root.run("/usr/bin/patchbay", *arguments, user="patchbay", code=code)

    def version(self):
        return self.cli("--version").split()[1]
