"""A machine as the documents think of it, for one test: Patchbay is installed in /usr/local, /etc/patchbay and
/var/lib/patchbay are there, the servers that configurations name answer, and nothing else can be reached. It is made of
namespaces of this process, so that commands run as they are written and leave no trace."""

import base64
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import harness
import peer_slack
import peer_smtp
from harness import Failed, Skip, check, wait_until

sys.path.insert(0, os.path.join(harness.TOP, "packaging", "manual"))
from markdown import parse  # noqa: E402

INSIDE = "PATCHBAY_TEST_DOCS_INSIDE"
NAMES = {"hooks.slack.com": "20.0.0.1", "slack.com": "20.0.0.1", "warehouse.example.edu": "20.0.0.2",
         "mail.example.edu": "20.0.0.3", "mail.example.org": "20.0.0.3", "www.motivatecloud.com": "20.0.0.4"}
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
# What a secret that a configuration names by a file's or a variable's name has to look like; any other is FLEET_SECRET.
SECRETS = {"slack.url": "https://hooks.slack.com/services/T1/B1/hook", "SLACK_URL": "https://hooks.slack.com/services/T1/B1/hook",
           "BILLING_SECRET": KEY, "WAREHOUSE_SECRET": KEY, "WAREHOUSE_URL": "https://warehouse.example.edu/events",
           "mail.password": "s3cr3t pass"}
# Programs whose commands may be run just as they are written.
HARMLESS = ("patchbay", "cmake", "ctest", "cd", "cat", "echo", "kill", "man")
PLACEHOLDER = r"\.\.\.|[][|;<>]|\b(?!ID\b)[A-Z]{2,}\b(?!=)"
LISTEN = ("127.0.0.1", 8080)


def enter():
    """Starts this program anew where root may mount what it likes; elsewhere the tests that need it are skipped."""
    command = ["unshare", "--mount", "--net"]
    if INSIDE not in os.environ and os.geteuid() == 0 and subprocess.run(command + ["true"], capture_output=True).returncode == 0:
        os.environ[INSIDE] = "yes"
        os.execvp(command[0], command + [sys.executable, "-B"] + sys.argv)


_ready, _peers = [], []


def machine():
    """Makes it, once for all tests of this process."""
    if INSIDE not in os.environ:
        raise Skip("needs root, and namespaces")
    if _ready:
        if not _ready[0]:
            raise Failed("the machine could not be made, see the first test")
        return
    _ready.append(None)
    run = lambda *command, **more: subprocess.run(command, check=True, capture_output=True, **more)
    top = "/mnt"
    try:
        run("mount", "-t", "tmpfs", "tmpfs", top)
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        for folder in ("/etc", "/usr/local", "/var/lib"):
            upper, work = (os.path.join(top, folder.strip("/").replace("/", "-") + end) for end in (".upper", ".work"))
            os.makedirs(upper)
            os.makedirs(work)
            run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=%s" % (folder, upper, work), folder)
    except subprocess.CalledProcessError as e:
        _ready.clear()
        raise Skip("cannot mount here: " + e.stderr.decode().strip()) from None
    with open("/etc/hosts", "w") as f:
        f.write("127.0.0.1 localhost\n" + "".join("%s %s\n" % (a, n) for n, a in NAMES.items()))
    with open("/etc/nsswitch.conf", "w") as f:
        f.write("hosts: files\n")
    interface(b"lo")
    for number, address in enumerate(sorted(set(NAMES.values()))):
        interface(b"lo:%d" % number, address)
    build = os.path.dirname(harness.PATCHBAY)
    done = subprocess.run(["cmake", "--install", build, "--prefix", "/usr/local"], capture_output=True, text=True)
    check(done.returncode == 0, "%s cannot be installed (is all of it built?): %s" % (build, done.stderr))
    os.makedirs("/usr/local/sbin", exist_ok=True)
    with open("/usr/local/sbin/sudo", "w") as f:
        f.write('#!/bin/sh\nexec "$@"\n')
    os.chmod("/usr/local/sbin/sudo", 0o755)
    certificate = os.path.join(top, "server.pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=it",
        "-addext", "subjectAltName=" + ",".join("DNS:" + name for name in NAMES), "-keyout", certificate + ".key", "-out", certificate)
    os.makedirs("/etc/ssl/certs", exist_ok=True)
    with open("/etc/ssl/certs/ca-certificates.crt", "a") as f, open(certificate) as own:
        f.write(own.read())
    _ready[0] = certificate


