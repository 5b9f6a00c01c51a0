"""Under the real systemd, with the unit as it is installed: its sandbox, its user, its store for sockets."""

import os
import re
import shutil
import socket
import struct
import subprocess
import threading

import harness
import load
import machine
from harness import Closed, Skip, check, equal, fault, motive_headers, wait_until

ROUTES = """\
listen: [127.0.0.1:8080, 'unix:/run/patchbay/http.sock']
admin: 127.0.0.1:8081
journal: /var/lib/patchbay
sources:
  fleet:
    plugin: motive
    secret: {credential: fleet}
  shared:
    plugin: motive
    secret: {file: shared.secret}
sinks:
  audit:
    plugin: csv-export
    path: /var/lib/patchbay/export/audit.csv
    columns: [id, type, ref: .data.id]
routes:
  - to: audit
"""
ADDRESS = ("127.0.0.1", 8080)


class Service:
    """What harness.py wants to know of a daemon; its process is none of ours."""

    process, running = None, lambda self: False

    def __init__(self, m):
        self.m = m
        self.folder = self.export = os.path.join(m.root, "var/lib/patchbay/export")
        self.log = os.path.join(m.root, "var/log/patchbay")

    rows = harness.Daemon.rows
    tail = harness.Daemon.tail

    def main(self):
        return int(self.m.show("patchbay", "MainPID"))

    def worker(self):
        main = self.main()
        text = self.m.run("cat", "/proc/%d/task/%d/children" % (main, main), check=False).stdout
        return int(text.split()[0]) if text.split() else None


def service(t):
    machine.need()
    if shutil.which("nsenter") is None or shutil.which("cmake") is None:
        raise Skip("needs nsenter and cmake")
    machine.own_network()
    m = machine.Machine(t.folder)
    t.undo.append(m.halt)
    m.run("systemd-sysusers")
    m.write("etc/systemd/system/patchbay.service.d/test.conf", """\
[Service]
LoadCredential=fleet:/root/fleet.secret
WatchdogSec=5
StandardOutput=append:/var/log/patchbay
StandardError=append:/var/log/patchbay
""")
    m.write("root/fleet.secret", harness.FLEET_SECRET + "\n", 0o600)
    m.run("systemctl", "daemon-reload")
    s = Service(m)
    t.daemons.append(s)  # whose log is shown when the test fails
    return s


def configure(s):
    s.m.write("etc/patchbay/routes.yaml", ROUTES)
    s.m.write("etc/patchbay/shared.secret", harness.FLEET_SECRET + "\n", 0o640)
    s.m.run("chgrp", "patchbay", "/etc/patchbay/shared.secret")
    s.m.run("install", "-d", "-o", "patchbay", "-g", "patchbay", "-m", "750", "/var/lib/patchbay/export")


def post(address, number, source="fleet"):
    body = fault(number)
    with harness.Client(address) as client:
        return client.post("/in/" + source, body, motive_headers(body)).status


def test_as_it_is_installed(t):
    """What a fresh installation begins with is accepted, and runs."""
    s = service(t)
    s.m.run("systemctl", "start", "patchbay")
    equal(s.m.show("patchbay", "ActiveState", "StatusText"), ["active", "0 sources, 0 sinks, 0 routes"], "the service")
    text = s.m.run("sh", "-c", "ps -o user= -p %d,%d; stat -c %%U:%%a /var/lib/patchbay /run/patchbay" % (s.main(), s.worker()))
    equal(text.stdout.split(), ["patchbay", "patchbay", "patchbay:750", "patchbay:750"], "whose it is")
    s.m.run("systemctl", "stop", "patchbay")
    equal(s.m.show("patchbay", "ActiveState", "Result"), ["inactive", "success"], "when it is stopped")


def test_its_life(t):
    s = service(t)
    configure(s)
    s.m.run("systemctl", "start", "patchbay")
    equal(post(ADDRESS, 1), 200, "with a credential")
    equal(post(ADDRESS, 2, "shared"), 200, "with a secret in a file that the group may read")
    http = "/proc/%d/root/run/patchbay/http.sock" % s.m.pid
    equal(post(http, 3), 200, "on a unix socket")
    maps = s.m.run("cat", "/proc/%d/maps" % s.worker()).stdout
    check("memfd:patchbay:motive.so" in maps, "plugins are run from copies in memory")
    equal(s.m.show("patchbay", "NFileDescriptorStore"), "3", "stored sockets")

    s.m.run("systemctl", "reload", "patchbay")
    s.m.write("etc/patchbay/routes.yaml", ROUTES + "nonsense: true\n")
    equal(s.m.run("systemctl", "reload", "patchbay", check=False).returncode, 1, "a reload that is refused")
    check("nonsense" in s.tail(), "why it is refused:\n" + s.tail())
    equal(s.m.show("patchbay", "ActiveState"), "active", "the service")
    equal(post(ADDRESS, 4), 200, "after it")
    s.m.write("etc/patchbay/routes.yaml", ROUTES)
    s.m.run("systemctl", "reload", "patchbay")

    worker, main = s.worker(), s.main()
    s.m.run("kill", "-KILL", str(worker))
    wait_until(lambda: s.worker() not in (None, worker), "another worker")
    equal(post(ADDRESS, 5), 200, "after a crash")
    equal(s.main(), main, "the main process")

    s.m.run("kill", "-STOP", str(s.worker()))  # nobody but the watchdog helps here
    wait_until(lambda: s.main() not in (0, main), "the watchdog does not bite", 30)
    equal(post(ADDRESS, 6), 200, "after the watchdog")
    wait_until(lambda: s.m.show("patchbay", "ActiveState") == "active", "it is active again")

    s.m.run("systemctl", "stop", "patchbay")
    equal(s.m.show("patchbay", "NFileDescriptorStore"), "0", "stored sockets of a service that is stopped")
    s.m.run("systemctl", "start", "patchbay")
    for number, address in ((7, ADDRESS), (8, http)):
        equal(post(address, number), 200, "after stop and start")
    wait_until(lambda: len(s.rows()) == 8, lambda: "8 rows; there are %d\n%s" % (len(s.rows()), s.tail()))


