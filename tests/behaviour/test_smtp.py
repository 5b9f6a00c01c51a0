"""smtp: what an event brings never becomes a command or a header; nothing secret and no mail goes to a server that does not
prove itself; every answer of a server, at every stage, has the outcome that it should have; and each mail is a whole one."""

import email
import email.header
import email.policy
import json
import os
import subprocess
import time

import harness
from harness import check, equal, wait_until
from peer_smtp import Server

ROUTES = harness.FLEET + """\
sinks:
  mail:
    plugin: smtp
    server: %(server)s
    from: Fleet desk <fleet@example.edu>
    to: %(to)s
    subject: %(subject)s
    retry: {{initial: 50ms, factor: 1, max: 50ms}}
%(more)s
routes:
  - to: mail
"""

LOGIN = "    username: fleet\n    password: {{file: {folder}/mail.password}}\n"


def start(t, server, to="desk@example.edu", subject="'Fault \\(.data.code)'", more="", private=True, password="s3cr3t pass", **rest):
    """more: further options of the sink."""
    if private:
        more += "    allow_private: true\n"
    routes = ROUTES % {"server": server if isinstance(server, str) else server.url, "to": to, "subject": subject, "more": more}
    daemon = t.daemon(routes, start=False, **rest)
    with open(os.path.join(daemon.folder, "mail.password"), "w") as f:
        f.write(password + "\n")
    os.chmod(f.name, 0o600)
    return daemon.start()


def post(daemon, number, **more):
    with daemon.client() as client:
        answer = client.fleet(harness.fault(number, **more))
        equal(answer.status, 200, "answer")
        return answer.event_id


def delivery(daemon, event):
    deliveries = daemon.show(event)["deliveries"]
    return deliveries[0] if deliveries else {"state": "none", "why": ""}


def wait_state(daemon, event, *states):
    def now():
        d = delivery(daemon, event)
        return d if d["state"] in states else None
    return wait_until(now, lambda: "state %s wanted, it is %r" % (states, delivery(daemon, event)))


def wait_mails(server, n):
    wait_until(lambda: len(server.mails) >= n, lambda: "%d mails wanted, %d there" % (n, len(server.mails)))
    equal(len(server.mails), n, "mails")
    return server.mails


def parse(mail):
    """A mail as a reader sees it; that its lines are fit is checked on the way."""
    for line in mail.data.split(b"\r\n"):
        check(b"\r" not in line and b"\n" not in line, "a bare CR or LF in %r" % line)
        check(len(line) <= 998 and all(c < 0x80 for c in line), "a long line, or eight bits: %r" % line)
    return email.message_from_bytes(mail.data, policy=email.policy.default)


# ---- A mail


def test_a_mail(t):
    server = Server(t.folder)
    daemon = start(t, server, more="    text: '\\(.data.note)'\n    html: '<p>\\(.data.note)</p>'\n",
                   subject="'Fault \\(.data.code): \\(.data.name)'")
    note = "Dear Zoë,\n.\n..\nFrom now on <b>\"slow\"</b> & 'steady'\r\nQUIT\n"
    event = post(daemon, 1, name="Zoë Öztürk, 你好 " + "x" * 100, note=note)
    mail = wait_mails(server, 1)[0]
    equal(mail.sender.split(" ")[0], "FROM:<fleet@example.edu>", "envelope sender")
    m = parse(mail)
    equal(m["Subject"], "Fault J1939: Zoë Öztürk, 你好 " + "x" * 100, "subject")
    equal(m["From"], "Fleet desk <fleet@example.edu>", "From")
    equal(m["To"], "desk@example.edu", "To")
    equal(m["Auto-Submitted"], "auto-generated", "Auto-Submitted")
    equal(m["X-Patchbay-Event-Id"], event, "the event's id")
    check(m["Message-ID"].startswith("<" + event + ".") and m["Message-ID"].endswith("@example.edu>"), m["Message-ID"])
    check(abs(m["Date"].datetime.timestamp() - time.time()) < 300, "Date: %s" % m["Date"])
    equal(m.get_content_type(), "multipart/alternative", "type")
    text, html = m.iter_parts()
    equal(text.get_content().replace("\r\n", "\n"), note.replace("\r\n", "\n"), "text")
    equal(html.get_content().replace("\r\n", "\n"), "<p>Dear Zoë,\n.\n..\nFrom now on &lt;b&gt;&quot;slow&quot;&lt;/b&gt; &amp; "
          "&#39;steady&#39;\nQUIT\n</p>\n", "html")
    wait_state(daemon, event, "done")


