"""With a service manager: this file plays systemd, over the documented protocol (sd_notify(3), sd_listen_fds(3)). The
real one is in test_systemd_boot.py."""

import array
import os
import signal
import socket
import subprocess
import threading
import time

import harness
import load
from harness import Closed, Failed, check, equal, fault, wait_until

WATCHDOG_S = 1 * harness.SLOWER


class Manager:
    """Takes the messages, and keeps what it is given, as systemd does."""

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + address[1:] if address.startswith("@") else address)
        self.address = address
        self.lock = threading.Lock()
        self.lines = []      # of all messages, in their order
        self.store = {}      # FDNAME -> descriptors
        self.fed = time.monotonic()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            data, ancillary, _, _ = self.sock.recvmsg(4096, socket.CMSG_SPACE(64))
            fds = array.array("i")
            for level, kind, cmsg in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(cmsg)
            for fd in fds:
                os.set_inheritable(fd, False)
            lines = data.decode().splitlines()
            values = dict(line.split("=", 1) for line in lines)
            with self.lock:
                if "WATCHDOG" in values:
                    self.fed = time.monotonic()
                if "FDSTORE" in values:
                    self.store.setdefault(values["FDNAME"], []).extend(fds)
                if "FDSTOREREMOVE" in values:
                    for fd in self.store.pop(values["FDNAME"], []):
                        os.close(fd)
                self.lines += lines

    def seen(self, start, since=0):
        """How many lines begin like this."""
        with self.lock:
            return len([line for line in self.lines[since:] if line.startswith(start)])

    def mark(self):
        with self.lock:
            return len(self.lines)

    def wait(self, start, since=0):
        wait_until(lambda: self.seen(start, since), lambda: "no %s; came: %r" % (start, self.lines[since:]))

    def starves(self):
        """As systemd sees it: its time is over without a word."""
        return time.monotonic() - self.fed > WATCHDOG_S

    def handed(self):
        return [(fd, name) for name, fds in sorted(self.store.items()) for fd in fds]


class Managed(harness.Daemon):
    """Started as a service."""

    manager, handed, watchdog, promised = None, (), False, None

    def start(self, seconds=20, ready=True):
        handed = [(os.dup(fd), name) for fd, name in self.handed]
        env = dict(self.env, NOTIFY_SOCKET=self.manager.address)
        if self.watchdog:
            env.update(WATCHDOG_USEC=str(WATCHDOG_S * 1000000))
        pids = "WATCHDOG_PID=$$ "
        if handed:
            pids += "LISTEN_PID=$$ "
            env.update(LISTEN_FDS=str(self.promised or len(handed)), LISTEN_FDNAMES=":".join(name for _, name in handed))

        def place():
            high = [os.dup2(fd, 100 + i) for i, (fd, _) in enumerate(handed)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)
                os.close(fd)

        since = self.manager.mark()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", pids + 'exec "$0" "$@"', harness.PATCHBAY, "serve", "-c", self.routes],
                env=env, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, preexec_fn=place)
        for fd, _ in handed:
            os.close(fd)
        if ready:
            wait_until(lambda: self.manager.seen("READY=1", since) or self.process.poll() is not None,
                       lambda: "not ready: %r; the log:\n%s" % (self.manager.lines, self.tail()), seconds)
            check(self.running(), "it ended; the log:\n" + self.tail())
        return self


def managed(t, routes=None, address=None, **more):
    daemon = t.daemon(routes, start=False, **more)
    daemon.__class__ = Managed
    daemon.manager = Manager(address or os.path.join(daemon.folder, "notify"))
    return daemon


def listening(address, both=False):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family)
    if family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
    sock.bind(address)
    sock.listen(64)
    return sock


# ---- What it is told


