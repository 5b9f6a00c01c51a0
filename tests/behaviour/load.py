"""Load from several keep-alive connections at once: each posts one event after the other, remembers which were
answered 200, and, like a provider, tries again what was not."""

import collections
import socket
import threading

import harness


class Load:
    """numbers: event numbers are start, start + 1, ... over all connections. A connection that breaks ends its
    thread, unless patient, when it connects anew and tries the same event again."""

    def __init__(self, address, connections=8, start=0, limit=None, padding=0, patient=False, timeout=30, on_refused=None,
                 client=harness.Client):
        self.address, self.limit, self.patient, self.timeout = address, limit, patient, timeout
        self.padding = "x" * padding
        self.on_refused = on_refused
        self.client = client       # makes a connection of (address, timeout)
        self.lock = threading.Lock()
        self.next = start
        self.todo = []             # numbers to try before new ones
        self.sent = set()
        self.answered = {}         # number -> event id
        self.refused = {}          # number -> status, the latest
        self.wrong = []            # what no daemon may answer
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(connections)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.ending.set()
        return self.join()

    def join(self):
        for thread in self.threads:
            thread.join(self.timeout * harness.SLOWER + 30)
        if self.wrong:
            raise harness.Failed("wrong answers, such as %s" % self.wrong[0])
        return self

    def take(self):
        with self.lock:
            if self.todo:
                return self.todo.pop()
            if self.limit is not None and self.next >= self.limit:
                return None
            self.next += 1
            return self.next - 1

    def body(self, number):
        return harness.fault(number, padding=self.padding) if self.padding else harness.fault(number)

    def run(self):
        client = None
        number = None
        while not self.ending.is_set():
            if number is None:
                number = self.take()
                if number is None:
                    break
            try:
                client = client or self.client(self.address, self.timeout)
                with self.lock:
                    self.sent.add(number)
                answer = client.fleet(self.body(number))
            except (harness.Closed, socket.timeout, OSError):
                if client:
                    client.close()
                client = None
                if not self.patient:
                    break
                self.ending.wait(0.05)
                continue
            with self.lock:
                if answer.status == 200:
                    self.answered[number] = answer.event_id
                    self.refused.pop(number, None)
                elif answer.status == 503:
                    self.refused[number] = 503
                else:
                    self.wrong.append(repr(answer))
            if answer.status == 503 and self.on_refused:
                self.on_refused(number, answer)
            number = None
            if "close" in answer.headers.get("connection", "").lower():
                client.close()
                client = None
        if client:
            client.close()

    def unanswered(self):
        with self.lock:
            return sorted(self.sent - set(self.answered))

    def retry(self, connections=4):
        """The provider's next try of everything that got no 200; returns when all have one."""
        again = Load(self.address, connections, patient=True, timeout=self.timeout, client=self.client)
        again.padding = self.padding
        again.todo, again.limit = self.unanswered(), 0
        again.start().join()
        self.answered.update(again.answered)
        if self.unanswered():
            raise harness.Failed("refused again at the retry: %r" % again.refused)


def exactly_once(daemon, load, pattern="audit*.csv", also=(), seconds=60):
    """Every event that was answered 200 has exactly one row; and there is no row of an event nobody sent."""
    wanted = {str(n) for n in load.answered}

    def refs():
        return [r["ref"] for r in daemon.rows(pattern)]

    harness.wait_until(lambda: wanted <= set(refs()), lambda: "answered 200 and not in the CSV: %r; the log:\n%s" % (
        sorted(wanted - set(refs()), key=int)[:20], daemon.tail()), seconds)
    got = refs()
    twice = [ref for ref, count in collections.Counter(got).items() if count > 1]
    harness.check(not twice, "more than one row for %r" % twice[:20])
    strange = set(got) - {str(n) for n in load.sent} - set(also)
    harness.check(not strange, "rows of events that nobody sent: %r" % sorted(strange)[:20])
    ids = {r["ref"]: r["id"] for r in daemon.rows(pattern)}
    for number, event_id in load.answered.items():
        harness.equal(ids[str(number)], event_id, "id in the row of event %d, against its answer" % number)
