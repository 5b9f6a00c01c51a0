"""The proxies of etc/proxy in front of Patchbay, each with just that file (paths, addresses and users replaced), and
what is believed of who posted."""

import os
import pwd
import shutil
import subprocess

import certificates
import harness
import load
from harness import Closed, check, dumps, equal, fault, motive_headers, sample, samples, wait_until
from test_reload import metric
from test_tls import Tls

KNOWN = "127.9.9.9"  # the only address that `campus` takes posts from

ROUTES = """\
listen: [{listen}, unix:{folder}/http.sock]
admin: 127.0.0.1:0
journal: {journal}
sources:
  fleet: {{plugin: motive, secret: {{file: fleet.secret}}}}
  campus: {{plugin: lms, allow_from: [""" + KNOWN + """]}}
sinks:
  audit: {{plugin: csv-export, path: {export}/audit.csv, columns: [id, source, ref: .data.id]}}
  load: {{plugin: csv-export, path: {export}/load.csv, columns: [id, ref: .data.id]}}
routes:
  - to: audit
  - {{from: fleet, when: (.data.id | numbers) >= 1000000000, to: load}}
"""

MIB = 1 << 20
os.environ["PATH"] += ":/usr/sbin"  # not everybody's


class Proxy:
    def __init__(self, daemon, program, arguments, text):
        self.address = daemon.address[0], daemon.address[1] + 1
        self.log = os.path.join(daemon.folder, "proxy.log")
        path = os.path.join(daemon.folder, program + ".conf")
        with open(path, "w") as f:
            f.write(text)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([program, *[a.format(path=path) for a in arguments]], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=daemon.folder,
                                            env=dict(os.environ, HOME=daemon.folder, XDG_DATA_HOME=daemon.folder,
                                                     XDG_CONFIG_HOME=daemon.folder))

    def start(self):
        wait_until(self.answers, lambda: "the proxy does not answer:\n" + open(self.log).read())
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise harness.Failed("the proxy has ended:\n" + open(self.log).read())
        try:
            with Tls(self.address, 5):
                return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(30 * harness.SLOWER)


def example(name, replacements):
    """The file as it is installed, with every one of these replaced; one that is not there is a failure."""
    with open(os.path.join(harness.TOP, "etc", "proxy", name)) as f:
        text = f.read()
    for old, new in replacements:
        check(old in text, "%s has no %r" % (name, old))
        text = text.replace(old, new)
    return text


