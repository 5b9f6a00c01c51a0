"""What the documents say is so: each command in them works as it is written, each configuration is right, each option has
the default that a table gives it, each link leads somewhere, each answer to a provider is the one that README.md promises."""

import glob
import json
import os
import re
import subprocess

import docs_world
import harness
from docs_world import Elsewhere, World, code_of, parse, run_commands, text_of
from harness import LEARNING_KEY, PATCHBAY, PLUGINS, TOP, check, equal, wait_until

ENV = dict(os.environ, PATCHBAY_PLUGIN_PATH=PLUGINS, LC_ALL="C.UTF-8")
INSTALLED = {
    "cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF":
        Elsewhere("takes minutes; what is installed here was built so, but with tests"),
}


def documents():
    done = subprocess.run(["git", "-C", TOP, "ls-files", "*.md"], capture_output=True, text=True)
    found = done.stdout.split() if done.returncode == 0 else [
        os.path.relpath(path, TOP) for path in glob.glob(TOP + "/**/*.md", recursive=True) if "/build" not in path]
    return [path for path in found if not path.startswith("sdk/template/")]  # test_sdk.py does as these say


def yaml_of(document):
    return ["\n".join(lines) + "\n" for language, lines in code_of(document) if language == "yaml"]


def program(*arguments):
    done = subprocess.run([PATCHBAY, *arguments], env=ENV, capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, "exit code of patchbay %s: %s" % (" ".join(arguments), done.stderr))
    return done.stdout


# ---- Commands ---------------------------------------------------------------------------------------------


def campus(number):
    """An event of the learning platform, as it comes by way of a proxy."""
    with open(os.path.join(TOP, "plugins", "lms", "samples", "course_completed.json")) as f:
        event = json.load(f)
    event["id"] = "made-%d" % number
    with harness.Client(docs_world.LISTEN) as client:
        answer = client.post("/in/campus", json.dumps(event).encode(), {"X-Forwarded-For": "54.243.7.71"})
    equal(answer.status, 200, "answer to campus")
    return event, answer.event_id


def exported(name):
    rows = ""
    for path in glob.glob("/var/lib/patchbay/export/" + name):
        with open(path) as f:
            rows += f.read()
    return rows


def serving(t):
    """README.md's own configuration, in the folder and as the installed one, at work."""
    world = World(t)
    world.peers()
    routes = yaml_of("README.md")[0]
    world.configure(routes)
    world.configure(routes, "/etc/patchbay/routes.yaml")
    world.serve()
    return world


def play(world):
    """Events get where README.md's configuration sends them; the last one becomes a dead letter."""
    world.run("patchbay send fleet driver_performance_event_created -c routes.yaml")
    world.run("patchbay send learning badge_earned -c routes.yaml")
    event, _ = campus(1)
    wait_until(lambda: world.slack.got and world.smtp.mails, lambda: "nothing came of it:\n" + world.logged())
    check(world.slack.got[0].text.startswith("Hard brake: vehicle "), "Slack got " + world.slack.got[0].text)
    check("%s completed %s" % (event["userDetail"]["lastName"], event["title"])
          in re.sub(r"\r\n ", " ", world.smtp.mails[0].data.decode()), "the mail is %r" % world.smtp.mails[0].data)
    wait_until(lambda: exported("events-*.csv").count("\n") == 4, lambda: exported("events-*.csv"))
    wait_until(lambda: exported("hard-brakes.csv").count("\n") == 2, lambda: exported("hard-brakes.csv"))
    world.smtp.rule("RCPT", lambda argument: "550 no such user")
    world.id = campus(2)[1]
    wait_until(lambda: world.id in world.run("patchbay dead --json -c routes.yaml"), "no dead letter")


def demo(world):
    """All but the build, which has been."""
    tools = os.path.join(world.folder, "tools")
    os.makedirs(tools)
    os.symlink("/bin/true", os.path.join(tools, "cmake"))
    world.run("PATH=%s:$PATH sh packaging/demo.sh --check" % tools)


