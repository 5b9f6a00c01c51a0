"""Everything a sender can do wrong: never a crash, never a 5xx for the sender's fault, later requests unharmed."""

import hashlib
import hmac
import random
import socket
import sys
import time

import harness
from harness import Closed, check, equal, fault, motive_headers

MIB = 1 << 20
if hasattr(sys, "set_int_max_str_digits"):  # the endless number is shown to us as it came
    sys.set_int_max_str_digits(0)


def fine(daemon, number, what):
    """The daemon is well: takes an event, on a new connection."""
    check(daemon.running(), "%s: the daemon ended; its log:\n%s" % (what, daemon.tail()))
    with daemon.client() as client:
        equal(client.fleet(fault(number)).status, 200, "an honest event after: " + what)


BODIES = {
    "no JSON": b"hello",
    "nothing but a space": b" ",
    "cut off": b'{"action":"fault_code_opened","id":',
    "something behind the value": b'{"action":"x"} {"action":"y"}',
    "comma at the end": b'{"action":"x",}',
    "a comment": b'{"action":"x" // y\n}',
    "single quotes": b"{'action':'x'}",
    "NaN": b'{"action":"fault_code_opened","id":NaN}',
    "a BOM": b'\xef\xbb\xbf{"action":"x"}',
    "UTF-16": '{"action":"x"}'.encode("utf-16"),
    "a NUL": b'{"action":"x\0y"}',
    "an escaped NUL": b'{"action":"x\\u0000y","id":1}',
    "invalid UTF-8": b'{"action":"\xff\xfe"}',
    "an overlong slash": b'{"action":"\xc0\xaf"}',
    "a lone surrogate": b'{"action":"\\ud800"}',
    "a raw line feed in a string": b'{"action":"a\nb"}',
    "a number": b"1",
    "a string": b'"fault_code_opened"',
    "null": b"null",
    "arrays in arrays": b"[" * 100000,
    "balanced arrays": b"[" * 50000 + b"]" * 50000,
    "objects in objects": b'{"a":' * 50000 + b"1" + b"}" * 50000,
    "a deep member": b'{"action":"vehicle_upserted","id":1,"x":' + b"[" * 127 + b"]" * 127 + b"}",
    "a huge exponent": b'{"action":"fault_code_opened","id":1e99999999999}',
    "an endless number": b'{"action":"fault_code_opened","id":' + b"9" * 500000 + b"}",
    "a negative zero": b'{"action":"fault_code_opened","id":-0}',
    "an action that is a number": b'{"action":5,"id":1}',
    "an action that is an object": b'{"action":{"a":1}}',
    "an empty action": b'{"action":""}',
    "an action of 100 kB": b'{"action":"' + b"a" * 100000 + b'","id":2}',
    "an id of 100 kB": b'{"action":"fault_code_opened","id":"' + b"a" * 100000 + b'"}',
    "an id that is an array": b'{"action":"fault_code_opened","id":[1,2]}',
    "the same key twice": b'{"action":"fault_code_opened","id":1,"id":2,"action":"vehicle_upserted"}',
    "100,000 members": b'{"action":"vehicle_upserted","id":3' + b"".join(b',"k%d":%d' % (n, n) for n in range(100000)) + b"}",
    "100,000 events in one body": b"[" + b",".join(b'{"action":"speeding_event_created","id":%d}' % (10**9 + n) for n in range(100000)) + b"]",
    "20,000 events in one body": b"[" + b",".join(b'{"action":"speeding_event_created","id":%d}' % (10**10 + n) for n in range(20000)) + b"]",
    "an array of all kinds": b'[{"action":"x"},1,"a",null,[]]',
    "an empty array": b"[]",
    "control characters in a name": b'{"action":"vehicle_upserted","id":"\\u001b[31m\\r\\nInjected: 1"}',
}


def test_signed_bodies_of_every_malformed_kind(t):
    daemon = t.daemon()
    for what, body in BODIES.items():
        with daemon.client() as client:
            try:
                answer = client.fleet(body)
            except Closed as e:
                raise harness.Failed("%s: no answer: %s; the log:\n%s" % (what, e, daemon.tail())) from None
            equal(answer.status, 413 if len(body) > 4 * MIB else 200, what)
        fine(daemon, random.randrange(1 << 40), what)
    listed = daemon.lines("events", "--limit", "0")
    check({"event", "malformed"} <= {e["status"] for e in listed}, "events and quarantined bodies: %r" % listed[:3])
    for event in listed:
        daemon.show(event["id"])
    check("\x1b" not in daemon.cli("events", "--limit", "0"), "a sender's control characters reach the operator's terminal")


