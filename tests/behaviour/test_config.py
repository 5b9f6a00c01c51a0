"""Broken configurations: every fault of a file at once, each with its place, what is wrong and what to do; `serve`
refuses what `check` refuses, with the same words."""

import os
import subprocess

import harness
from harness import check, equal

GOOD = """\
listen: 127.0.0.1:8080
journal: {folder}/state
sources:
  fleet:
    plugin: motive
    secret: {{file: {folder}/fleet.secret}}
sinks:
  audit:
    plugin: csv-export
    path: {folder}/export/audit.csv
    columns: [id, time, vehicle: .data.vehicle.id]
routes:
  - from: fleet
    type: [fault_code_*]
    when: .data.status == "open"
    to: audit
"""


def changed(old, new):
    assert old in GOOD, old
    return GOOD.replace(old, new)


# name: (file, faults as they are printed behind "routes.yaml:")
BROKEN = {
    "empty": ('', [
        " is empty; it needs at least 'listen' and 'journal'"]),
    "only a comment": ('# nothing\n', [
        " is empty; it needs at least 'listen' and 'journal'"]),
    "a list": ('- a\n- b\n', [
        "1:1: a configuration must be 'key: value' lines, not a list"]),
    "a tab": (changed('  fleet:', '\tfleet:'), [
        "4:1: this character cannot begin a value; indent with spaces instead of tabs, and put values that begin with % @ or ` in quotes"]),
    "an unclosed quote": (changed('to: audit', 'to: "audit'), [
        "17:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar that begins at 16:9; check the indentation, and put values that begin with one of [ ] { } * & ! | > % @ ` \" or contain ': ' in quotes"]),
    "not UTF-8": (b"# \xff\n", [
        "1:3: byte 0xff is not UTF-8; write the file as plain UTF-8 text"]),
    "an unknown key at the top": (changed('routes:', 'route:'), [
        " warning: there are no routes; events are kept and go nowhere",
        "12:1: unknown key 'route' in this file; did you mean 'routes'?"]),
    "an unknown key in a source": (changed('secret:', 'secrte:'), [
        "4:3: source 'fleet' needs 'secret': The webhook's secret in Motive; a list while it is being changed.",
        "6:5: unknown key 'secrte' in source 'fleet'; did you mean 'secret'?"]),
    "an unknown key in a sink": (changed('columns:', 'colums:'), [
        "8:3: sink 'audit' needs 'columns': Columns, in order: an envelope field (id), or header: jq expression.",
        "11:5: unknown key 'colums' in sink 'audit'; did you mean 'columns'?"]),
    "an unknown key in a route": (changed('when:', 'wehn:'), [
        "15:5: unknown key 'wehn' in a route; did you mean 'when'?"]),
    "an unknown sink": (changed('to: audit', 'to: audti'), [
        "16:9: unknown sink 'audti'; did you mean 'audit'?"]),
    "an unknown source": (changed('from: fleet', 'from: [fleet, campus]'), [
        "13:19: unknown source 'campus'; add it under 'sources'"]),
    "an unknown plugin": (changed('plugin: motive', 'plugin: motiv'), [
        "5:13: there is no plugin 'motiv'; did you mean 'motive'?"]),
    "a sink's plugin as a source": (changed('plugin: motive', 'plugin: csv-export'), [
        "5:13: plugin 'csv-export' has no source side; it can only be used for a sink"]),
    "no plugin": (changed('    plugin: motive\n', ''), [
        "4:3: source 'fleet' needs 'plugin: NAME'; `patchbay plugins` lists them"]),
    "a key twice": (changed('    plugin: motive\n', '    plugin: motive\n    plugin: motive\n'), [
        "6:5: key 'plugin' is here a second time, the first is on line 5; remove one of them"]),
    "a sink twice": (changed('routes:', '  audit:\n    plugin: csv-export\nroutes:'), [
        "12:3: key 'audit' is here a second time, the first is on line 8; remove one of them"]),
    "an anchor": (changed('plugin: motive', 'plugin: &p motive'), [
        "5:13: anchors (&name) are not supported; write the value out, or put it in quotes if it begins with '&'"]),
    "an alias": (changed('to: audit', 'to: *audit'), [
        "8:3: warning: no route leads to sink 'audit'; it will get nothing",
        "16:9: aliases (*name) are not supported; write the value out, or put it in quotes if it begins with '*'"]),
    "a tag": (changed('plugin: motive', 'plugin: !!str motive'), [
        "5:13: tags (!name) are not supported; remove the tag, or put the value in quotes if it begins with '!'"]),
    "a second document": (GOOD + '---\nlisten: 127.0.0.1:1\n', [
        "17:1: a second document begins here; one file holds one configuration"]),
    "no listen": (changed('listen: 127.0.0.1:8080\n', ''), [
        " 'listen' is missing: where providers post to; write listen: 0.0.0.0:8080"]),
    "no journal": (changed('journal: {folder}/state\n', ''), [
        " 'journal' is missing: the folder where events are kept; write journal: /var/lib/patchbay"]),
    "a listen without a port": (changed('127.0.0.1:8080', '127.0.0.1'), [
        "1:9: 'listen': the port is missing; write ADDRESS:PORT, such as 0.0.0.0:8080"]),
    "a port out of range": (changed('8080', '80800'), [
        "1:9: 'listen': '80800' is not a port; write a number from 0 to 65535"]),
    "a name to listen on": (changed('127.0.0.1:8080', 'localhost:8080'), [
        "1:9: 'listen': names are not looked up; write 127.0.0.1:8080"]),
    "admin on listen": (changed('journal:', 'admin: 127.0.0.1:8080\njournal:'), [
        "2:8: 'admin' must not be where providers post to (127.0.0.1:8080); write another port, such as 127.0.0.1:8081"]),
    "a list where a word belongs": (changed('plugin: motive', 'plugin: [motive]'), [
        "5:13: 'plugin': must be one value, not a list"]),
    "a word where a mapping belongs": (changed('routes:\n', 'limits: none\nroutes:\n'), [
        "12:9: 'limits' must be 'key: value' lines, not a single value"]),
    "a size in words": (changed('routes:\n', 'limits: {{body: huge}}\nroutes:\n'), [
        "12:16: 'body': 'huge' is not a size; write it as 512, 64K, 10M or 1G"]),
    "a size out of range": (changed('routes:\n', 'limits: {{body: 1T}}\nroutes:\n'), [
        "12:16: 'body': 1T is out of range; write 1K to 64M"]),
    "a negative count": (changed('routes:\n', 'limits: {{connections: -1}}\nroutes:\n'), [
        "12:23: 'connections': -1 is out of range; write 1 to 65536"]),
    "a duration without a unit": (changed('routes:\n', 'retention: {{age: 30}}\nroutes:\n'), [
        "12:18: 'age': '30' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d"]),
    "jq that does not compile": (changed('.data.status ==', '.data.status = ='), [
        "15:11: 'when': not a valid jq program: syntax error, unexpected '='"]),
    "jq that asks for the environment": (changed('.data.status == "open"', 'env.HOME == "x"'), [
        "15:11: 'when': not a valid jq program: `env` is switched off: an expression sees the event and nothing else"]),
    "an unknown envelope field as a column": (changed('[id, time,', '[id, tiem,'), [
        "11:19: 'columns': an event has no field 'tiem'; did you mean 'time'?"]),
    "no columns": (changed('columns: [id, time, vehicle: .data.vehicle.id]', 'columns: []'), [
        "11:14: 'columns': the list is empty; it needs at least one entry"]),
    "no secret": (changed('    secret: {{file: {folder}/fleet.secret}}\n', ''), [
        "4:3: source 'fleet' needs 'secret': The webhook's secret in Motive; a list while it is being changed."]),
    "a secret file that is not there": (changed('fleet.secret', 'float.secret'), [
        "6:20: 'secret': cannot open {folder}/float.secret: No such file or directory; put the secret into it"]),
    "a secret from an unset variable": (changed('{{file: {folder}/fleet.secret}}', '{{env: NO_SUCH_VARIABLE}}'), [
        "6:19: 'secret': environment variable NO_SUCH_VARIABLE is not set; set it where patchbay is started"]),
    "an empty secret": (changed('{{file: {folder}/fleet.secret}}', '""'), [
        "6:13: 'secret' must be one secret, not nothing; write {file: /path}, {env: NAME} or {credential: NAME}"]),
    "a secret of an unknown kind": (changed('file:', 'flie:'), [
        "6:14: 'secret': unknown kind of secret; write {file: /path}, {env: NAME} or {credential: NAME}; did you mean 'file'?"]),
    "a route to nowhere": (changed('    to: audit\n', ''), [
        "13:5: this route leads nowhere; name its sinks: to: [NAME]"]),
    "an empty from": (changed('from: fleet', 'from: []'), [
        "13:11: 'from' names no source; name at least one, or remove the line for all of them"]),
    "a name with a slash": (changed('  fleet:\n', '  fleet/1:\n').replace('from: fleet', "from: '*'"), [
        "4:3: 'fleet/1' cannot name a source; use up to 63 of a-z 0-9 _ -, beginning with a letter or digit"]),
    "a journal that cannot be made": (changed('{folder}/state', '{folder}/no/such/folder'), [
        "2:10: 'journal': {folder}/no/such/folder does not exist, and cannot be made in {folder}/no/such: No such file or directory; make it, and let the user that runs patchbay write there"]),
    "five faults at once": (changed('8080', 'http').replace('motive', 'motiv').replace('colums', 'x').replace('type: [', 'typ: [').replace('.data.status ==', '==').replace('to: audit', 'to: [audit, audit, nowhere]'), [
        "1:9: 'listen': 'http' is not a port; write a number from 0 to 65535",
        "5:13: there is no plugin 'motiv'; did you mean 'motive'?",
        "14:5: unknown key 'typ' in a route; did you mean 'type'?",
        "15:11: 'when': not a valid jq program: syntax error, unexpected ==",
        "16:17: sink 'audit' is named twice; remove one of them",
        "16:24: unknown sink 'nowhere'; add it under 'sinks'"]),
}


