"""TLS on `listen`: what goes through plainly goes through it as well; certificates change while it runs; who shakes
hands badly, slowly or not at all harms nobody."""

import os
import resource
import selectors
import signal
import socket
import ssl
import stat
import subprocess
import time

import certificates
import harness
import load
from harness import Closed, check, equal, fault, motive_headers, wait_until
from test_reload import metric, reload_

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))

TLS = harness.FLEET.replace("listen: {listen}\n", """\
listen:
  - {listen}
  - address: {tls_listen}
    tls: {{certificate: one.pem, key: {{file: one.key}}}}
admin: 127.0.0.1:0
""") + """\
sinks:
  audit: {{plugin: csv-export, path: {export}/audit.csv, columns: [id, ref: .data.id, kind]}}
routes:
  - to: audit
"""


class Tls(harness.Client):
    """One connection with TLS. The certificate is looked at by who wants to."""

    def __init__(self, address, timeout=20, source=None, versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
                 alpn=None):
        super().__init__(address, timeout, source)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version, context.maximum_version = versions
        if alpn:
            context.set_alpn_protocols(alpn)
        self.raw = self.sock
        try:
            self.sock = context.wrap_socket(self.raw, server_hostname="localhost")
        except BaseException:
            self.raw.close()
            raise

    def send(self, data):
        try:
            super().send(data)
        except ssl.SSLError as e:
            raise Closed(str(e)) from None

    def more(self):
        try:
            super().more()
        except ssl.SSLError as e:
            raise Closed(str(e)) from None

    def certificate(self):
        return ssl.DER_cert_to_PEM_cert(self.sock.getpeercert(True))


def tls_address(daemon):
    host, port = daemon.address
    return host, port + 1


def daemon_(t, routes=TLS, kind="ec", start=True, **more):
    daemon = t.daemon(routes, start=False, tls_listen="", **more)
    daemon.tls_listen = "%s:%d" % tls_address(daemon)
    daemon.tls = tls_address(daemon)
    certificates.make(daemon.folder, "one", kind)
    daemon.write_routes(routes, tls_listen=daemon.tls_listen)
    if start:
        daemon.start()
        wait_until(lambda: "ready: " in daemon.logged(), "not ready")
    return daemon


def pem(daemon, name):
    with open(os.path.join(daemon.folder, name + ".pem")) as f:
        return f.read()


def fleet(client, number, **more):
    equal(client.fleet(fault(number, **more)).status, 200, "an event")


# ---- As without


def test_posts(t):
    """Both versions, both kinds of keys; kept alive, pipelined, in chunks, large, with 100-continue."""
    for kind, versions in (("ec", ssl.TLSVersion.TLSv1_2), ("ec", ssl.TLSVersion.TLSv1_3), ("rsa", ssl.TLSVersion.TLSv1_2),
                           ("rsa", ssl.TLSVersion.TLSv1_3)):
        daemon = daemon_(t, kind=kind)
        with Tls(daemon.tls, versions=(versions, versions), alpn=["h2", "http/1.1"]) as client:
            equal(client.sock.selected_alpn_protocol(), "http/1.1", "protocol")
            equal(client.certificate(), pem(daemon, "one"), "certificate")
            for n in range(20):
                fleet(client, n)
            fleet(client, 20, padding="x" * 3000000)
            bodies = [fault(n) for n in range(21, 41)]
            client.send(b"".join(client.request(b, headers=motive_headers(b)) for b in bodies))
            equal([client.answer().status for _ in bodies], [200] * 20, "pipelined")
            body = fault(41, padding="y" * 50000)
            headers = "".join("%s: %s\r\n" % h for h in motive_headers(body).items())
            client.send(("POST /in/fleet HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%s\r\n" % headers).encode())
            for at in range(0, len(body), 7777):
                part = body[at:at + 7777]
                client.send(b"%x\r\n%s\r\n" % (len(part), part))
            client.send(b"0\r\n\r\n")
            equal(client.answer().status, 200, "in chunks")
            body = fault(42)
            head = client.request(body, headers=dict(motive_headers(body), Expect="100-continue"))[:-len(body)]
            client.send(head)
            while b"100 Continue" not in client.pending:
                client.more()
            client.send(body)
            equal(client.answer().status, 200, "after 100")
            equal(client.post("/in/fleet", fault(44)).status, 403, "not signed")
            equal(client.fleet(fault(43), path="/in/nobody").status, 404, "another path")
        daemon.wait_rows(43)
        daemon.stop()