def nginx(d):
    listen = "%s:%d" % (d.address[0], d.address[1] + 1)
    temp = "".join("%s_temp_path %s/%s;\n" % (kind, d.folder, kind) for kind in
                   ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = example("nginx.conf", [
        ("user www-data;", "user %s;" % pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else ""),
        ("pid /run/nginx.pid;", "pid %s/nginx.pid; daemon off;" % d.folder),
        ("/var/log/nginx/error.log", "stderr"),
        ("http {\n", "http {\n" + temp),
        ("/run/patchbay/http.sock", d.folder + "/http.sock"),
        ("listen 443 ssl;", "listen %s ssl;" % listen),
        ("listen [::]:443 ssl;", ""),
        ("/etc/ssl/hooks.example.org/fullchain.pem", d.folder + "/proxy.pem"),
        ("/etc/ssl/hooks.example.org/key.pem", d.folder + "/proxy.key"),
    ])
    return Proxy(d, "nginx", ["-c", "{path}", "-e", "stderr"], text)


def haproxy(d):
    with open(d.folder + "/both.pem", "wb") as f:
        for end in (".pem", ".key"):
            with open(d.folder + "/proxy" + end, "rb") as part:
                f.write(part.read())
    text = example("haproxy.cfg", [
        ("\tuser haproxy\n", ""), ("\tgroup patchbay\n", ""), ("/dev/log local0", "stderr format raw local0"),
        ("bind :443,[::]:443", "bind %s:%d" % (d.address[0], d.address[1] + 1)),
        ("/etc/haproxy/hooks.example.org.pem", d.folder + "/both.pem"),
        ("/run/patchbay/http.sock", d.folder + "/http.sock"),
    ])
    return Proxy(d, "haproxy", ["-db", "-f", "{path}"], text)


def caddy(d):
    text = example("Caddyfile", [
        # Nothing but this: no certificates from anywhere, no other ports, nothing installed on this machine.
        ("{\n\tservers {", "{\n\tadmin off\n\tauto_https off\n\tskip_install_trust\n\tservers {"),
        ("hooks.example.org {\n", "https://localhost:%d, https://test:%d {\n\tbind %s\n\ttls %s/proxy.pem %s/proxy.key\n" % (
            d.address[1] + 1, d.address[1] + 1, d.address[0], d.folder, d.folder)),
        (":443 {\n", "https://:%d {\n\tbind %s\n\ttls %s/proxy.pem %s/proxy.key\n" % (
            d.address[1] + 1, d.address[0], d.folder, d.folder)),
        ("/run/patchbay/http.sock", d.folder + "/http.sock"),
    ])
    return Proxy(d, "caddy", ["run", "--adapter", "caddyfile", "--config", "{path}"], text)


def lms(number):
    return dumps({"id": "lms-%d" % number, "timestamp": "2026-01-01T00:00:00Z", "source": "course_completed"})


def chunked(client, body, headers, piece=7777):
    lines = "".join("%s: %s\r\n" % h for h in headers.items())
    try:
        client.send(("POST /in/fleet HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n%s\r\n" % lines).encode())
        for at in range(0, len(body), piece):
            part = body[at:at + piece]
            client.send(b"%x\r\n%s\r\n" % (len(part), part))
        client.send(b"0\r\n\r\n")
    except Closed:
        pass  # it may have answered before it had heard all
    return client.answer()


def posts(daemon, proxy):
    """What was on one connection to the proxy is on one behind it, and is there."""
    with Tls(proxy.address) as client:
        for name in samples("motive"):
            body = sample("motive", name)
            equal(client.fleet(body).status, 200, name)
        for n in range(20):
            equal(client.fleet(fault(n)).status, 200, "kept alive")
        equal(chunked(client, fault(20, padding="x" * 50000), motive_headers(fault(20, padding="x" * 50000))).status, 200, "in chunks")
        equal(client.post("/in/fleet", fault(22)).status, 403, "not signed")
        equal(metric(daemon, "patchbay_connections"), ["1"], "connections behind the proxy")
        equal(client.fleet(fault(21, padding="x" * (3 * MIB))).status, 200, "3 MiB")
    wait_until(lambda: {str(n) for n in range(22)} <= {r["ref"] for r in daemon.rows()}, "rows")


def addresses(daemon, proxy):
    """allow_from means who is connected to the proxy, whatever else the request says."""
    wrong = [{}] + [{name: value} for name in ("X-Forwarded-For", "x-forwarded-for", "Forwarded", "X-Real-IP", "X_Forwarded_For")
                    for value in (KNOWN, "for=" + KNOWN, KNOWN + ", 127.0.0.1", "127.0.0.1, " + KNOWN)]
    with Tls(proxy.address, source="127.8.8.8") as stranger:
        for n, headers in enumerate(wrong):
            equal(stranger.post("/in/campus", lms(n), headers).status, 403, "a stranger with %r" % headers)
        lines = "X-Forwarded-For: %s\r\nX-Forwarded-For: %s\r\n" % (KNOWN, KNOWN)
        stranger.send(stranger.request(lms(90), "/in/campus").replace(b"\r\n\r\n", ("\r\n" + lines + "\r\n").encode(), 1))
        equal(stranger.answer().status, 403, "a stranger with two of them")
    with Tls(proxy.address, source=KNOWN) as known:
        for n, headers in enumerate(({}, {"X-Forwarded-For": "6.6.6.6"}, {"Forwarded": "for=6.6.6.6"})):
            equal(known.post("/in/campus", lms(100 + n), headers).status, 200, "who may, with %r" % headers)


def limits(daemon, proxy):
    def requests():
        return int(metric(daemon, "patchbay_requests_total")[0])

    big = fault(50, padding="x" * (5 * MIB))
    with Tls(proxy.address) as client:
        client.send(client.request(big, headers=dict(motive_headers(big), Expect="100-continue"))[:-len(big)])
        equal(client.answer().status, 413, "5 MiB announced")
    with Tls(proxy.address) as client:
        try:
            equal(client.fleet(big).status, 413, "5 MiB")
        except Closed:
            pass  # it need not listen to all of it only to be heard
    with Tls(proxy.address) as client:
        equal(chunked(client, big, motive_headers(big), 65536).status, 413, "5 MiB in chunks")
    before = requests()
    for path in ("/", "/health", "/metrics", "/inn/fleet"):
        with Tls(proxy.address) as client:
            equal(client.fleet(fault(51), path=path).status, 404, path)
    equal(requests(), before, "requests of other paths that got through")
    with Tls(proxy.address) as client:
        equal(client.fleet(fault(51), path="/in/nobody").status, 404, "no such source")
    with Tls(proxy.address) as client:
        client.send(client.request(b"", "/in/fleet", {}, "GET"))
        answer = client.answer()
        equal((answer.status, answer.headers.get("allow")), (405, "POST"), "GET")


def later(daemon, proxy, control):
    """Patchbay's own 503 passes through; while it is stopped the proxy says the same."""
    if control:
        harness.command(control, "fail /state/")
        with Tls(proxy.address) as client:
            answer = client.fleet(fault(60))
            equal((answer.status, answer.headers.get("retry-after")), (503, "10"), "while the disk fails")
            check(b"not stored" in answer.body, "the answer is Patchbay's own: %r" % answer.body)
        harness.command(control, "ok")
        wait_until(lambda: harness.Client(daemon.address).fleet(fault(61)).status == 200, "it goes on")
    daemon.stop()
    with Tls(proxy.address) as client:
        answer = client.fleet(fault(62))
        equal((answer.status, answer.headers.get("retry-after")), (503, "10"), "while Patchbay is stopped")
    daemon.start()
    with Tls(proxy.address) as client:
        equal(client.fleet(fault(62)).status, 200, "when it is there again")


def restarts(daemon, proxy):
    """Every event gets its 200 in the end, and exactly one row, whatever was under way."""
    running = load.Load(proxy.address, connections=6, start=1000000000, patient=True, client=Tls).start()
    for how in ("stop", "kill", "stop"):
        at = len(running.answered)
        wait_until(lambda: len(running.answered) > at + 50, "no answers")
        getattr(daemon, how)()
        daemon.start()
    at = len(running.answered)
    wait_until(lambda: len(running.answered) > at + 50, "no answers")
    running.stop()
    running.retry()
    load.exactly_once(daemon, running, pattern="load*.csv")


def through(t, program, make, *more):
    if not shutil.which(program):
        raise harness.Skip("there is no " + program)
    env, control = harness.failio(t.folder) if harness.FAILIO else ({}, None)
    daemon = t.daemon(ROUTES, env=env)
    certificates.make(daemon.folder, "proxy", names="subjectAltName=DNS:localhost,DNS:test")
    proxy = make(daemon)
    t.undo.append(lambda: proxy.process.poll() is None and proxy.stop())
    proxy.start()
    try:
        posts(daemon, proxy)
        addresses(daemon, proxy)
        limits(daemon, proxy)
        for one in more:
            one(daemon, proxy)
        later(daemon, proxy, control)
        restarts(daemon, proxy)
    except harness.Failed as e:
        raise harness.Failed("%s\n--- the proxy's log\n%s" % (e, "".join(open(proxy.log).readlines()[-30:])))
    proxy.stop()


def test_nginx(t):
    through(t, "nginx", nginx)


def test_haproxy(t):
    through(t, "haproxy", haproxy)


def another_name(daemon, proxy):
    """A 200 to what was not taken would be the worst of all."""
    with Tls(proxy.address) as client:
        body = fault(70)
        client.send(client.request(body, headers=motive_headers(body)).replace(b"Host: test", b"Host: other.example"))
        equal(client.answer().status, 421, "another name")


def test_caddy(t):
    through(t, "caddy", caddy, another_name)


TRUSTING = ROUTES.replace("journal:", "trusted_proxies: [127.0.0.1, 10.0.0.0/8, '2001:db8:1::/48']\njournal:")


def test_who_posted(t):
    """X-Forwarded-For is read from the right, up to the first who is no proxy of ours; nothing else counts."""
    table = [  # headers; whether that is taken for KNOWN with `trusted_proxies`, and without
        ([], 0, 0),
        (["X-Forwarded-For: " + KNOWN], 1, 1),
        (["X-Forwarded-For: %s:4711" % KNOWN], 1, 1),
        (["X-Forwarded-For: ::ffff:" + KNOWN], 1, 1),
        (["X-Forwarded-For: [::ffff:%s]:4711" % KNOWN], 1, 1),
        (["X-Forwarded-For:  \t%s \t" % KNOWN], 1, 1),
        (["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: " + KNOWN], 1, 1),
        (["X-Forwarded-For: " + KNOWN, "X-Forwarded-For: 6.6.6.6"], 0, 0),
        (["X-Forwarded-For: " + KNOWN, "X-Forwarded-For: 10.1.1.1"], 1, 0),
        (["X-Forwarded-For: %s, 2001:db8:1::7, 10.0.0.1" % KNOWN], 1, 0),
        (["X-Forwarded-For: %s, [2001:db8:1::7]:80" % KNOWN, "X-Forwarded-For: 10.0.0.1"], 1, 0),
        (["X-Forwarded-For: %s, 2001:db8:2::7" % KNOWN], 0, 0),
        (["X-Forwarded-For: %s, unknown" % KNOWN], 0, 0),
        (["X-Forwarded-For: %s, unknown, 10.0.0.1" % KNOWN], 0, 0),
        (["X-Forwarded-For: %s," % KNOWN], 0, 0),
        (["X-Forwarded-For: "], 0, 0),
        (["X-Forwarded-For: %s.1" % KNOWN], 0, 0),
        (["X-Forwarded-For: 0%s" % KNOWN], 0, 0),
        (["Forwarded: for=" + KNOWN], 0, 0),
        (["X-Real-IP: " + KNOWN], 0, 0),
        (["X-Forwarded-For: 6.6.6.6", "Forwarded: for=" + KNOWN], 0, 0),
    ]
    trusting, alone = t.daemon(TRUSTING), t.daemon(ROUTES)
    # Over TCP only whom `trusted_proxies` names is believed, and over a unix socket whoever can connect to it.
    for where, column in ((trusting.address, 1), (trusting.folder + "/http.sock", 1), (alone.folder + "/http.sock", 2),
                          (alone.address, None)):
        for n, row in enumerate(table):
            with harness.Client(where) as client:
                text = "".join(h + "\r\n" for h in row[0])
                client.send(client.request(lms(n), "/in/campus").replace(b"Host: test\r\n", b"Host: test\r\n" + text.encode()))
                equal(client.answer().status, 200 if column and row[column] else 403, "%r at %r" % (row[0], where))


if __name__ == "__main__":
    harness.main()
