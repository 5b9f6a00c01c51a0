"""A Slack that does as it is told: a webhook at /services/..., chat.postMessage at /api/..., over HTTP or TLS. It
keeps what came, and when; what it answered with success is a message that people see."""

import json
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

import harness

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


class Got:
    def __init__(self, path, headers, body):
        self.at = time.monotonic()
        self.path, self.headers = path, headers
        self.json = json.loads(body)  # anything else is a fault of the plugin, and ends the connection
        self.text = self.json["text"]
        self.ids = list(dict.fromkeys(ID.findall(body.decode())))
        self.shown = self.heard = False  # by people; the answer by the plugin, which then knows


class Answer:
    """What to answer. `shown`: whether people see the message, by default when it is a success."""

    def __init__(self, status=200, body="ok", headers=None, shown=None):
        self.status, self.body, self.headers = status, body, headers or {}
        self.shown = status == 200 and (body == "ok" or '"ok":true' in body) if shown is None else shown

    def bytes(self):
        head = ["HTTP/1.1 %d Whatever" % self.status, "Content-Length: %d" % len(self.body.encode())]
        head += ["%s: %s" % h for h in self.headers.items()]
        return ("\r\n".join(head) + "\r\n\r\n" + self.body).encode()


OK = Answer()
STALL, RESET, HALF = "stall", "reset", "half"  # never an answer; a RST instead; a RST in the middle of "ok"
# The same, and people see the message all the same:
SHOWN = {STALL: "stall, shown", RESET: "reset, shown", HALF: "half, shown"}


def slow_down(seconds, body="rate_limited"):
    return Answer(429, body, {"Retry-After": str(seconds)})


def failed(word):
    """As a method of the API says it."""
    return Answer(200, json.dumps({"ok": False, "error": word}), shown=False)


class Peer:
    def __init__(self, script=lambda got: OK, tls=None, address=None):
        """script(got): what to answer, an Answer or one of the above. tls: (certificate, key)."""
        self.script, self.got, self.faults, self.count = script, [], [], {}
        self.lock = threading.Lock()
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.address = address or harness.own_address()
        self.listener = socket.create_server(self.address, backlog=64)
        self.over = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path="/services/T1/B1/hook", name=None):
        return "%s://%s:%d%s" % ("https" if self.context else "http", name or self.address[0], self.address[1], path)

    def close(self):
        self.over.set()
        self.listener.close()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    more = sock.recv(65536)
                    if not more:
                        return
                    pending += more
                head, pending = pending.split(b"\r\n\r\n", 1)
                lines = head.decode("latin-1").split("\r\n")
                headers = {n.strip().lower(): v.strip() for n, v in (line.split(":", 1) for line in lines[1:])}
                length = int(headers.get("content-length", "0"))
                while len(pending) < length:
                    more = sock.recv(65536)
                    if not more:
                        return
                    pending += more
                body, pending = pending[:length], pending[length:]
                method, path, _ = lines[0].split(" ")
                if not self.answer(sock, method, path, headers, body):
                    return
        except (OSError, ssl.SSLError):
            pass
        except Exception as e:  # what the plugin sent is not as it must be
            self.faults.append(repr(e))
        finally:
            sock.close()

    def answer(self, sock, method, path, headers, body):
        harness.equal(method, "POST", "method")
        harness.equal(headers.get("content-type"), "application/json; charset=utf-8", "Content-Type")
        got = Got(path, headers, body)
        with self.lock:
            self.got.append(got)
            answer = self.script(got)
            got.heard = isinstance(answer, Answer) and answer.shown
            got.shown = got.heard or answer in SHOWN.values()
            for i in got.ids if got.shown else ():
                self.count[i] = self.count.get(i, 0) + 1
        if isinstance(answer, Answer):
            sock.sendall(answer.bytes())
            return True
        if answer in (STALL, SHOWN[STALL]):
            sock.settimeout(60)
            sock.recv(1)  # until the other side has had enough
            return False
        if answer in (HALF, SHOWN[HALF]):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    # ---- What came of it

    def all(self):
        harness.check(not self.faults, "the plugin sent what it must not send: %s" % self.faults[:3])
        with self.lock:
            return list(self.got)

    def shown(self):
        return [g for g in self.all() if g.shown]

    def shown_ids(self):
        """How often people see each event."""
        self.all()
        with self.lock:
            return dict(self.count)

    def wait(self, n, seconds=15):
        """Until so many requests have come."""
        harness.wait_until(lambda: len(self.all()) >= n, lambda: "%d requests wanted, %d came" % (n, len(self.all())), seconds)
        return self.all()

    def wait_shown(self, ids, seconds=15):
        """Until people see all of these events."""
        def missing():
            seen = self.shown_ids()
            return [i for i in ids if i not in seen]
        harness.wait_until(lambda: not missing(), lambda: "%d of %d events are not shown, %s ..." % (
            len(missing()), len(ids), missing()[:1]), seconds)
        return self.shown_ids()


def certificate(folder, name, address):
    """A self-made one, for this name or address: (certificate, key)."""
    cert, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + address, "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key