def test_bodies_of_the_other_sources(t):
    daemon = t.daemon()
    for what, body in BODIES.items():
        for source, status in (("campus", 200), ("learning", 403), ("fleet", 403)):
            with daemon.client() as client:
                answer = client.post("/in/" + source, body)
            equal(answer.status, 413 if len(body) > 4 * MIB else status, "%s, unsigned: %s" % (source, what))
    fine(daemon, 1, "other sources")


def test_random_damage(t):
    """Bytes flipped, cut, doubled in honest bodies, signed as they then are."""
    daemon = t.daemon()
    honest = [harness.sample("motive", name) for name in harness.samples("motive")]
    with daemon.client() as client:
        for n in range(1500 // harness.SLOWER):
            body = bytearray(random.choice(honest))
            for _ in range(random.randint(1, 8)):
                at = random.randrange(len(body))
                kind = random.randrange(4)
                if kind == 0:
                    body[at] = random.randrange(256)
                elif kind == 1:
                    del body[at:at + random.randint(1, 40)]
                elif kind == 2:
                    body[at:at] = body[at:at + random.randint(1, 40)]
                else:
                    body[at:at] = random.choice([b"{", b"[", b'"', b"\\", b"}", b"1e999", b"null", b"\\u0000"])
                if not body:
                    body = bytearray(b"x")
            answer = client.fleet(bytes(body))
            equal(answer.status, 200, "damaged body %r" % bytes(body))
    fine(daemon, 1 << 40, "damaged bodies")


def test_methods_and_paths(t):
    daemon = t.daemon()
    table = [
        ("GET", "/in/fleet", 405), ("HEAD", "/in/fleet", 405), ("PUT", "/in/fleet", 405), ("DELETE", "/in/fleet", 405),
        ("OPTIONS", "/in/fleet", 405), ("PATCH", "/in/fleet", 405), ("GET", "/in/nobody", 404), ("POST", "/in/nobody", 404),
        ("POST", "/", 404), ("GET", "/", 404), ("POST", "/in", 404), ("POST", "/in/", 404), ("POST", "/in/fleet/", 404),
        ("POST", "/in/fleet/x", 404), ("POST", "/in/Fleet", 404), ("POST", "/in/../in/fleet", 404),
        ("POST", "//in/fleet", 404), ("POST", "/in/fleet\x7f", 404), ("POST", "/in/" + "x" * 3000, 404),
    ]
    for method, path, status in table:
        with daemon.client() as client:
            client.send(client.request(b"" if method in ("GET", "HEAD") else b"{}", path, {}, method))
            answer = client.answer(head=method == "HEAD")
            equal(answer.status, status, "%s %s" % (method, path))
            if status == 405:
                equal(answer.headers.get("allow"), "POST", "%s %s: Allow" % (method, path))
    with daemon.client() as client:
        equal(client.fleet(fault(1), "/in/fleet?a=b&c").status, 200, "a query is no part of the path")
        for n, path in enumerate(("http://hooks.example.org/in/fleet", "HTTPS://x:8443/in/fleet?a", "/in/fl%65et", "/%69n/fleet")):
            equal(client.fleet(fault(2 + n), path).status, 200, path)
    with daemon.client() as client:  # who still sends hears the answer, and may go on
        for method, path, status in (("POST", "/in/nobody", 404), ("PUT", "/in/fleet", 405)):
            client.send(client.request(b"x" * MIB, path, {}, method))
            equal(client.answer().status, status, "%s %s with a large body" % (method, path))
        equal(client.fleet(fault(1)).status, 200, "on the same connection")
    for path in ("http://in/fleet", "http://x", "ftp://x/in/fleet", "http://x//in/fleet"):
        with daemon.client() as client:
            equal(client.fleet(fault(9), path).status, 404, path)
    daemon.wait_rows(5)


def raw(daemon, data, timeout=3, half_close=False):
    """Sends bytes; gives the statuses of all answers until the server closes or says nothing any more."""
    client = daemon.client(timeout)
    statuses = []
    try:
        client.send(data)
        if half_close:
            client.sock.shutdown(socket.SHUT_WR)
        while True:
            answer = client.answer()
            statuses.append(answer.status)
            client.sock.settimeout(0.2 * harness.SLOWER)
    except (Closed, socket.timeout, ConnectionError):
        return statuses
    finally:
        client.close()


def head(*lines):
    return ("\r\n".join(("POST /in/fleet HTTP/1.1", "Host: x") + lines) + "\r\n\r\n").encode("latin-1")


def test_framing(t):
    """Length and encoding that contradict themselves: refused, and never read as two requests."""
    daemon = t.daemon()
    body = fault(1)
    signature = "X-KT-Webhook-Signature: " + motive_headers(body)["X-KT-Webhook-Signature"]
    length = "Content-Length: %d" % len(body)
    smuggled = head("Content-Length: 2", "X-KT-Webhook-Signature: " + hmac.new(
        harness.FLEET_SECRET.encode(), b"{}", hashlib.sha1).hexdigest()) + b"{}"
    table = {
        "two lengths that differ": head(signature, length, "Content-Length: 3") + body,
        "two lengths that differ, reversed": head(signature, "Content-Length: 3", length) + body,
        "length and chunked": head(signature, length, "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        "chunked and length, smuggling": head("Transfer-Encoding: chunked", "Content-Length: %d" % (5 + len(smuggled)), signature)
        + b"0\r\n\r\n" + smuggled,
        "a space behind a length's name": head(signature, length.replace(":", " :")) + body,
        "a space behind an encoding's name, and a length": head(signature, length, "Transfer-Encoding : chunked") + body,
        "two hosts": head("Host: y", signature, length) + body,
        "a negative length": head(signature, "Content-Length: -1") + body,
        "a length in words": head(signature, "Content-Length: many") + body,
        "a length with a sign": head(signature, "Content-Length: +%d" % len(body)) + body,
        "a hexadecimal length": head(signature, "Content-Length: 0x10") + body,
        "a length beyond 64 bits": head(signature, "Content-Length: 99999999999999999999999") + body,
        "an unknown encoding": head(signature, "Transfer-Encoding: gzip") + body,
        "a chunk size in words": head(signature, "Transfer-Encoding: chunked") + b"zz\r\n" + body + b"\r\n0\r\n\r\n",
        "a chunk size beyond 64 bits": head(signature, "Transfer-Encoding: chunked") + b"fffffffffffffffffff\r\n" + body,
    }
    for what, data in table.items():
        statuses = raw(daemon, data)
        check(all(400 <= s < 500 for s in statuses) and len(statuses) <= 1, "%s: answered %r" % (what, statuses))
        fine(daemon, 10 + len(what), what)


def test_wrong_but_well_framed(t):
    daemon = t.daemon()
    body = fault(1)
    signature = "X-KT-Webhook-Signature: " + motive_headers(body)["X-KT-Webhook-Signature"]
    equal(raw(daemon, head(signature, "Content-Length: %d" % (len(body) - 1)) + body)[:1], [403], "a length too short")
    equal(raw(daemon, head(signature, "Content-Length: %d" % (len(body) + 1)) + body, half_close=True)[:1] or [400], [400],
          "a length too long, and no more to come")
    same = head(signature, "Content-Length: %d" % len(body), "Content-Length: %d" % len(body)) + body
    check(raw(daemon, same) in ([200], [400], []), "two equal lengths")
    equal(raw(daemon, head(signature, signature, "Content-Length: %d" % len(body)) + body), [403], "two signatures")
    check(len(daemon.rows()) <= 1, "rows")
    fine(daemon, 2, "lengths")


def test_chunked_is_welcome(t):
    daemon = t.daemon()
    body = fault(1)
    signature = "X-KT-Webhook-Signature: " + motive_headers(body)["X-KT-Webhook-Signature"]
    pieces = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[n:n + 7]), body[n:n + 7]) for n in range(0, len(body), 7))
    equal(raw(daemon, head(signature, "Transfer-Encoding: chunked") + pieces + b"0\r\nTrailer: x\r\n\r\n"), [200], "chunked")
    equal(daemon.wait_rows(1)[0]["ref"], "1", "row")


