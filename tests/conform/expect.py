"""Runs `patchbay plugin check` on a plugin, and compares what fails with what the first comment of its source says:
`Caught by: a, b.`, or `Caught by: nothing.` What `It may fail as well: c.` names may fail, or not;
`Without sanitizers also: d.` is for what is measured, and must be found only where nothing is slower than it is.

    expect.py PATCHBAY SOURCE.c PLUGIN.so
"""

import json
import os
import re
import subprocess
import sys


def expected(comment, label):
    found = re.search(label + r": ([^:]*?)\. *(?:\*/|[A-Z])", comment)
    if not found:
        return set()
    return {name for name in re.split(r"[,\s*]+", found.group(1)) if name and name != "nothing"}


def main():
    patchbay, source, plugin = sys.argv[1:4]
    with open(source, encoding="utf-8") as f:
        comment = " ".join(f.read().split("*/", 1)[0].replace("\n *", " ").split()) + " */"
    assert "Caught by:" in comment, f"{source} does not say by which tests it must be caught"
    wanted, maybe = expected(comment, "Caught by"), expected(comment, "It may fail as well")
    timed = expected(comment, "Without sanitizers also")
    if os.environ.get("PATCHBAY_SANITIZE"):
        maybe |= timed
    else:
        wanted |= timed
    # A fixed seed: what is random must not find more on one day than on another.
    run = subprocess.run([patchbay, "plugin", "check", "--json", "--seed", "1", plugin],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=500)
    assert run.returncode in (0, 1), f"exit status {run.returncode}: {run.stderr.decode()}"
    report = json.loads(run.stdout)
    failed = {t["test"]: t["why"] for t in report["tests"] if t["verdict"] == "fail"}
    for name, why in failed.items():
        print(f"{name}: {why}")
    assert (run.returncode == 1) == bool(failed), f"exit status {run.returncode} with {len(failed)} failed tests"
    missed, more = wanted - set(failed), set(failed) - wanted - maybe
    assert not missed, f"not caught by {', '.join(sorted(missed))}"
    assert not more, f"also caught by {', '.join(sorted(more))}, which its comment does not name"


if __name__ == "__main__":
    main()
