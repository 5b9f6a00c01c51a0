#!/usr/bin/env python3
"""Makes the man pages: of what the program says about itself (--help, the tables of its plugins' options) and of the
documents beside the code, so that nothing is written twice. By hand is only patchbay.md, the general part of patchbay(1).

    manual.py --program FILE --plugins DIR --plugindir DIR --datadir DIR --reference FILE --output DIR

What `patchbay --help` lists has a page, and so has every plugin that is found in --plugins and has a README.md in plugins/.
It takes no more of Python than Debian's python3-minimal has."""

import argparse
import datetime
import os
import re
import subprocess
import sys

from markdown import Roff, argument, escape, parse

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
OPTION = re.compile(r" {2,}(-\S.*?)(?:  +(\S.*))?$")
PAGE = re.compile(r"(?<![\w`-])([a-z][a-z_.-]*)\((\d)\)")


def die(text):
    sys.exit("manual.py: " + text)


class Program:
    """What the program says."""

    def __init__(self, path, plugins):
        self.path, self.env = path, dict(os.environ, PATCHBAY_PLUGIN_PATH=plugins, LC_ALL="C.UTF-8")

    def says(self, *arguments):
        done = subprocess.run([self.path, *arguments], env=self.env, capture_output=True, text=True)
        if done.returncode:
            die("%s %s: exit code %d: %s" % (self.path, " ".join(arguments), done.returncode, done.stderr))
        return done.stdout


class Help:
    """A command's --help, taken apart."""

    def __init__(self, program, words):
        self.words, self.name = words, "-".join(("patchbay",) + words)
        self.usage, self.blocks, self.options, self.commands, self.status = [], [], [], [], ""
        lines = program.says(*words, "--help").rstrip().split("\n")
        where = "usage"
        for line in lines:
            option = OPTION.match(line)
            indented = line.startswith("  ")
            if where == "usage" and re.match("[Uu]sage: |       ", line):
                self.usage.append(line[7:])
            elif line == "Commands:":
                where = "commands"
            elif where == "commands" and indented and not option:
                self.commands.append(tuple(line.split(None, 1)))
            elif option and where != "code":
                self.options.append([option.group(1), option.group(2) or ""])
                where = "options"
            elif where == "options" and indented:
                self.options[-1][1] += " " + line.strip()
            elif line.startswith("Exit status: "):
                self.status, where = line[13:], "status"
            elif where == "status":
                self.status += " " + line.strip()
            elif not line:
                if where == "code":
                    self.blocks[-1][2].append("")
                else:
                    where = "between"
            elif indented:
                if where != "code":
                    self.blocks.append(("code", "", []))
                    where = "code"
                self.blocks[-1][2].append(line[2:])
            elif where == "text":
                self.blocks[-1] = ("text", self.blocks[-1][1] + " " + line)
            else:
                self.blocks.append(("text", line))
                where = "text"
        for block in self.blocks:
            while block[0] == "code" and not block[2][-1]:
                block[2].pop()

    def statuses(self):
        return re.findall(r"(\d) (.*?)(?:[,;] (?=\d )|\.?$)", self.status)


def marked(text):
    """Help as Markdown: options stand out, and nothing in it is markup by accident."""
    parts = re.split("(`.*?`)", text)
    parts[::2] = [re.sub(r"(?<![\w-])(--?[a-z][a-z-]*)", r"`\1`", re.sub(r"([*<])", r"\\\1", part)) for part in parts[::2]]
    return "".join(parts)


def term(text):
    """An option with what it takes: `-c`, `--config` *FILE*."""
    return re.sub(r"(--?[a-z][a-z-]*)|([A-Z]+)",
                  lambda m: "`%s`" % m.group(1) if m.group(1) else "*%s*" % m.group(2), text)


class Manual:
    def __init__(self, version, output):
        self.version, self.output, self.pages = version, output, {}
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        self.date = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).strftime("%Y-%m-%d") if epoch else ""

    def page(self, name, section, description, roff, see):
        see = [s for s in dict.fromkeys(see) if s != (name, section)]
        head = ['\'\\" t', '.TH "%s" %d "%s" "Patchbay %s" "Patchbay"' % (name.upper(), section, self.date, self.version),
                ".nr HY 0", ".nh", ".ad l", ".SH NAME", "%s \\- %s" % (escape(name, True), escape(description))]
        roff.heading(0, "See also")
        roff.fill(", ".join("\\fB%s\\fR(%d)" % (escape(n, True), s) for n, s in see))
        folder = os.path.join(self.output, "man%d" % section)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "%s.%d" % (name, section)), "w", encoding="ascii") as f:
            f.write("\n".join(head + roff.out) + "\n")


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


# ---- Commands ---------------------------------------------------------------------------------------------