def test_expect_100(t):
    daemon = t.daemon()
    body = fault(1)
    with daemon.client() as client:
        client.send(head("X-KT-Webhook-Signature: " + motive_headers(body)["X-KT-Webhook-Signature"],
                         "Content-Length: %d" % len(body), "Expect: 100-continue"))
        while b"100" not in client.pending:
            client.more()
        client.send(body)
        equal(client.answer().status, 200, "status")
    daemon.wait_rows(1)


def test_oversized(t):
    daemon = t.daemon()
    equal(raw(daemon, head("Content-Length: %d" % (1 << 40)))[:1], [413], "a terabyte announced")
    body = b'{"action":"vehicle_upserted","id":1,"x":"' + b"x" * (64 * MIB) + b'"}'
    client = daemon.client()
    try:
        status = client.fleet(body).status
    except Closed:
        status = 413  # it need not read 64 MiB only to be heard
    equal(status, 413, "64 MiB")
    client.close()
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    client = daemon.client()
    try:
        client.send(head("Transfer-Encoding: chunked"))
        for _ in range(1024):
            client.send(chunk)
        client.send(b"0\r\n\r\n")
        status = client.answer().status
    except Closed:
        status = 413
    equal(status, 413, "64 MiB in chunks")
    client.close()
    with daemon.client() as client:
        big = fault(2, x="y" * (3 * MIB))
        equal(client.fleet(big).status, 200, "3 MiB are well within the limit")
    for what, data in {
        "a header of 1 MiB": head("X-Big: " + "x" * MIB, "Content-Length: 0"),
        "100,000 headers": head(*["X-%d: y" % n for n in range(100000)]),
        "a path of 1 MiB": b"POST /" + b"x" * MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "a method of 1 MiB": b"X" * MIB + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    }.items():
        statuses = raw(daemon, data)
        check(all(400 <= s < 500 for s in statuses), "%s: answered %r" % (what, statuses))
        fine(daemon, 10 + len(what), what)