def test_readme(t):
    world = serving(t)
    rules = dict(INSTALLED)
    rules.update({
        "sh packaging/demo.sh": demo,
        "cmake --build build && cmake --install build": "patchbay --version",
        "editor /etc/patchbay/routes.yaml": Elsewhere("is for a person"),
        "patchbay check && systemctl reload patchbay": "patchbay check && patchbay --version",
        "patchbay explain ID": [play, "patchbay explain ID"],
        # Nothing of that class was given up.
        "patchbay replay --sink safety --class destination --dry-run":
            lambda w: w.run("patchbay replay --sink safety --class destination --dry-run", code=1),
        "patchbay plugins [NAME]": ["patchbay plugins", "patchbay plugins motive"],
        "patchbay plugin new NAME --source|--sink": ["patchbay plugin new mine --source", "patchbay plugin new mysink --sink"],
        "patchbay plugin check FILE.so": "patchbay plugin check --only 'options*' /usr/local/lib/patchbay/plugins/lms.so",
        "patchbay send SOURCE EVENT [--count N] [--to URL]":
            "patchbay send fleet vehicle_upserted --count 2 --to http://127.0.0.1:8080/in/fleet -c routes.yaml",
        "patchbay send SOURCE --list": "patchbay send fleet --list",
        "patchbay events --follow -c routes.yaml": lambda w: w.follow(
            "patchbay events --follow -c routes.yaml", lambda: w.run("patchbay send fleet vehicle_upserted -c routes.yaml")),
        "patchbay dead [ID] -c routes.yaml": ["patchbay dead -c routes.yaml", "patchbay dead ID -c routes.yaml"],
        "patchbay replay -c routes.yaml ...": "patchbay replay -c routes.yaml ID",
        "patchbay reverify SOURCE -c routes.yaml": "patchbay reverify fleet -c routes.yaml",
        "patchbay test FILE [-c routes.yaml]": "patchbay test etc/demo/tests.yaml",
    })
    run_commands(world, "README.md", rules, others=(" providers", "RUN cmake"))
    world.stop()
    world.run("PATCHBAY_PLUGIN_PATH=build/plugins build/patchbay check -c routes.yaml")


def test_examples_of_the_manual(t):
    world = serving(t)
    run_commands(world, "packaging/manual/patchbay.md", {
        "patchbay serve -c routes.yaml": ["patchbay serve -c routes.yaml", play],
        "patchbay replay --class destination --dry-run":
            lambda w: w.run("patchbay replay --class destination --dry-run", code=1)})
    if os.path.isdir("/usr/local/share/man/man1"):
        world.run("man -w patchbay patchbay-send routes.yaml patchbay-motive")
    world.stop()


def test_sdk_guide(t):
    world = World(t)

    def daemon(w):
        w.cwd = w.folder
        w.run("rm -f routes.yaml")
        w.configure("listen: 127.0.0.1:8080\njournal: /var/lib/patchbay\nsinks:\n  everything:\n    plugin: csv-export\n"
                    "    path: orders.csv\n    columns: [id]\n")
        w.serve()
        text = yaml_of("sdk/README.md")[0].replace("routes:", "sinks:\n  everything:\n    plugin: csv-export\n"
                                                  "    path: orders.csv\n    columns: [id]\nroutes:")
        w.configure("listen: 127.0.0.1:8080\njournal: /var/lib/patchbay\n" + text)

    def note_id(w):
        w.id = json.loads(w.run("patchbay events --json --limit 1 -c routes.yaml").splitlines()[0])["id"]

    rules = dict(INSTALLED)
    rules.update({"cmake --build build && sudo cmake --install build": "pkg-config --modversion patchbay",
                  "cd acme": "cd acme && mkdir -p build",
                  "patchbay check -c routes.yaml": [daemon, "patchbay check -c routes.yaml"],
                  "patchbay events -c routes.yaml": ["patchbay events -c routes.yaml", note_id]})
    run_commands(world, "sdk/README.md", rules)
    world.stop()


