#!/usr/bin/env python3
"""Makes one text, in Markdown, of the SDK's headers: every struct, function and constant with its comment.

    reference.py HEADER...          prints it
    reference.py --check HEADER...  names each function pointer whose comment does not tell the thread; exit code 1 if any

It reads C as these headers write it: a comment stands before what it is about, or behind it on the same line."""

import os
import re
import sys

TAG = re.compile(r"\[(control|request|delivery|any)\]")
POINTER = re.compile(r"\(\*(\w+)\)\s*\(")
COMMENT = re.compile(r"/\*(.*?)\*/", re.S)
SECTION = re.compile(r"-{4,} *(.*?) *-{4,}")
STRING = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
TOLD = "[control], [request], [delivery] or [any]"


class Item:
    """A declaration, a member of a struct, a constant, a #define, or a section's headline."""

    def __init__(self, text, line, comment, shares):
        self.text, self.line, self.comment = re.sub(r"\s+", " ", text).strip(), line, comment
        self.shares = shares  # has no comment of its own, and stands right below what has
        self.members = []


class Reader:
    def __init__(self, path):
        with open(path) as f:
            text = f.read()
        # What is for C++ only is not for people; its lines are still counted.
        cpp = re.compile(r"#ifdef __cplusplus.*?#endif|(?<=\n)#else\n.*?#endif", re.S)
        self.text = cpp.sub(lambda m: "\n" * m.group().count("\n"), text)
        self.at, self.path = 0, path

    def line(self):
        return self.text.count("\n", 0, self.at) + 1

    def take(self, pattern):
        match = re.compile(pattern, re.S).match(self.text, self.at)
        self.at = match.end()
        return match.group()

    def until(self, stops):
        """The text up to one of these characters, outside of parentheses and strings; it is not taken."""
        begin, depth = self.at, 0
        while depth or self.text[self.at] not in stops:
            c = self.take(STRING + "|.")
            depth += (c == "(") - (c == ")")
        return self.text[begin:self.at]

    def skip_braces(self):
        depth = 0
        while True:
            c = self.take(STRING + r"|/\*.*?\*/|.")
            depth += (c == "{") - (c == "}")
            if not depth:
                return

    def declaration(self, end):
        """The next one, its members, and the comment behind its opening brace."""
        text, members, inner = self.until(end + "{}"), [], ""
        kind = re.search(r"\b(struct|enum)\b[^()=]*$", text)
        if self.text[self.at] == "{" and kind:
            self.at += 1
            inner = self.take(r"[ \t]*(?:/\*.*?\*/)?").strip()
            members = self.items("," if kind.group(1) == "enum" else ";")
            self.at += 1
            text += " { } " + self.until(end)
        elif self.text[self.at] == "{":
            self.skip_braces()
        if self.text[self.at:self.at + 1] == end:
            self.at += 1
        return text, members, inner

    def items(self, end):
        """What stands at this level, up to its closing brace or the end of the file. `end` is what each ends with."""
        items, comment, last_line = [], "", -1
        while True:
            self.take(r"\s*")
            line = self.line()
            if self.at == len(self.text) or self.text[self.at] == "}":
                return items
            if self.text.startswith("/*", self.at):
                found = self.take(r"/\*.*?\*/")
                if line == last_line:
                    items[-1].comment += found
                    last_line = self.line()
                elif SECTION.search(found):
                    items.append(Item("", line, found, False))
                else:
                    comment = found
                continue
            members, inner = [], ""
            if self.text[self.at] == "#":
                text = self.take(r"#(?:\\.|[^\\\n])*?(?=/\*|\n)")
                if text.startswith("#ifndef __cplusplus"):
                    continue
                if not re.match(r"#define \w+(\(.*?\))? \S", text):
                    comment = ""
                    continue
            else:
                text, members, inner = self.declaration(end)
            items.append(Item(text, line, comment + inner, not comment and bool(items) and line == last_line + 1))
            items[-1].members = members
            comment, last_line = "", self.line()

    def head_and_items(self):
        return self.take(r"/\*.*?\*/"), self.items(";")


def lines_of(comment):
    return [re.sub(r"^\s*\* ?", "", line).rstrip() for line in comment[2:-2].strip().split("\n")]


def prose(comments):
    """Comments as one paragraph."""
    text = " ".join(" ".join(lines_of(c.group())) for c in COMMENT.finditer(comments))
    return re.sub(r"\s+", " ", re.sub(r"-{3,}", "", text)).strip()


