"""A plugin that was built against version 1.0 of the plugin interface works in every later Patchbay, and one that was
built against a later version in this one: in the real daemon, events go from such a source to such a sink. A plugin that
is refused takes nobody along."""

import json
import os
import shutil
import struct

import harness
from harness import *

BUILD = os.path.dirname(PATCHBAY)
ABI = os.path.join(BUILD, "tests", "abi")
NEWER_HOST = os.path.join(ABI, "patchbay")

ROUTES = """\
listen: {listen}
journal: {journal}
sources:
  from:
    plugin: abi-source
    secret: [{{file: {folder}/fleet.secret}}]
    yes: true
    number: -5
    real: 2.5
    word: some word
    words: [one, two]
    mode: fast
    wait: 1500ms
    room: 64K
    nets: [10.0.0.0/8, 192.0.2.1]
    table:
      members: [{{name: a}}, {{name: b, weight: 9}}]
    polled: p1
sinks:
  to:
    plugin: abi-sink
    path: {folder}/out
    expr: .data.id | ascii_upcase
    text: '\\(.data.id) of \\(.type)'
    fields: [id, kind: .type]
    to: .data.id
routes:
  - from: from
    to: to
"""
# yes number real word words:last mode wait room nets:bits of the last table.on members:last=weight
OPTIONS = "1 -5 2.5 some word 2:two 1 1500 65536 2:128 1 2:b=9"


def lines(daemon):
    try:
        with open(os.path.join(daemon.folder, "out")) as f:
            return [line.split("\t") for line in f.read().splitlines()]
    except FileNotFoundError:
        return []


def written(daemon):
    return [line for line in lines(daemon) if line[0] not in ("resume", "idle")]


def row(type_, id_, attempt):
    return [type_, OPTIONS, id_.upper(), "<%s> of <%s>" % (id_, type_), "2:kind=%s" % type_, id_,
            '{"about":"%s"}' % type_, attempt]


def round_trip(t, host, build):
    """From the provider's play to the sink's file, through a restart."""
    if not os.path.exists(host):
        raise Skip("%s is built in the plain tree only" % host)
    ours, harness.PATCHBAY = harness.PATCHBAY, host
    try:
        env = {"PATCHBAY_PLUGIN_PATH": os.path.join(ABI, build) + ":" + PLUGINS}
        daemon = t.daemon(ROUTES, env=env)
        wait_until(lambda: written(daemon), lambda: "what is polled; the log:\n" + daemon.tail())
        equal(written(daemon), [row("polled", "p1", "1")], "what was polled")
        daemon.cli("send", "from", "ping")
        daemon.cli("send", "from", "pair")
        wait_until(lambda: len(written(daemon)) == 4, lambda: "4 events, got %r; the log:\n%s" % (lines(daemon), daemon.tail()))
        got = {line[0]: line for line in written(daemon)[1:]}
        pong = got["pong"]
        equal(pong, row("pong", pong[2].lower(), "2"), "the event that the sink put off once")
        pings = [line for line in written(daemon) if line[0] == "ping"]
        equal(pings, [row("ping", line[2].lower(), "1") for line in pings], "the others")
        wait_until(lambda: ["idle"] in lines(daemon), "a call while there is nothing to do")
        check(daemon.cli("send", "from", "ping", "--bad-signature", code=None).startswith("403 "), "the refusal")
        with daemon.client() as client:
            answer = client.post("/in/from?hello", b"x")
            equal((answer.status, answer.body, answer.headers.get("content-type")), (202, b"hello", "text/abi"),
                  "the plugin's own answer")
        daemon.stop()
        daemon.start()
        wait_until(lambda: len([line for line in lines(daemon) if line[0] == "resume"]) == 2, "the second start")
        equal([line for line in lines(daemon) if line[0] == "resume"], [["resume", ""], ["resume", "4"]], "the checkpoints")
        for name in ("abi-source", "abi-sink"):
            manual = json.loads(daemon.cli("plugins", name, "--json"))
            equal(manual["name"], name, "the manual's name")
        daemon.stop()
    finally:
        harness.PATCHBAY = ours


def test_plugins_of_1_0_in_this_host(t):
    round_trip(t, PATCHBAY, "1.0")


def test_plugins_of_a_later_version_in_this_host(t):
    round_trip(t, PATCHBAY, "newer")


def test_plugins_of_1_0_in_a_later_host(t):
    round_trip(t, NEWER_HOST, "1.0")


def test_plugins_of_a_later_version_in_their_host(t):
    round_trip(t, NEWER_HOST, "newer")