def synopsis(roff, help):
    roff.heading(0, "Synopsis")
    for usage in unfolded(help.usage):
        words = " ".join(("patchbay",) + help.words)
        rest = usage[len(words):].strip() if usage.startswith(words) else usage
        roff.out.append('.SY "%s"' % argument(escape(words, True)))
        # What stands in brackets is not torn apart.
        for word in re.findall(r"(?:\[[^]]*\]|[^\s[])+", rest):
            roff.out.append(roff.inline(term(word)).replace(" ", "\\ ") + "\\&")
        roff.out.append(".YS")


def unfolded(usage):
    lines = []
    for line in usage:
        if line.startswith("patchbay"):
            lines.append(line)
        else:
            lines[-1] += " " + line.strip()
    return lines


def options(roff, help):
    if help.options:
        roff.heading(0, "Options")
        roff.terms([([term(t)], "", marked(text)) for t, text in help.options])


def commands(roff, help):
    if help.commands:
        roff.heading(0, "Commands")
        roff.terms([(["**%s**(1)" % "-".join((help.name, name))], "", marked(text)) for name, text in help.commands])


def command_pages(manual, program, words, summary, above):
    """The page of a command, and of those below it; returns them all."""
    help, roff = Help(program, words), Roff()
    if not help.usage or not help.statuses():
        die("`%s --help` has no usage or no exit status" % " ".join(("patchbay",) + words))
    synopsis(roff, help)
    roff.heading(0, "Description")
    text = [(b[0], marked(b[1])) if b[0] == "text" else b for b in help.blocks]
    roff.write(text)
    commands(roff, help)
    options(roff, help)
    roff.heading(0, "Exit status")
    roff.terms([(["`%s`" % code], "", marked(text)) for code, text in help.statuses()])
    if words == ("journal",):
        for_operators(roff)
    pages = [(help.name, 1)]
    for name, said in help.commands:
        pages += command_pages(manual, program, words + (name,), said, help.name)
    mentioned = [("-".join(m.split()[:2]), 1) for block in help.blocks if block[0] == "text"
                 for m in re.findall("`(patchbay [a-z]+)", block[1])]
    format = [("patchbay-journal", 5)] if words[0] == "journal" else []
    manual.page(help.name, 1, summary, roff, [("patchbay", 1)] + [(above, 1)] + mentioned + pages[1:] + format + [("routes.yaml", 5)])
    return pages


def for_operators(roff):
    """The section of that name of the journal's document."""
    blocks = parse(read("core", "journal", "README.md"))
    begin = blocks.index(("heading", 2, "For operators"))
    roff.heading(0, "For operators")
    roff.write(blocks[begin + 1:], 2)


def first_page(manual, program, folders, plugins):
    help, roff = Help(program, ()), Roff()
    pages = []
    for name, said in help.commands:
        pages += command_pages(manual, program, (name,), said, "patchbay")
    synopsis(roff, help)
    text = re.sub("@(.*?)@", lambda m: folders[m.group(1)], read("packaging", "manual", "patchbay.md"))
    blocks = [as_terms(block) for block in parse(linked(text))]
    second = [i for i, block in enumerate(blocks) if block[0] == "heading"][1]
    roff.write(blocks[:second], 2)
    commands(roff, help)
    options(roff, help)
    roff.write(blocks[second:], 2)
    summary = help.blocks[0][1].rstrip(".")
    manual.page("patchbay", 1, summary[0].lower() + summary[1:], roff,
                pages + [("routes.yaml", 5), ("patchbay-plugin", 3)] + [(page_of(p), 7) for p in plugins])


def linked(text):
    """The names of pages, as in patchbay(1), stand out."""
    return PAGE.sub(r"**\1**(\2)", text)


def as_terms(block):
    """A list whose items begin with a word that stands out is one of terms."""
    if block[0] == "list" and all(len(item) == 1 and item[0][1][0] in "`*" for item in block[1]):
        split = [re.match(r"((?:(?:`[^`]+`|\*\*.+?\*\*),? ?)+) (?=\S)(.*)", item[0][1]) for item in block[1]]
        return ("terms", [([m.group(1)], "", m.group(2)) for m in split])
    return block


# ---- Documents --------------------------------------------------------------------------------------------


def page_of(plugin):
    return "patchbay-" + plugin