def markdown(text):
    """Text in which only what stands in backticks is code."""
    parts = re.sub(r"(?<!`)<(patchbay/\w+\.h)>", r"`<\1>`", text).split("`")
    parts[::2] = [re.sub(r"([*<])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def head_as_markdown(comment):
    """The text at the head of a file: paragraphs, words that are explained (`Word  text`), and code behind a blank
    line."""
    out, blank, code = [], True, False
    for line in lines_of(comment):
        inner, said = len(line) - len(line.lstrip()), line.strip()
        word = re.match(r"(\w+(?=  )|\[\w+\]) +(.*)", said)
        if code and (not said or inner >= 4):
            out.append(line[4:])
        elif not said:
            out.append("")
        elif blank and inner >= 4:
            out.append("```c\n" + line[4:])
            code = True
        elif word:
            out.append("%s- **%s** %s" % ("  " if inner else "", word.group(1), markdown(word.group(2))))
        else:
            out.append("    "[:inner // 8 * 2] + markdown(said))
        blank = not said
    return "\n".join(out) + ("\n```" if code else "")


def checked(path):
    """(line, name) of each function pointer whose thread no comment tells."""
    wanting = []

    def look(items, around):
        told = False
        for item in items:
            told = bool(TAG.search(item.comment)) or (item.shares and told)
            name = POINTER.search(item.text)
            if name and not told and not around:
                wanting.append((item.line, name.group(1)))
            look(item.members, around or bool(TAG.search(item.comment)))

    look(Reader(path).head_and_items()[1], False)
    return wanting


def name_of(item):
    """What a person looks for."""
    define = re.match(r"#define (\w+)", item.text)
    if define:
        return define.group(1)
    if "{ }" in item.text:
        tail = item.text.split("{ }")[1].strip()
        return tail or item.text.split("{ }")[0].strip()
    call = POINTER.search(item.text) or re.search(r"(\w+)\((?!\()", re.sub(r"__attribute__\(\(.*?\)\)\)?", "", item.text))
    return call.group(1) if call else re.split(r"\W+", re.sub(r"\[.*", "", item.text))[-1]


def print_members(items, depth=0):
    for item in items:
        text = prose(item.comment)
        if item.shares and not text and POINTER.search(item.text):
            text = "As the one before."
        print("%s- `%s`%s" % ("  " * depth, item.text.replace(" { }", ""), "<br>" + markdown(text) if text else ""))
        print_members(item.members, depth + 1)


def print_item(item):
    section = SECTION.search(item.comment) if not item.text else None
    if section:
        rest = prose("/*" + item.comment[2:].replace(section.group(1), "", 1))
        print("\n### %s\n%s" % (section.group(1), "\n%s\n" % markdown(rest) if rest else ""), end="")
        return
    if re.match(r"typedef struct \w+ \w+$|typedef struct (\w+) \1$", item.text) and not item.comment:
        return  # only says that it comes
    print("\n#### %s\n" % ("constants" if item.text.startswith("enum") else "`%s`" % name_of(item)))
    if item.text.startswith("#define"):
        print("`%s`" % re.sub(r"\\ ?", "", item.text[8:]))
    elif "{ }" not in item.text:
        print("```c\n%s\n```" % re.sub(r"^static inline ", "", re.sub(r"__attribute__\(\(.*?\)\)\)? ?", "", item.text)))
    if item.comment:
        print(("" if item.members else "\n") + markdown(prose(item.comment)) + ("\n" if item.members else ""))
    print_members(item.members)


def main(arguments):
    if arguments[:1] == ["--check"]:
        wanting = [(path, line, name) for path in arguments[1:] for line, name in checked(path)]
        for path, line, name in wanting:
            print("%s:%d: no comment says in which thread '%s' is called; begin one with %s" % (path, line, name, TOLD),
                  file=sys.stderr)
        return 1 if wanting else 0
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    # The whole contract first, then the rest by name.
    paths = sorted(arguments, key=lambda path: (os.path.basename(path) != "plugin.h", path))
    print("# Patchbay's plugin interface\n\nMade of the comments in the headers, which are what binds.\n")
    for path in paths:
        print("- [`<patchbay/%s>`](#patchbay%s)" % ((os.path.basename(path),) + (os.path.basename(path).replace(".", ""),)))
    for path in paths:
        head, items = Reader(path).head_and_items()
        print("\n## `<patchbay/%s>`\n\n%s" % (os.path.basename(path), head_as_markdown(head).split(" - ", 1)[1]))
        for item in items:
            print_item(item)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
