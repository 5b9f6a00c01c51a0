"""The man pages: each is well-formed, can be found by its name, fits a terminal of 80 columns, and together they name
every command, option and key that the program knows."""

import glob
import json
import os
import re
import shutil
import subprocess

import harness
from harness import PATCHBAY, PLUGINS, TOP, Skip, check, equal

MAN = os.path.join(os.path.dirname(PATCHBAY), "packaging", "manual", "man")
ENV = dict(os.environ, PATCHBAY_PLUGIN_PATH=PLUGINS, LC_ALL="C.UTF-8", MANWIDTH="80")


def run(*command, **more):
    return subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=120, **more)


def tool(name):
    if not shutil.which(name):
        raise Skip(name + " is not installed")
    return name


def pages():
    found = sorted(glob.glob(os.path.join(MAN, "man*", "*")))
    if not found:
        raise Skip("this build has no man pages in " + MAN)
    return found


def source(page):
    with open(os.path.join(MAN, "man" + page[-1], page), encoding="ascii") as f:
        return f.read()


def shown(page):
    """The page as it is read, on one line."""
    done = run(tool("man"), "-l", os.path.join(MAN, "man" + page[-1], page))
    equal(done.returncode, 0, page)
    return " ".join(re.sub(".\b", "", done.stdout).split())


def says(*arguments):
    done = run(PATCHBAY, *arguments)
    equal(done.returncode, 0, "exit code of " + " ".join(arguments))
    return done.stdout


def commands(above=()):
    """Every command that the program lists, and those below it."""
    for line in says(*above, "--help").partition("Commands:\n")[2].split("\n\n")[0].splitlines():
        words = above + (line.split()[0],)
        yield words
        yield from commands(words)


def test_no_warnings(t):
    for path in pages():
        for command in (["man", "--warnings", "-l"], ["mandoc", "-T", "lint", "-W", "warning"]):
            done = run(tool(command[0]), *command[1:], path)
            said = (done.stdout if command[0] == "mandoc" else "") + done.stderr
            # A date is there only when SOURCE_DATE_EPOCH says which.
            said = [line for line in said.splitlines() if "missing date" not in line]
            check(not said, "%s says: %s" % (command[0], "\n".join(said)))


def test_found_by_name(t):
    for path in pages():
        name, section = os.path.basename(path).rsplit(".", 1)
        equal(os.path.basename(os.path.dirname(path)), "man" + section, "folder of " + path)
        done = run(tool("lexgrog"), path)
        check(done.returncode == 0 and re.search('"%s - .{10,}"' % re.escape(name), done.stdout),
              "lexgrog: " + done.stdout + done.stderr)
        check(len(done.stdout.splitlines()) == 1, "more than one name: " + done.stdout)


def test_fits_80_columns(t):
    """All but code, which is indented by eleven and is left as it is."""
    for path in pages():
        for line in run(tool("man"), "-l", path).stdout.splitlines():
            line = re.sub(".\b", "", line)
            check(len(line) <= 80 or line.startswith(" " * 11), "%s: %d columns: %s" % (path, len(line), line))


def test_every_command_and_option(t):
    pages()
    for words in [()] + list(commands()):
        page = shown("-".join(("patchbay",) + words) + ".1")
        help = says(*words, "--help")
        for option in re.findall(r"^ {2,6}(-\S.*?)(?:  |$)", help, re.M):
            check(option in page, "patchbay %s --help has %s, its page has not" % (" ".join(words), option))
        for section in ("SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"):
            check(section in page, "%s: no %s" % (words, section))
        # Nothing of the help is lost on the way.
        for word in set(re.findall(r"[\w-]{4,}", help.partition("\n")[2])) - {"Commands", "Usage", "Exit", "status"}:
            check(word.lower() in page.lower(), "patchbay %s --help says '%s', its page does not" % (" ".join(words), word))


