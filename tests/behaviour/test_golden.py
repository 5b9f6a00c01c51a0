"""`patchbay test`: what a configuration makes of requests, tried without its secrets, without a daemon, and without a
trace."""

import json
import os
import subprocess

import harness
from harness import check, equal

DEMO = os.path.join(harness.TOP, "etc", "demo")

ROUTES = """\
listen: 127.0.0.1:1
journal: %s
sources:
  fleet:
    plugin: motive
    secret: [{env: NOT_SET_ANYWHERE}, {file: old.key}]
sinks:
  audit:
    plugin: csv-export
    path: %s/audit.csv
    columns: [id, time, vehicle: .data.vehicle.number]
  other:
    plugin: csv-export
    path: %s/other.csv
    columns: [id]
routes:
  - to: audit
  - type: 'fault_code_*'
    when: .data.vehicle.number == "T123" and .data.status == "open"
    to: other
"""

TESTS = """\
config: routes.yaml
tests:
  - name: goes to both
    source: fleet
    sample: fault_code_opened
    set: {vehicle.number: T123, status: open}
    expect:
      why: secret 1 of 2 (env NOT_SET_ANYWHERE)
      sinks: [audit, other]
      rendered: {audit: {columns: {vehicle: T123}}}
  - name: goes to one
    source: fleet
    sample: fault_code_opened
    set: {vehicle.number: T123, status: closed}
    expect:
      sinks: [audit, other]
"""


def run(t, tests, *more, code, cwd=None, env=None):
    """stdout and stderr of `patchbay test`."""
    whole = dict(os.environ, PATCHBAY_PLUGIN_PATH=harness.PLUGINS, **(env or {}))
    done = subprocess.run([harness.PATCHBAY, "test", *more, tests], cwd=cwd, env=whole, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != code:
        raise harness.Failed("exit code %d of %s, wanted %d\n%s%s" % (done.returncode, tests, code, done.stdout, done.stderr))
    return done.stdout, done.stderr


def folder_of(t):
    folder = os.path.join(t.folder, "golden")
    os.makedirs(folder)
    with open(os.path.join(folder, "routes.yaml"), "w") as f:
        f.write(ROUTES % (os.path.join(folder, "journal"), folder, folder))
    with open(os.path.join(folder, "tests.yaml"), "w") as f:
        f.write(TESTS)
    return folder


def test_the_demo_passes(t):
    said, errors = run(t, os.path.join(DEMO, "tests.yaml"), code=0)
    equal(errors, "", "errors")
    check(said.endswith(" tests passed\n"), "it said %r" % said)
    said, _ = run(t, "tests.yaml", code=0, cwd=DEMO, env={"FLEET_SECRET": "a", "LEARNING_KEY": harness.LEARNING_KEY})
    check("FAILED" not in said, "with secrets: %r" % said)


def test_a_failure_names_the_line_of_the_test_and_of_the_route(t):
    folder = folder_of(t)
    said, errors = run(t, "tests.yaml", code=1, cwd=folder)
    equal(errors, "", "errors")
    lines = said.splitlines()
    equal(lines[0], "ok      goes to both", "the first line")
    equal(lines[1], "FAILED  goes to one", "the second")
    check(lines[2].startswith("        tests.yaml:16:22: expected 'other' to get it, it does not: route routes.yaml:18: "),
          "the reason: %r" % lines[2])
    check('.data.status == "open"' in lines[2] and '"closed"' in lines[2], "what decided: %r" % lines[2])
    equal(lines[3:], ["1 of 2 tests failed"], "the end")
    equal(sorted(os.listdir(folder)), ["routes.yaml", "tests.yaml"], "what it left behind")


def test_json(t):
    folder = folder_of(t)
    said, _ = run(t, os.path.join(folder, "tests.yaml"), "--json", code=1)
    sum_ = json.loads(said)
    equal((sum_["ok"], sum_["passed"], sum_["failed"]), (False, 1, 1), "the sum")
    equal([(test["name"], test["line"], test["ok"]) for test in sum_["tests"]],
          [("goes to both", 3, True), ("goes to one", 11, False)], "the tests")
    failure = sum_["tests"][1]["failures"][0]
    equal((failure["line"], failure["column"]), (16, 22), "its place")
    check("routes.yaml:18" in failure["message"], "its message: %r" % failure["message"])


def test_another_configuration(t):
    folder = folder_of(t)
    with open(os.path.join(folder, "routes.yaml")) as f:
        text = f.read().replace('.data.status == "open"', "true")
    with open(os.path.join(folder, "second.yaml"), "w") as f:
        f.write(text)
    run(t, "tests.yaml", "-c", "second.yaml", code=0, cwd=folder)


def test_faults_are_told_before_anything_is_tried(t):
    folder = folder_of(t)
    with open(os.path.join(folder, "tests.yaml"), "a") as f:
        f.write("      rendered: {adit: {row: x}}\n  - {name: x, source: flet, sample: ping}\n")
    said, errors = run(t, "tests.yaml", code=1, cwd=folder)
    equal(said, "", "output")
    equal(errors.splitlines(),
          ["tests.yaml:17:18: the configuration has no sink 'adit'; did you mean 'audit'?",
           "tests.yaml:18:23: the configuration has no source 'flet'; did you mean 'fleet'?"], "errors")
    with open(os.path.join(folder, "routes.yaml"), "a") as f:
        f.write("  - to: nowhere\n")
    _, errors = run(t, "tests.yaml", code=1, cwd=folder)
    check(errors.startswith("routes.yaml:21:9: unknown sink 'nowhere'"), "the configuration's: %r" % errors)
    _, errors = run(t, "nowhere.yaml", code=1, cwd=folder)
    equal(errors, "nowhere.yaml: cannot be opened: No such file or directory; name a file of tests\n", "no file")


harness.main()
