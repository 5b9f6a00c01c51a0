"""The journal of a real daemon, read by a reader that was written by core/journal/FORMAT.md alone."""

import glob
import os

import harness
import journal_reader
from harness import check, equal, fault
from load import Load, exactly_once

ROUTES = harness.ROUTES + "retention: {{size: 1M}}\n"  # so that segments are small


def test_every_record_is_read_by_the_document(t):
    daemon = t.daemon(ROUTES, start=True)
    load = Load(daemon.address, connections=4, limit=300, padding=1000).start().join()
    with daemon.client() as client:
        # an event that only its answer tells from its repeat, a repeat, one that is not understood, one that is forged
        toggle = client.fleet(b'{"action":"engine_toggle_event"}')
        client.fleet(fault(7, padding="x" * 1000))
        client.fleet(b"[1, 2")
        client.post("/in/fleet", b"\xff\xfe forged", {"X-KT-Webhook-Signature": "00"})
    exactly_once(daemon, load, also=("",))
    harness.wait_until(lambda: len(glob.glob(os.path.join(daemon.journal, "events", "*.idx"))) >= 2, "no indexes")
    daemon.stop()
    records = journal_reader.read_log(os.path.join(daemon.journal, "events"))
    events = {r["id"]: r for r in records if r["kind"] == "event"}
    equal(len(events), 301, "events")
    for number, event_id in load.answered.items():
        record = events[event_id]
        equal(record["data"], fault(number, padding="x" * 1000), "data of event %d" % number)
        equal((record["source"], record["plugin"], record["type"]), (b"fleet", b"motive", b"fault_code_opened"), "texts")
    equal([r["original"] for r in records if r["kind"] == "duplicate"], [load.answered[7]], "originals of repeats")
    check(toggle.event_id in {r["original"] for r in records if r["kind"] == "answer"}, "no note about its answer")
    equal([r["data"] for r in records if r["kind"] == "malformed"], [b"[1, 2"], "what was not understood")
    refused = journal_reader.read_log(os.path.join(daemon.journal, "quarantine"))
    equal([(r["kind"], r["data"]) for r in refused], [("refused", b"\xff\xfe forged")], "quarantine")
    states = journal_reader.deliveries(os.path.join(daemon.journal, "state.db"), "audit", records)
    equal(set(states.values()), {"done"}, "states of deliveries")
    # positions only grow, and every index says what its segment does
    equal([r["pos"] for r in records], sorted(r["pos"] for r in records), "order")
    indexes = glob.glob(os.path.join(daemon.journal, "events", "*.idx"))
    for path in indexes:
        header = journal_reader.read_header(path[:-4] + ".seg")
        inside = [r for r in records if r["segment"] == header["number"]]
        equal([(e["at"], e["kind"], e["received_ns"], e["key_hash"]) for e in journal_reader.read_index(path, header["salt"])],
              [(r["at"], r["kind"], r["received_ns"], r["key_hash"]) for r in inside], "entries of " + path)


def test_a_flipped_bit_is_seen(t):
    """So that the reader proves something."""
    daemon = t.daemon(ROUTES)
    with daemon.client() as client:
        for n in range(5):
            client.fleet(fault(n))
    daemon.wait_rows(5)
    daemon.stop()
    folder = os.path.join(daemon.journal, "events")
    before = journal_reader.read_log(folder)
    path = sorted(glob.glob(os.path.join(folder, "*.seg")))[before[2]["segment"] - before[0]["segment"]]
    with open(path, "r+b") as f:
        f.seek(before[2]["at"] + 200)
        byte = f.read(1)
        f.seek(before[2]["at"] + 200)
        f.write(bytes([byte[0] ^ 1]))
    equal([r["id"] for r in journal_reader.read_log(folder)], [r["id"] for i, r in enumerate(before) if i != 2], "good records")


harness.main()