def test_the_journal(t):
    """What the help and the messages refer to is there without the source."""
    pages()
    with open(os.path.join(TOP, "core", "journal", "README.md")) as f:
        section = f.read().partition("## For operators\n")[2]
    page = shown("patchbay-journal.1")
    for words in re.findall(r"^\*\*(\w+(?: \w+)*)\*\*", section, re.M):
        check(words in page.partition("FOR OPERATORS")[2], "patchbay-journal(1) has no paragraph '%s'" % words)
    page = shown("patchbay-journal.5")
    for word in ("PBSEG", "user_version", "received_ns", "deliveries"):
        check(word in page, "patchbay-journal(5) has no '%s'" % word)
    for words in [()] + list(commands()):
        for name, section in re.findall(r"\b([a-z]+(?:[.-][a-z]+)+)\((\d)\)", says(*words, "--help")):
            check(os.path.exists(os.path.join(MAN, "man" + section, "%s.%s" % (name, section))),
                  "patchbay %s --help: there is no %s(%s)" % (" ".join(words), name, section))
        check(not re.search(r"\w/\w+\.md\b", says(*words, "--help")), "%s names a file of the source" % (words,))


def test_every_variable(t):
    """What the program reads of its environment."""
    pages()
    page = source("patchbay.1")
    for path in glob.glob(os.path.join(TOP, "core", "**", "*.c"), recursive=True):
        with open(path) as f:
            for name in re.findall(r'getenv\("(\w+)"\)', f.read()):
                check(name in page, "patchbay(1) does not name %s, which %s reads" % (name, path))


def test_every_plugin_and_option(t):
    pages()
    for plugin in json.loads(says("plugins", "--json"))["plugins"]:
        name = plugin["name"]
        if not os.path.exists(os.path.join(TOP, "plugins", name)):
            continue
        page = source("patchbay-%s.7" % name)
        about = json.loads(says("plugins", name, "--json"))
        check("patchbay\\-%s \\- " % name.replace("-", "\\-") in page, name + ": no NAME")
        for side in about["sides"]:
            for option in about[side]["options"]:
                for o in [option] + option.get("options", []):
                    term = r"\fB%s\fR  (" % o["name"]
                    check(term in page, "%s: the page has no option '%s'" % (name, o["name"]))


def test_every_key_of_routes_yaml(t):
    pages()
    page = source("routes.yaml.5")
    with open(os.path.join(TOP, "core", "config", "README.md")) as f:
        keys = re.findall(r"^\| `(\w+)` \| .* \|.*\|.*\|$", f.read(), re.M)
    check(len(keys) > 30, "only %d keys were found" % len(keys))
    for key in keys:
        check(r"\fB%s\fR" % key in page, "routes.yaml(5) has no '%s'" % key)


def test_same_bytes(t):
    """What is made twice is equal, and dated only by SOURCE_DATE_EPOCH."""
    pages()
    text = {}
    for epoch in ("", "1763812800"):
        env = {k: v for k, v in ENV.items() if k != "SOURCE_DATE_EPOCH"}
        if epoch:
            env["SOURCE_DATE_EPOCH"] = epoch
        out = os.path.join(t.folder, "man" + epoch)
        done = subprocess.run(["python3", "-B", os.path.join(TOP, "packaging", "manual", "manual.py"), "--program", PATCHBAY,
                               "--plugins", PLUGINS, "--plugindir", "/usr/lib/patchbay/plugins", "--datadir", "/usr/share", "--output", out,
                               "--reference", os.path.join(os.path.dirname(PATCHBAY), "sdk", "reference.md")],
                              env=env, capture_output=True, text=True, timeout=120)
        equal(done.stderr, "", "manual.py")
        for path in glob.glob(os.path.join(out, "*", "*")):
            with open(path) as f:
                text[epoch, os.path.basename(path)] = f.read()
    for epoch, name in text:
        if not epoch:
            other = text["1763812800", name]
            equal(other.replace('"2025-11-22"', '""'), text["", name], name)
            check('"2025-11-22"' in other, name + " is not dated")


if __name__ == "__main__":
    harness.main()
