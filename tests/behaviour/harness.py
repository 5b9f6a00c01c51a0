"""Runs the real daemon in a folder of its own and plays its peers: providers over sockets, the operator through
the command line, a reader of the CSV files. Python's standard library only; the providers' signatures are
implemented here a second time, from their documentation, so that plugin and test cannot be wrong together.

A test file holds functions test_*(t), where t is a Bench, and ends with harness.main(). They run in their order,
each with a fresh folder."""

import csv
import glob
import hashlib
import hmac
import io
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Absolute, since every daemon runs in a folder of its own.
PATCHBAY = os.path.abspath(os.environ.get("PATCHBAY", os.path.join(TOP, "build", "patchbay")))
PLUGINS = os.path.abspath(os.environ.get("PATCHBAY_PLUGIN_PATH", os.path.join(os.path.dirname(PATCHBAY), "plugins")))
FAILIO = os.environ.get("PATCHBAY_FAILIO", "") and os.path.abspath(os.environ["PATCHBAY_FAILIO"])
# An environment with `moody` and `crasher` beside the real plugins: they do what they are told to.
WITH_MOODY = {"PATCHBAY_PLUGIN_PATH": PLUGINS + ":" + os.path.join(os.path.dirname(PATCHBAY), "tests", "fixtures-moody")}
FIXTURES = os.path.join(os.path.dirname(PATCHBAY), "tests", "fixtures-moody")  # + "2", "3": other builds, see moody.c
SANITIZE = os.environ.get("PATCHBAY_SANITIZE", "")
SLOWER = {"": 1, "address": 3, "thread": 5}.get(SANITIZE, 3)  # deadlines, not measurements, are stretched by this

FLEET_SECRET = "d9d36bea41c44ae49d1bfc4a48ba2abe"
LEARNING_KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

FLEET = """\
listen: {listen}
journal: {journal}
sources:
  fleet:
    plugin: motive
    secret: {{file: {folder}/fleet.secret}}
"""  # the beginning of a routes.yaml; more sources may follow

ROUTES = FLEET + """\
  campus:
    plugin: lms
    allow_from: [127.0.0.1, "::1"]
  learning:
    plugin: motivate
    webhook_key: {{file: {folder}/learning.key}}
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, time, time_source, source, type, kind, subject, dedupe, test, ref: .data.id // .data.message_id]
routes:
  - to: audit
"""


class Failed(Exception):
    """What a test found wanting."""


class Skip(Exception):
    """Why a test cannot run here."""


def check(condition, what):
    if not condition:
        raise Failed(what)


def equal(got, wanted, what):
    if got != wanted:
        raise Failed("%s: got %r, wanted %r" % (what, got, wanted))


def wait_until(condition, what, seconds=15):
    """Asks again and again until condition() is true, and returns what it gave."""
    end = time.monotonic() + seconds * SLOWER
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed("%s: not within %d s" % (what() if callable(what) else what, seconds * SLOWER))
        time.sleep(0.02)


# ---- Providers ------------------------------------------------------------------------------------------


def sample(plugin, name):
    """A documented payload as the provider posts it: without the file's last line feed."""
    with open(os.path.join(TOP, "plugins", plugin, "samples", name + ".json"), "rb") as f:
        return f.read().rstrip(b"\n")


def samples(plugin):
    return sorted(os.path.basename(p)[:-5] for p in glob.glob(os.path.join(TOP, "plugins", plugin, "samples", "*.json")))


def dumps(value):
    return json.dumps(value).encode()