def test_the_default_text_has_the_event(t):
    server = Server(t.folder)
    daemon = start(t, server)
    event = post(daemon, 12345678901234567)
    text = parse(wait_mails(server, 1)[0]).get_content()
    check(event in text and '"id":12345678901234567' in text and "fault_code_opened from fleet" in text, text)


def test_one_connection_for_many(t):
    server = Server(t.folder, tls="starttls", auth=["PLAIN"])
    daemon = start(t, server, more=LOGIN + "    ca_file: %s\n" % server.ca_file)
    for i in range(10):
        post(daemon, i)
    wait_mails(server, 10)
    equal(len(server.sessions), 1, "connections")
    equal(server.verbs().count("AUTH"), 1, "logins")
    equal(len({parse(m)["Message-ID"] for m in server.mails}), 10, "Message-IDs")
    server.sessions[0].sock.shutdown(2)  # the server has enough of it
    post(daemon, 11)
    wait_mails(server, 11)
    daemon.stop()
    check(server.verbs()[-1] == "QUIT", "it says goodbye")


# ---- Injections


INJECTIONS = ("a@example.edu\r\nRCPT TO:<evil@example.com>", "a@example.edu>\r\nDATA\r\n.\r\n", "a@example.edu\nBcc: evil@example.com",
              "a@example.edu\r", "a@example.edu\0", "\0a@example.edu", "a@example.edu> SIZE=1", "evil@example.com,a@example.edu",
              "evil@example.com <a@example.edu>", "a@example.edu@example.edu", "@example.edu", "a b@example.edu", "evil@example.com",
              "a@example.edu.evil.example", "x" * 65 + "@example.edu", "a@" + "x." * 130 + "edu", "", "a", "a@[127.0.0.1]", 7, None, {},
              {"a": 1}, True, [], ["b@example.edu", 7], ["b@example.edu", "evil@example.com\r\n"], ["b@example.edu", ["c@example.edu"]])


def test_injections_into_recipients(t):
    server = Server(t.folder)
    daemon = start(t, server, to=".data.user", more="    allow_domains: [example.edu]\n")
    events = [(to, post(daemon, i, user=to)) for i, to in enumerate(INJECTIONS)]
    good = post(daemon, 1000, user=["a@example.edu", "A.B@EXAMPLE.edu", "a@example.edu"])
    for to, event in events:
        d = wait_state(daemon, event, "dead", "done")
        equal(d["state"], "dead", "a mail to %r" % (to,))
        equal(d["class"], "event", "class of %r" % (to,))
        check("`to`" in d["why"], "why of %r: %s" % (to, d["why"]))
        check("\r" not in d["why"] and "\n" not in d["why"] and "\0" not in d["why"], "control characters in %r" % d["why"])
    wait_state(daemon, good, "done")
    equal([m.recipients for m in wait_mails(server, 2)], [["a@example.edu"], ["A.B@EXAMPLE.edu"]], "recipients")
    check(b"evil" not in server.received(), "something of it went over the wire")
    check(b"b@example.edu" not in server.received().replace(b"A.B@", b""), "a part of a bad list was sent to")