class Document:
    """A document of the tree, and the links in it."""

    def __init__(self, path, plugins, page):
        self.path, self.plugins, self.page, self.see = path, plugins, page, []
        self.blocks = parse(read(path))
        self.roff = Roff(self.link)

    def link(self, label, target):
        if target.startswith("http"):
            return label if label in target else "%s <%s>" % (label, target)
        path = os.path.normpath(os.path.join(os.path.dirname(self.path), target.split("#")[0]))
        pages = {"core/config/README.md": ("routes.yaml", 5), "sdk/README.md": ("patchbay-plugin", 3),
                 "sdk/ABI.md": ("patchbay-plugin", 3), "core/journal/README.md": ("patchbay-journal", 1),
                 "core/journal/FORMAT.md": ("patchbay-journal", 5)}
        pages.update(("plugins/%s/README.md" % p, (page_of(p), 7)) for p in self.plugins)
        if target.startswith("#") or path not in pages:
            return label
        if pages[path] == self.page:
            return "**%s** (below)" % parse(read(path))[0][2]
        self.see.append(pages[path])
        return "**%s**(%d)" % pages[path]

    def top(self):
        """The level of the headings that are sections: a document with one title has them below it."""
        titles = sum(block[:2] == ("heading", 1) for block in self.blocks)
        return 2 if titles == 1 else 1


def terms_of_table(rows):
    """A table that says what may be written, as terms."""
    heads, told = rows[0], []
    for row in rows[1:]:
        row += [""] * (len(heads) - len(row))
        remarks = []
        for head, cell in zip(heads[1:], row[1:]):
            if head == "default" and cell not in ("", "required"):
                cell = "default " + cell
            if head and cell:
                remarks.append(cell)
        if row[0]:
            told.append(([row[0]], "; ".join(remarks), row[-1] if not heads[-1] else ""))
        else:
            told[-1] = told[-1][:2] + ("%s. Or %s: %s" % (told[-1][2], re.sub("^or ", "", "; ".join(remarks)), row[-1]),)
    return ("terms", told)


def routes_page(manual, plugins):
    document = Document("core/config/README.md", plugins, ("routes.yaml", 5))
    document.roff.heading(0, "Description")
    blocks = []
    for block in document.blocks[1:]:
        if block[0] == "table" and "default" in block[1][0]:
            if block[1][0][0] != "key":  # it says whose keys they are
                blocks.append(("text", "Keys of %s:" % block[1][0][0]))
            block = terms_of_table(block[1])
        blocks.append(block)
    document.roff.write(blocks, document.top())
    manual.page("routes.yaml", 5, "configuration of Patchbay: where events come from, and which go where", document.roff,
                [("patchbay", 1), ("patchbay-check", 1), ("patchbay-test", 1), ("patchbay-plugins", 1)] + document.see
                + [(page_of(p), 7) for p in plugins])


def format_page(manual, plugins):
    document = Document("core/journal/FORMAT.md", plugins, ("patchbay-journal", 5))
    document.roff.heading(0, "Description")
    document.roff.write(document.blocks[1:], document.top())
    manual.page("patchbay-journal", 5, "what stands in a journal's folder, and in an export of it", document.roff,
                [("patchbay", 1), ("patchbay-journal", 1), ("patchbay-journal-export", 1)] + document.see)


def plugin_api_page(manual, plugins, reference):
    guide = Document("sdk/README.md", plugins, ("patchbay-plugin", 3))
    roff = guide.roff
    roff.heading(0, "Synopsis")
    roff.out += [".nf", "\\fB#include <patchbay/plugin.h>\\fR", ".fi"]
    roff.heading(0, "Description")
    roff.write(guide.blocks[1:], 2)
    roff.write(parse(read("sdk", "ABI.md")), 1)
    with open(reference, encoding="utf-8") as f:
        blocks = parse(f.read())
    roff.write([b for b in blocks[1:] if b[0] != "list" or not b[1][0][0][1].startswith("[")], 2)
    manual.page("patchbay-plugin", 3, "how to write a plugin, and all that it may call and must offer", roff,
                [("patchbay", 1), ("patchbay-plugin-new", 1), ("patchbay-plugin-check", 1), ("routes.yaml", 5)] + guide.see)


# ---- Plugins ----------------------------------------------------------------------------------------------


class Plugin:
    """What `patchbay plugins NAME` says: options by side, as {name: (what it takes, help, options below it)}."""

    def __init__(self, program, name):
        self.name, self.options, self.calls, self.samples, self.sides = name, {}, [], [], []
        lines = program.says("plugins", name).split("\n")
        self.summary = lines[0].split(" - ", 1)[1].rstrip(".")
        part = last = None
        for line in lines[2:]:
            indent, said = len(line) - len(line.lstrip()), line.strip()
            if not said:
                continue
            if not indent:
                part = said.rstrip(":")
                side = re.match("As a (source|sink)$", part)
                if side:
                    self.sides.append(side.group(1))
                    options = self.options[side.group(1)] = {}
                continue
            if part.startswith("As a "):
                if indent in (2, 6):
                    name, takes = said.split(None, 1)
                    last = [re.sub(r" \(\d[^)]*\)|: \{env: NAME\}.*", "", takes), "", {}]
                    (options if indent == 2 else parent[2])[name] = last
                    parent = last if indent == 2 else parent
                else:
                    last[1] += said
            elif part.startswith("How it is called"):
                self.calls.append(re.split("  +", said, 1))
            elif part.startswith("Samples"):
                self.samples.append(re.split("  +", said, 1))

    def find(self, name, below, side):
        """[(side, option)] of that name; `below` is an option that has options."""
        found = []
        for s in self.sides:
            options = self.options[s].get(below, ("", "", {}))[2] if below else self.options[s]
            if name in options and side in ("", s):
                found.append((s, options[name]))
        return found


