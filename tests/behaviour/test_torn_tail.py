"""The journal's last segment ends in the middle of a record, in garbage, or in nothing: the daemon starts, says
what it found, has everything that was answered, and goes on."""

import glob
import os
import random
import time

import harness
from harness import check, equal, fault
from load import Load, exactly_once


def newest_segment(daemon):
    found = glob.glob(os.path.join(daemon.journal, "**", "*.seg"), recursive=True)
    check(found, "no segment files under " + daemon.journal)
    return max(found, key=lambda p: (last_byte(p) > 64, os.stat(p).st_mtime_ns, p))


def last_byte(path):
    """Where the file's last byte that is not zero ends."""
    with open(path, "rb") as f:
        return len(f.read().rstrip(b"\0"))


def killed_under_load(t, padding=0):
    daemon = t.daemon()
    load = Load(daemon.address, connections=8, padding=padding).start()
    time.sleep(0.5)
    daemon.kill()
    load.stop()
    check(len(load.answered) > 20, "hardly any load: %d" % len(load.answered))
    return daemon, load


def go_on(daemon, load, also=()):
    """Starts on the damaged journal; a provider's retries and new events are taken."""
    daemon.start()
    load.retry()
    more = Load(daemon.address, connections=2, start=500000000, limit=500000100).start().join()
    equal(len(more.answered), 100, "new events answered 200")
    load.sent |= more.sent
    load.answered.update(more.answered)
    exactly_once(daemon, load, also=also)
    daemon.stop()
    daemon.start()
    equal(daemon.client().fleet(fault(500000000)).event_id, more.answered[500000000], "the repeat of an event behind the damage")
    exactly_once(daemon, load, also=also)


def at_tail(path, data):
    """Puts data behind the last record."""
    end = (last_byte(path) + 7) // 8 * 8
    with open(path, "r+b") as f:
        f.seek(end)
        f.write(data)
    return end


def test_garbage_behind_the_last_record(t):
    for data in (b"\xff", random.randbytes(5000), b"PBRD" + random.randbytes(300), bytes(100) + random.randbytes(50)):
        daemon, load = killed_under_load(t)
        at_tail(newest_segment(daemon), data)
        go_on(daemon, load)
        daemon.stop()


def test_half_a_record_behind_the_last(t):
    """A copy of the head of an earlier record: as if the power had gone in the middle of a write."""
    daemon, load = killed_under_load(t)
    path = newest_segment(daemon)
    with open(path, "rb") as f:
        data = f.read(last_byte(path))
    start = data.rfind(b"DRBP")  # a record's magic, wherever it stands in the record
    start = start if start >= 0 else data.rfind(b"PBRD")
    at_tail(path, data[max(0, start - 8):][:200] if start >= 0 else data[-300:-100])
    go_on(daemon, load)


def test_last_record_is_torn(t):
    """Bytes of the last record itself are gone, which no honest disk does after a sync: that record may be lost,
    and only that one; the daemon says so."""
    for torn in ("zeroed", "cut", "flipped"):
        daemon = t.daemon()
        with daemon.client() as client:
            for n in range(50):
                equal(client.fleet(fault(n)).status, 200, "status")
        daemon.wait_rows(50)
        daemon.kill()
        path = newest_segment(daemon)
        end = last_byte(path)
        with open(path, "r+b") as f:
            if torn == "zeroed":
                f.seek(end - 20)
                f.write(bytes(20))
            elif torn == "cut":
                f.truncate(end - 20)
            else:
                f.seek(end - 20)
                last = f.read(1)
                f.seek(end - 20)
                f.write(bytes([last[0] ^ 0x55]))
        daemon.start()
        with daemon.client() as client:
            for n in range(60):
                equal(client.fleet(fault(n)).status, 200, "%s: event %d" % (torn, n))
        harness.wait_until(lambda: {str(n) for n in range(60)} <= {r["ref"] for r in daemon.rows()}, torn + ": new rows")
        refs = [r["ref"] for r in daemon.rows()]
        twice = sorted({r for r in refs if refs.count(r) > 1})
        check(set(twice) <= {"49"}, "%s: twice in the CSV: %r" % (torn, twice))
        daemon.stop()


def test_segment_that_was_just_made(t):
    """Killed while a new segment file was made: empty, or half of its header."""
    for content in (b"", b"\0" * 4096, b"PB"):
        daemon, load = killed_under_load(t)
        path = newest_segment(daemon)
        folder, name = os.path.split(path)
        stem, extension = os.path.splitext(name)
        digits = stem[len(stem.rstrip("0123456789abcdef")):]
        following = stem[:len(stem) - len(digits)] + ("%0*x" % (len(digits), int(digits, 16) + 1)) if digits else stem + "1"
        if not os.path.exists(os.path.join(folder, following + extension)):
            with open(os.path.join(folder, following + extension), "wb") as f:
                f.write(content)
        go_on(daemon, load)
        daemon.stop()


harness.main()