def test_ready_and_stopping(t):
    daemon = managed(t, address="@patchbay-test-%d" % os.getpid()).start()
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    daemon.manager.wait("STATUS=3 sources, 1 sink, 1 route")
    equal(daemon.manager.seen("STOPPING=1"), 0, "STOPPING=1 before it stops")
    with daemon.client() as client:  # in hand while it stops: it is waited for
        body = fault(2)
        request = client.request(body, "/in/fleet", harness.motive_headers(body))
        client.send(request[:-5])
        daemon.process.send_signal(signal.SIGTERM)
        daemon.manager.wait("STOPPING=1")
        daemon.manager.wait("STATUS=stopping: ")
    equal(daemon.process.wait(30 * harness.SLOWER), 0, "exit code")
    equal(daemon.manager.seen("READY=1"), 1, "READY=1")
    equal(daemon.manager.seen("RELOADING=1"), 0, "RELOADING=1")


def test_a_start_that_fails_is_not_ready(t):
    daemon = managed(t, "listen: nowhere\njournal: {journal}\n").start(ready=False)
    equal(daemon.process.wait(30 * harness.SLOWER), 1, "exit code")
    equal(daemon.manager.seen("READY=1"), 0, "READY=1")


def test_reload(t):
    daemon = managed(t).start()
    for ask in (lambda: daemon.cli("reload"), lambda: daemon.process.send_signal(signal.SIGHUP)):
        since = daemon.manager.mark()
        ask()
        daemon.manager.wait("READY=1", since)
        with daemon.manager.lock:
            lines = daemon.manager.lines[since:]
        at = lines.index("RELOADING=1")
        check(lines[at + 1].startswith("MONOTONIC_USEC="), "RELOADING=1 comes with MONOTONIC_USEC: %r" % lines)
        now = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
        check(0 < now - int(lines[at + 1].split("=")[1]) < 300e6, "of this clock: %r" % lines)
        check(lines.index("READY=1") > at, "RELOADING=1 before READY=1: %r" % lines)
    since = daemon.manager.mark()
    with open(daemon.routes, "a") as f:
        f.write("nonsense: true\n")
    daemon.cli("reload", code=1)
    daemon.manager.wait("STATUS=3 sources, 1 sink, 1 route; the last reload was refused", since)
    daemon.write_routes(harness.FLEET)
    daemon.cli("reload")
    daemon.manager.wait("STATUS=1 source, 0 sinks, 0 routes", since)


def test_a_worker_that_crashes(t):
    daemon = managed(t).start()
    since = daemon.manager.mark()
    os.kill(daemon.worker(), signal.SIGKILL)
    daemon.manager.wait("STATUS=the worker crashed, the next is starting", since)
    daemon.manager.wait("STATUS=3 sources", since)
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    equal(daemon.manager.seen("READY=1", since), 0, "READY=1, which it is all the time")


# ---- Watchdog


def test_watchdog_starves_while_the_worker_is_held(t):
    daemon = managed(t)
    daemon.watchdog = True
    daemon.start()
    count = daemon.manager.seen("WATCHDOG=1")
    wait_until(lambda: daemon.manager.seen("WATCHDOG=1") > count + 2, "WATCHDOG=1 goes on coming")
    worker = daemon.worker()
    os.kill(worker, signal.SIGSTOP)
    wait_until(daemon.manager.starves, "WATCHDOG=1 comes though the worker is held")
    daemon.manager.wait("STATUS=nothing is taken in: the worker does not move")
    os.kill(worker, signal.SIGCONT)
    count = daemon.manager.seen("WATCHDOG=1")
    wait_until(lambda: daemon.manager.seen("WATCHDOG=1") > count, "WATCHDOG=1 again")
    equal(daemon.worker(), worker, "the worker, which was only held")
    daemon.manager.wait("STATUS=3 sources")


def test_watchdog_starves_while_the_committer_hangs(t):
    env, control = harness.failio(t.folder)
    daemon = managed(t, env=env)
    daemon.watchdog = True
    daemon.start()
    harness.command(control, "slow %d events" % (6000 * harness.SLOWER))
    with daemon.client() as client:
        client.send(client.request(fault(1), "/in/fleet", harness.motive_headers(fault(1))))
        wait_until(daemon.manager.starves, "WATCHDOG=1 comes though nothing is written")
        os.unlink(control)
        count = daemon.manager.seen("WATCHDOG=1")
        wait_until(lambda: daemon.manager.seen("WATCHDOG=1") > count, "WATCHDOG=1 again", 30)


# ---- Sockets from a socket unit


