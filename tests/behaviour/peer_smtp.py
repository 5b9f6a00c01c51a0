"""Plays a mail server, as well-behaved or as nasty as a test says: STARTTLS, TLS from the start, AUTH, and any answer at any
stage. It keeps every byte that it was sent."""

import base64
import os
import socket
import ssl
import subprocess
import threading

import harness

STAGES = ("CONNECT", "EHLO", "HELO", "STARTTLS", "AUTH", "LOGIN", "MAIL", "RCPT", "DATA", "DOT", "RSET", "QUIT")


def certificate(folder, address):
    """A key and a certificate for this address that proves itself: for ca_file."""
    path = os.path.join(folder, "smtp-%s.pem" % address)
    if not os.path.exists(path):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=mail", "-addext", "subjectAltName=IP:%s" % address, "-keyout", path + ".key", "-out", path],
                       check=True, capture_output=True)
    return path


class Hangup(Exception):
    pass


class Mail:
    def __init__(self, sender, recipients, data):
        self.sender, self.recipients, self.data = sender, recipients, data


class Session:
    """One connection."""

    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.received = b""  # every byte, decrypted
        self.pending = b""
        self.tls = False
        self.user = None
        self.sender, self.recipients = None, []

    def line(self):
        while b"\r\n" not in self.pending:
            data = self.sock.recv(65536)
            if not data:
                raise Hangup()
            self.received += data
            self.pending += data
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line

    def say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def answer(self, stage, argument, default):
        """Says what the script has for this stage, or the default. True: it was a good answer."""
        text = self.server.scripted(stage, argument, self) or default
        if text == "close":
            raise Hangup()
        if text == "stall":
            self.server.stopping.wait()
            raise Hangup()
        self.say(text)
        if text.startswith("421"):
            raise Hangup()
        return text[0] in "23"

    def wrap(self):
        self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        self.tls, self.pending = True, b""

    def run(self):
        if self.server.tls == "implicit":
            self.wrap()
        self.answer("CONNECT", "", "220 mail.test ESMTP")
        while True:
            line = self.line()
            verb = line.split(b" ")[0].split(b":")[0].decode("latin-1").upper()
            argument = line[len(verb):].decode("utf-8", "replace").strip()
            self.server.commands.append(line)
            if verb in ("EHLO", "HELO"):
                self.hello(verb, argument)
            elif verb == "STARTTLS":
                if self.answer("STARTTLS", argument, "220 2.0.0 go ahead"):
                    self.wrap()
            elif verb == "AUTH":
                self.login(argument)
            elif verb == "MAIL":
                need = self.server.auth and not self.user
                if self.answer("MAIL", argument, "530 5.7.0 authentication required" if need else "250 2.1.0 ok"):
                    self.sender, self.recipients = argument, []
            elif verb == "RCPT":
                if self.answer("RCPT", argument, "250 2.1.5 ok"):
                    self.recipients.append(argument[argument.find("<") + 1:argument.rfind(">")])
            elif verb == "DATA":
                if self.answer("DATA", argument, "354 go ahead"):
                    self.data()
            elif verb == "QUIT":
                self.answer("QUIT", argument, "221 2.0.0 bye")
                return
            elif verb == "RSET":
                self.answer("RSET", argument, "250 2.0.0 ok")
            else:
                self.say("502 5.5.1 %s?" % verb)

    def hello(self, verb, argument):
        offers = ["mail.test"]
        if verb == "EHLO":
            offers += self.server.offers
            if self.server.tls == "starttls" and not self.tls:
                offers.append("STARTTLS")
            if self.server.auth and (self.tls or self.server.auth_in_clear):
                offers.append("AUTH " + " ".join(self.server.auth))
        lines = ["250-" + o for o in offers]
        self.answer(verb, argument, "\r\n".join(lines[:-1] + ["250 " + offers[-1]]))

    def login(self, argument):
        if not self.answer("AUTH", argument, "334 " if argument == "PLAIN" else "334 VXNlcm5hbWU6"):
            return
        mechanism = argument.split(" ")[0]
        if mechanism == "PLAIN":
            user, password = base64.b64decode(self.line()).split(b"\0")[1:]
        elif mechanism == "LOGIN":
            user = base64.b64decode(self.line())
            self.say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(self.line())
        else:
            raise Hangup()
        right = (user.decode(), password.decode()) == self.server.user
        if self.answer("LOGIN", user.decode(), "235 2.7.0 welcome" if right else "535 5.7.8 wrong: "
                       + base64.b64encode(password).decode() + " " + password.decode()):
            self.user = user.decode()

    def data(self):
        data = b""
        while True:
            line = self.line()
            if line == b".":
                break
            data += (line[1:] if line.startswith(b".") else line) + b"\r\n"
        if self.answer("DOT", data.decode("latin-1"), "250 2.0.0 queued"):
            self.server.mails.append(Mail(self.sender, list(self.recipients), data))


class Server:
    """tls: None, "starttls" or "implicit". auth: the mechanisms that are offered, once there is TLS."""

    def __init__(self, folder, tls=None, auth=(), offers=("SIZE 10000000", "8BITMIME"), user=("fleet", "s3cr3t pass"),
                 auth_in_clear=False, address=None):
        self.tls, self.auth, self.offers, self.user, self.auth_in_clear = tls, list(auth), list(offers), user, auth_in_clear
        self.address = address or harness.own_address()
        self.ca_file = certificate(folder, self.address[0])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.ca_file, self.ca_file + ".key")
        self.mails, self.sessions, self.commands = [], [], []
        self.script = {stage: [] for stage in STAGES}
        self.always = {}
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.listener = socket.create_server(self.address)
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self):
        return "%s://%s:%d" % ("smtps" if self.tls == "implicit" else "smtp", *self.address)

    def then(self, stage, *answers):
        """The next answers at this stage; None: the usual one."""
        with self.lock:
            self.script[stage] += answers

    def rule(self, stage, function):
        """function(argument) gives the answer at this stage, or None."""
        self.always[stage] = function

    def scripted(self, stage, argument, session):
        with self.lock:
            if self.script[stage]:
                return self.script[stage].pop(0)
        return self.always[stage](argument) if stage in self.always else None

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            session = Session(self, sock)
            self.sessions.append(session)
            threading.Thread(target=self.attend, args=(session,), daemon=True).start()

    def attend(self, session):
        try:
            session.run()
        except (Hangup, OSError, ValueError):
            pass
        finally:
            session.sock.close()

    def received(self):
        return b"".join(s.received for s in self.sessions)

    def verbs(self):
        return [c.split(b" ")[0].decode("latin-1") for c in self.commands]

    def to(self, recipient):
        return [m for m in self.mails if recipient in m.recipients]

    def stop(self):
        self.stopping.set()
        self.listener.close()
