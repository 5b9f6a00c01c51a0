"""Markdown, as this project's documents use it, made into man(7).

parse() gives a document's blocks, each a tuple that begins with its kind:

    ("heading", level, text)   ("text", text)   ("code", language, lines)   ("table", rows)   ("list", [blocks, ...])
    ("terms", [([term, ...], remark, text), ...])   made of tables, never parsed: terms, each with what is said of it

and Roff writes them for terminals of 80 columns: tables that would be wider are given columns that fold."""

import re
import textwrap

COLUMNS = 78  # what man leaves of 80
INDENT = 7
GAP = 3  # between a table's columns
ITEM = re.compile(r"( *)- +(\S.*)")
FENCE = re.compile(r"( *)```(\w*)$")
INLINE = re.compile(r"(?P<tick>`+)(?P<code>.+?)(?P=tick)|\*\*(?P<bold>.+?)\*\*|\*(?P<italic>\S(?:.*?\S)?)\*"
                    r"|\[(?P<label>[^\]]+)\]\((?P<target>[^)\s]+)\)|<(?P<url>https?://[^>]+)>|(?P<br> *<br>)"
                    r"|\\(?P<escaped>[\\*<>_|`\[\]])")
SPECIAL = {"\\": "\\(rs", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "…": "...", "–": "\\(en", "—": "\\(em"}


# ---- Reading ----------------------------------------------------------------------------------------------


def cells(line):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def parse(text):
    lines, blocks, at = text.expandtabs(8).split("\n"), [], 0

    def take(fits):
        nonlocal at
        begin = at
        while at < len(lines) and fits(lines[at]):
            at += 1
        return lines[begin:at]

    while at < len(lines):
        line = lines[at]
        fence, heading = FENCE.match(line), re.match(r"(#+) (.*)", line)
        if not line.strip():
            at += 1
        elif fence:
            at += 1
            blocks.append(("code", fence.group(2), [l[len(fence.group(1)):] for l in take(lambda l: not FENCE.match(l))]))
            at += 1
        elif heading:
            blocks.append(("heading", len(heading.group(1)), heading.group(2)))
            at += 1
        elif line.startswith("    "):
            code = take(lambda l: l.startswith("    ") or not l.strip())
            while not code[-1].strip():
                code.pop()
            blocks.append(("code", "", [l[4:] for l in code]))
        elif line.startswith("|"):
            rows = take(lambda l: l.startswith("|"))
            blocks.append(("table", [cells(row) for row in rows[:1] + rows[2:]]))
        elif ITEM.match(line):
            items = []
            while at < len(lines) and lines[at].startswith("- "):
                first = re.sub("^- +", "", lines[at])
                at += 1
                rest = take(lambda l: l.startswith("  "))
                while at + 1 < len(lines) and not lines[at].strip() and lines[at + 1].startswith("  "):
                    rest += [""] + take(lambda l: not l.strip()) [1:] + take(lambda l: l.startswith("  "))
                items.append(parse("\n".join([first] + [l[2:] for l in rest])))
                take(lambda l: not l.strip() and lines[at + 1:at + 2] and lines[at + 1].startswith("- "))
            blocks.append(("list", items))
        else:
            said = take(lambda l: l.strip() and not l.startswith(("|", "#")) and not FENCE.match(l) and not ITEM.match(l))
            blocks.append(("text", " ".join(l.strip() for l in said)))
    return blocks


def plain(text):
    """What one sees of it."""
    return INLINE.sub(lambda m: m.group("code") or plain(m.group("bold") or m.group("italic") or m.group("label") or "")
                      or m.group("url") or m.group("escaped") or " ", text)