def test_sockets_are_handed_over(t):
    daemon = managed(t, harness.FLEET.replace("listen: {listen}", "listen: ['{listen}', 'unix:{folder}/http.sock']\nadmin: '{admin}'"),
                     admin="[::1]:%d" % harness.own_address()[1])
    admin = ("::1", int(open(daemon.routes).read().split("[::1]:")[1].split("'")[0]))
    path = os.path.join(daemon.folder, "http.sock")
    socks = [listening(daemon.address), listening(path), listening(admin)]
    daemon.handed = [(sock.fileno(), "patchbay.socket") for sock in socks]
    inode = os.stat(path).st_ino
    clients = [harness.Client(daemon.address), harness.Client(path)]  # before it is started: they wait
    for number, client in enumerate(clients):
        body = fault(number)
        client.send(client.request(body, "/in/fleet", harness.motive_headers(body)))
    daemon.start()
    for client in clients:
        equal(client.answer().status, 200, "status of who had waited")
        client.close()
    with harness.Client(admin) as client:
        equal(client.post("/health", b"").status, 405, "admin answers")
    equal(daemon.manager.store, {}, "what is stored: the manager has them")
    check("hands over" not in daemon.logged(), "a warning:\n" + daemon.tail())
    daemon.stop()
    equal(os.stat(path).st_ino, inode, "the socket's file, which is not ours")


def test_a_socket_that_nobody_named(t):
    daemon = managed(t)
    other = harness.own_address()
    socks = [listening(other), listening(daemon.address), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    daemon.handed = [(sock.fileno(), "") for sock in socks]
    daemon.start()
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    check("hands over a socket on %s:%d, which neither 'listen' nor 'admin' names" % other in daemon.logged(), daemon.tail())
    check("is no stream socket that is listened on" in daemon.logged(), daemon.tail())


def test_descriptors_for_another_process(t):
    daemon = managed(t, env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "", "LISTEN_PID": str(os.getpid())}).start()
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    check("hands over" not in daemon.logged(), daemon.tail())


def test_fewer_descriptors_than_promised(t):
    daemon = managed(t)
    sock = listening(daemon.address)
    daemon.handed, daemon.promised = [(sock.fileno(), "")], 1000000000
    daemon.start()
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    check("LISTEN_FDS says that 1000000000 sockets are handed over, but there are only 1" in daemon.logged(), daemon.tail())


def test_ipv6_with_and_without_ipv4(t):
    daemon = managed(t, harness.ROUTES.replace("listen: {listen}", "listen: '[::]:{port}'"), port=harness.own_address()[1])
    port = int(open(daemon.routes).read().split("[::]:")[1].split("'")[0])
    sock = listening(("::", port), both=True)
    daemon.handed = [(sock.fileno(), "patchbay.socket")]
    daemon.start()
    for address in (("127.0.0.1", port), ("::1", port)):
        with harness.Client(address) as client:
            equal(client.post("/in/campus", harness.sample("lms", harness.samples("lms")[0])).status, 200, "from %s" % address[0])
    daemon.stop()
    daemon.write_routes(harness.FLEET.replace("listen: {listen}", "listen: ['[::]:{port}', '0.0.0.0:{port}']"), port=port)
    daemon.start(ready=False)
    equal(daemon.process.wait(30 * harness.SLOWER), 1, "exit code")
    check("BindIPv6Only=ipv6-only" in daemon.tail(), daemon.tail())


# ---- The manager's store


def test_connections_wait_for_the_next_start(t):
    routes = harness.FLEET.replace("listen: {listen}", "listen: ['{listen}', 'unix:{folder}/http.sock']")
    daemon = managed(t, routes).start()
    path = os.path.join(daemon.folder, "http.sock")
    equal(sorted(daemon.manager.store), sorted(["listen %s-%d" % daemon.address, "listen unix-" + path]), "stored")
    daemon.stop()
    clients = [harness.Client(daemon.address), harness.Client(path)]
    for number, client in enumerate(clients):
        body = fault(number)
        client.send(client.request(body, "/in/fleet", harness.motive_headers(body)))
    daemon.handed = daemon.manager.handed()
    daemon.start()
    for client in clients:
        equal(client.answer().status, 200, "status of who had waited")
    equal({name: len(fds) for name, fds in daemon.manager.store.items()},
          {name: 1 for name in daemon.manager.store}, "stored once")
    equal(len(daemon.lines("events")), 2, "events")