def test_garbage(t):
    daemon = t.daemon()
    garbage = [
        b"\r\n\r\n\r\n", b"\0" * 1000, b"GET", b"POST /in/fleet\r\n\r\n", b"POST /in/fleet HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST  /in/fleet  HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"POST /in/fleet HTTP/1.1\r\nNo colon\r\n\r\n", b"POST /in/fleet HTTP/1.1\r\n: nameless\r\n\r\n",
        b"POST /in/fleet HTTP/1.1\nHost: x\nContent-Length: 0\n\n", b"POST /in/fleet HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"POST http://elsewhere/in/fleet HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /in/fleet HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", b"POST /in/fl\0eet HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /in/fleet HTTP/1.1\r\nHost: x\r\nX-KT-Webhook-Signature: a\0b\r\nContent-Length: 0\r\n\r\n",
    ] + [random.randbytes(random.randint(1, 4000)) for _ in range(40)]
    for data in garbage:
        statuses = raw(daemon, data, timeout=0.3, half_close=True)
        check(all(s < 500 or s == 505 for s in statuses), "%r: answered %r" % (data[:80], statuses))
    fine(daemon, 1, "garbage")


def test_http_1_0(t):
    daemon = t.daemon()
    body = fault(1)
    request = head("X-KT-Webhook-Signature: " + motive_headers(body)["X-KT-Webhook-Signature"], "Content-Length: %d" % len(body))
    equal(raw(daemon, request.replace(b"HTTP/1.1", b"HTTP/1.0") + body), [200], "HTTP/1.0")
    daemon.wait_rows(1)


def test_pipelined(t):
    daemon = t.daemon()
    client = daemon.client()
    bodies = [fault(n) for n in range(200)]
    client.send(b"".join(client.request(b, headers=motive_headers(b)) for b in bodies))
    equal([client.answer().status for _ in bodies], [200] * 200, "pipelined answers")
    client.close()
    daemon.wait_rows(200)
    client = daemon.client()
    bad = client.request(b"{}", headers={"X-KT-Webhook-Signature": "0" * 40})
    client.send(b"".join([client.request(bodies[0], headers=motive_headers(bodies[0])), bad, bad,
                          client.request(bodies[1], headers=motive_headers(bodies[1])), client.request(b"", "/nowhere")]))
    equal([client.answer().status for _ in range(5)], [200, 403, 403, 200, 404], "a pipeline of good and bad")
    client.close()
    equal(len(daemon.rows()), 200, "rows")


SHORT = harness.ROUTES.replace("sources:\n", "limits: {{request: 2s}}\nsources:\n")


