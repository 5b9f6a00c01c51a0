"""Outside of Patchbay's tree, against what is installed: `patchbay plugin new` makes a source and a sink that build with
CMake and without it, pass their own tests, and work in the daemon. What is installed works wherever it is moved to."""

import atexit
import glob
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import harness
from harness import check, equal, wait_until

SDK = os.path.join(harness.TOP, "sdk")
HEADERS = sorted(glob.glob(os.path.join(SDK, "include", "patchbay", "*.h")))
WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Werror"

SOURCE_ROUTES = """\
listen: {listen}
journal: {journal}
sources:
  orders:
    plugin: acme
    secret: [{{file: {folder}/fleet.secret}}, {{file: {folder}/learning.key}}]
sinks:
  audit:
    plugin: csv-export
    path: {export}/audit.csv
    columns: [id, type, subject, time, total: .data.order.total]
routes:
  - {{from: orders, to: audit}}
"""

SINK_ROUTES = harness.FLEET + """\
sinks:
  out:
    plugin: acme
    url: http://127.0.0.1:{port}/hook
    allow_private: true
    body: '{{id, code: .data.code}}'
    retry: {{initial: 1ms, max: 50ms}}
routes:
  - {{from: fleet, to: out}}
"""


def run(*command, code=0, cwd=None, env=None, **more):
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120 * harness.SLOWER, text=True, **more)
    if done.returncode != code:
        raise harness.Failed("%s: exit code %d, wanted %d\n%s" % (" ".join(command), done.returncode, code, done.stdout))
    return done.stdout


class Installed:
    """Patchbay as a package would have it, and then moved elsewhere."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="patchbay-sdk-")
        atexit.register(shutil.rmtree, self.top, ignore_errors=True)
        stage = os.path.join(self.top, "stage")
        run("cmake", "--install", os.path.dirname(harness.PATCHBAY), "--prefix", "/opt/before",
            env=dict(os.environ, DESTDIR=stage))
        self.prefix = os.path.join(self.top, "moved")
        os.rename(os.path.join(stage, "opt", "before"), self.prefix)
        self.program = os.path.join(self.prefix, "bin", "patchbay")
        pc, = glob.glob(self.prefix + "/**/patchbay.pc", recursive=True)
        self.env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(pc), PATH=self.prefix + "/bin:" + os.environ["PATH"])
        self.plugins = self.variable("plugindir")
        self.env["PATCHBAY_PLUGIN_PATH"] = self.plugins

    def variable(self, name):
        return os.path.normpath(run("pkg-config", "--variable=" + name, "patchbay", env=self.env).strip())


_installed = []


def installed():
    if not _installed:
        _installed.append(Installed())
    return _installed[0]


def new(t, side, name="acme"):
    """The folder of a new plugin, outside of every tree."""
    sdk = installed()
    said = run(sdk.program, "plugin", "new", name, "--" + side, "--dir", t.folder, env=sdk.env)
    folder = os.path.join(t.folder, name)
    check(" cd %s && cmake -B build -G Ninja && " % folder in said, "what to do next: %r" % said)
    for root, _, files in os.walk(folder):
        for file in files:
            path = os.path.join(root, file)
            check(path in said, "%s was made, but not told: %r" % (path, said))
            with open(path) as f:
                text = f.read()
            check(not re.search(r"@[A-Z]+@", text), "a placeholder is left in " + path)
    return folder


def documented(folder, heading):
    """The lines that README.md has below a heading, as they stand there, but for sudo."""
    with open(os.path.join(folder, "README.md")) as f:
        return re.search(re.escape(heading) + r"\n\n((?:    .*\n)+)", f.read()).group(1).replace("sudo ", "")


def shell(lines, folder):
    """Runs lines as an author would, who wants every warning."""
    sdk = installed()
    run("sh", "-e", "-c", lines, cwd=folder, env=dict(sdk.env, CMAKE_PREFIX_PATH=sdk.prefix, CFLAGS=WARNINGS))


def daemon_with(t, routes, plugins, **more):
    sdk = installed()
    return t.daemon(routes, env={"PATCHBAY_PLUGIN_PATH": plugins + ":" + sdk.plugins}, **more)


def exported(path):
    return [line.split()[-1] for line in run("nm", "-D", "--defined-only", path).splitlines()]


def source_works(t, plugins):
    daemon = daemon_with(t, SOURCE_ROUTES, plugins)
    samples = [e["name"] for e in daemon.lines("send", "orders", "--list")]
    equal(samples, ["order_placed", "order_refunded"], "what it can play")
    for sample in samples:
        daemon.cli("send", "orders", sample, "--count", "3")
    daemon.cli("send", "orders", "order_placed", "--bad-signature")
    rows = daemon.wait_rows(6)
    equal(sorted(r["type"] for r in rows), sorted(samples * 3), "types")
    equal({(r["subject"], r["total"]) for r in rows}, {("A-17", "42.50")}, "subjects and totals")
    equal(len({r["id"] for r in rows}), 6, "ids")
    with open(os.path.join(t.folder, "acme", "samples", "order_placed.json"), "rb") as f:
        body = f.read().rstrip(b"\n")
    with daemon.client() as client:
        def signed(secret, body=body):
            hex_ = harness.hmac.new(secret.encode(), body, harness.hashlib.sha256).hexdigest()
            return client.post("/in/orders", body, {"X-Acme-Signature": hex_})
        first, again = signed(harness.FLEET_SECRET), signed(harness.LEARNING_KEY)
        equal((first.status, again.status, again.event_id), (200, 200, first.event_id), "a retry, with the other secret")
        equal(client.post("/in/orders", body).status, 403, "without a signature")
        equal(signed("another").status, 403, "with another secret")
    shown = daemon.show(first.event_id)
    check("secret 1 of 2 (file " in json.dumps(shown), "what proved it is not told: %r" % shown)
    daemon.wait_rows(7)


def try_installed(t, works):
    """With a plugin that was put into patchbay's own folder, which it leaves again."""
    so = os.path.join(installed().plugins, "acme.so")
    equal(exported(so), ["patchbay_plugin_v1"], "what it exports")
    try:
        works(t, installed().plugins)
    finally:
        os.unlink(so)