def judged(t, text, command="check", env=None):
    """What the command prints about a file, and its exit code."""
    daemon = t.daemon(start=False) if not t.daemons else t.daemons[0]
    with open(daemon.routes, "w" if isinstance(text, str) else "wb") as f:
        f.write(text.format(folder=daemon.folder) if isinstance(text, str) else text)
    done = subprocess.run([harness.PATCHBAY, command, "-c", "routes.yaml"], cwd=daemon.folder, env=dict(daemon.env, **env or {}),
                          capture_output=True, timeout=30 * harness.SLOWER)
    lines = done.stderr.decode().replace(daemon.folder, "{folder}").splitlines()
    return done.returncode, lines, done.stdout.decode()


def test_good(t):
    code, lines, out = judged(t, GOOD)
    equal((code, lines), (0, []), "a good file")
    check("ok" in out, "check says nothing about a good file: %r" % out)


def test_broken(t):
    wrong = []
    for name, (text, faults) in BROKEN.items():
        code, lines, _ = judged(t, text)
        wanted = ["routes.yaml:" + f for f in faults]
        if lines != wanted or code != 1:
            wrong.append("%s: exit code %d, printed\n    %s\n  wanted\n    %s" % (name, code, "\n    ".join(lines), "\n    ".join(wanted)))
    check(not wrong, "\n  ".join(["wrong messages"] + wrong))