def test_slow_senders_are_cut_off(t):
    """One byte now and then keeps nobody's connection open for ever, and delays nobody else."""
    daemon = t.daemon(SHORT)
    body = fault(1)
    whole = {
        "headers": b"POST /in/fleet HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"x" * 10000,
        "body": head("X-KT-Webhook-Signature: " + motive_headers(body)["X-KT-Webhook-Signature"], "Content-Length: 100000") + body,
    }
    for what, data in whole.items():
        slow = [daemon.client() for _ in range(50)]
        first = data.find(b"\r\n\r\n") + 4 if what == "body" else 20
        for client in slow:
            client.send(data[:first])
        began = time.monotonic()
        open_, at = set(slow), first
        while open_ and time.monotonic() - began < 15 * harness.SLOWER:
            for client in list(open_):
                try:
                    client.send(data[at:at + 1])
                    client.sock.settimeout(0.001)
                    client.answer()
                    open_.discard(client)
                except socket.timeout:
                    pass
                except Closed:
                    open_.discard(client)
            at += 1
            with daemon.client() as honest:
                before = time.monotonic()
                equal(honest.fleet(fault(1000 + at)).status, 200, "an honest sender meanwhile")
                check(time.monotonic() - before < 2 * harness.SLOWER, "an honest sender waited %.1f s" % (time.monotonic() - before))
            time.sleep(0.1)
        took = time.monotonic() - began
        check(not open_, "slow %s: %d of 50 connections still open after %.0f s" % (what, len(open_), took))
        for client in slow:
            client.close()


def test_promised_bodies_are_bounded(t):
    """Who has proved nothing yet cannot make the daemon hold any amount of memory: all bodies that are being read share
    256 MiB, and what does not fit is answered 503 at once. It passes with those who hold it."""
    daemon = t.daemon()
    promise = head("Content-Length: %d" % (4 * MIB)) + b"x"
    hoarders = [daemon.client() for _ in range(64)]
    for client in hoarders:
        client.send(promise)

    def one_more():
        with daemon.client() as client:
            client.send(head("Content-Length: 1000"))
            client.sock.settimeout(0.3)
            try:
                return client.answer().status
            except socket.timeout:
                return None

    harness.wait_until(lambda: one_more() == 503, "the bound is reached")
    for client in hoarders:
        client.close()

    def taken():
        with daemon.client() as client:
            return client.fleet(fault(1)).status == 200

    harness.wait_until(taken, "there is room again")


def test_hang_ups(t):
    """Senders that vanish at every possible moment."""
    daemon = t.daemon()
    body = fault(1)
    client = daemon.client()
    data = client.request(body, headers=motive_headers(body))
    client.close()
    for n, length in enumerate(list(range(0, len(data), 7)) + [len(data)] * 60):
        client = daemon.client()
        client.send(data[:length])
        (client.reset if n % 2 else client.close)()
    fine(daemon, 2, "hang-ups")
    harness.wait_until(lambda: "2" in {r["ref"] for r in daemon.rows()}, "rows")
    check(len(daemon.rows()) <= 2, "more rows than events: %r" % daemon.rows())


LIMITED = harness.ROUTES.replace("sources:\n", "limits: {{connections: 64, connections_per_address: 16, request: 2s}}\nsources:\n")


def test_connection_limits(t):
    """Beyond the limit connections are turned away; when they are gone, all is as before."""
    daemon = t.daemon(LIMITED)
    idle = []
    for _ in range(80):
        try:
            idle.append(daemon.client(3))
        except OSError:
            pass
    body = fault(1)
    answered = 0
    for client in idle:
        try:
            client.send(client.request(body, headers=motive_headers(body)))
        except Closed:
            pass
    for client in idle:
        try:
            client.sock.settimeout(1.0)
            status = client.answer().status
            check(status in (200, 503), "status %d beyond the limit of connections" % status)
            answered += status == 200
        except (Closed, socket.timeout, ConnectionError):
            pass
    for client in idle:  # not earlier: whoever leaves makes room for the next
        client.close()
    check(0 < answered <= 16, "%d of 80 connections of one address were served; the limit is 16" % answered)
    harness.wait_until(lambda: served(daemon), "service after the connections are gone")


def served(daemon):
    try:
        with daemon.client(2) as client:
            return client.fleet(fault(2)).status == 200
    except (Closed, OSError):
        return False


harness.main()
