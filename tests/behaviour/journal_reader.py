"""A second reader of the journal's files, written by core/journal/FORMAT.md alone: nothing here is shared with the
program, not even the hash."""

import glob
import os
import sqlite3
import struct
import uuid

# ---- XXH3, 64 bits, by its specification; for inputs of more than 16 bytes

MASK = (1 << 64) - 1
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def u64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def fold(a, b):
    product = a * b
    return (product & MASK) ^ (product >> 64)


def avalanche(h):
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & MASK
    return h ^ (h >> 32)


def xxh3(data, seed=0):
    n = len(data)

    def mix(at, secret):
        return fold(u64(data, at) ^ (u64(SECRET, secret) + seed & MASK), u64(data, at + 8) ^ (u64(SECRET, secret + 8) - seed & MASK))

    if n <= 16:
        raise ValueError("the journal hashes nothing that is so short")
    if n <= 128:
        acc = n * P64[0]
        for i in range((n - 1) // 32 + 1):
            acc += mix(16 * i, 32 * i) + mix(n - 16 * (i + 1), 32 * i + 16)
        return avalanche(acc & MASK)
    if n <= 240:
        acc = n * P64[0] + sum(mix(16 * i, 16 * i) for i in range(8))
        acc = avalanche(acc & MASK) + sum(mix(16 * i, 16 * (i - 8) + 3) for i in range(8, n // 16)) + mix(n - 16, 119)
        return avalanche(acc & MASK)
    secret = b"".join(struct.pack("<QQ", u64(SECRET, i) + seed & MASK, u64(SECRET, i + 8) - seed & MASK) for i in range(0, 192, 16))
    keys = struct.unpack("<24Q", secret)
    acc = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]]

    def accumulate(at, keys):
        for i, value in enumerate(struct.unpack_from("<8Q", data, at)):
            key = value ^ keys[i]
            acc[i ^ 1] += value
            acc[i] = acc[i] + (key & 0xffffffff) * (key >> 32)
        for i in range(8):
            acc[i] &= MASK

    blocks = (n - 1) // 1024
    for block in range(blocks):
        for stripe in range(16):
            accumulate(1024 * block + 64 * stripe, keys[stripe:stripe + 8])
        for i in range(8):
            acc[i] = (acc[i] ^ (acc[i] >> 47) ^ keys[16 + i]) * P32[0] & MASK
    for stripe in range((n - 1 - 1024 * blocks) // 64):
        accumulate(1024 * blocks + 64 * stripe, keys[stripe:stripe + 8])
    accumulate(n - 64, struct.unpack_from("<8Q", secret, 121))
    h = n * P64[0] + sum(fold(acc[2 * i] ^ u64(secret, 11 + 16 * i), acc[2 * i + 1] ^ u64(secret, 19 + 16 * i)) for i in range(4))
    return avalanche(h & MASK)


# ---- Segments

KINDS = {1: "event", 2: "duplicate", 3: "malformed", 4: "refused", 5: "answer", 6: "cursor"}
TEXTS = ("source", "plugin", "type", "kind_name", "subject", "key", "token", "client", "note")


class Broken(Exception):
    pass


def read_header(path):
    with open(path, "rb") as f:
        header = f.read(64)
    if len(header) < 64 or header[:7] != b"PBSEG\0\0" or header[7] != 1 or header[8:12] != b"\4\3\2\1":
        raise Broken("%s: no header of a segment" % path)
    number, salt, previous_end, created, previous, checksum = struct.unpack("<QQQqQQ", header[16:])
    if checksum != xxh3(header[:56]) or number != int(os.path.basename(path).split(".")[0], 16):
        raise Broken("%s: its header is damaged" % path)
    return {"path": path, "number": number, "salt": salt, "previous": previous, "previous_end": previous_end, "created": created}


def read_record(data, at, salt):
    """The record at an offset, or None."""
    if at + 144 > len(data) or data[at + 8:at + 12] != b"PBRD":
        return None
    size, kind, dedupe, flags, version, data_size = struct.unpack_from("<IBBBBI", data, at + 12)
    if size < 144 or size % 8 or at + size > len(data) or version != 1 or u64(data, at) != xxh3(data[at + 8:at + size], salt):
        return None
    record = {"at": at, "size": size, "kind": KINDS.get(kind, kind), "dedupe": dedupe, "flags": flags,
              "id": str(uuid.UUID(bytes=data[at + 24:at + 40])), "original": str(uuid.UUID(bytes=data[at + 40:at + 56])),
              "key_hash": data[at + 72:at + 88], "token_hash": data[at + 88:at + 104], "data_hash": data[at + 104:at + 120]}
    record["received_ns"], record["time_ns"] = struct.unpack_from("<qq", data, at + 56)
    request_size, *sizes = struct.unpack_from("<I9H", data, at + 120)
    place = at + 144
    for name, n in zip(TEXTS + ("request", "data"), sizes + [request_size, data_size]):
        record[name] = data[place:place + n]
        place += n
    if place > at + size:
        raise Broken("a record's texts are longer than it")
    return record


def read_log(folder):
    """Every good record of a log, in order, each with the number of its segment."""
    headers = sorted((read_header(path) for path in glob.glob(os.path.join(folder, "*.seg"))), key=lambda h: h["number"])
    ends = {h["previous"]: h["previous_end"] for h in headers}
    records = []
    for header in headers:
        with open(header["path"], "rb") as f:
            data = f.read()
        at, data = 64, data[:ends.get(header["number"], len(data))]
        while at + 144 <= len(data):
            record = read_record(data, at, header["salt"])
            if record:
                record["segment"] = header["number"]
                record["pos"] = header["number"] << 32 | at
                records.append(record)
            at += record["size"] if record else 8
    return records


def read_index(path, salt):
    with open(path, "rb") as f:
        data = f.read()
    n = u64(data, 24)
    if data[:8] != b"PBIDX\0\0\1" or u64(data, 8) != salt or len(data) != 56 + 80 * n:
        raise Broken("%s: no index of that segment" % path)
    if u64(data, 48) != xxh3(data[56:], xxh3(data[:48])):
        raise Broken("%s: its checksum is wrong" % path)
    return [{"at": struct.unpack_from("<I", data, at)[0], "kind": KINDS[data[at + 4]], "id": str(uuid.UUID(bytes=data[at + 8:at + 24])),
             "received_ns": struct.unpack_from("<q", data, at + 24)[0], "key_hash": data[at + 32:at + 48]}
            for at in range(56, len(data), 80)]


# ---- state.db


def positions(first, done):
    """Of one batch."""
    at, value, shift = first, 0, 0
    for byte in done:
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            at += value * 8
            yield at
            value, shift = 0, 0


def deliveries(state_db, sink, records):
    """{id: state} of every event, for one sink."""
    names = {1: "done", 2: "parked", 3: "dead", 4: "skipped"}
    db = sqlite3.connect("file:%s?mode=ro" % state_db, uri=True)
    try:
        cursor, = db.execute("SELECT cursor FROM sinks WHERE name = ?", (sink,)).fetchone()
        done = {at for first, blob in db.execute("SELECT first, done FROM batches WHERE sink = ?", (sink,)) for at in positions(first, blob)}
        other = dict(db.execute("SELECT pos, state FROM exceptions WHERE sink = ?", (sink,)))
    finally:
        db.close()
    return {r["id"]: names[other[r["pos"]]] if r["pos"] in other else "done" if r["pos"] in done else
            "owed" if r["pos"] >= cursor else "not routed" for r in records if r["kind"] == "event"}