def test_other_guides(t):
    """Documents that have few commands or none: those are run beside a daemon that has README.md's configuration."""
    special = {
        "core/README.md": ({}, [" provider "]),
        "core/config/README.md": ({}, ["ok      expensive", "time="]),  # see test_testing_a_configuration
        "core/conform/README.md": ({
            "patchbay plugin check ./mine.so": "patchbay plugin check --only 'options*' build/plugins/lms.so",
            "patchbay plugin check --set 'region=north-7' --only 'signature.*' ./mine.so":
                "patchbay plugin check --set tolerance=5m --only 'signature.*' build/plugins/standard-webhooks.so",
            "patchbay plugin check --only hostile.odd --in-process ./mine.so":
                "patchbay plugin check --only hostile.odd --in-process build/plugins/lms.so"}, []),
        "core/journal/FORMAT.md": ({}, ["lock, control"]),
        "core/journal/README.md": ({}, ["journal/"]),
        "sdk/ABI.md": ({}, ["it is built for"]),  # test_abi.py has these sentences
        "plugins/http/README.md": ({}, ["POST /events"]),  # test_standard_webhooks.py
        "plugins/slack/README.md": ({}, ["*37 events*"]),  # test_slack.py
    }
    world = serving(t)
    for document in documents():
        if document not in ("README.md", "sdk/README.md", "packaging/manual/patchbay.md"):
            rules, others = special.get(document, ({}, []))
            run_commands(world, document, rules, others)
    world.stop()


def test_commands_in_sentences(t):
    """`patchbay COMMAND --option` in the text: there is such a command, and it has these options."""
    helps = {}
    for document in documents():
        for code in re.findall(r"`patchbay ((?:[a-z]+ ?)[^`]*)`", text_of(document)):
            words = code.split()
            if words[0] == "plugin" and words[1:2] and words[1] in ("new", "check"):
                words[:2] = [" ".join(words[:2])]
            if words[0] not in helps:
                said = program(*words[0].split(), "--help")
                helps[words[0]] = " ".join(re.findall(r"^(?:[Uu]sage: | {7}| {2,6}(?=-))(.*)", said, re.M))
            for option in (word for word in words[1:] if word.startswith("-")):
                check(re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(option), helps[words[0]]),
                      "%s: `patchbay %s`: there is no option %s" % (document, code, option))


def test_exit_codes(t):
    """README.md: 2 is wrong usage, whatever the command; and each has --help."""
    check("2 wrong usage" in text_of("README.md"), "README.md does not say it")
    listed = program("--help").partition("Commands:\n")[2].split("\n\n")[0]
    for command in re.findall(r"^ +(\S+)", listed, re.M):
        check("2 wrong usage" in program(command, "--help"), command + " --help does not say it")
        done = subprocess.run([PATCHBAY, command, "--no-such-option"], env=ENV, capture_output=True, text=True, timeout=60)
        equal(done.returncode, 2, "exit code of patchbay %s --no-such-option" % command)


def test_names(t):
    """Metrics, functions, constants and variables that documents name are somewhere in the code."""
    code = ""
    for path in glob.glob(TOP + "/core/**/*.[ch]", recursive=True) + glob.glob(TOP + "/sdk/**/*.*", recursive=True) + \
            glob.glob(TOP + "/tests/**/*.py", recursive=True):
        if not path.endswith(".md") and os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                code += f.read()
    for document in documents():
        for name in re.findall(r"\b(?:patchbay_\w*[a-z0-9]|PATCHBAY_\w*[A-Z0-9])\b(?!_)", text_of(document)):
            check(name in code or name == "patchbay_plugin_v2", "%s: nothing is called %s" % (document, name))


# ---- Configurations ---------------------------------------------------------------------------------------

# Plugins that documents invent, by those that are nearest to them.
STAND_IN = (("plugin: acme", "plugin: motive"), ("plugin: table", "plugin: csv-export"),
            ("plugin: mail", "plugin: smtp\n    server: smtp://mail.example.org\n    from: patchbay@example.org"))