def test_many(t):
    """All connections are ready at the same moment, also at the counts at which event loops are known to stall."""
    daemon = daemon_(t)
    number = 0
    for count in (1, 16, 127, 128, 129, 256, 512):
        clients = [Tls(daemon.tls) for _ in range(count)]
        selector = selectors.DefaultSelector()
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        for _ in range(3):
            for client in clients:
                body = fault(number)
                client.send(client.request(body, headers=motive_headers(body)))
                number += 1
            waiting = set(clients)
            while waiting:
                ready = selector.select(5 * harness.SLOWER)
                check(ready, "%d connections: %d of them are not answered" % (count, len(waiting)))
                for key, _ in ready:
                    if key.data in waiting:  # what else can be read are session tickets
                        equal(key.data.answer().status, 200, "status on one of %d connections" % count)
                        waiting.discard(key.data)
        for client in clients:
            client.close()
    daemon.wait_rows(number)


LISTENERS = TLS.replace("  - {listen}\n", """\
  - {listen}
  - '[::1]:{port}'
  - unix:{folder}/http.sock
""")


def test_listeners(t):
    """Plain, TLS, IPv6 and a unix socket beside each other; admin is none of them."""
    daemon = t.daemon(LISTENERS, start=False, tls_listen="", port=0)
    certificates.make(daemon.folder, "one")
    daemon.write_routes(LISTENERS, tls_listen="%s:%d" % tls_address(daemon), port=daemon.address[1])
    daemon.start()
    path = os.path.join(daemon.folder, "http.sock")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o660, "mode of the unix socket")
    number = 0
    for client in (daemon.client(), Tls(tls_address(daemon)), harness.Client(path), harness.Client(("::1", daemon.address[1]))):
        for _ in range(5):
            fleet(client, number)
            number += 1
    daemon.wait_rows(number)
    listening = [line.split("listening on ")[1].rstrip('"') for line in daemon.logged().splitlines() if "listening on" in line]
    equal(listening, ["%s:%d" % daemon.address, "[::1]:%d" % daemon.address[1], "unix:" + path,
                      "%s:%d (TLS)" % tls_address(daemon)], "where it listens")
    label = '{listen="%s:%d"}' % tls_address(daemon)
    expires = int(metric(daemon, "patchbay_certificate_expires_seconds" + label)[0])
    check(29 * 86400 < expires - time.time() < 31 * 86400, "expires at %d" % expires)
    daemon.stop()
    check(not os.path.exists(path), "the unix socket is gone")


def test_what_is_old_is_refused(t):
    daemon = daemon_(t)
    where = "%s:%d" % daemon.tls

    def client(*arguments, say=b""):
        done = subprocess.run(["openssl", "s_client", "-connect", where, *arguments], input=say, capture_output=True, timeout=60)
        return done.stdout + done.stderr

    # At security level 0 the client itself would go along with these.
    for old in ("-tls1", "-tls1_1"):
        text = client(old, "-cipher", "ALL:@SECLEVEL=0")
        check(b"Cipher is (NONE)" in text, "%s: %s" % (old, text.decode()))
    for weak in ("AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"):
        text = client("-tls1_2", "-cipher", weak + ":@SECLEVEL=0")
        check(b"Cipher is (NONE)" in text, "%s: %s" % (weak, text.decode()))
    check(b"Cipher is ECDHE-ECDSA-AES" in client("-tls1_2"), "1.2")
    # R: the client wants to begin anew in the middle.
    text = client("-tls1_2", "-legacy_renegotiation", say=b"R\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    check(b"HTTP/1.1" not in text, "renegotiated: %s" % text.decode())
    with Tls(daemon.tls) as c:
        fleet(c, 1)


def test_an_answer_that_did_not_arrive(t):
    """Nothing tells these events apart: only whether our answer was heard tells the retry from a new event."""
    env, control = harness.failio(t.folder)
    body = harness.sample("motive", "engine_toggle_event")
    for how in ("close", "reset"):
        daemon = daemon_(t, env=env)
        harness.command(control, "slow 700 /state/")
        client = Tls(daemon.tls)
        client.send(client.request(body, headers=motive_headers(body)))
        wait_until(lambda: metric(daemon, "patchbay_waiting") == ["1"], "the event does not wait for the disk")
        if how == "close":
            client.sock.setblocking(False)
            try:
                client.sock.unwrap()  # says good-bye, and waits for no answer to that
            except ssl.SSLWantReadError:
                pass
            client.close()
        else:
            client.raw = client.sock
            client.reset()
        harness.command(control, "ok")
        wait_until(lambda: metric(daemon, "patchbay_connections") == ["0"], "the connection goes on")
        with Tls(daemon.tls) as client:
            equal(client.fleet(body).status, 200, "the retry")
            daemon.wait_rows(1)
            equal(client.fleet(body).status, 200, "the engine again")
        daemon.wait_rows(2)
        daemon.stop()


# ---- Certificates


def shown(daemon):
    with Tls(daemon.tls) as client:
        return client.certificate()


def test_certificates_change_under_load(t):
    """No connection breaks, no event is lost; the open ones go on with what they were shown."""
    daemon = daemon_(t)
    for name, kind in (("two", "rsa"), ("three", "ec")):
        certificates.make(daemon.folder, name, kind)
    running = load.Load(daemon.tls, connections=8, client=Tls).start()
    with Tls(daemon.tls) as early:
        fleet(early, 1000000)
        for n, name in enumerate(("two", "three", "two", "three")):
            certificates.copy(daemon.folder, name, "one")
            equal(reload_(daemon)[:2], ([], []), "faults and warnings")
            equal(shown(daemon), pem(daemon, name), "the certificate after reload %d" % n)
            fleet(early, 1000001 + n)
            equal(early.certificate(), early.certificate(), "the one it was shown")
        check("new connections are shown the new certificate, for localhost, 127.0.0.1" in daemon.logged(), daemon.tail())
        before = daemon.logged().count("new connections are shown")
        reload_(daemon)
        equal(daemon.logged().count("new connections are shown"), before, "nothing new, nothing said")
        # Other files, and SIGHUP.
        daemon.write_routes(TLS.replace("certificate: one.pem, key: {{file: one.key}}", "certificate: two.pem, key: {{file: two.key}}"),
                            tls_listen=daemon.tls_listen)
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: shown(daemon) == pem(daemon, "two"), "SIGHUP has no effect")
    running.stop()
    check(len(running.answered) > 100 and not running.refused, "%d answered, refused: %r" % (len(running.answered), running.refused))
    equal(running.unanswered(), [], "posts without an answer")
    daemon.wait_rows(len(running.answered) + 5)