def test_a_source_with_cmake(t):
    folder = new(t, "source")
    with open(folder + "/acme.c") as f:
        check(len(f.readlines()) < 100, "a signed source takes a hundred lines or more")
    shell(documented(folder, "## Build, test, install"), folder)
    try_installed(t, source_works)


def test_a_source_without_cmake(t):
    folder = new(t, "source")
    shell(documented(folder, "Without CMake:"), folder)
    try_installed(t, source_works)


class Server:
    """Takes posts, and answers with the statuses that it is given, then with 200."""

    def __init__(self, t, *statuses):
        self.got, statuses = [], list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.got.append((handler.path, handler.headers["Content-Type"], handler.headers["Idempotency-Key"],
                                 json.loads(body)))
                handler.send_response(statuses.pop(0) if statuses else 200)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        t.undo.append(self.server.shutdown)


def sink_works(t, plugins):
    server = Server(t, 503, 401, 200, 422)
    daemon = daemon_with(t, SINK_ROUTES, plugins, port=server.port)
    with daemon.client() as client:
        first = client.fleet(harness.fault(1)).event_id
        wait_until(lambda: len(server.got) == 3, lambda: "three attempts of the first event, got %r" % server.got)
        equal(server.got, [("/hook", "application/json", first, {"id": first, "code": "J1939"})] * 3, "what was posted")
        refused = client.fleet(harness.fault(2)).event_id
        dead = wait_until(lambda: daemon.lines("dead"), "a dead letter")
        equal([letter["id"] for letter in dead], [refused], "dead letters")
        check("422" in json.dumps(dead), "the reason: %r" % dead)
        third = client.fleet(harness.fault(3)).event_id
        wait_until(lambda: server.got[-1][2] == third, "the event after it")
    equal(len(server.got), 5, "requests")