def whole(text):
    """A piece of a configuration, with what it takes to be one."""
    for invented, real in STAND_IN:
        text = text.replace(invented, real)
    if text.startswith("secret:"):  # of a source
        text = "sources:\n  fleet:\n    plugin: motive\n    " + text
    if not re.search("^listen:", text, re.M):
        text = "listen: 127.0.0.1:8080\n" + text
    if not re.search("^journal:", text, re.M):
        text = "journal: /var/lib/patchbay\n" + text
    if "sinks:" not in text and "routes:" in text:
        text += "sinks:\n" + "".join("  %s:\n    plugin: csv-export\n    path: x.csv\n    columns: [id]\n" % name
                                     for name in set(re.findall(r"^ +to: (\w+)", text, re.M)))
    return text


def test_configurations(t):
    world, tried = World(t), 0
    for document in documents():
        for text in yaml_of(document):
            if "tests:" in text:
                continue  # see below
            pieces = [line + "\n" for line in text.splitlines()] if text.startswith("secret:") else [text]
            for piece in pieces:
                world.configure(whole(piece))
                try:
                    world.run("patchbay check -c routes.yaml")
                except harness.Failed as e:
                    raise harness.Failed("%s:\n%s\n%s" % (document, whole(piece), e)) from None
                tried += 1
    for path in ("etc/routes.yaml", "etc/demo/routes.yaml"):
        world.configure(text_of(path).replace("/tmp/patchbay-demo", world.folder), "/etc/patchbay/routes.yaml")
        world.run("patchbay check")
    check(tried > 12, "only %d were found" % tried)


def test_testing_a_configuration(t):
    """The tests in core/config/README.md, with the configuration at its beginning."""
    world, document = World(t), "core/config/README.md"
    routes = whole(yaml_of(document)[0]).replace('"return"', '"order_returned"')
    tests, = [text for text in yaml_of(document) if "tests:" in text]
    tests = tests.replace("sample: order_returned", "body: '%s'" % json.dumps(
        {"action": "order_returned", "id": 1, "number": 17, "total": 1, "customer": {"name": "Bo"}}))
    tests = tests.replace("why: signature", "why: X-KT-Webhook-Signature")
    with open(os.path.join(world.cwd, "tests.yaml"), "w") as f:
        f.write(tests)
    world.configure(routes)
    world.run("patchbay test tests.yaml")
    # What it says when a test fails stands below them.
    world.configure(routes.replace("> 100", "> 1"))
    said = world.run("patchbay test tests.yaml", code=1).splitlines()
    shown, = [lines for _, lines in code_of(document) if lines[0].startswith("ok ")]
    added = routes.count("\n", 0, routes.index("- from:")) - yaml_of(document)[0].count("\n", 0, yaml_of(document)[0].index("- from:"))
    for line in shown:
        line = re.sub(r"(routes.yaml:)(\d+)", lambda m: m.group(1) + str(int(m.group(2)) + added), line)
        check(any(got.startswith(line) for got in said), "%r is not in %r" % (line, said))


# ---- Tables -----------------------------------------------------------------------------------------------


def rows_of(document, wanted):
    """(heading, columns, cells) of each row of the tables whose columns `wanted` takes."""
    heading = ""
    for block in parse(text_of(document)):
        if block[0] == "heading":
            heading = block[2]
        elif block[0] == "table" and wanted(block[1][0]):
            for row in block[1][1:]:
                yield heading, block[1][0], row


