"""Makes a later minor version out of the headers as they are: every struct that may grow does, at its end, and the
minor version is raised. `grow.py FROM TO`: two folders with a folder patchbay in each."""

import os
import re
import sys

HEAD = re.compile(r"(?:typedef )?struct (patchbay_\w+) \{[^\n]*\n\tuint32_t size;")
MEMBERS = "\tuint64_t grown[3]; /* by tests/abi/grow.py */\n"


def grow(text):
    """Every struct that begins with its size; none is nested in another, so that its end is the next line that
    begins with a brace."""
    at = 0
    grown = 0
    for match in iter(lambda: HEAD.search(text, at), None):
        end = text.index("\n}", match.end()) + 1
        text = text[:end] + MEMBERS + text[end:]
        at = end + len(MEMBERS)
        grown += 1
    return text, grown


def main(source, target):
    folder = os.path.join(target, "patchbay")
    os.makedirs(folder, exist_ok=True)
    total = 0
    for name in sorted(os.listdir(os.path.join(source, "patchbay"))):
        with open(os.path.join(source, "patchbay", name)) as f:
            text, grown = grow(f.read())
        total += grown
        if name == "plugin.h":
            text, minor = re.subn(r"(#define PATCHBAY_ABI_MINOR )(\d+)u", lambda m: m[1] + str(int(m[2]) + 7) + "u", text)
            if minor != 1:
                sys.exit("plugin.h: no PATCHBAY_ABI_MINOR")
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    if total < 20:
        sys.exit("only %d structs have grown: are they written otherwise now?" % total)


main(*sys.argv[1:])
