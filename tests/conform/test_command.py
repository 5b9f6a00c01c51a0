"""`patchbay plugin check` as a command: exit statuses, --list, --only, --set, --seed, --json, and what it leaves behind.

    test_command.py PATCHBAY FOLDER_OF_BROKEN_PLUGINS
"""

import json
import os
import subprocess
import sys
import tempfile

PATCHBAY, FOLDER = sys.argv[1:3]


def run(*args, status=0, command=("plugin", "check"), cwd=None):
    done = subprocess.run([os.path.abspath(PATCHBAY), *command, *args], cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False,
                          timeout=300, text=True)
    assert done.returncode == status, f"{args}: exit status {done.returncode}, not {status}: {done.stdout}{done.stderr}"
    return done.stdout, done.stderr


def plugin(name):
    return os.path.join(FOLDER, name + ".so")


def test_usage():
    assert "check" in run("--help", command=("plugin",))[0]
    assert "did you mean 'check'" in run(command=("plugin", "chek"), status=2)[1]
    assert "which command" in run(command=("plugin",), status=2)[1]
    assert "--set" in run("--help")[0]
    assert "which file" in run(status=2)[1]
    assert "there is no file" in run("/nowhere.so", status=2)[1]
    assert "OPTION=VALUE" in run("--set", "region", plugin("needs_set"), status=2)[1]
    assert "no test is called 'signature'" in run("--only", "signature", plugin("sound_source"), status=2)[1]


def test_list():
    names = [t["test"] for t in json.loads(run("--list", "--json")[0])]
    assert len(names) > 40 and len(set(names)) == len(names)
    text = run("--list")[0]
    assert all(name in text for name in names)


def test_only():
    report = json.loads(run("--json", "--only", "signature.*", plugin("sound_source"))[0])
    assert {t["test"] for t in report["tests"]} == {"signature.bytes", "signature.fields", "signature.length",
                                                   "signature.once", "signature.body"}
    assert report["ok"] and report["failed"] == 0


def test_set():
    out = run(plugin("needs_set"), status=1)[0]
    assert "--set source.OPTION=VALUE" in out and "write north-7" in out
    assert "there is no instance to try it on" in out
    out = run("--set", "region=north-7", plugin("needs_set"))[0]
    assert " 0 failed" in out
    run("--set", "source.region=north-7", plugin("needs_set"))
    assert "has no option 'regoin'" in run("--set", "regoin=x", plugin("needs_set"), status=1)[0]
    assert "has no option 'sink.region'" in run("--set", "sink.region=x", plugin("needs_set"), status=1)[0]


def test_seed():
    reports = [json.loads(run("--json", "--seed", "42", "--only", "hostile.*", plugin("garbage_events"), status=1)[0])
               for _ in range(2)]
    for report in reports:
        assert report["seed"] == 42
        for test in report["tests"]:
            test["ms"] = 0
    assert reports[0] == reports[1]


def test_refused():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "text.so")
        with open(path, "w", encoding="utf-8") as f:
            f.write("no plugin")
        out = run(path, status=1)[0]
        assert "no ELF file" in out


def test_name_without_folder():
    assert " 0 failed" in run("--only", "file.*", "sound_source.so", cwd=FOLDER)[0]


def test_leaves_nothing():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        run(plugin("sound_file_sink"))
        run(plugin("needs_set"), status=1)
        del os.environ["TMPDIR"]
        assert os.listdir(folder) == []


def test_in_process():
    out = run("--in-process", "--only", "parse.*", plugin("sound_source"))[0]
    assert "ok    parse.pure" in out


def main():
    tests = {name: f for name, f in globals().items() if name.startswith("test_")}
    for name, test in tests.items():
        test()
        print(f"ok {name}")


if __name__ == "__main__":
    main()