def test_serve_refuses_what_check_refuses(t):
    for name, (text, faults) in BROKEN.items():
        code, lines, _ = judged(t, text, "serve")
        lines = [harness.log_members(line)["msg"] for line in lines]
        check(code == 1, "%s: serve ended with %d" % (name, code))
        if name == "a journal that cannot be made":  # serve says what happened, not what would
            faults = []
            check("{folder}/no/such/folder" in "".join(lines), "%s: serve printed %r" % (name, lines))
        for fault in faults:
            check("routes.yaml:" + fault in lines, "%s: serve did not print %r but %r" % (name, fault, lines))


def test_unix_socket(t):
    """One that a crash left is replaced, any other file stays; the group may connect."""
    daemon = t.daemon(start=False)
    path = os.path.join(daemon.folder, "http.sock")
    daemon.write_routes(harness.ROUTES.replace("{listen}", "[{listen}, 'unix:{folder}/http.sock']"))
    with open(path, "w") as f:
        f.write("precious")
    daemon.cli("serve", code=1)
    check("remove the file" in daemon.cli_errors, "serve said %r" % daemon.cli_errors)
    equal(open(path).read(), "precious", "the file in the socket's place")
    os.unlink(path)
    daemon.start().kill()
    check(os.path.exists(path), "no socket is left by kill -9")
    daemon.start()
    equal(oct(os.stat(path).st_mode & 0o777), "0o660", "mode of the socket")
    daemon.stop()
    check(not os.path.exists(path), "the socket is left behind")


def test_json(t):
    code, _, _ = judged(t, BROKEN["an unknown sink"][0])
    daemon = t.daemons[0]
    done = subprocess.run([harness.PATCHBAY, "check", "-c", "routes.yaml", "--json"], cwd=daemon.folder, env=daemon.env, capture_output=True)
    found = harness.json.loads(done.stdout)
    equal((found["ok"], [(f["line"], f["severity"]) for f in found["faults"]]), (False, [(16, "error")]), "check --json")


def test_missing_file(t):
    daemon = t.daemon(start=False)
    os.unlink(daemon.routes)
    for command in ("check", "serve"):
        daemon.cli(command, code=1)
        check("routes.yaml" in daemon.cli_errors and "No such file" in daemon.cli_errors, "%s: %r" % (command, daemon.cli_errors))


def test_usage(t):
    daemon = t.daemon(start=False)
    for arguments in (["chek"], ["check", "--jsno"], ["check", "a", "b"], ["serve", "now"], ["show"], []):
        done = subprocess.run([harness.PATCHBAY, *arguments], cwd=daemon.folder, env=daemon.env, capture_output=True)
        equal(done.returncode, 2, "exit code of patchbay %s" % " ".join(arguments))
        check(done.stderr, "nothing on stderr for patchbay %s" % " ".join(arguments))
    for command in ("serve", "check", "plugins", "send", "events", "show", "explain", "dead", "replay"):
        done = subprocess.run([harness.PATCHBAY, command, "--help"], env=daemon.env, capture_output=True)
        equal(done.returncode, 0, "exit code of patchbay %s --help" % command)
        check(b"sage" in done.stdout, "patchbay %s --help prints %r" % (command, done.stdout))


harness.main()