def test_restarts_under_load(t):
    s = service(t)
    configure(s)
    s.m.run("systemctl", "start", "patchbay")
    refused, ending = [], threading.Event()

    def knock():
        while not ending.is_set():
            try:
                post(ADDRESS, 10**9)
            except ConnectionRefusedError as e:
                refused.append(e)
            except (Closed, OSError):
                pass

    knocker = threading.Thread(target=knock)
    knocker.start()
    under = load.Load(ADDRESS, 8, patient=True).start()
    for n in range(5):
        wait_until(lambda: len(under.answered) > 300 * n, "load")
        if n == 3:
            main = s.main()
            s.m.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "patchbay")
            wait_until(lambda: s.main() not in (0, main), "it is started again")
        else:
            s.m.run("systemctl", "restart", "patchbay")
    under.stop()
    ending.set()
    knocker.join()
    equal(refused, [], "refused connections")
    under.retry()
    under.sent.add(10**9)
    load.exactly_once(s, under)


def test_folders_elsewhere(t):
    """As the unit says at its top."""
    s = service(t)
    configure(s)
    s.m.write("etc/patchbay/routes.yaml", ROUTES.replace("/var/lib/patchbay/export", "/srv/export"))
    s.m.run("install", "-d", "-o", "patchbay", "/srv/export")
    s.m.run("systemctl", "start", "patchbay")
    equal(post(ADDRESS, 1), 200, "status")
    wait_until(lambda: "ReadWritePaths=" in s.tail(), lambda: "no advice:\n" + s.tail())
    s.m.write("etc/systemd/system/patchbay.service.d/paths.conf", "[Service]\nReadWritePaths=/srv/export\n")
    s.m.run("systemctl", "daemon-reload")
    s.m.run("systemctl", "restart", "patchbay")
    s.export = os.path.join(s.m.root, "srv/export")
    wait_until(lambda: len(s.rows()) == 1, lambda: "no row:\n" + s.tail())


def name_server(address):
    """Every name is 127.0.0.1."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))

    def run():
        while True:
            question, peer = sock.recvfrom(512)
            end = question.index(b"\0", 12) + 5
            found = struct.unpack(">H", question[end - 4:end - 2])[0] == 1
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\1" if found else b""
            sock.sendto(question[:2] + b"\x81\x80\0\1" + struct.pack(">H", found) + bytes(4) + question[12:end] + answer, peer)

    threading.Thread(target=run, daemon=True).start()


def test_names_are_resolved(t):
    s = service(t)
    configure(s)
    name_server("127.0.0.53")
    s.m.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    s.m.write("etc/resolv.conf", "nameserver 127.0.0.53\n")
    peer = socket.create_server(("127.0.0.1", 9999))
    peer.settimeout(30)
    s.m.write("etc/patchbay/routes.yaml", ROUTES.replace("sinks:\n", """\
sinks:
  web:
    plugin: http
    url: http://peer.test:9999/in
    allow_private: true
""").replace("to: audit", "to: web"))
    s.m.run("systemctl", "start", "patchbay")
    equal(post(ADDRESS, 1), 200, "status")
    connection, _ = peer.accept()
    with connection:
        check(connection.recv(65536).startswith(b"POST /in HTTP/1.1\r\nHost: peer.test:9999"), "what the peer is sent")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_socket_unit(t):
    s = service(t)
    configure(s)
    s.m.write("etc/patchbay/routes.yaml", ROUTES.replace("127.0.0.1:8080, 'unix:/run/patchbay/http.sock'",
                                                                  "127.0.0.1:80, 'unix:/run/roots.sock'"))
    s.m.write("etc/systemd/system/patchbay.socket.d/test.conf", "[Socket]\nListenStream=\nListenStream=127.0.0.1:80\n"
              "ListenStream=127.0.0.1:81\nListenStream=/run/roots.sock\n")
    s.m.run("systemctl", "daemon-reload")
    s.m.run("systemctl", "start", "patchbay.socket")
    equal(s.m.show("patchbay", "ActiveState"), "inactive", "the service, which nobody needs yet")
    equal(post(("127.0.0.1", 80), 1), 200, "on a port below 1024, by the first post")
    wait_until(lambda: s.m.show("patchbay", "ActiveState") == "active", "the service")
    check("socket on 127.0.0.1:81, which neither 'listen' nor 'admin' names" in s.tail(), s.tail())
    s.m.run("systemctl", "restart", "patchbay")
    equal(post(("127.0.0.1", 80), 2), 200, "after a restart")
    equal(post("/proc/%d/root/run/roots.sock" % s.m.pid, 3), 200, "on a socket in a folder of root's")


def test_sandbox_is_tight(t):
    tool = shutil.which("systemd-analyze")
    unit = os.path.join(machine.BUILD, "packaging/systemd/patchbay.service")
    if tool is None:
        raise Skip("systemd-analyze is not installed")
    done = subprocess.run([tool, "security", "--offline=true", "--no-pager", "--threshold=15", unit],
                          capture_output=True, text=True)
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    check(exposure and float(exposure.group(1)) <= 1.5 and done.returncode == 0, done.stdout + done.stderr)


def test_units_are_valid(t):
    s = service(t)
    done = s.m.run("systemd-analyze", "verify", "--man=no", "patchbay.service", "patchbay.socket")
    equal(done.stdout + done.stderr, "", "what systemd-analyze says")


harness.main()
