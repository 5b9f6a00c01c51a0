"""The JSON Schema that `patchbay schema` prints: valid by its meta-schema, with every key that the loader knows and no
others; it takes all that `patchbay check` takes, and refuses what that refuses, as far as a schema can see. Both are asked
about every key with values of every kind, and about whole files with random changes."""

import glob
import json
import os
import random
import re
import shutil
import subprocess

import harness
from harness import Skip, TOP, check, equal

try:
    import jsonschema
    import yaml
except ImportError:
    pass  # run() says so

main, harness.main = harness.main, lambda: None  # what it refuses is taken from there, without running it
import test_config  # noqa: E402

FIXTURES = os.path.join(os.path.dirname(harness.PATCHBAY), "tests", "abi", "1.0")  # a source and a sink

# Faults that no schema sees: what is not in the file, what several values have to do with each other, what is inside of a
# program, in which range a duration or size is that has a unit or is in quotes, that 2.0 is not 2, and how YAML is written.
UNSEEN = re.compile(r"""
    unknown\ (source|sink)\ ' | is\ named\ twice | not\ a\ valid\ jq | sets\ a\ value,\ which\ is\ true
    | \d+[a-zA-Z]+\ is\ out\ of\ range | \d+\ is\ out\ of\ range;\ write\ \d+[KMGT] | '\d+\.0'\ is\ not\ a | is\ already\ taken | must\ not\ be\ where\ providers\ post | 'max'\ is\ shorter
    | cannot\ open | is\ not\ a\ file | is\ empty;\ put\ the\ secret | environment\ variable\ .*\ is\ not\ set
    | no\ \$CREDENTIALS_DIRECTORY | a\ credential\ has\ a\ plain\ name | 'path_secret'\ needs\ at\ least
    | there\ are\ two\ entries | ^(source|sink)\ '[^']*':\  | does\ not\ exist | cannot\ be\ made
    | not\ an\ (IPv6\ address|address\ or\ network) | there\ is\ no\ folder
    | is\ here\ a\ second\ time | anchors\ | aliases\ | tags\ | a\ second\ document
    | 'silence':\ '\d+[a-z]+'\ is\ none\ of\ these | ^'log':
    """, re.X)

MINIMAL = {  # one of each plugin, to which one key at a time is added
    "motive": {"secret": {"env": "SECRET"}},
    "lms": {},
    "motivate": {"webhook_key": {"env": "SECRET"}},
    "standard-webhooks": {"secret": {"env": "SECRET"}},
}
MINIMAL_SINK = {
    "csv-export": {"path": "x.csv", "columns": ["id"]},
    "slack": {"webhook_url": {"env": "URL"}, "text": "x"},
    "smtp": {"server": "smtps://mail.example.org", "from": "a@example.org", "to": ["b@example.org"], "subject": "x"},
    "http": {"url": "https://example.org/"},
    "motivate": {"client_id": "x", "secret_key": {"env": "SECRET"}, "username": "x", "path": "/x", "body": "{}"},
}

VALUES = [0, 1, 5, -1, 70000, 10 ** 9, 0.5, 2.0, True, False, None, "", "x", "off", "0", "5", "30s", "1d", "0s", "5x", "4K", "10M", "1.5", "50/s", "0/s",
          "2000000/s", "10/min", "none", "subject", "*", "Fleet", "a b", "id", ".data.x", "127.0.0.1:8080", "127.0.0.1", "192.0.2.0/24", "192.0.2.0/33",
          "2001:db8::/32", "[::1]:80", "unix:/tmp/x.sock", "unix:x", "0.0.0.0:70000", "http://127.0.0.1:80", "https://example.org/x", "/x", "true",
          [], ["x"], ["x", "y"], [1], [None], [""], ["1m", "10m"], ["30s", 5], ["127.0.0.1:8080", "127.0.0.1:8081"], ["192.0.2.7", "::1"],
          [["x"]], ["id", "time"], ["id", "id"], [{"a": ".data.a"}], [{"a": ".data.a", "b": ".data.b"}], [{}],
          {}, {"x": 1}, {"env": "SECRET"}, {"env": ""}, {"env": "SECRET", "file": "x"}, {"environment": "SECRET"}, {"file": 5}, [{"env": "SECRET"}],
          [{"env": "SECRET"}, {"file": "/etc/no.such"}], [{"env": "SECRET"}, "written here"], {"credential": "x"},
          {"initial": "1s"}, {"initial": "1s", "factor": 0}, {"max": 5}, {"events": 1}, {"events": 0}, {"bytes": "1M", "linger": 0}, {"linger": 5},
          {"body": "4M"}, {"body": 1}, {"age": "30d", "size": "10G"}, {"age": 30}]