def test_a_sink_with_cmake(t):
    folder = new(t, "sink")
    shell(documented(folder, "## Build, test, install"), folder)
    try_installed(t, sink_works)


def test_a_sink_without_cmake(t):
    folder = new(t, "sink")
    shell(documented(folder, "Without CMake:"), folder)
    try_installed(t, sink_works)


def test_the_workflow_and_another_folder_for_plugins(t):
    """What continuous integration runs once patchbay-dev is installed; then the plugin goes where it is told to."""
    folder = new(t, "sink")
    with open(os.path.join(folder, ".github", "workflows", "ci.yml")) as f:
        steps = re.split(r"\n      - ", f.read())[1:]
    names = [re.match(r"name: (.*)", step).group(1) for step in steps if step.startswith("name: ")]
    equal(names, ["Install patchbay and patchbay-dev", "Build", "Test"], "steps")
    os.rename(folder, os.path.join(t.folder, "plugin"))
    for step in steps[-2:]:
        shell("umask 002\n" + re.search(r"run: (?:\|\n)?(.*)", step, re.S).group(1), t.folder)
    plugins = os.path.join(t.folder, "plugins")
    shell("cmake -DPATCHBAY_PLUGINDIR=%s build\nctest --test-dir build\ncmake --install build" % plugins, t.folder)
    equal(os.listdir(plugins), ["acme.so"], "what was installed there")


def test_the_tests_of_a_new_plugin_can_fail(t):
    """They are worth something: a source that takes everything, and one that mixes up events, do not pass."""
    for name, old, now, fails in (
            ("lax", "return patchbay_keys_verify(", "return PATCHBAY_OK; return patchbay_keys_verify(", "no signature is refused"),
            ("mixed", 'call, root, "event")', 'call, root, "id")', "an order becomes a row")):
        folder = new(t, "source", name)
        with open(os.path.join(folder, name + ".c")) as f:
            text = f.read()
        equal(text.count(old), 1, "places to break " + name)
        with open(os.path.join(folder, name + ".c"), "w") as f:
            f.write(text.replace(old, now))
        shell("cmake -B build -G Ninja\ncmake --build build", folder)
        said = run("ctest", "--test-dir", folder + "/build", "--output-on-failure", code=8, env=installed().env)
        check("FAILED  " + fails in said, said)


def test_what_new_refuses(t):
    sdk = installed()

    def refused(code, *arguments):
        said = run(sdk.program, "plugin", "new", *arguments, code=code, cwd=t.folder, env=sdk.env)
        check(said.startswith("patchbay plugin new: "), "it said %r" % said)
        return said

    for name in ("Acme", "9lives", "-x" * 17, "a_b", "a/b", "..", "ümlaut", "a" * 33, ""):
        check("cannot name a plugin" in refused(2, "--source", "--", name), name)
    check("--source, or --sink" in refused(2, "acme"), "no side")
    check("not both" in refused(2, "acme", "--source", "--sink"), "both sides")
    check("one NAME" in refused(2, "--source"), "no name")
    check("did you mean --source" in refused(2, "acme", "--surce"), "a slip")
    check("no folder to make it in" in refused(1, "acme", "--sink", "--dir", t.folder + "/nowhere"), "no folder")
    equal(os.listdir(t.folder), [], "what is left of these")
    os.makedirs(t.folder + "/acme")
    check("acme is already there; nothing was changed" in refused(1, "acme", "--sink"), "a folder that exists")
    equal(os.listdir(t.folder + "/acme"), [], "what was put there")
    run(sdk.program, "plugin", "new", "a" * 32, "--sink", cwd=t.folder, env=sdk.env)
    check(os.path.exists(t.folder + "/" + "a" * 32 + "/" + "a" * 32 + ".c"), "the longest name")