def test_restarts_under_load(t):
    daemon = managed(t).start()
    refused, ending = [], threading.Event()

    def knock():  # with a connection for each post, as providers do
        while not ending.is_set():
            try:
                with daemon.client() as client:
                    client.fleet(fault(10**9))
            except ConnectionRefusedError as e:
                refused.append(e)
            except (Closed, OSError):
                pass

    knocker = threading.Thread(target=knock)
    knocker.start()
    under = load.Load(daemon.address, 8, patient=True).start()
    for n in range(4):
        wait_until(lambda: len(under.answered) > 200 * n, "load")
        if n % 2:
            daemon.stop()
        else:
            daemon.kill()
        daemon.handed = daemon.manager.handed()
        daemon.start()
    under.stop()
    ending.set()
    knocker.join()
    equal(refused, [], "refused connections")
    under.retry()
    under.sent.add(10**9)
    load.exactly_once(daemon, under)


def test_listen_has_changed(t):
    daemon = managed(t).start()
    host, port = daemon.address
    stored = list(daemon.manager.store)
    daemon.stop()
    daemon.write_routes(harness.ROUTES.replace("listen: {listen}", "listen: 0.0.0.0:%d" % port))
    daemon.handed = daemon.manager.handed()
    daemon.start()
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    equal(list(daemon.manager.store), ["listen 0.0.0.0-%d" % port], "stored, in place of %r" % stored)
    daemon.stop()
    for fd, _ in daemon.manager.handed():  # `systemctl stop` lets all of it go
        os.close(fd)
    daemon.handed = ()
    daemon.start()
    equal(daemon.client().fleet(fault(2)).status, 200, "status")


def test_a_socket_whose_file_is_gone(t):
    daemon = managed(t, harness.FLEET.replace("{listen}", "'unix:{folder}/http.sock'")).start()
    path = os.path.join(daemon.folder, "http.sock")
    daemon.stop()
    os.unlink(path)
    daemon.handed = daemon.manager.handed()
    daemon.start()
    with harness.Client(path) as client:
        equal(client.fleet(fault(1)).status, 200, "status")


# ---- Credentials


def test_credentials(t):
    daemon = managed(t, harness.FLEET.replace("{{file: {folder}/fleet.secret}}", "{{credential: fleet}}"))
    os.mkdir(os.path.join(daemon.folder, "credentials"), 0o700)
    os.rename(os.path.join(daemon.folder, "fleet.secret"), os.path.join(daemon.folder, "credentials", "fleet"))
    daemon.env["CREDENTIALS_DIRECTORY"] = os.path.join(daemon.folder, "credentials")
    daemon.start()
    equal(daemon.client().fleet(fault(1)).status, 200, "status")
    daemon.cli("reload")
    equal(daemon.client().fleet(fault(2)).status, 200, "status after a reload")


# ---- What is installed


def test_a_configuration_that_is_there_stays(t):
    prefix = os.path.join(t.folder, "prefix")
    routes = os.path.join(prefix, "etc/patchbay/routes.yaml")

    def install(**env):
        done = subprocess.run(["cmake", "--install", os.path.dirname(harness.PATCHBAY), "--prefix", prefix, "--component", "runtime"],
                              env=dict(os.environ, **env), capture_output=True, text=True)
        equal(done.returncode, 0, done.stdout + done.stderr)

    install()
    with open(routes) as f, open(os.path.join(harness.TOP, "etc/routes.yaml")) as g:
        equal(f.read(), g.read(), "the configuration to begin with")
    with open(routes, "w") as f:
        f.write("mine\n")
    install()
    with open(routes) as f:
        equal(f.read(), "mine\n", "the configuration")
    stage = os.path.join(t.folder, "stage")
    install(DESTDIR=stage)
    check(os.path.exists(stage + routes), "a package has it, whatever this machine has")


harness.main()