def test_injections_into_headers(t):
    server = Server(t.folder)
    daemon = start(t, server, subject="'\\(.data.a) \\(.type)'", more="    text: fixed\n")
    events = [post(daemon, i, **more) for i, more in enumerate((
        {"a": "x\r\nBcc: evil@example.com"}, {"a": "x\nBcc: evil@example.com"}, {"a": "x\rBcc: evil@example.com"}, {"a": "evil\0"},
        {"a": "\r\n.\r\nMAIL FROM:<evil@example.com>"}, {"a": "x\r\n\r\nevil body"}, {"a": "y", "action": "t\r\nevil: 1"}))]
    folded = post(daemon, 100, a="evil? " * 40 + "\u2028\x85\x0b\x0c=?utf-8?q?hm?=")
    for event in events:
        d = wait_state(daemon, event, "dead", "done")
        equal((d["state"], d["class"]), ("dead", "event"), "a subject that breaks its line")
        check("`subject`" in d["why"] and "line break" in d["why"], d["why"])
    wait_state(daemon, folded, "done")
    m = parse(wait_mails(server, 1)[0])
    raw = server.mails[0].data.split(b"\r\nSubject: ")[1].split(b"\r\nMessage-ID")[0].decode("ascii")
    equal("".join(part.decode() for part, _ in email.header.decode_header(raw)),
          "evil? " * 40 + "\u2028\x85\x0b\x0c=?utf-8?q?hm?= fault_code_opened", "subject")
    equal([k for k in m.keys() if k.lower() in ("bcc", "evil")], [], "forged headers")
    check(b"evil@" not in server.received(), "something of it went over the wire")