def test_a_bad_pair_changes_nothing(t):
    daemon = daemon_(t)
    one = pem(daemon, "one")
    certificates.make(daemon.folder, "two")
    os.rename(os.path.join(daemon.folder, "two.key"), os.path.join(daemon.folder, "one.key"))
    faults, _, _ = reload_(daemon, code=1)
    equal(len(faults), 1, "faults: %r" % faults)
    check(":4:38: 'key': it does not belong to the certificate, which is for localhost, 127.0.0.1" in faults[0], faults[0])
    equal(shown(daemon), one, "certificate")
    said = daemon.cli("check", code=1) + daemon.cli_errors
    check("'key': it does not belong" in said, "check: " + said)
    # The files are no good: it cannot start with them, but what was at work is not stopped by that.
    equal(subprocess.run([harness.PATCHBAY, "serve", "-c", daemon.routes], env=daemon.env, capture_output=True).returncode,
          1, "serve")
    with Tls(daemon.tls) as client:
        fleet(client, 1)


def test_the_next_worker_has_them_again(t):
    daemon = daemon_(t)
    certificates.make(daemon.folder, "two", "rsa")
    certificates.copy(daemon.folder, "two", "one")
    reload_(daemon)
    os.kill(daemon.worker(), signal.SIGKILL)
    wait_until(lambda: daemon.logged().count("ready: ") == 2, "no second worker")
    equal(shown(daemon), pem(daemon, "two"), "certificate")
    with Tls(daemon.tls) as client:
        fleet(client, 1)


def test_who_must_be_told_that_one_expires(t):
    daemon = daemon_(t)
    listener = '{type="%s",what="listener",about="%s",severity="%s"}'
    expiring = "patchbay_alarm" + listener % ("certificate_expiring", daemon.tls_listen, "warning")
    expired = "patchbay_alarm" + listener % ("certificate_expired", daemon.tls_listen, "error")
    equal(metric(daemon, expiring), [], "30 days before")
    for days, name in ((13, expiring), (-1, expired)):
        certificates.make(daemon.folder, "two", days=days)
        certificates.copy(daemon.folder, "two", "one")
        reload_(daemon)
        wait_until(lambda: metric(daemon, name) == ["1"], name)
    check("alarm certificate_expired: listener %s: the certificate of" % daemon.tls_listen in daemon.logged(), "not in the log")
    certificates.make(daemon.folder, "two")
    certificates.copy(daemon.folder, "two", "one")
    reload_(daemon)
    wait_until(lambda: not metric(daemon, expiring) and not metric(daemon, expired), "it is not over")


def test_what_takes_a_restart(t):
    daemon = daemon_(t)
    one = pem(daemon, "one")
    for routes in (TLS.replace("address: {tls_listen}\n    tls: {{certificate: one.pem, key: {{file: one.key}}}}", "{tls_listen}"),
                   TLS.replace("address: {tls_listen}", "address: 127.0.0.1:0")):
        daemon.write_routes(routes, tls_listen=daemon.tls_listen)
        faults, warnings, _ = reload_(daemon)
        equal((faults, len(warnings)), ([], 1), "warnings: %r" % warnings)
        check("'listen' has changed, which counts only when" in warnings[0], warnings[0])
        equal(shown(daemon), one, "certificate")