def some(n):
    """Other ones in each run; fewer where the program is slow."""
    return random.sample(VALUES, n // harness.SLOWER)


class Yaml12(getattr(globals().get("yaml"), "SafeLoader", object)):
    """As editors read YAML: by its core schema, where `off` and `yes` are strings."""


if "yaml" in globals():
    Yaml12.yaml_implicit_resolvers = {}
    for tag, pattern, first in (("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
                                ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
                                ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
                                ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")):
        Yaml12.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), list(first))


def run(*arguments, code=0, plugins=None, cwd=None):
    if "jsonschema" not in globals() or "yaml" not in globals():
        raise Skip("needs python3-jsonschema and python3-yaml")
    env = dict(os.environ, PATCHBAY_PLUGIN_PATH=plugins or harness.PLUGINS, SECRET="c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", URL="https://example.org/x")
    done = subprocess.run([harness.PATCHBAY, *arguments], capture_output=True, cwd=cwd, env=env, timeout=60 * harness.SLOWER)
    if code is not None:
        equal(done.returncode, code, "exit code of %s, which says %s" % (" ".join(arguments), done.stderr.decode()))
    return done.stdout.decode()


def made(**more):
    schema = json.loads(run("schema", **more))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def resolved(validator, schema):
    return validator.schema["definitions"][os.path.basename(schema["$ref"])] if "$ref" in schema else schema


def as_strings(value):
    """JSON's keys are strings, whatever they are to YAML."""
    if isinstance(value, dict):
        return {str(k): as_strings(v) for k, v in value.items()}
    return [as_strings(v) for v in value] if isinstance(value, list) else value


def said(validator, value, schema=None):
    """What the schema says is wrong with it: text, empty if nothing."""
    found = validator.descend(value, schema) if schema else validator.iter_errors(value)
    return "; ".join("%s: %s" % ("/".join(map(str, e.path)), e.message[:200]) for e in found)


def faults(folder, text, plugins=None):
    """What `patchbay check` says is wrong: (line, message)."""
    with open(os.path.join(folder, "routes.yaml"), "w") as f:
        f.write(text)
    found = json.loads(run("check", "-c", "routes.yaml", "--json", code=None, cwd=folder, plugins=plugins))
    return [(f["line"], f["message"]) for f in found["faults"] if f["severity"] == "error"]


def disagreement(what, schema_says, check_says):
    """A sentence, if the two have no excuse for their different opinions."""
    if schema_says and not check_says:
        return "check takes it, the schema says %s: %s" % (schema_says, what)
    if check_says and not schema_says and not any(UNSEEN.search(m) for m in check_says):
        return "the schema takes it, check says %s: %s" % (check_says, what)
    return None


def test_is_a_schema(t):
    text = run("schema")
    equal(text, run("schema"), "the schema made a second time")
    made()
    made(plugins="/nonexistent")  # without any plugin it is one, too


def test_valid_files(t):
    """All that is anywhere in the tree, as it is."""
    validator = made()
    texts = {}
    for name in ("etc/routes.yaml", "etc/demo/routes.yaml"):
        texts[name] = open(os.path.join(TOP, name)).read()
    for name in ["README.md"] + sorted(os.path.relpath(p, TOP) for p in glob.glob(TOP + "/plugins/*/README.md")):
        for i, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", open(os.path.join(TOP, name)).read(), re.M | re.S)):
            texts["%s, example %d" % (name, i + 1)] = block
    texts["test_config.py"] = test_config.GOOD.format(folder="/x")
    texts["harness.py"] = re.sub(r"\{(\w+)\}", "127.0.0.1:1", harness.ROUTES.replace("{{", "{").replace("}}", "}"))
    seen = 0
    for name, text in texts.items():
        value = as_strings(yaml.load(text, Loader=Yaml12))
        if not isinstance(value, dict) or not set(value) & {"listen", "sources", "sinks", "routes"}:
            continue  # an example of something else
        value = dict({"listen": "127.0.0.1:1", "journal": "/x"}, **value)
        equal(said(validator, value), "", name)
        seen += 1
    check(seen >= 6, "only %d examples were found" % seen)


def test_broken_files(t):
    """What test_config.py breaks is seen here, too, if it can be."""
    validator = made()
    wrong, flagged = [], 0
    for name, (text, expected) in test_config.BROKEN.items():
        if not isinstance(text, str):
            continue
        try:
            value = as_strings(yaml.load(text.format(folder=t.folder), Loader=Yaml12))
        except yaml.YAMLError:
            continue
        errors = [re.sub(r"^[0-9: ]*", "", e) for e in expected if " warning: " not in e]
        flagged += bool(said(validator, value))
        wrong.append(disagreement(name, said(validator, value), errors))
    check(not any(wrong), "\n  ".join(["they do not agree"] + list(filter(None, wrong))))
    check(flagged > 20, "the schema refuses %d of them only" % flagged)


def known_keys(folder, text):
    """The keys that `check` names when it meets one that there is not."""
    for line, message in faults(folder, text):
        found = re.search(r"unknown key 'qqqqqqqq' in .*; there are: (.*)", message)
        if found:
            return sorted(found.group(1).split(", "))
    raise harness.Failed("check does not name the keys: %s\n%s" % (faults(folder, text), text))


def keys(validator, schema):
    return sorted(resolved(validator, schema)["properties"])


def tables(schema):
    """The mappings that a value can be."""
    return [] if schema is True else [s for s in [schema, *schema.get("anyOf", [])] if "properties" in s]


def test_keys(t):
    """Each mapping has the same keys in the schema as in the loader."""
    validator = made()
    schema, sides = validator.schema, validator.schema["definitions"]
    top = "listen: 127.0.0.1:1\njournal: /x\n"
    equal(keys(validator, schema), known_keys(t.folder, top + "qqqqqqqq: 1\n"), "keys at the top")
    equal(keys(validator, sides["route"]), known_keys(t.folder, top + "routes: [{qqqqqqqq: 1}]\n"), "keys of a route")
    for name, value in schema["properties"].items():
        for table in tables(value):
            others = re.sub("^%s:.*\n" % name, "", top, flags=re.M)
            equal(keys(validator, table), known_keys(t.folder, others + "%s: {qqqqqqqq: 1}\n" % name), "keys of %s" % name)
    for section, minimal in (("source", MINIMAL), ("sink", MINIMAL_SINK)):
        equal(sorted(minimal), sorted(sides[section]["properties"]["plugin"]["enum"]), "plugins that this test knows as a " + section)
        for plugin in minimal:
            side = sides["%s-%s" % (section, plugin)]
            equal(keys(validator, side), known_keys(t.folder, top + "%ss: {x: {plugin: %s, qqqqqqqq: 1}}\n" % (section, plugin)),
                  "keys of %s, as a %s" % (plugin, section))
            for name, value in side["properties"].items():
                for table in tables(value):
                    equal(keys(validator, table), known_keys(t.folder, top + "%ss: {x: {plugin: %s, %s: {qqqqqqqq: 1}}}\n" % (section, plugin, name)),
                          "keys of %s of %s" % (name, plugin))


def nested(validator, schema):
    """Mappings below a key: the names of their keys."""
    if schema is True:
        return []
    schema = resolved(validator, schema)
    found = list(schema.get("properties", {})) if "$ref" not in schema else []
    for one in schema.get("anyOf", []):
        found += nested(validator, one) if "$ref" not in one else []
    return found


def test_every_key_of_plugins(t):
    """Each key of each plugin, with values of every kind: many sources or sinks to a file, each on a line of its own."""
    validator = made()
    wrong, cases = [], 0
    for section, minimal in (("source", MINIMAL), ("sink", MINIMAL_SINK)):
        for plugin, base in minimal.items():
            side = validator.schema["definitions"]["%s-%s" % (section, plugin)]
            instances = [dict(base, plugin=plugin)]
            for key, schema in side["properties"].items():
                values = some(30) + [{inner: v} for inner in nested(validator, schema) for v in some(8)]
                instances += [{**base, "plugin": plugin, key: v} for v in values]
            instances += [{k: v for k, v in dict(base, plugin=plugin).items() if k != gone} for gone in ["plugin", *base]]
            lines = ["listen: 127.0.0.1:1", "journal: state", section + "s:"]
            lines += ["  x%d: %s" % (i, json.dumps(v)) for i, v in enumerate(instances)]
            told = {}
            for line, message in faults(t.folder, "\n".join(lines) + "\n"):
                told.setdefault(line, []).append(message)
            for i, instance in enumerate(instances):
                cases += 1
                wrong.append(disagreement(json.dumps(instance), said(validator, instance, {"$ref": "#/definitions/" + section}), told.get(i + 4, [])))
            equal(told.get(4, []), [], "what is wrong with the plainest %s of %s" % (section, plugin))
    wrong = list(filter(None, wrong))
    check(not wrong, "\n  ".join(["they disagree about %d of %d:" % (len(wrong), cases)] + wrong[:40]))
    check(cases > 1000 // harness.SLOWER, "only %d cases" % cases)


BASE = {
    "listen": "127.0.0.1:8080", "journal": "state", "admin": "127.0.0.1:8081",
    "sources": {"fleet": {"plugin": "lms", "path_secret": {"env": "SECRET"}}, "campus": {"plugin": "lms"}},
    "sinks": {"audit": dict(MINIMAL_SINK["csv-export"], plugin="csv-export", retry=["1m", "10m"], batch={"events": 10})},
    "routes": [{"from": "fleet", "type": ["a_*", "b"], "to": ["audit"]}, {"to": "audit", "test": True}],
    "retention": {"age": "30d"}, "limits": {"body": "4M", "connections": 10}, "trusted_proxies": ["127.0.0.1"], "plugins": "/nonexistent",
}


def few_plugins(t):
    """A folder with two plugins only: `check` then takes a few ms."""
    folder = os.path.join(t.folder, "plugins")
    os.makedirs(folder)
    for name in ("lms", "csv-export"):
        shutil.copy(os.path.join(harness.PLUGINS, name + ".so"), folder)
    return folder


def compare(t, validator, plugins, value):
    text = json.dumps(value)
    return disagreement(text, said(validator, value), [m for _, m in faults(t.folder, text, plugins)])


def test_every_key_of_the_host(t):
    plugins = few_plugins(t)
    validator = made(plugins=plugins)
    equal(said(validator, BASE), "", "the file that is changed")
    wrong = []
    for key, schema in validator.schema["properties"].items():
        for value in some(20) + [{inner: v} for inner in nested(validator, schema) for v in some(8)]:
            wrong.append(compare(t, validator, plugins, dict(BASE, **{key: value})))
    for key in validator.schema["definitions"]["route"]["properties"]:
        for value in some(20):
            wrong.append(compare(t, validator, plugins, dict(BASE, routes=[dict({"to": "audit"}, **{key: value})])))
    for name in ("a", "0", "Fleet", "x" * 63, "x" * 64, "-x", "a.b"):
        wrong.append(compare(t, validator, plugins, dict(BASE, sources={name: {"plugin": "lms"}}, routes=[])))
    wrong = list(filter(None, wrong))
    check(not wrong, "\n  ".join(["they disagree about %d:" % len(wrong)] + wrong[:40]))


def places(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        for k, v in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(v, (*path, k))


def changed(value):
    """The same with one random change somewhere."""
    value = json.loads(json.dumps(value))
    path = random.choice([p for p in places(value) if p])
    parent = value
    for step in path[:-1]:
        parent = parent[step]
    last, kind = path[-1], random.randrange(6)
    if kind == 0:
        del parent[last]
    elif kind == 1 and isinstance(parent, dict):
        parent[str(last)[:-1] or "q"] = parent.pop(last)
    elif kind == 2:
        parent[last] = [parent[last]]
    elif kind == 3 and isinstance(parent, dict):
        parent[random.choice(["retry", "to", "secret", "body", "colour", "path_secret", "order"])] = random.choice(VALUES)
    elif kind == 4 and isinstance(parent[last], str):
        text = list(parent[last] or "x")
        text[random.randrange(len(text))] = random.choice("aZ05:./* _-[")
        parent[last] = "".join(text)
    else:
        parent[last] = random.choice(VALUES)
    return value


def test_random_changes(t):
    plugins = few_plugins(t)
    validator = made(plugins=plugins)
    wrong = []
    for _ in range(100 // harness.SLOWER):
        value = changed(BASE)
        wrong.append(compare(t, validator, plugins, changed(value) if random.random() < 0.3 and value else value))
    wrong = list(filter(None, wrong))
    check(not wrong, "\n  ".join(["they disagree about %d:" % len(wrong)] + wrong[:40]))


def test_plugins_of_others(t):
    """One that `plugins:` of the file leads to has its keys in the schema; without -c it has not."""
    if not glob.glob(FIXTURES + "/*.so"):
        raise Skip("no other plugins are built here")
    routes = os.path.join(t.folder, "routes.yaml")
    with open(routes, "w") as f:
        f.write("plugins: %s\n" % FIXTURES)
    sides = made(cwd=t.folder).schema["definitions"]
    more = json.loads(run("schema", "-c", routes))["definitions"]
    new = sorted(set(more) - set(sides))
    check(new, "no other definitions with the plugins of %s" % FIXTURES)
    for name in new:
        section, plugin = name.split("-", 1)
        described = json.loads(run("plugins", "-c", routes, plugin, "--json"))[section]
        equal(sorted(more[name]["properties"]), sorted(o["name"] for o in described["options"] + described["common_options"]), "keys of " + name)
        check(plugin in more[section]["properties"]["plugin"]["enum"], "%s is not among the plugins" % plugin)


main()