def test_injections_into_the_body_stay_there(t):
    server = Server(t.folder)
    daemon = start(t, server, more="    text: '\\(.data.a)'\n")
    texts = ["x\r\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<evil@example.com>\r\nDATA\r\nhi\r\n.\r\n", "x\n.\nMAIL FROM:<evil@example.com>\n",
             "x\r.\rRSET\r", ".\r\n.", ".", "\0", "x" * 5000, "é" * 5000, "\r\n" * 50 + "."]
    for i, text in enumerate(texts):
        post(daemon, i, a=text)
    mails = wait_mails(server, len(texts))
    for mail in mails:
        equal(mail.recipients, ["desk@example.edu"], "recipients")
    got = sorted(parse(m).get_content().replace("\r\n", "\n").rstrip("\n") for m in mails)
    equal(got, sorted(t_.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") for t_ in texts), "bodies")


def test_what_the_configuration_must_not_say(t):
    server = "smtps://mail.example.edu"
    for to, subject, more, wanted in (
            ('["a@example.edu\\r"]', "x", "", "line break"), ('["a@example.edu\\r\\nRCPT TO:<b@example.edu>"]', "x", "", "line break"),
            (".data.user", "x", "", "allow_domains"), ("a@example.com", "x", "    allow_domains: example.edu\n", "allow_domains"),
            ("a@example.edu", "x", "    username: u\n", "password"), ("a@example.edu", "x", "    helo: 'x y'\n", "helo")):
        daemon = t.daemon(ROUTES % {"server": server, "to": to, "subject": subject, "more": more}, start=False)
        out = daemon.cli("check", code=1)
        check(wanted in out + daemon.cli_errors, "%s%s says: %s%s" % (to, more, out, daemon.cli_errors))
    for bad in ("http://mail.example.edu", "smtp://u:p@mail.example.edu", "smtp://mail.example.edu/x", "smtp://", "smtp://a b", "'smtp://a:x'"):
        daemon = t.daemon(ROUTES % {"server": bad, "to": "a@example.edu", "subject": "x", "more": ""}, start=False)
        daemon.cli("check", code=1)
        check("smtps://host:port" in daemon.cli_errors + daemon.cli("check", code=1), "server %s: %s" % (bad, daemon.cli_errors))


# ---- Who gets the password, and who gets mail


def refused(t, server, wanted, more="", **rest):
    """A server that gets neither the password nor a mail, and a dead letter that says why."""
    daemon = start(t, server, more=LOGIN + "    ca_file: %s\n" % server.ca_file + more, **rest)
    event = post(daemon, 1)
    d = wait_state(daemon, event, "dead", "done")
    equal((d["state"], d["class"]), ("dead", "configuration"), "outcome")
    for word in wanted:
        check(word in d["why"], "why: " + d["why"])
    for word in (b"MAIL", b"AUTH", b"RCPT", b"DATA", b"s3cr3t", b"AGZsZWV0"):
        check(word not in server.received(), "%s went over the wire: %r" % (word, server.received()))
    equal(server.mails, [], "mails")


def test_no_auth_no_mail(t):
    refused(t, Server(t.folder, tls="starttls"), ["AUTH"])


def test_no_auth_no_mail_smtps(t):
    refused(t, Server(t.folder, tls="implicit"), ["AUTH"])


def test_no_auth_we_know(t):
    refused(t, Server(t.folder, tls="implicit", auth=["GSSAPI", "NTLM"]), ["AUTH", "PLAIN"])


def test_pinned_auth(t):
    refused(t, Server(t.folder, tls="implicit", auth=["LOGIN"]), ["AUTH", "PLAIN"], more="    auth: plain\n")


def test_starttls_stripped(t):
    refused(t, Server(t.folder, auth=["PLAIN"], auth_in_clear=True), ["STARTTLS"])


def test_neither_starttls_nor_auth(t):
    refused(t, Server(t.folder), ["STARTTLS", "AUTH"])


def test_auth_offered_only_before_tls(t):
    server = Server(t.folder, tls="starttls")
    server.then("EHLO", "250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS")
    refused(t, server, ["AUTH"])


def test_ehlo_refused_behind_tls(t):
    """libcurl falls back to HELO, and would go on without a login."""
    server = Server(t.folder, tls="implicit", auth=["PLAIN"])
    server.rule("EHLO", lambda _: "502 5.5.1 what?")
    refused(t, server, ["AUTH"])


def test_starttls_required_without_login(t):
    server = Server(t.folder)
    daemon = start(t, server, more="    tls: required\n")
    d = wait_state(daemon, post(daemon, 1), "dead", "done")
    equal((d["state"], d["class"]), ("dead", "configuration"), "outcome")
    check("STARTTLS" in d["why"] and b"MAIL" not in server.received(), d["why"])


def parked(t, daemon, event, *words):
    """The sink is parked; the event is still owed; the log says so, once."""
    wait_until(lambda: all(w in daemon.logged() for w in words), lambda: "%s in the log:\n%s" % (words, daemon.tail()))
    check(delivery(daemon, event)["state"] not in ("dead", "done"), "the event is still owed")


def test_wrong_password_parks_the_sink(t):
    server = Server(t.folder, tls="starttls", auth=["PLAIN", "LOGIN"])
    daemon = start(t, server, more=LOGIN + "    ca_file: %s\n" % server.ca_file, password="wr0ng&word")
    event = post(daemon, 1)
    parked(t, daemon, event, "535 5.7.8", "`username` and `password`")
    wait_until(lambda: server.verbs().count("AUTH") >= 2, "it tries again")
    said = [line for line in daemon.logged().splitlines() if "535 5.7.8" in line]
    equal(len(said), 1, "lines about it")
    for secret in ("wr0ng&word", "d3Iwbmcmd29yZA=="):
        check(secret not in daemon.logged() and secret not in json.dumps(daemon.show(event)), "the password is in the log")
    equal(server.mails, [], "mails")
    server.user = ("fleet", "wr0ng&word")  # mended
    wait_state(daemon, event, "done")


def test_a_server_that_repeats_the_password(t):
    server = Server(t.folder, tls="starttls", auth=["PLAIN"])
    server.then("RCPT", "550 5.7.1 not with s3cr3t pass")
    daemon = start(t, server, more=LOGIN + "    ca_file: %s\n" % server.ca_file)
    event = post(daemon, 1)
    d = wait_state(daemon, event, "dead")
    check("with 550 (not shown" in d["why"], "why: " + d["why"])
    for text in (daemon.logged(), json.dumps(daemon.show(event)), daemon.cli("dead", event)):
        check("s3cr3t" not in text, "the password is shown: " + text)


def test_unknown_certificate(t):
    server = Server(t.folder, tls="starttls", auth=["PLAIN"])
    daemon = start(t, server, more=LOGIN)
    event = post(daemon, 1)
    parked(t, daemon, event, "certificate", "ca_file")
    check(b"AUTH" not in server.received() and b"MAIL" not in server.received(), server.received())
    other = Server(t.folder, tls="implicit")  # a certificate for another name
    daemon = start(t, other, more="    ca_file: %s\n" % server.ca_file)
    parked(t, daemon, post(daemon, 1), "certificate")
    equal(other.mails, [], "mails")


def test_private_addresses_need_leave(t):
    server = Server(t.folder)
    for url in (server.url, "smtp://localhost:%d" % server.address[1]):
        daemon = start(t, url, private=False)
        parked(t, daemon, post(daemon, 1), "allow_private")
    equal(server.sessions, [], "connections")


def test_plain_where_nothing_is_to_be_lost(t):
    """Without a login, to a private address, STARTTLS is taken where it is offered, whatever the certificate."""
    for tls in (None, "starttls"):
        server = Server(t.folder, tls=tls)
        daemon = start(t, server)
        post(daemon, 1)
        wait_mails(server, 1)
        equal(server.sessions[0].tls, tls is not None, "TLS")


def test_logins(t):
    for tls, auth in (("starttls", ["LOGIN"]), ("implicit", ["PLAIN", "LOGIN"]), ("implicit", ["XOAUTH2", "PLAIN"])):
        server = Server(t.folder, tls=tls, auth=auth)
        daemon = start(t, server, more=LOGIN + "    ca_file: %s\n" % server.ca_file)
        post(daemon, 1)
        wait_mails(server, 1)
        check(server.sessions[0].tls, "TLS")


# ---- Answers


def test_greylisting(t):
    server = Server(t.folder)
    server.then("RCPT", "451 4.7.1 greylisted", "451 4.7.1 greylisted")
    daemon = start(t, server)
    event = post(daemon, 1)
    d = wait_state(daemon, event, "done")
    equal(d["attempts"], 3, "attempts")
    equal(len(server.mails), 1, "mails")


def test_lost_answer_to_the_mail(t):
    """It may have come: it is sent again, and can be recognised."""
    server = Server(t.folder)
    ids = []

    def dot(data):
        ids.append(email.message_from_string(data)["Message-ID"])
        return "close" if len(ids) < 3 else None
    server.rule("DOT", dot)
    daemon = start(t, server)
    event = post(daemon, 1)
    wait_state(daemon, event, "done")
    equal(len(ids), 3, "times that it was sent")
    equal(len(set(ids)), 1, "Message-IDs")
    whys = " ".join(a.get("why") or "" for a in daemon.show(event)["attempts"])
    check("did not say whether it took the mail" in whys, whys)


TRANSIENT = (("CONNECT", "421 4.3.2 not now"), ("CONNECT", "450 4.3.2 later"), ("CONNECT", "close"), ("EHLO", "421 4.3.2 no"),
             ("EHLO", "close"), ("MAIL", "451 4.3.0 later"), ("MAIL", "421 4.3.2 no"), ("MAIL", "close"), ("RCPT", "450 4.2.1 busy"),
             ("RCPT", "452 4.2.2 full"), ("RCPT", "552 5.2.2 full"), ("RCPT", "421 4.3.2 no"), ("RCPT", "close"), ("DATA", "451 4.3.0 no"),
             ("DATA", "close"), ("DOT", "451 4.3.0 later"), ("DOT", "452 4.3.1 no room"), ("DOT", "421 4.3.2 no"), ("DOT", "close"))
FOR_GOOD = (("RCPT", "550 5.1.1 no such user"), ("RCPT", "551 5.1.6 moved"), ("RCPT", "553 5.1.3 bad name"), ("DATA", "554 5.5.1 no"),
            ("DOT", "552 5.3.4 too large"), ("DOT", "554 5.7.1 spam"), ("MAIL", "552 5.3.4 too large"))


def test_every_transient_answer_is_tried_again(t):
    server = Server(t.folder)
    daemon = start(t, server)
    for i, (stage, answer) in enumerate(TRANSIENT):
        for session in server.sessions:  # each begins with a connection
            try:
                session.sock.shutdown(2)
            except OSError:
                pass
        server.then(stage, answer)
        event = post(daemon, i)
        d = wait_state(daemon, event, "done", "dead")
        equal(d["state"], "done", "%s to %s: %s" % (answer, stage, d["why"]))
        equal(server.script[stage], [], "answers that were not given at %s" % stage)
        equal(len(server.mails), i + 1, "mails after %s to %s" % (answer, stage))


def test_every_final_answer_is_a_dead_letter(t):
    server = Server(t.folder)
    daemon = start(t, server)
    for i, (stage, answer) in enumerate(FOR_GOOD):
        server.then(stage, answer)
        d = wait_state(daemon, post(daemon, i), "done", "dead")
        equal((d["state"], d["class"]), ("dead", "event"), "%s to %s" % (answer, stage))
        check(answer in d["why"], "why: " + d["why"])
    equal(server.mails, [], "mails")
    wait_state(daemon, post(daemon, 100), "done")


def test_refusals_that_a_person_must_mend(t):
    for stage, answer in (("CONNECT", "554 5.3.2 blocked"), ("MAIL", "530 5.7.0 log in first"), ("MAIL", "550 5.7.1 not your address"),
                          ("RCPT", "530 5.7.0 log in first"), ("DATA", "503 5.5.1 what?")):
        server = Server(t.folder)
        server.rule(stage, lambda _, a=answer: a)
        daemon = start(t, server)
        parked(t, daemon, post(daemon, 1), answer)
        equal(server.mails, [], "mails")


def test_a_server_that_stalls(t):
    for stage in ("CONNECT", "RCPT", "DOT"):
        server = Server(t.folder)
        server.then(stage, "stall")
        daemon = start(t, server, more="    timeout: 1s\n")
        event = post(daemon, 1)
        wait_state(daemon, event, "done")
        server.stop()
        daemon.stop()


def test_several_recipients_with_mixed_results(t):
    server = Server(t.folder)
    grey = ["451 4.7.1 greylisted"] * 2
    server.rule("RCPT", lambda to: "550 5.1.1 no such user" if "bob@" in to else grey.pop() if "cat@" in to and grey else None)
    daemon = start(t, server, to="[ann@example.edu, bob@example.edu, cat@example.edu, dan@example.edu]")
    event = post(daemon, 1)
    d = wait_state(daemon, event, "dead")
    check("bob@example.edu: " in d["why"] and "550 5.1.1" in d["why"], d["why"])
    check("3 of 4 have it (ann@example.edu, cat@example.edu, dan@example.edu)" in d["why"], d["why"])
    equal(sorted(m.recipients[0] for m in server.mails), ["ann@example.edu", "cat@example.edu", "dan@example.edu"], "each got it once")
    equal(len({parse(m)["Message-ID"] for m in server.mails}), 1, "Message-IDs")
    equal(parse(server.mails[0])["To"].replace("\n", ""), "ann@example.edu, bob@example.edu, cat@example.edu, dan@example.edu", "To")
    equal(d["attempts"], 3, "attempts")


def test_addresses_outside_of_ascii(t):
    for offers, state in ((["SMTPUTF8"], "done"), ([], "dead")):
        server = Server(t.folder, offers=offers)
        daemon = start(t, server, to=".data.user", more="    allow_domains: [example.edu]\n")
        event = post(daemon, 1, user="jörg@example.edu")
        d = wait_state(daemon, event, "done", "dead")
        equal(d["state"], state, "state: " + (d["why"] or ""))
        if state == "done":
            check("SMTPUTF8" in server.mails[0].sender, server.mails[0].sender)
            parse(server.mails[0])
        else:
            check("SMTPUTF8" in d["why"], d["why"])
            check("jörg".encode() not in server.received(), server.received())


def test_digest(t):
    server = Server(t.folder)
    server.then("CONNECT", *["close"] * 3)
    daemon = start(t, server, to=".data.user", more="    allow_domains: [example.edu]\n    digest: 3\n")
    first = post(daemon, 0, user="ann@example.edu")
    events = [post(daemon, i, user="ann@example.edu" if i % 3 else "bob@example.edu") for i in range(1, 31)]
    for event in [first] + events:
        wait_state(daemon, event, "done")
    equal({m.recipients[0] for m in server.mails}, {"ann@example.edu", "bob@example.edu"}, "recipients")
    named = []
    for mail in server.mails:
        m = parse(mail)
        ids = m.get_all("X-Patchbay-Event-Id")
        named += [(i, mail.recipients[0]) for i in ids]
        if len(ids) > 1:
            check(len(ids) > 3, "a digest of %d" % len(ids))
            check(m["Subject"].startswith("%d x fault_code_opened, " % len(ids)), m["Subject"])
            text = m.get_content()
            check(all(i in text for i in ids) and "Fault J1939" in text, text)
    equal(sorted(named), sorted([(first, "ann@example.edu")] + [(e, "ann@example.edu" if i % 3 else "bob@example.edu")
                                                               for i, e in enumerate(events, 1)]), "each event is in one mail")
    check(len(server.mails) < 20, "%d mails" % len(server.mails))


def test_a_digest_of_which_one_recipient_is_late(t):
    """Who has an event does not get it again, in whichever company it comes back."""
    server = Server(t.folder)
    server.rule("RCPT", lambda to: "451 4.7.1 greylisted" if "bob@" in to and len(server.to("ann@example.edu")) < 5 else None)
    server.then("CONNECT", "close", "close")
    daemon = start(t, server, to="[ann@example.edu, bob@example.edu]", more="    digest: 2\n    batch: {{events: 4}}\n")
    events = [post(daemon, i) for i in range(20)]
    for event in events:
        wait_state(daemon, event, "done")
    for who in ("ann@example.edu", "bob@example.edu"):
        named = [i for m in server.to(who) for i in parse(m).get_all("X-Patchbay-Event-Id")]
        equal(sorted(named), sorted(events), "events that %s got" % who)


def test_a_digest_that_is_refused_for_one_of_its_events(t):
    server = Server(t.folder)
    server.rule("DOT", lambda data: "554 5.7.1 poison" if "poison" in data else None)
    server.then("CONNECT", "close", "close")
    daemon = start(t, server, more="    digest: 2\n    text: '\\(.data.code)'\n")
    events = [post(daemon, i, code="poison" if i == 5 else "fine") for i in range(12)]
    for i, event in enumerate(events):
        d = wait_state(daemon, event, "done", "dead")
        equal(d["state"], "dead" if i == 5 else "done", "event %d" % i)
    named = [i for m in server.mails for i in parse(m).get_all("X-Patchbay-Event-Id")]
    equal(sorted(named), sorted(events[:5] + events[6:]), "events in mails")


def test_kill_in_between(t):
    """What was sent and not yet settled may come a second time, with the same Message-ID; nothing is lost."""
    server = Server(t.folder)
    daemon = start(t, server)
    events = []
    for round_ in range(3):
        for i in range(20):
            events.append(post(daemon, round_ * 100 + i))
        wait_until(lambda: len(server.mails) > round_ * 20 + 5, "mails")
        daemon.kill()
        daemon.start()
    for event in events:
        wait_state(daemon, event, "done")
    ids = {}
    for mail in server.mails:
        m = parse(mail)
        ids.setdefault(m["X-Patchbay-Event-Id"], set()).add(m["Message-ID"])
    equal(sorted(ids), sorted(events), "every event came")
    check(all(len(i) == 1 for i in ids.values()), "one Message-ID for each")
    check(len(server.mails) <= len(events) + 3, "%d mails for %d events" % (len(server.mails), len(events)))


# ---- A server that others made


REAL = r"""
import ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
class Keep:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[4], "ab") as f:
            f.write(b"%r %r\n" % (envelope.rcpt_tos, envelope.content))
        return "250 OK"
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"fleet", b"s3cr3t pass"))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[3] + ".key")
controller = Controller(Keep(), hostname=sys.argv[1], port=int(sys.argv[2]), tls_context=context, require_starttls=True,
                        authenticator=login, auth_required=True)
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
"""


def test_against_a_real_server(t):
    """Debian's aiosmtpd."""
    from peer_smtp import certificate
    if subprocess.run(["/usr/bin/python3", "-c", "import aiosmtpd"], capture_output=True).returncode:
        raise harness.Skip("python3-aiosmtpd is not installed")
    host, port = harness.own_address()
    ca_file, box = certificate(t.folder, host), os.path.join(t.folder, "box")
    real = subprocess.Popen(["/usr/bin/python3", "-c", REAL, host, str(port), ca_file, box], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        equal(real.stdout.readline(), b"ready\n", "the server")
        daemon = start(t, "smtp://%s:%d" % (host, port), more=LOGIN + "    ca_file: %s\n" % ca_file)
        events = [post(daemon, i, code="Ölstand") for i in range(3)]
        for event in events:
            wait_state(daemon, event, "done")
        with open(box, "rb") as f:
            lines = f.read().splitlines()
        equal(len(lines), 3, "mails")
        check(b"desk@example.edu" in lines[0] and b"Subject: =?utf-8?" in lines[0], lines[0])
    finally:
        real.stdin.close()
        real.wait(20)


harness.main()