def interface(name, address=None):
    """Brings up a network interface, the loopback's second address say."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for request, number in ((0x8916, address), (0x891C, address and "255.255.255.255")):  # SIOCSIFADDR, SIOCSIFNETMASK
            if number:
                fcntl.ioctl(s, request, struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(number)))
        if not address:
            fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", name, 0x41))  # SIOCSIFFLAGS: up, running


class Elsewhere(str):
    """Why a command is not tried here, and what tries it."""


# How commands begin that are never run here.
ELSEWHERE = (
    (r"(sudo )?(apt|apt-get|dpkg|dnf|rpm|rpmbuild) ", Elsewhere("needs packages: packaging/test-packages tries it")),
    (r"(sudo )?(systemctl|systemd-\w+|journalctl) ", Elsewhere("needs systemd: packaging/test-packages tries it")),
    (r"(python3|sh) (tests|packaging)/", Elsewhere("is itself what tests or packages all of this")),
)


def elsewhere(command):
    script = re.match(r"(?:python3|sh) (\S+)", command)
    check(not script or os.path.exists(os.path.join(harness.TOP, script.group(1))), "there is no " + command)
    return next((why for begins, why in ELSEWHERE if re.match(begins, command)), None)


def expanded(command):
    """Without what is in brackets, and with it."""
    return list(dict.fromkeys(" ".join(re.sub(r"\[(.*?)\]", kept, command).split()) for kept in ("", r"\1")))


class World:
    """One test's share of the machine: a clone of the project to stand in, a daemon, and what it delivers to."""

    def __init__(self, t):
        machine()
        self.folder = self.cwd = os.path.join(t.folder, "clone")
        os.makedirs(self.folder)
        for name in os.listdir(harness.TOP):
            if not name.startswith("build"):
                os.symlink(os.path.join(harness.TOP, name), os.path.join(self.folder, name))
        os.symlink(os.path.dirname(harness.PATCHBAY), os.path.join(self.folder, "build"))
        for folder in ("/etc/patchbay", "/var/lib/patchbay", "/run/patchbay"):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder, 0o750)
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                    "CREDENTIALS_DIRECTORY": self.folder}
        self.env.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
        self.daemon, self.log, self.id = None, os.path.join(t.folder, "serve.log"), None
        t.undo.append(self.end)
        self.slack = self.smtp = None

    def peers(self):
        """What the configuration delivers to. They live as long as this process, and forget between tests."""
        if not _peers:
            certificate = _ready[0]
            slack = peer_slack.Peer(tls=(certificate, certificate + ".key"), address=("20.0.0.1", 443))
            smtp = peer_smtp.Server(self.folder, tls="implicit", auth=["PLAIN"], user=("patchbay", SECRETS["mail.password"]),
                                    address=("20.0.0.3", 465))
            smtp.context.load_cert_chain(certificate, certificate + ".key")
            _peers.extend((slack, smtp))
        self.slack, self.smtp = _peers
        self.slack.got.clear()
        self.smtp.mails.clear()
        self.smtp.always.clear()

    def end(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()

    def configure(self, text, path="routes.yaml"):
        """Writes a configuration, and the secrets that it names."""
        path = os.path.join(self.cwd, path)
        for name in re.findall(r"certificate: ([\w./-]+)", text):
            shutil.copy(_ready[0], os.path.join(os.path.dirname(path), name))
        for kind, name in re.findall(r"\{(file|env|credential): ([^}]+)\}", text):
            value = SECRETS.get(os.path.basename(name), harness.FLEET_SECRET)
            if name.endswith("key.pem"):
                with open(_ready[0] + ".key") as f:
                    value = f.read()
            if kind == "env":
                self.env[name] = value
                continue
            secret = os.path.join(self.folder if kind == "credential" else os.path.dirname(path), name)
            with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
                f.write(value + "\n")
        with open(path, "w") as f:
            f.write(text)

    def run(self, command, code=0, seconds=60):
        """Runs it in a shell that stands where the last command left it."""
        if re.fullmatch("patchbay serve .*", command):
            return self.serve(command)
        if self.id:
            command = re.sub(r"\bID\b", self.id, command)
        where = os.path.join(self.folder, ".cwd")
        script = "cd %s\n%s\ncode=$?\npwd >%s\nexit $code" % (shlex.quote(self.cwd), command, shlex.quote(where))
        process = subprocess.Popen(["bash", "-c", script], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            said, _ = process.communicate(timeout=seconds * harness.SLOWER)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with all that it has started
            raise Failed("%s\ndoes not end; it says:\n%s" % (command, process.communicate()[0])) from None
        if process.returncode != code:
            raise Failed("%s\nexit code %d, wanted %d; it says:\n%s\nthe daemon's log:\n%s"
                         % (command, process.returncode, code, said, self.logged()[-3000:]))
        with open(where) as f:
            self.cwd = f.read().strip()
        return said

    def serve(self, command="patchbay serve -c routes.yaml"):
        if self.daemon:
            self.stop()
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(["bash", "-c", "exec " + command], cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log)
        wait_until(self.answers, lambda: "it does not serve:\n" + self.logged())

    def answers(self):
        check(self.daemon.poll() is None, "the daemon ended: " + self.logged())
        try:
            with harness.Client(LISTEN, 5) as client:
                client.send(client.request(b"", "/", {}, "GET"))
                return client.answer().status == 404
        except (OSError, harness.Closed):
            return False

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        code = self.daemon.wait(20 * harness.SLOWER)
        check(code == 0, "the daemon ended with %d:\n%s" % (code, self.logged()))
        self.daemon = None

    def logged(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def follow(self, command, cause):
        """A command that prints what comes, until it is interrupted."""
        with subprocess.Popen(["bash", "-c", "exec " + command], cwd=self.cwd, env=self.env, stdout=subprocess.PIPE, text=True) as p:
            try:
                deadline = time.monotonic() + 20 * harness.SLOWER
                while not select.select([p.stdout], [], [], 0.2)[0]:
                    check(time.monotonic() < deadline and p.poll() is None, command + " printed nothing")
                    cause()  # again: it may not have looked yet
            finally:
                p.send_signal(signal.SIGINT)


# ---- Documents --------------------------------------------------------------------------------------------


def text_of(document):
    with open(os.path.join(harness.TOP, document), encoding="utf-8") as f:
        return f.read()


def code_of(document):
    """(language, lines) of each block of code."""
    def walk(blocks):
        for block in blocks:
            if block[0] == "code":
                yield block[1], block[2]
            for inner in block[1] if block[0] == "list" else ():
                yield from walk(inner)
    return list(walk(parse(text_of(document))))


def command_of(line):
    """A line of a block as a command: without the remark behind it."""
    line = re.sub(r"\s+# .*", "", line.strip())
    parts = re.split(r"\s{2,}", line)
    if len(parts) > 1 and not parts[-1].startswith("-"):
        parts.pop()
    return " ".join(parts)


def run_commands(world, document, rules, others=()):
    """Runs the commands of a document, in their order. `rules`: what to do about a command that cannot be run just as it is
    written: a list of commands instead, or a function. `others`: how blocks begin that are no commands. A rule that no
    command asks for any more is a failure, as is a command that is in no rule, and not one of HARMLESS without placeholders."""
    used = set()
    for language, lines in code_of(document):
        if language not in ("", "sh", "bash", "console"):
            continue
        start = [o for o in others if lines[0].startswith(o)]
        if start:
            used.update(start)
            continue
        for line in filter(str.strip, lines):
            command = command_of(line)
            used.add(command)
            rule = rules.get(command, elsewhere(command))
            if isinstance(rule, Elsewhere):
                continue
            if rule is None:
                rule = expanded(command)
                check(command.replace("sudo ", "").split()[0] in HARMLESS and not any(re.search(PLACEHOLDER, c) for c in rule),
                      "%s: no rule says how to try '%s'; see rules in test_docs.py" % (document, command))
            for instead in rule if isinstance(rule, list) else [rule]:
                instead(world) if callable(instead) else world.run(instead)
    left = (set(rules) | set(others)) - used
    check(not left, "%s: rules for what it does not say: %s" % (document, sorted(left)))