def test_plugin_options(t):
    """Tables of options in the plugins' documents: every option, and its default."""
    for name in (plugin["name"] for plugin in json.loads(program("plugins", "--json"))["plugins"]):
        document, seen = "plugins/%s/README.md" % name, set()
        if not os.path.exists(os.path.join(TOP, document)):
            continue
        about = json.loads(program("plugins", name, "--json"))
        for heading, _, row in rows_of(document, lambda columns: "default" in columns):
            word = heading.split(":")[0]
            for option in re.findall("`(.+?)`", row[0]):
                tables = [(side, about[side]["options"]) for side in about["sides"] if word.lower() in (side, "") or
                          word.lower() not in about["sides"]]
                below = [(side, o["options"]) for side, table in tables for o in table if o["name"] == word and "options" in o]
                found = [(side, o) for side, table in below or tables for o in table if o["name"] == option]
                check(found, "%s: the plugin has no option '%s'" % (document, option))
                seen.update((side, bool(below), option) for side, _ in found)
                real = [o["default"] for _, o in found]
                said = re.fullmatch("`(.*)`", row[1])
                if said and any(real):
                    values = [re.sub(r"[][\" ]", "", value) if isinstance(value, str) else value for value in real]
                    check(said.group(1).replace(" ", "").strip("[]") in values,
                          "%s: the default of '%s' is not %s but %s" % (document, option, row[1], real))
                if row[1] == "required":
                    check(any(o["required"] for _, o in found) or option in ("client_id", "username", "secret_key"),
                          "%s: '%s' is not required" % (document, option))
                elif row[1] in ("none", "") or said:
                    check(not all(o["required"] for _, o in found) or row[1] == "", "%s: '%s' is required" % (document, option))
        for side in about["sides"]:
            for option in about[side]["options"]:
                check((side, False, option["name"]) in seen or re.search(r"^## %s: " % option["name"], text_of(document), re.M),
                      "%s does not speak of the option '%s'" % (document, option["name"]))


def test_keys_of_routes_yaml(t):
    """core/config/README.md on `limits`, `retention` and what every source and sink has."""
    world, document = World(t), "core/config/README.md"
    limits = "listen: 127.0.0.1:8080\njournal: /var/lib/patchbay\n%s: {%s: %s}\n"
    table = text_of("core/config/load.c")
    for _, columns, (key, _, default, bounds, _) in rows_of(document, lambda columns: "range" in columns):
        key, default, where = key.strip("`"), default.strip("`"), columns[0].strip("`")
        check(re.search(r'"%s", \.def = "%s"' % (key, default), table), "the default of %s.%s is not %s" % (where, key, default))
        least, most = bounds.split(" to ")
        for value, code in ((least, 0), (most, 0), (least_but_one(least), 1), (more(most), 1)):
            world.configure(limits % (where, key, value))
            world.run("patchbay check -c routes.yaml", code=code)
    common = {side: {o["name"]: o for o in json.loads(program("plugins", plugin, "--json"))[side]["common_options"]}
              for side, plugin in (("source", "motive"), ("sink", "smtp"))}
    for side in common:
        rows = [row for _, _, row in rows_of(document, lambda columns: columns[0] == "every " + side) if row[0]]
        equal(sorted(row[0].strip("`") for row in rows), sorted(common[side]), "options of every " + side)
        for name, _, default, _ in rows:
            option = common[side][name.strip("`")]
            real = [str(o["default"]) for o in option.get("options", [option]) if o["default"] is not None]
            said = [d for d in re.findall("`(.*?)`", default)]
            check(said == real or "plugin's" in default, "the default of %s is not %s but %s" % (name, said, real))
            equal(default == "required", bool(option["required"]), name + " is required")


def least_but_one(value):
    return "-1" if value == "0" else {"100ms": "99ms", "1K": "1023", "1M": "1023K", "1s": "999ms"}.get(value, "0")


def more(value):
    number, unit = re.fullmatch(r"(\d+)(\w*)", value).groups()
    return "%d%s" % (int(number) + 1, unit)