def test_a_plugin_in_cxx(t):
    daemon = t.daemon("listen: {listen}\njournal: {journal}\n"
                      "sources:\n  from: {{plugin: cxx, secret: {{file: {folder}/fleet.secret}}}}\n"
                      "sinks:\n  to: {{plugin: cxx, path: {folder}/out}}\nroutes:\n  - to: to\n",
                      env={"PATCHBAY_PLUGIN_PATH": os.path.join(ABI, "cxx")})
    check(daemon.cli("send", "from", "thing").startswith("200 "), "the answer")
    wait_until(lambda: lines(daemon) == [["LOUD"]], lambda: "the event, got %r" % lines(daemon))
    check(daemon.cli("send", "from", "thing", "--bad-signature", code=None).startswith("403 "), "the refusal")


def test_what_is_refused_takes_nobody_along(t):
    folder = os.path.join(t.folder, "plugins")
    os.makedirs(folder, mode=0o755)
    fixtures = os.path.join(BUILD, "tests", "fixtures")

    def install(name, data, mode=0o644):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        os.chmod(f.name, mode)

    def fixture(name):
        with open(os.path.join(fixtures, name + ".so"), "rb") as f:
            return f.read()

    good = fixture("good")
    wrong = {
        "cut": ("it is truncated: build or copy it again", good[:5000]),
        "damaged": ("it is damaged (its ", good[:0x20] + struct.pack("<Q", 64) + good[0x28:0x38] + b"\0\0" + good[0x3a:]),
        "empty": ("it is not a shared object (no ELF file, 0 bytes)", b""),
        "text": ("it is not a shared object (no ELF file)", b"#!/bin/sh\nexit 0\n"),
        "thirty-two": ("it is built for a 32-bit machine, this patchbay for a 64-bit one", good[:4] + b"\x01" + good[5:]),
        "foreign": ("it is built for RISC-V, this patchbay for ", good[:18] + b"\xf3\0" + good[20:]),
        "object": ("it is no shared object but another kind of ELF file", good[:16] + b"\x01\0" + good[18:]),
        "future": ("it is built for version 2 of the plugin interface, this patchbay offers version 1.0", None),
        "past": ("it is built for version 0 of the plugin interface", None),
        "needy": ("it needs version 1.7 of the plugin interface, this patchbay offers 1.0; install a newer patchbay", None),
        "stranger": ("it is not a patchbay plugin: it does not export patchbay_plugin_v1", None),
        "function": ("its patchbay_plugin_v1 is not a constant", None),
        "short": ("is 8 bytes long, but version 1.0 has 64", None),
        "liar": ("says that it is 128 bytes long, but is 64", None),
        "unresolved": ("undefined symbol: missing_function_of_a_library", None),
    }
    install("good.so", good)
    for name, (_, data) in wrong.items():
        install(name + ".so", fixture(name) if data is None else data)
    os.mkdir(os.path.join(folder, "folder.so"))
    os.mkfifo(os.path.join(folder, "fifo.so"))
    os.symlink("nowhere", os.path.join(folder, "dangling.so"))
    install("writable.so", good, 0o666)
    sentences = {name: why for name, (why, _) in wrong.items()}
    sentences.update({"folder": "it is not a regular file", "fifo": "it is not a regular file",
                      "dangling": "it cannot be opened: No such file or directory",
                      "writable": "others than its owner may write to it (mode 666); chmod go-w it"})
    if os.geteuid() == 0:
        install("owned.so", good)
        os.chown(os.path.join(folder, "owned.so"), 12345, 0)
        sentences["owned"] = "it belongs to user id 12345, and only root and the user that runs patchbay (0) are trusted"

    daemon = t.daemon(ROUTES,
                      env={"PATCHBAY_PLUGIN_PATH": folder + ":" + os.path.join(ABI, "1.0")})
    daemon.cli("send", "from", "ping")
    wait_until(lambda: "ping" in [line[0] for line in written(daemon)], "an event, in spite of all of them")
    listed = json.loads(daemon.cli("plugins", "--json"))
    text = daemon.cli("plugins")
    for name, why in sentences.items():
        path = os.path.join(folder, name + ".so")
        said = [line.strip() for line in text.splitlines() if line.strip().startswith(path + ": ")]
        check(len(said) == 1 and why in said[0], "%s: %r, wanted %r" % (name, said, why))
    check("good " in text and "abi-sink " in text, "the good ones: " + text)
    check(listed, "a list")
    shutil.rmtree(folder)


main()