def test_cmake_refuses_what_cannot_be(t):
    sdk = installed()
    for lines, wanted in (("find_package(patchbay 2.0 REQUIRED)", "is not compatible|not accepted"),
                          ("find_package(patchbay REQUIRED)\npatchbay_add_plugin(Acme SOURCES a.c)", "cannot name a plugin"),
                          ("find_package(patchbay REQUIRED)\npatchbay_add_plugin(acme a.c)", "how to call it")):
        with open(t.folder + "/CMakeLists.txt", "w") as f:
            f.write("cmake_minimum_required(VERSION 3.20)\nproject(x C)\n%s\n" % lines)
        said = run("cmake", "-G", "Ninja", "-S", t.folder, "-B", t.folder + "/build", "-DCMAKE_PREFIX_PATH=" + sdk.prefix, code=1)
        check(re.search(wanted, said), "%s: %s" % (lines, said))


def test_each_file_belongs_to_one_package(t):
    def files(*arguments):
        stage = os.path.join(t.folder, "-".join(("stage",) + arguments))
        run("cmake", "--install", os.path.dirname(harness.PATCHBAY), "--prefix", "/usr", *arguments,
            env=dict(os.environ, DESTDIR=stage))
        return {os.path.relpath(os.path.join(root, name), stage) for root, _, names in os.walk(stage) for name in names}

    every, runtime, dev = files(), files("--component", "runtime"), files("--component", "dev")
    equal(runtime & dev, set(), "what is in both")
    equal(every - runtime - dev, set(), "what is in neither")
    check(all(name.startswith(("usr/bin/", "usr/lib", "usr/share/", "etc/patchbay/")) for name in runtime), "what runs: %r" % runtime)
    check(not any(name.endswith(".so") for name in dev), "what is for building: %r" % dev)


def test_the_version_is_the_interfaces(t):
    sdk = installed()
    with open(os.path.join(sdk.variable("includedir"), "patchbay", "plugin.h")) as f:
        numbers = dict(re.findall(r"#define PATCHBAY_ABI_(MAJOR|MINOR) (\d+)u", f.read()))
    version = numbers["MAJOR"] + "." + numbers["MINOR"]
    equal(run("pkg-config", "--modversion", "patchbay", env=sdk.env).strip(), version, "of pkg-config")
    check("plugin interface %s)" % version in run(sdk.program, "--version"), "of the program")


def test_the_reference_has_everything(t):
    tool = os.path.join(SDK, "reference.py")
    run(sys.executable, "-B", tool, "--check", *HEADERS)
    made = run(sys.executable, "-B", tool, *HEADERS)
    path, = glob.glob(installed().prefix + "/share/doc/**/reference.md", recursive=True)
    with open(path) as f:
        equal(f.read(), made, "what is installed")
    for header in HEADERS:
        with open(header) as f:
            text = re.sub(r"/\*.*?\*/|\n#else\n.*?#endif", "", f.read(), flags=re.S)  # what is for C++ is not in it
        names = re.findall(r"\(\*(\w+)\)\(", text) + re.findall(r"\b(PATCHBAY_\w+)\b", text)
        names = [name for name in names if not name.endswith("_H")] + re.findall(r"\b(patchbay_\w+)\(", text)
        names += re.findall(r"^(?:typedef )?struct (patchbay_\w+) {", text, re.M)
        for name in sorted(set(names)):
            check(re.search(r"\b%s\b" % name, made), "%s of %s is not in the reference" % (name, header))


def test_a_function_without_its_thread_is_found(t):
    path = os.path.join(t.folder, "x.h")
    with open(path, "w") as f:
        f.write("/* x.h - a test */\ntypedef struct x {\n\tuint32_t size;\n\t/* [any] told */\n\tint (*a)(int);\n"
                "\tint (*b)(int);\n\n\tint (*c)(void); /* not told */\n\tint (*d)(void); /* [control] told */\n} x;\n"
                "typedef struct { /* all [any] */\n\tint (*e)(void);\n} y;\n/* Calls back. */\ntypedef int (*f)(void);\n")
    said = run(sys.executable, "-B", os.path.join(SDK, "reference.py"), "--check", path, code=1)
    equal([(int(line), name) for line, name in re.findall(r"x\.h:(\d+): .* '(\w)'", said)], [(8, "c"), (15, "f")], "found")


harness.main()