def share(natural, least, room):
    """Widths of columns that have `room` together: each what it needs at least, and of what is left what it would like."""
    columns, left = list(least), room - sum(least)
    order = sorted(range(len(natural)), key=lambda i: natural[i] - least[i])
    for position, i in enumerate(order):
        more = min(natural[i] - least[i], left // (len(order) - position))
        columns[i] += more
        left -= more
    return columns


# ---- Writing ----------------------------------------------------------------------------------------------


def escape(text, code=False):
    text = "".join(SPECIAL.get(c, c if ord(c) < 128 else "\\[u%04X]" % ord(c)) for c in text)
    return text.replace("-", "\\-") if code else text


def argument(text):
    return text.replace('"', "\\(dq")


def safe(line):
    """A line of text that does not look like a request."""
    return "\\&" + line if line[:1] in (".", "'") else line


class Roff:
    """`link` makes of a link's label and target what is to be read instead, in Markdown."""

    def __init__(self, link=lambda label, target: label):
        self.link, self.out, self.depth = link, [], 0

    def inline(self, text, font="R"):
        def shown(m):
            if m.group("code"):
                return "\\fB%s\\f%s" % (escape(m.group("code"), True), font)
            if m.group("bold"):
                return "\\fB%s\\f%s" % (self.inline(m.group("bold"), "B"), font)
            if m.group("italic"):
                return "\\fI%s\\f%s" % (self.inline(m.group("italic"), "I"), font)
            if m.group("label"):
                return self.inline(self.link(m.group("label"), m.group("target")), font)
            if m.group("url"):
                return "<%s>" % re.sub("(?<=[^/]/)(?=[^/])", r"\\:", escape(m.group("url"), True))
            return "\n.br\n" if m.group("br") else escape(m.group("escaped"))

        out, at = "", 0
        for m in INLINE.finditer(text):
            out += escape(text[at:m.start()]) + shown(m)
            at = m.end()
        return out + escape(text[at:])

    def paragraph(self):
        if not self.out or not self.out[-1].startswith((".SH", ".SS")):
            self.out.append(".PP")

    def fill(self, text):
        for part in text.split("\n"):
            if part == ".br":
                self.out.append(part)
            else:
                self.out += [safe(l) for l in textwrap.wrap(part, 110, break_long_words=False, break_on_hyphens=False)]

    def write(self, blocks, top=1):
        """`top` is the level of heading that begins a section."""
        for block in blocks:
            if block[0] == "heading":
                self.heading(block[1] - top, block[2])
            elif block[0] == "text":
                self.paragraph()
                self.fill(self.inline(block[1]))
            else:
                getattr(self, block[0])(*block[1:])

    def heading(self, level, text):
        if level <= 0:
            parts = re.split("(`.*?`)", text)
            parts[::2] = [part.upper() for part in parts[::2]]
            text = "".join(parts)
        text = argument(self.inline(text.replace("`", "") if level < 2 else text, "B"))
        if level < 2:
            self.out.append((".SS " if level == 1 else ".SH ") + text)
        else:
            self.paragraph()
            self.out.append("\\fB%s\\fR" % text)

    def code(self, language, lines):
        """A remark that would stand beyond the margin goes above what it is about."""
        self.paragraph()
        self.out += [".RS 4", ".EX"]
        room = COLUMNS - INDENT - 4 - self.depth
        for line in lines:
            if language == "c" and len(line) > room:
                line = "\n".join(textwrap.wrap(line, room, subsequent_indent="\t", tabsize=4))
            remark = re.match(r"( *)(\S.*?) +(# .*)$", line)
            if len(line) > room and remark and not remark.group(2).startswith("#"):
                indent, line = remark.group(1), remark.group(1) + remark.group(2)
                self.out += [safe(escape(indent + said, True)) for said in
                             textwrap.wrap(remark.group(3), room - len(indent), subsequent_indent="# ")]
            self.out += [safe(escape(l, True)) or "\\&" for l in line.split("\n")]
        self.out += [".EE", ".RE"]

    def list(self, items):
        short = all(len(blocks) == 1 and len(plain(blocks[0][1])) < 66 for blocks in items)
        for number, blocks in enumerate(items):
            self.out += [".PD 0"] if short and number == 1 else []
            self.out.append(".IP \\(bu 2")
            self.fill(self.inline(blocks[0][1]))
            if blocks[1:]:
                self.out.append(".RS 2")
                self.depth += 2
                self.write(blocks[1:])
                self.depth -= 2
                self.out.append(".RE")
        self.out += [".PD"] if short and len(items) > 1 else []

    def terms(self, rows):
        for terms, remark, text in rows:
            for i, term in enumerate(terms):
                last = i == len(terms) - 1
                self.out.append(".TQ" if i else ".TP")
                self.out.append(safe(self.inline(term) + ("  (%s)" % self.inline(remark) if remark and last else "")))
            self.fill(self.inline(text) or "\\&")

    def table(self, rows):
        width = max(len(row) for row in rows)
        rows = [row + [""] * (width - len(row)) for row in rows]
        natural = [max(len(plain(row[i])) for row in rows) for i in range(width)]
        room = COLUMNS - INDENT - self.depth - GAP * (width - 1)
        least = [max(len(word) for row in rows for word in plain(row[i]).split() or [""]) for i in range(width)]
        if sum(least) > room:
            self.terms([([row[0]], "", "; ".join("%s: %s" % pair if pair[0] else pair[1]
                                                 for pair in zip(rows[0][1:], row[1:]) if pair[1])) for row in rows[1:]])
            return
        columns = share(natural, least, room)
        folds = columns != natural
        self.paragraph()
        self.out += [".TS", "tab(\t);", " ".join("lw(%dn)" % n if n < full else "l" for n, full in zip(columns, natural)) + "."]
        if any(rows[0]):
            rows[0] = ["**%s**" % cell.replace("`", "") if cell else "" for cell in rows[0]]
        else:
            rows = rows[1:]
        for number, row in enumerate(rows):
            line = []
            for cell, n, full in zip(row, columns, natural):
                said = self.inline(cell)
                if n < full and said:
                    said = "T{\n%s\nT}" % "\n".join(safe(l) for l in textwrap.wrap(
                        said, 110, break_long_words=False, break_on_hyphens=False))
                elif said[:1] in (".", "_", "="):
                    said = "\\&" + said
                line.append(said)
            self.out.append("\t".join(line))
            if folds and number < len(rows) - 1:
                self.out.append("\\&")
        self.out.append(".TE")
