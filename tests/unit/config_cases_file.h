/* config_cases_file.h - broken files, and what is said about them: YAML, the keys at the top, routes. */
static const struct fault_case file_cases[] = {
	{ "all is well",
	  SINK(""),
	  "" },
	{ "empty file",
	  "",
	  "routes.yaml: is empty; it needs at least 'listen' and 'journal'" },
	{ "only a comment",
	  "# later\n",
	  "routes.yaml: is empty; it needs at least 'listen' and 'journal'" },
	{ "null document",
	  "---\n",
	  "routes.yaml: is empty; it needs at least 'listen' and 'journal'" },
	{ "a list",
	  "- a\n"
	  "- b\n",
	  "routes.yaml:1:1: a configuration must be 'key: value' lines, not a list" },
	{ "a word",
	  "hello\n",
	  "routes.yaml:1:1: a configuration must be 'key: value' lines, not a single value" },
	{ "bad indentation",
	  "listen: 127.0.0.1:0\n"
	  " journal: /x\n",
	  "routes.yaml:2:9: not valid YAML: mapping values are not allowed in this context; check the "
	  "indentation, and put values that begin with one of [ ] { } * & ! | > % @ ` \" or contain ': ' in "
	  "quotes" },
	{ "tab",
	  "listen:\n"
	  "\t- 127.0.0.1:0\n",
	  "routes.yaml:2:1: this character cannot begin a value; indent with spaces instead of tabs, and put "
	  "values that begin with % @ or ` in quotes" },
	{ "unclosed bracket",
	  "listen: [127.0.0.1:0\n"
	  "journal: /x\n",
	  "routes.yaml:2:8: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence "
	  "that begins at 1:9; check the indentation, and put values that begin with one of [ ] { } * & ! | > "
	  "% @ ` \" or contain ': ' in quotes" },
	{ "unclosed quote",
	  "listen: '127.0.0.1:0\n"
	  "journal: /x\n",
	  "routes.yaml:3:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar that "
	  "begins at 1:9; check the indentation, and put values that begin with one of [ ] { } * & ! | > % @ ` "
	  "\" or contain ': ' in quotes" },
	{ "ipv6 without quotes",
	  "listen: [::]:8080\n"
	  "journal: /x\n",
	  "routes.yaml:1:10: not valid YAML: did not find expected node content while parsing a flow node that "
	  "begins at 1:10; check the indentation, and put values that begin with one of [ ] { } * & ! | > % @ "
	  "` \" or contain ': ' in quotes" },
	{ "duplicate key at the top",
	  SINK("journal: /tmp\n"),
	  "routes.yaml:8:1: key 'journal' is here a second time, the first is on line 2; remove one of them" },
	{ "duplicate sink",
	  SINK("  audit:\n"
	  "    plugin: drain\n"),
	  "routes.yaml:8:3: key 'audit' is here a second time, the first is on line 6; remove one of them" },
	{ "duplicate option",
	  SINK("    text: a\n"
	  "    text: b\n"),
	  "routes.yaml:9:5: key 'text' is here a second time, the first is on line 8; remove one of them" },
	{ "anchor",
	  SINK("    text: &a hello\n"),
	  "routes.yaml:8:11: anchors (&name) are not supported; write the value out, or put it in quotes if it "
	  "begins with '&'" },
	{ "alias",
	  SINK("    text: *hello\n"),
	  "routes.yaml:8:11: aliases (*name) are not supported; write the value out, or put it in quotes if it "
	  "begins with '*'" },
	{ "bare star",
	  ROUTES("routes:\n"
	  "  - from: *\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: a value that begins with '*' or '&' must be in quotes, such as '*'" },
	{ "star pattern",
	  ROUTES("routes:\n"
	  "  - type: *_created\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: aliases (*name) are not supported; write the value out, or put it in quotes if it "
	  "begins with '*'" },
	{ "tag",
	  SINK("    text: !!str 5\n"),
	  "routes.yaml:8:11: tags (!name) are not supported; remove the tag, or put the value in quotes if it "
	  "begins with '!'" },
	{ "secret that looks like a tag",
	  SOURCE("  fleet: {plugin: probe, key: !Pa55word}\n"),
	  "routes.yaml:6:40: not valid YAML: did not find expected whitespace or line break while scanning a "
	  "tag that begins at 6:31; check the indentation, and put values that begin with one of [ ] { } * & ! "
	  "| > % @ ` \" or contain ': ' in quotes" },
	{ "merge key",
	  SINK("    <<: {text: a}\n"),
	  "routes.yaml:8:5: merge keys (<<) are not supported; write the keys out" },
	{ "two documents",
	  SINK("") "---\n"
"listen: x\n",
	  "routes.yaml:10:1: a second document begins here; one file holds one configuration" },
	{ "complex key",
	  SINK("    [a, b]: c\n"),
	  "routes.yaml:8:5: a key must be a word, not a list" },
	{ "missing key",
	  SINK("    : c\n"),
	  "routes.yaml:8:5: not valid YAML: did not find expected key while parsing a block mapping that "
	  "begins at 7:5; check the indentation, and put values that begin with one of [ ] { } * & ! | > % @ ` "
	  "\" or contain ': ' in quotes" },
	{ "deep",
	  "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
	  "routes.yaml:1:35: nested deeper than 32 levels" },
	{ "not UTF-8",
	  "listen: 127.0.0.1:0\n"
	  "journal: /caf\351\n",
	  "routes.yaml:2:14: byte 0xe9 is not UTF-8; write the file as plain UTF-8 text" },
	{ "control character",
	  "listen: 127.0.0.1:0\n"
	  "journal: /a\001b\n",
	  "routes.yaml:2:12: byte 0x01 is a control character; write the file as plain UTF-8 text" },
	{ "unknown key at the top",
	  SINK("retentoin: {age: 3d}\n"),
	  "routes.yaml:8:1: unknown key 'retentoin' in this file; did you mean 'retention'?" },
	{ "unknown key, nothing near",
	  SINK("frobnicate: 1\n"),
	  "routes.yaml:8:1: unknown key 'frobnicate' in this file; there are: listen, admin, journal, plugins, "
	  "limits, retention, log, alarms, sources, sinks, routes, trusted_proxies" },
	{ "listen and journal are missing",
	  "routes: []\n",
	  "routes.yaml: 'journal' is missing: the folder where events are kept; write journal: "
	  "/var/lib/patchbay\n"
	  "routes.yaml: 'listen' is missing: where providers post to; write listen: 0.0.0.0:8080\n"
	  "routes.yaml:1:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen without address",
	  "listen: 8080\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': the address is missing; write 0.0.0.0:8080 for all of IPv4\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen on :port",
	  "listen: ':8080'\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': which addresses? write 0.0.0.0:8080 for all of IPv4, '[::]:8080' for all "
	  "of IPv6\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen without port",
	  "listen: 127.0.0.1\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': the port is missing; write ADDRESS:PORT, such as 0.0.0.0:8080\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen on a name",
	  "listen: [localhost:80, example.org:80]\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:10: 'listen': names are not looked up; write 127.0.0.1:80\n"
	  "routes.yaml:1:24: 'listen': 'example.org' is not an IP address; write one such as 127.0.0.1:8080 "
	  "(names are not looked up)\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen on a large port",
	  "listen: 127.0.0.1:65536\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': '65536' is not a port; write a number from 0 to 65535\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen on a word port",
	  "listen: 127.0.0.1:http\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': 'http' is not a port; write a number from 0 to 65535\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen on bare IPv6",
	  "listen: '::1:8080'\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': an IPv6 address stands in brackets, and in quotes; write "
	  "'[2001:db8::7]:8080'\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen on wrong IPv6",
	  "listen: '[::g]:8080'\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': '::g' is not an IPv6 address; write one such as '[::1]:8080' (names are "
	  "not looked up)\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "unix socket relative",
	  "listen: unix:run/x.sock\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': a unix socket needs an absolute path; write "
	  "unix:/run/patchbay/http.sock\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "unix socket too long",
	  "listen: unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen': the path of a unix socket has at most 107 bytes\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen twice",
	  "listen: [127.0.0.1:80, 127.0.0.1:81, 127.0.0.1:80]\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:38: 'listen': 127.0.0.1:80 is already taken by 127.0.0.1:80 above; remove one of "
	  "them\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen under a wildcard",
	  "listen: [0.0.0.0:80, 127.0.0.1:80]\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:22: 'listen': 127.0.0.1:80 is already taken by 0.0.0.0:80 above; remove one of "
	  "them\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen empty",
	  "listen: []\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen' is missing: where providers post to; write listen: 0.0.0.0:8080\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen null",
	  "listen:\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:8: 'listen' must be an address such as 127.0.0.1:8080, not nothing\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "listen is a mapping",
	  "listen: {a: b}\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:1:9: 'listen' needs 'address': where providers post to; write address: 0.0.0.0:8443\n"
	  "routes.yaml:1:10: unknown key 'a' in 'listen'; there are: address, tls\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "admin is listen",
	  "listen: '[::]:80'\n"
	  "admin: '[::1]:80'\n"
	  "journal: /x\n"
	  "routes: []\n",
	  "routes.yaml:2:8: 'admin' must not be where providers post to ([::]:80); write another port, such as "
	  "127.0.0.1:8081\n"
	  "routes.yaml:4:9: warning: there are no routes; events are kept and go nowhere" },
	{ "admin is no address",
	  SINK("admin: yes\n"),
	  "routes.yaml:8:8: 'admin': the port is missing; write ADDRESS:PORT, such as 0.0.0.0:8080" },
	{ "journal is a URL",
	  "listen: 127.0.0.1:0\n"
	  "journal: postgresql://u:Pa55word@h/db\n"
	  "routes: []\n",
	  "routes.yaml:2:10: 'journal': this build knows the embedded journal only; write a folder, such as "
	  "/var/lib/patchbay\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "journal is empty",
	  "listen: 127.0.0.1:0\n"
	  "journal: ''\n"
	  "routes: []\n",
	  "routes.yaml:2:10: 'journal': must not be empty: the folder where events are kept: /var/lib/patchbay\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "journal is null",
	  "listen: 127.0.0.1:0\n"
	  "journal:\n"
	  "routes: []\n",
	  "routes.yaml:2:9: 'journal': has no value; write one, or remove the line\n"
	  "routes.yaml:3:9: warning: there are no routes; events are kept and go nowhere" },
	{ "plugin folder that is not there",
	  SINK("plugins: [/nowhere/plugins]\n"),
	  "routes.yaml:8:11: warning: 'plugins': there is no folder /nowhere/plugins" },
	{ "plugins is a mapping",
	  SINK("plugins: {a: b}\n"),
	  "routes.yaml:8:10: 'plugins': must be a list, not a mapping" },
	{ "trusted proxies",
	  SINK("trusted_proxies: [10.0.0.0/8, ten, 10.0.0.0/33, 10.1.2.3/8]\n"),
	  "routes.yaml:8:31: 'trusted_proxies': 'ten' is not an address or network; write it as 192.0.2.7, "
	  "192.0.2.0/24 or 2001:db8::/32\n"
	  "routes.yaml:8:36: 'trusted_proxies': '10.0.0.0/33' is not an address or network; write it as "
	  "192.0.2.7, 192.0.2.0/24 or 2001:db8::/32\n"
	  "routes.yaml:8:49: warning: 'trusted_proxies': 10.1.2.3/8 has bits behind its prefix; the whole "
	  "network counts" },
	{ "limits out of range",
	  SINK("limits: {body: 65M, connections: 0, request: 11m}\n"),
	  "routes.yaml:8:16: 'body': 65M is out of range; write 1K to 64M\n"
	  "routes.yaml:8:34: 'connections': 0 is out of range; write 1 to 65536\n"
	  "routes.yaml:8:46: 'request': 11m is out of range; write 100ms to 10m" },
	{ "limits of wrong types",
	  SINK("limits: {body: 4MB, connections: many, connections_per_address: '5', request: 10}\n"),
	  "routes.yaml:8:16: 'body': '4MB' is not a size; write it as 512, 64K, 10M or 1G\n"
	  "routes.yaml:8:34: 'connections': 'many' is not a whole number\n"
	  "routes.yaml:8:65: 'connections_per_address': '5' in quotes is a string; write the number without "
	  "quotes\n"
	  "routes.yaml:8:79: 'request': '10' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d" },
	{ "limits unknown",
	  SINK("limits: {bodies: 4M}\n"),
	  "routes.yaml:8:10: unknown key 'bodies' in 'limits'; there are: body, connections, "
	  "connections_per_address, request" },
	{ "limits is a number",
	  SINK("limits: 4\n"),
	  "routes.yaml:8:9: 'limits' must be 'key: value' lines, not a single value" },
	{ "retention",
	  SINK("retention: {age: 30, size: 1K, quarantine: x}\n"),
	  "routes.yaml:8:18: 'age': '30' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d\n"
	  "routes.yaml:8:28: 'size': 1K is out of range; write 1M to 1024T\n"
	  "routes.yaml:8:44: 'quarantine': 'x' is not a size; write it as 512, 64K, 10M or 1G" },
	{ "no routes",
	  ROUTES(""),
	  "routes.yaml: warning: there are no routes; events are kept and go nowhere" },
	{ "empty routes",
	  ROUTES("routes: []\n"),
	  "routes.yaml:8:9: warning: there are no routes; events are kept and go nowhere" },
	{ "routes is a mapping",
	  ROUTES("routes: {to: audit}\n"),
	  "routes.yaml:8:9: 'routes' must be a list, each route beginning with '-', not a mapping" },
	{ "route is a word",
	  ROUTES("routes:\n"
	  "  - audit\n"),
	  "routes.yaml:9:5: a route must be 'from:', 'type:', 'when:' and 'to:' lines, not a single value" },
	{ "route leads nowhere",
	  ROUTES("routes:\n"
	  "  - from: fleet\n"
	  "  - to: []\n"),
	  "routes.yaml:9:5: this route leads nowhere; name its sinks: to: [NAME]\n"
	  "routes.yaml:10:9: this route leads nowhere; name its sinks: to: [NAME]" },
	{ "unknown sink",
	  ROUTES("routes:\n"
	  "  - to: [audti, nowhere]\n"),
	  "routes.yaml:9:10: unknown sink 'audti'; did you mean 'audit'?\n"
	  "routes.yaml:9:17: unknown sink 'nowhere'; add it under 'sinks'" },
	{ "unknown source",
	  ROUTES("routes:\n"
	  "  - from: fleat\n"
	  "    to: audit\n"
	  "  - from: campus\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: unknown source 'fleat'; did you mean 'fleet'?\n"
	  "routes.yaml:11:11: unknown source 'campus'; add it under 'sources'" },
	{ "patchbay itself",
	  ROUTES("routes:\n"
	  "  - from: patchbya\n"
	  "    to: audit\n"
	  "  - from: [patchbay, '*']\n"
	  "    to: audit\n"
	  "  - from: [patchbay, patchbay]\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: unknown source 'patchbya'; did you mean 'patchbay'?\n"
	  "routes.yaml:11:12: 'from': '*' does not go together with 'patchbay'; write a route of its own for "
	  "Patchbay's own events\n"
	  "routes.yaml:13:22: source 'patchbay' is named twice; remove one of them" },
	{ "only patchbay itself",
	  ROUTES("routes:\n"
	  "  - from: patchbay\n"
	  "    to: audit\n"),
	  "routes.yaml:4:3: warning: no route takes from source 'fleet'; its events are kept and go nowhere" },
	{ "named twice",
	  ROUTES("routes:\n"
	  "  - from: [fleet, fleet]\n"
	  "    to: [audit, audit]\n"),
	  "routes.yaml:9:19: source 'fleet' is named twice; remove one of them\n"
	  "routes.yaml:10:17: sink 'audit' is named twice; remove one of them" },
	{ "from nothing",
	  ROUTES("routes:\n"
	  "  - from: []\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: 'from' names no source; name at least one, or remove the line for all of them" },
	{ "from null",
	  ROUTES("routes:\n"
	  "  - from:\n"
	  "    to: audit\n"),
	  "routes.yaml:9:10: 'from' must name a source, not nothing" },
	{ "when does not compile",
	  ROUTES("routes:\n"
	  "  - when: .data.type == \n"
	  "    to: audit\n"
	  "  - when: .data.type ==\n"
	  "    to: audit\n"
	  "  - when: .data.type | frob\n"
	  "    to: audit\n"
	  "  - when: '.a |'\n"
	  "    to: audit\n"
	  "  - when: '.a |'\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: 'when': not a valid jq program: syntax error, ...\n"
	  "routes.yaml:11:11: 'when': not a valid jq program: syntax error, ...\n"
	  "routes.yaml:13:11: 'when': not a valid jq program: frob/0 is not defined\n"
	  "routes.yaml:15:11: 'when': not a valid jq program: syntax error, ...\n"
	  "routes.yaml:17:11: 'when': not a valid jq program: syntax error, ..." },
	{ "when sets instead of comparing",
	  ROUTES("routes:\n"
	  "  - when: .data.type = \"hard_brake\"\n"
	  "    to: audit\n"
	  "  - when: .test and (.data.type = 1)\n"
	  "    to: audit\n"),
	  "routes.yaml:9:11: 'when': '=' sets a value, which is true for every event; write == to compare\n"
	  "routes.yaml:11:11: 'when': '=' sets a value, which is true for every event; write == to compare" },
	{ "unknown key in a route",
	  ROUTES("routes:\n"
	  "  - form: fleet\n"
	  "    to: audit\n"
	  "    filter: x\n"),
	  "routes.yaml:9:5: unknown key 'form' in a route; did you mean 'from'?\n"
	  "routes.yaml:11:5: unknown key 'filter' in a route; there are: from, to, type, when, test" },
	{ "types",
	  ROUTES("routes:\n"
	  "  - type: [a, '']\n"
	  "    test: on\n"
	  "    to: audit\n"
	  "  - type: []\n"
	  "    to: audit\n"),
	  "routes.yaml:9:15: 'type': an empty pattern fits nothing; write a name or a pattern such as "
	  "'fault_*'\n"
	  "routes.yaml:10:11: 'test': 'on' is a string; write true or false\n"
	  "routes.yaml:12:11: 'type': an empty list fits nothing; write names, or leave it out for all" },
	{ "unused",
	  SINK("  other: {plugin: drain}\n"),
	  "routes.yaml:8:3: warning: no route leads to sink 'other'; it will get nothing" },
	{ "unused source",
	  ROUTES("  other: {plugin: drain}\n"
	  "routes: [{from: fleet, to: [audit, other]}]\n"),
	  "" },
	{ "source nobody takes from",
	  "listen: 127.0.0.1:0\n"
	  "journal: /x\n"
	  "sources:\n"
	  "  fleet: {plugin: probe, key: {env: TEST_KEY}}\n"
	  "  campus: {plugin: probe, key: {env: TEST_KEY}}\n"
	  "sinks: {audit: {plugin: drain}}\n"
	  "routes: [{from: fleet, to: audit}]\n",
	  "routes.yaml:5:3: warning: no route takes from source 'campus'; its events are kept and go nowhere" },
	{ "several at once, in order",
	  "routes:\n"
	  "  - to: [x]\n"
	  "sinks:\n"
	  "  a: {plugin: drain, on: 1, count: q}\n"
	  "listen: y\n",
	  "routes.yaml: 'journal' is missing: the folder where events are kept; write journal: "
	  "/var/lib/patchbay\n"
	  "routes.yaml:2:10: unknown sink 'x'; add it under 'sinks'\n"
	  "routes.yaml:4:26: 'on': '1' is a number; write true or false\n"
	  "routes.yaml:4:36: 'count': 'q' is not a whole number\n"
	  "routes.yaml:5:9: 'listen': the port is missing; write ADDRESS:PORT, such as 0.0.0.0:8080" },
};