def taken(found, default):
    """What an option takes. The document's default counts where the program's table has none."""
    takes = list(dict.fromkeys(option[0] for _, option in found))
    text = takes[0]
    if len(takes) > 1 and takes[1].replace("; required", "") == text:
        text += "; required as a " + found[1][0]
    elif len(takes) > 1:
        text = "; ".join("as a %s: %s" % (side, option[0]) for side, option in found)
    parts = re.split(r"(default [^;]*)", text.replace("*", "\\*").replace("<", "\\<"))
    text = "".join("default `%s`" % part[8:].replace("\\*", "*").replace("\\<", "<") if i % 2 else part
                   for i, part in enumerate(parts))
    if default not in ("", "none", "required") and "default" not in text:
        text += "; default " + default
    return text


def options_below(name, option):
    return [(["`%s`" % below], "in `%s`: %s" % (name, taken([("", o)], "")), marked(o[1])) for below, o in option[2].items()]


def plugin_page(manual, plugin, plugins):
    document = Document("plugins/%s/README.md" % plugin.name, plugins, (page_of(plugin.name), 7))
    blocks, below, side, told = [], "", "", set()
    apart = {block[2].split(":")[0] for block in document.blocks if block[0] == "heading"}  # options with a section
    for block in document.blocks[1:]:
        if block[0] == "heading":
            blocks.append(block)
            word = re.match(r"(\w+):", block[2])
            word = word.group(1) if word else ""
            side = word.lower() if word.lower() in plugin.sides else ""
            found = plugin.find(word, "", "")
            below = word if found else ""
            if found:
                told.update((s, "", word) for s, _ in found)
                blocks.append(("terms", [(["`%s`" % word], taken(found, ""), marked(found[0][1][1]))]))
            continue
        if block[0] != "table" or "default" not in block[1][0]:
            blocks.append(block)
            continue
        rows = []
        for names, default, *text in block[1][1:]:
            for name in re.findall("`(.+?)`", names):
                found = plugin.find(name, below, side)
                if not found:
                    die("%s documents an option '%s' that the plugin does not have" % (document.path, name))
                told.update((s, below, name) for s, _ in found)
                rows.append((["`%s`" % name], taken(found, default), (text[0] if text else "") or marked(found[0][1][1])))
                if name not in apart:
                    rows += options_below(name, found[0][1])
        blocks.append(("terms", rows))
    rest = [row for s in plugin.sides for name, option in plugin.options[s].items() if (s, "", name) not in told
            for row in [(["`%s`" % name], taken([(s, option)], ""), marked(option[1]))] + options_below(name, option)]
    document.roff.heading(0, "Description")
    document.roff.write(blocks, document.top())
    if rest:
        document.roff.heading(0, "More options")
        document.roff.terms(rest)
    if plugin.calls:
        document.roff.heading(0, "How it is called")
        document.roff.write([("text", "Unless its options say otherwise, see **routes.yaml**(5):"),
                             ("table", [["", ""]] + [["`%s`" % name, text] for name, text in plugin.calls])])
    if plugin.samples:
        document.roff.heading(0, "Samples")
        document.roff.write([("text", "What **patchbay-send**(1) can play:")])
        document.roff.terms([(["`%s`" % name], "", marked(text)) for name, text in plugin.samples])
    manual.page(page_of(plugin.name), 7, plugin.summary, document.roff,
                [("patchbay", 1), ("patchbay-plugins", 1), ("routes.yaml", 5)] + document.see)


def main():
    parser = argparse.ArgumentParser()
    for name in ("program", "plugins", "plugindir", "datadir", "reference", "output"):
        parser.add_argument("--" + name, required=True)
    given = parser.parse_args()
    program = Program(given.program, given.plugins)
    listed = re.findall(r"^([a-z][a-z0-9-]*) +\S+ +(?:source|sink)", program.says("plugins"), re.M)
    plugins = [name for name in listed if os.path.exists(os.path.join(TOP, "plugins", name, "README.md"))]
    manual = Manual(program.says("--version").split()[1], given.output)
    first_page(manual, program, {"plugindir": given.plugindir, "datadir": given.datadir}, plugins)
    routes_page(manual, plugins)
    format_page(manual, plugins)
    plugin_api_page(manual, plugins, given.reference)
    for name in plugins:
        plugin_page(manual, Plugin(program, name), plugins)


if __name__ == "__main__":
    main()