def test_answers(t):
    """README.md, "What a provider gets answered": a row with no function here is a failure."""
    world = serving(t)

    def post(path, body, headers=None, method="POST"):
        with harness.Client(docs_world.LISTEN) as client:
            try:
                client.send(client.request(body, path, headers, method))
            except harness.Closed:
                pass  # it has answered before it had read all
            return client.answer()

    def fleet(body):
        return post("/in/fleet", body, harness.motive_headers(body))

    def raw(text):
        with harness.Client(docs_world.LISTEN) as client:
            client.send(text)
            return client.answer().status

    def genuine():
        answer = fleet(harness.fault(1))
        check(answer.event_id, "no Patchbay-Event-Id")
        return [answer.status]

    def again():
        first, second = fleet(harness.fault(2)), fleet(harness.fault(2))
        equal(second.event_id, first.event_id, "id of the first")
        return [second.status]

    def not_genuine():
        body = harness.fault(3)
        return [post("/in/fleet", body, {"X-KT-Webhook-Signature": "0" * 40}).status, post("/in/campus", b"{}").status]

    def wrong_requests():
        return [post("/in/fleet", b"x" * (4 * 1024 * 1024 + 1)).status, post("/in/fleet", b"", method="GET").status,
                post("/nowhere", b"x").status,
                raw(b"POST /in/fleet HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
                raw(b"POST /in/fleet HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(120)) + b"\r\n")]

    rules = {
        "a genuine event": genuine,
        "the same event again (a retry)": again,
        "a test or enabling call of the provider": lambda: [fleet(b'["vehicle_location_updated"]').status],
        "genuine, but not understood": lambda: [fleet(b"no JSON").status],
        "not genuine: wrong signature, wrong address, a replayed token": not_genuine,
        "too large; not POST; unknown path; broken HTTP": wrong_requests,
        "one with which the source's plugin crashes": Elsewhere("test_crash.py"),
        "the journal cannot take it: disk full or failing, overload, shutting down": Elsewhere("test_diskfull.py, test_fsync.py"),
    }
    rows = [row for _, _, row in rows_of("README.md", lambda columns: columns[:2] == ["what came", "answer"])]
    equal(sorted(row[0] for row in rows), sorted(rules), "rows")
    for what, answer, _ in rows:
        if not isinstance(rules[what], Elsewhere):
            equal(sorted(set(rules[what]())), sorted(set(map(int, re.findall(r"\b[2-5]\d\d\b", answer)))), what)
    world.stop()


def test_providers(t):
    """README.md's table of providers, and what `patchbay plugins` says of them."""
    plugin = {"Motive": "motive", "Innovative Educators": "lms", "Motivate Cloud": "motivate"}
    rows = [row for _, _, row in rows_of("README.md", lambda columns: "proves itself by" in columns)]
    equal(sorted(row[0] for row in rows), sorted(plugin), "providers")
    for name, _, waits, success, _, _ in rows:
        said = program("plugins", plugin[name])
        known = re.search(r"waits for an answer +(.*)", said).group(1)
        equal(known.replace("unknown", "not stated"), waits, name + " waits")
        codes = set()
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", re.search(r"takes as success +(.*)", said).group(1)):
            codes.update(range(int(first), int(last or first) + 1))
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", success):
            codes.difference_update(range(int(first), int(last or first) + 1))
        check(not codes, "%s takes %s as success, too" % (name, codes))


# ---- Links ------------------------------------------------------------------------------------------------


def anchors(document):
    return {re.sub(r"[^\w -]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)", text_of(document), re.M)}


def test_links(t):
    for document in documents():
        folder, text = os.path.dirname(document), re.sub(r"^ *```.*?^ *```", "", text_of(document), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(folder, path)) if path else document
            if document.startswith("sdk/") and path == "sdk/reference.md":
                continue  # made in the build
            check(os.path.exists(os.path.join(TOP, path)), "%s: the link to %s leads nowhere" % (document, target))
            check(not anchor or anchor in anchors(path), "%s: %s has no section #%s" % (document, path, anchor))
        # Paths of the tree, from its top or from the document's folder, wherever they are named.
        for name in re.findall(r"`((?:core|sdk|tests|plugins|etc|packaging|unit|behaviour|abi|conform|fault|bench)/[\w./*-]*)`", text):
            places = [os.path.join(TOP, base, name) for base in ("", folder, "core", "tests", "tests/*")]
            check(any(glob.glob(place) for place in places), "%s: there is no %s" % (document, name))
        for name in re.findall(r"`(test_\w+\.(?:py|c))`", text):
            check(glob.glob(os.path.join(TOP, "tests", "*", name)), "%s: there is no test %s" % (document, name))


if __name__ == "__main__":
    docs_world.enter()
    harness.main()