def motive_headers(body, secret=FLEET_SECRET):
    return {"X-KT-Webhook-Signature": hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


def motivate_sign(timestamp, token, key=LEARNING_KEY):
    return hmac.new(key.encode(), (str(timestamp) + token).encode(), hashlib.sha256).hexdigest().upper()


TOKEN_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def motivate_token():
    return "".join(random.choice(TOKEN_LETTERS) for _ in range(50))


def motivate_body(message_id, event_data, event_type="made_up_type", token=None, timestamp=None, key=LEARNING_KEY, **more):
    timestamp = int(time.time()) if timestamp is None else timestamp
    token = motivate_token() if token is None else token
    message = {
        "timestamp": timestamp, "token": token, "signature": motivate_sign(timestamp, token, key),
        "event_type": event_type, "message_id": message_id, "event_time": "2026-03-01T10:20:30Z",
        "employee_id": "E-17", "login_id": "bob", "first_name": "Bob", "last_name": "Johnson", "nick_name": "BJ",
    }
    message.update(more)
    message["event_data"] = event_data
    return dumps(message)


def fault(number, **more):
    """A Motive event whose id, and so whose identity, is `number`."""
    event = {"action": "fault_code_opened", "trigger": "created", "id": number, "code": "J1939", "status": "open",
             "last_observed_at": "2026-01-05T12:45:33Z", "vehicle": {"id": 1, "number": "T123"}}
    event.update(more)
    return dumps(event)


# ---- HTTP -----------------------------------------------------------------------------------------------


class Closed(Exception):
    """The server closed the connection (or reset it) instead of answering."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def event_id(self):
        return self.headers.get("patchbay-event-id")

    def __repr__(self):
        return "<%d %r %r>" % (self.status, self.headers, self.body[:200])


class Client:
    """One connection, byte by byte."""

    def __init__(self, address, timeout=20, source=None):
        self.address = address
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(timeout * SLOWER)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(address)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Hangs up at once, like a provider whose patience is over."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Closed(str(e)) from None

    def more(self):
        try:
            got = self.sock.recv(65536)
        except ConnectionResetError as e:
            raise Closed(str(e)) from None
        if not got:
            raise Closed("end of stream after %r" % self.pending[:200])
        self.pending += got

    def answer(self, head=False):
        """The next answer. Timeout is socket.timeout."""
        while b"\r\n\r\n" not in self.pending:
            self.more()
        text, self.pending = self.pending.split(b"\r\n\r\n", 1)
        lines = text.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        if status == 100:
            return self.answer(head)
        length = 0 if head or status in (204, 304) else int(headers.get("content-length", "0"))
        while len(self.pending) < length:
            self.more()
        body, self.pending = self.pending[:length], self.pending[length:]
        return Answer(status, headers, body)

    def request(self, body=b"", path="/in/fleet", headers=None, method="POST"):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: test", "Content-Length: %d" % len(body)]
        lines += ["%s: %s" % h for h in (headers or {}).items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def post(self, path, body, headers=None):
        try:
            self.send(self.request(body, path, headers))
        except Closed:
            pass  # it may have answered before it had heard all
        return self.answer()

    def fleet(self, body, path="/in/fleet"):
        return self.post(path, body, motive_headers(body))


# ---- The daemon -----------------------------------------------------------------------------------------

_addresses = itertools.count()


def own_address():
    """An address of the loopback network that belongs to this process and daemon alone: tests that run at the
    same time never fight for a port."""
    n = os.getpid() * 128 + next(_addresses)
    host = "127.%d.%d.%d" % (64 + n // (250 * 250) % 100, 1 + n // 250 % 250, 1 + n % 250)
    return host, 20000 + n % 7919


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(child) for child in f.read().split()]


_MEMBER = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)(?: |$)')


def log_members(line):
    """One line of the log as a dict, in either format. <PRIORITY> before it: "priority"."""
    members, at = {}, 0
    if line[:1] == "<" and line[2:3] == ">":
        members["priority"], at = int(line[1]), 3
    if line[at:at + 1] == "{":
        return dict(members, **json.loads(line[at:]))
    while at < len(line):
        found = _MEMBER.match(line, at)
        check(found and found[1] not in members, "this is no logfmt: %r" % line)
        members[found[1]] = json.loads(found[2]) if found[2][0] == '"' else found[2]
        at = found.end()
    check(members, "an empty line in the log")
    return members


class Daemon:
    def __init__(self, folder, routes=None, address=None, journal=None, export=None, env=None, **more):
        self.folder = folder
        self.address = address or own_address()
        self.journal = journal or os.path.join(folder, "state")
        self.export = export or os.path.join(folder, "export")
        self.routes = os.path.join(folder, "routes.yaml")
        self.log = os.path.join(folder, "daemon.log")
        self.process = None
        self.env = dict(os.environ, PATCHBAY_PLUGIN_PATH=PLUGINS)
        self.env.update(env or {})
        os.makedirs(self.export, exist_ok=True)
        for name, text in (("fleet.secret", FLEET_SECRET), ("learning.key", LEARNING_KEY)):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text + "\n")
            os.chmod(os.path.join(folder, name), 0o600)
        self.write_routes(routes or ROUTES, **more)

    def write_routes(self, text, **more):
        host, port = self.address
        with open(self.routes, "w") as f:
            f.write(text.format(listen="%s:%d" % (host, port), journal=self.journal, folder=self.folder,
                                export=self.export, **more))

    def start(self, seconds=20):
        log = open(self.log, "ab")
        self.process = subprocess.Popen([PATCHBAY, "serve", "-c", self.routes], env=self.env, cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        wait_until(self.answers, lambda: "daemon does not answer; its log:\n" + self.tail(), seconds)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise Failed("daemon ended at start with %s; its log:\n%s" % (self.process.returncode, self.tail()))
        try:
            with Client(self.address, 5) as client:  # it listens a moment before it answers
                client.send(client.request(b"", "/", {}, "GET"))
                return client.answer().status == 404
        except (OSError, Closed):
            return False

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=20):
        """The orderly way; anything but exit code 0 is a failure."""
        if not self.running():
            raise Failed("daemon had ended by itself with %s; its log:\n%s" % (self.process.returncode, self.tail()))
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds * SLOWER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed("daemon did not stop within %d s of SIGTERM; its log:\n%s" % (seconds * SLOWER, self.tail()))
        check(code == 0, "daemon stopped with %d; its log:\n%s" % (code, self.tail()))

    def worker(self):
        """The process that does the work: the child of the one that was started."""
        return wait_until(lambda: children(self.process.pid), "no worker")[0]

    def hold(self):
        """Stops all of it in the middle of what it does."""
        for pid in (self.process.pid, self.worker()):
            os.kill(pid, signal.SIGSTOP)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def tail(self, lines=60):
        try:
            with open(self.log, "rb") as f:
                return "".join(f.read().decode("utf-8", "replace").splitlines(True)[-lines:])
        except FileNotFoundError:
            return ""

    def logged(self):
        with open(self.log, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def log_texts(self):
        """All lines of the log. What a sanitizer says of a crash that is meant to be one is none of them."""
        lines = self.logged().split("\n")[:-1]
        return [line for line in lines if not SANITIZE or re.match(r"<\d>|time=|\{", line)]

    def log_lines(self):
        return [log_members(line) for line in self.log_texts()]

    def client(self, timeout=20):
        return Client(self.address, timeout)

    def rss_kib(self):
        with open("/proc/%d/status" % self.worker()) as f:
            for line in f:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

    def rows(self, pattern="audit*.csv"):
        """Every row of the matching CSV files, as dicts; a row of another width than its header is a failure."""
        rows = []
        for path in sorted(glob.glob(os.path.join(self.export, pattern))):
            with open(path, "rb") as f:
                data = f.read()
            end = data.rfind(b"\r\n") + 2 if b"\r\n" in data else 0  # the writer may be in the middle of a row
            table = list(csv.reader(io.StringIO(data[:end].decode(), newline=""), strict=True))
            for row in table[1:]:
                check(len(row) == len(table[0]), "%s: a row of %d fields under a header of %d: %r"
                      % (path, len(row), len(table[0]), row))
                rows.append(dict(zip(table[0], row)))
        return rows

    def wait_rows(self, count, pattern="audit*.csv", seconds=20):
        wait_until(lambda: len(self.rows(pattern)) >= count,
                   lambda: "%d rows wanted, %d there; the daemon's log:\n%s" % (count, len(self.rows(pattern)), self.tail()),
                   seconds)
        rows = self.rows(pattern)
        equal(len(rows), count, "rows in the CSV")
        return rows

    def cli(self, *arguments, code=0):
        """Runs a command of the real program; gives its standard output."""
        done = subprocess.run([PATCHBAY, *arguments, "-c", self.routes], env=self.env, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * SLOWER)
        if code is not None and done.returncode != code:
            raise Failed("patchbay %s: exit code %d, wanted %d\n%s%s" % (" ".join(arguments), done.returncode, code,
                         done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")))
        self.cli_errors = done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8", "replace")

    def lines(self, *arguments):
        """What a command lists with --json: one object on each line."""
        return [json.loads(line) for line in self.cli(*arguments, "--json").splitlines()]

    def show(self, event_id):
        return json.loads(self.cli("show", event_id, "--json"))


class Bench:
    """What a test gets: a folder, and daemons that do not outlive it."""

    def __init__(self, name):
        self.folder = tempfile.mkdtemp(prefix="patchbay-%s-" % name)
        self.daemons, self.undo = [], []

    def daemon(self, routes=None, start=True, **more):
        folder = os.path.join(self.folder, "d%d" % len(self.daemons))
        os.makedirs(folder)
        daemon = Daemon(folder, routes, **more)
        self.daemons.append(daemon)
        return daemon.start() if start else daemon

    def mount(self, folder, *arguments):
        """Mounts on folder until the test is over; Skip where that is not allowed."""
        os.makedirs(folder, exist_ok=True)
        if os.geteuid() != 0:
            raise Skip("needs root to mount")
        done = subprocess.run(["mount", *arguments, folder], capture_output=True)
        if done.returncode:
            raise Skip("cannot mount here: " + done.stderr.decode().strip())
        self.undo.append(lambda: subprocess.run(["umount", "-l", folder], capture_output=True))

    def stop(self):
        """Everything that still runs must stop well; otherwise the test has failed after all."""
        for daemon in self.daemons:
            if daemon.process is not None and daemon.running():
                daemon.stop()

    def clean(self):
        for daemon in self.daemons:
            if daemon.running():
                daemon.kill()
        for undo in reversed(self.undo):
            undo()
        shutil.rmtree(self.folder, ignore_errors=True)

    def explain(self):
        for daemon in self.daemons:
            text = daemon.tail(40)
            if text:
                print("  --- log of %s\n%s" % (os.path.basename(daemon.folder), text))


def failio(folder):
    """Environment that preloads the misbehaving disk, and the file that commands it."""
    if not FAILIO:
        raise Skip("PATCHBAY_FAILIO does not name the preloadable library")
    control = os.path.join(folder, "failio")
    env = {"LD_PRELOAD": FAILIO, "FAILIO": control}
    if SANITIZE == "address":
        env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return env, control


def command(control, text):
    with open(control + ".new", "w") as f:
        f.write(text + "\n")
    os.rename(control + ".new", control)


def mood(daemon, sink, word):
    """What that sink of moody's (with `mood: {folder}/SINK.mood`) does from now on, whatever the events say."""
    command(os.path.join(daemon.folder, sink + ".mood"), word)


def taken(daemon, sink):
    """(id, what was done, attempt, when in ms) of every event that a sink of moody's was given, in order."""
    try:
        with open(os.path.join(daemon.folder, sink)) as f:
            return [(i, did, int(n), int(ms)) for i, did, n, ms in (line.split() for line in f.read().splitlines())]
    except FileNotFoundError:
        return []


def main():
    """Runs the test_* functions of the calling file (or those named as arguments). Exit code 0, 1, or 77 when
    all were skipped."""
    module = sys.modules["__main__"]
    tests = [(n, f) for n, f in vars(module).items() if n.startswith("test_") and callable(f)]
    if len(sys.argv) > 1:
        tests = [(n, f) for n, f in tests if n in sys.argv[1:]]
    seed = int(os.environ.get("PATCHBAY_TEST_SEED", time.time_ns() % 1000000))
    results = {"ok": 0, "failed": 0, "skipped": 0}
    for name, function in tests:
        random.seed(seed)
        bench = Bench(name[5:])
        began = time.monotonic()
        try:
            function(bench)
            bench.stop()
            result, why = "ok", ""
        except Skip as e:
            result, why = "skipped", ": %s" % e
        except Failed as e:
            result, why = "failed", ": %s" % e
        except Exception:
            result, why = "failed", ":\n" + traceback.format_exc()
        print("%-7s %s (%.1f s)%s" % (result, name, time.monotonic() - began, why), flush=True)
        if result == "failed":
            print("  with %s, PATCHBAY_TEST_SEED=%d" % (PATCHBAY, seed))
            bench.explain()
        bench.clean()
        results[result] += 1
    sys.exit(1 if results["failed"] or not tests else 77 if not results["ok"] else 0)