# ---- As a client


ONLY = TLS.replace("  - {listen}\n", "")


def test_send(t):
    """To one's own daemon without further ado, also if it speaks nothing but TLS; to others as their names deserve."""
    daemon = daemon_(t)
    daemon.stop()
    daemon.write_routes(ONLY, tls_listen=daemon.tls_listen)
    daemon.answers = lambda: daemon.logged().count("ready: ") == 2
    daemon.start()
    name = harness.samples("motive")[0]
    for _ in range(2):
        check("200" in daemon.cli("send", "fleet", name, "--count", "3"), "not sent")
    daemon.wait_rows(6)
    daemon.cli("send", "fleet", name, "--to", "https://%s/in/fleet" % daemon.tls_listen, code=1)
    check("is not trusted" in daemon.cli_errors, daemon.cli_errors)
    daemon.cli("send", "fleet", name, "--to", "https://%s/in/fleet" % daemon.logged().split("admin on ")[-1].split('"')[0], code=1)
    check("cannot speak TLS" in daemon.cli_errors, daemon.cli_errors)
    certificates.make(daemon.folder, "two")
    certificates.copy(daemon.folder, "two", "one")
    daemon.cli("send", "fleet", name, code=1)
    check("another certificate" in daemon.cli_errors, daemon.cli_errors)
    equal(len(daemon.rows()), 6, "rows")


# ---- Hostile


def cpu_seconds(daemon):
    with open("/proc/%d/stat" % daemon.worker()) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


SHORT = TLS.replace("admin:", "limits: {{request: 1500ms}}\nadmin:")
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 20  # the beginning of one


def end_of(client):
    """Waits until the other side has closed."""
    try:
        while True:
            client.more()
    except Closed:
        pass


def test_hostile_handshakes(t):
    daemon = daemon_(t, SHORT)
    wrong = {
        "plain HTTP": b"POST /in/fleet HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        "garbage": bytes(range(256)) * 40,
        "zeros": b"\0" * 1000,
        "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
        "a huge record": b"\x16\x03\x01\xff\xff" + b"x" * 70000,
        "an empty record": b"\x16\x03\x01\x00\x00" * 100,
        "data before the handshake": b"\x17\x03\x03\x00\x10" + b"x" * 16,
    }
    for number, (what, data) in enumerate(wrong.items()):
        client = harness.Client(daemon.tls)
        try:
            client.send(data)
        except Closed:
            pass
        end_of(client)
        check(b"HTTP/1.1 2" not in client.pending, "%s is answered: %r" % (what, client.pending))
        client.close()
        with Tls(daemon.tls) as honest:
            fleet(honest, number)
    # TLS to where none is spoken.
    with harness.Client(daemon.address) as client:
        client.send(HELLO + b"\r\n\r\n")
        end_of(client)
        check(b" 200 " not in client.pending, "answered %r" % client.pending)


def test_handshakes_that_hang(t):
    """They end when `limits: request` says, whatever they do, and cost nothing as long as they wait."""
    daemon = daemon_(t, SHORT)
    silent = [harness.Client(daemon.tls) for _ in range(100)]
    half = [harness.Client(daemon.tls) for _ in range(100)]
    slow = [harness.Client(daemon.tls) for _ in range(20)]
    for client in half + slow:
        client.send(HELLO)
    wait_until(lambda: metric(daemon, "patchbay_connections") == ["220"], "not all are connected")
    began, used = time.monotonic(), cpu_seconds(daemon)
    with Tls(daemon.tls) as honest:
        number, open_ = 0, set(slow)
        while open_ and time.monotonic() - began < 20 * harness.SLOWER:
            fleet(honest, number)
            number += 1
            for client in list(open_):
                try:
                    client.send(b"x")
                    client.sock.settimeout(0.001)
                    client.more()
                except socket.timeout:
                    pass
                except Closed:
                    open_.discard(client)
            time.sleep(0.02)
    check(not open_, "%d handshakes go on for ever, byte by byte" % len(open_))
    took, used = time.monotonic() - began, cpu_seconds(daemon) - used
    check(used < took / 2, "handshakes that wait have taken %.1f s of a processor in %.1f s" % (used, took))
    for client in silent + half:
        end_of(client)
        client.close()
    wait_until(lambda: metric(daemon, "patchbay_connections") == ["0"], "connections are left")
    daemon.wait_rows(number)


def test_stops_in_the_middle_of_handshakes(t):
    daemon = daemon_(t)
    clients = [harness.Client(daemon.tls) for _ in range(50)]
    for client in clients:
        client.send(HELLO)
    wait_until(lambda: metric(daemon, "patchbay_connections") == ["50"], "not all are connected")
    daemon.stop()


if __name__ == "__main__":
    harness.main()
