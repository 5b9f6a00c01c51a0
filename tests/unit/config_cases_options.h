/* config_cases_options.h - broken files, and what is said about them: sources, sinks, secrets, values, delivery. */
static const struct fault_case option_cases[] = {
	{ "sources is a list",
	  "listen: 127.0.0.1:0\n"
	  "journal: /x\n"
	  "sources: [a]\n"
	  "routes: []\n",
	  "routes.yaml:3:10: 'sources' must be 'NAME:' with the source's keys indented below it, not a "
	  "list\n"
	  "routes.yaml:4:9: warning: there are no routes; events are kept and go nowhere" },
	{ "names",
	  SOURCE("  Fleet: {plugin: probe, key: {env: TEST_KEY}}\n"
	  "  -x: {plugin: probe, key: {env: TEST_KEY}}\n"
	  "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {plugin: probe, key: {env: "
	  "TEST_KEY}}\n"),
	  "routes.yaml:6:3: 'Fleet' cannot name a source; use up to 63 of a-z 0-9 _ -, beginning with a letter "
	  "or digit\n"
	  "routes.yaml:7:3: '-x' cannot name a source; use up to 63 of a-z 0-9 _ -, beginning with a letter or "
	  "digit\n"
	  "routes.yaml:8:3: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' cannot name a "
	  "source; use up to 63 of a-z 0-9 _ -, beginning with a letter or digit" },
	{ "source without plugin",
	  SOURCE("  fleet:\n"
	  "    key: {env: TEST_KEY}\n"),
	  "routes.yaml:6:3: source 'fleet' needs 'plugin: NAME'; `patchbay plugins` lists them" },
	{ "source that is null",
	  SOURCE("  fleet:\n"),
	  "routes.yaml:6:9: source 'fleet' must be 'key: value' lines, with at least 'plugin: NAME', not "
	  "nothing" },
	{ "unknown plugin",
	  SOURCE("  fleet:\n"
	  "    plugin: nope\n"),
	  "routes.yaml:7:13: there is no plugin 'nope'" },
	{ "sink used as a source",
	  SOURCE("  fleet:\n"
	  "    plugin: drain\n"),
	  "routes.yaml:7:13: plugin 'drain' has no source side; it can only be used for a sink" },
	{ "source used as a sink",
	  SINK("  other:\n"
	  "    plugin: probe\n"),
	  "routes.yaml:8:3: warning: no route leads to sink 'other'; it will get nothing\n"
	  "routes.yaml:9:13: plugin 'probe' has no sink side; it can only be used for a source" },
	{ "required option",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"),
	  "routes.yaml:6:3: source 'fleet' needs 'key': the key that signs requests" },
	{ "unknown option near",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    kee: x\n"
	  "    key: {env: TEST_KEY}\n"),
	  "routes.yaml:8:5: unknown key 'kee' in source 'fleet'; did you mean 'key'?" },
	{ "unknown option far",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    colour: x\n"
	  "    key: {env: TEST_KEY}\n"),
	  "routes.yaml:8:5: unknown key 'colour' in source 'fleet'; there are: plugin, path_secret, silence, key, "
	  "keys, allow, depth" },
	{ "path secret",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {env: TEST_KEY}\n"
	  "    path_secret: [{env: TEST_KEY}, {env: TEST_SHORT}]\n"),
	  "routes.yaml:9:36: 'path_secret' needs at least 8 characters of A-Z a-z 0-9 . _ ~ -; `openssl rand "
	  "-hex 16` makes a good one" },
	{ "silence",
	  SOURCE("  fleet: {plugin: probe, key: {env: TEST_KEY}, silence: never}\n"
	  "  other: {plugin: probe, key: {env: TEST_KEY}, silence: 99ms}\n"
	  "  third: {plugin: probe, key: {env: TEST_KEY}, silence: [1h]}\n"),
	  "routes.yaml:6:57: 'silence': 'never' is none of these: a duration such as 30m or 6h (100ms to 365d), off, "
	  "auto\n"
	  "routes.yaml:7:57: 'silence': '99ms' is none of these: a duration such as 30m or 6h (100ms to 365d), off, "
	  "auto\n"
	  "routes.yaml:8:57: 'silence': must be one value, not a list" },
	{ "a source called patchbay",
	  SOURCE("  patchbay: {plugin: probe, key: {env: TEST_KEY}}\n"),
	  "routes.yaml:6:3: a source cannot be called 'patchbay': that is where Patchbay's own events come from; choose "
	  "another name" },
	{ "broken plugin",
	  SINK("  odd: {plugin: broken}\n"),
	  "routes.yaml:8:3: plugin broken declares a wrong default for 'num': 'num': 'three' is not a whole "
	  "number\n"
	  "routes.yaml:8:3: warning: no route leads to sink 'odd'; it will get nothing" },
	{ "secret literal",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: Pa55word\n"),
	  "routes.yaml:8:10: warning: 'key' stands here for everyone who reads this file; better {file: "
	  "/path}, {env: NAME} or {credential: NAME}" },
	{ "secret not set",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {env: TEST_UNSET}\n"),
	  "routes.yaml:8:16: 'key': environment variable TEST_UNSET is not set; set it where patchbay is started" },
	{ "secret set to nothing",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {env: TEST_EMPTY}\n"),
	  "routes.yaml:8:16: 'key': environment variable TEST_EMPTY is empty; set it where patchbay is started" },
	{ "secret of unknown kind",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {fiel: /x}\n"),
	  "routes.yaml:8:11: 'key': unknown kind of secret; write {file: /path}, {env: NAME} or {credential: "
	  "NAME}; did you mean 'file'?" },
	{ "secret that is a flow mapping",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {Pa55word}\n"),
	  "routes.yaml:8:11: 'key': unknown kind of secret; write {file: /path}, {env: NAME} or {credential: "
	  "NAME}" },
	{ "secret of two kinds",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {env: A, file: /x}\n"),
	  "routes.yaml:8:10: 'key' must be one secret, not several keys; write {file: /path}, {env: NAME} or "
	  "{credential: NAME}" },
	{ "secret list where one is meant",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: [Pa55word, Pa55word2]\n"),
	  "routes.yaml:8:10: 'key' must be one secret, not a list; write {file: /path}, {env: NAME} or "
	  "{credential: NAME}" },
	{ "secret null",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key:\n"),
	  "routes.yaml:8:9: 'key' must be one secret, not nothing; write {file: /path}, {env: NAME} or "
	  "{credential: NAME}" },
	{ "secret without name",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {env: }\n"),
	  "routes.yaml:8:16: 'key': 'env' needs a name; write {file: /path}, {env: NAME} or {credential: "
	  "NAME}" },
	{ "secret file missing",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {file: /nowhere/key}\n"),
	  "routes.yaml:8:17: 'key': cannot open /nowhere/key: No such file or directory; put the secret into it" },
	{ "secret file empty",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {file: empty.key}\n"),
	  "routes.yaml:8:17: 'key': DIR/empty.key is empty; put the secret into it" },
	{ "secret file only a line feed",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {file: newline.key}\n"),
	  "routes.yaml:8:17: 'key': DIR/newline.key is empty; put the secret into it" },
	{ "secret file too large",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {file: large.key}\n"),
	  "routes.yaml:8:17: 'key': DIR/large.key is larger than 64 KiB; this is hardly a secret" },
	{ "secret file is a folder",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {file: /}\n"),
	  "routes.yaml:8:17: 'key': / is not a file" },
	{ "secret file open to all",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {file: open.key}\n"),
	  "routes.yaml:8:17: warning: 'key': every user of this machine can read DIR/open.key; chmod o-r "
	  "DIR/open.key" },
	{ "no credentials",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {credential: fleet}\n"),
	  "routes.yaml:8:23: 'key': no $CREDENTIALS_DIRECTORY, so there is no credential fleet; run as a "
	  "systemd service with LoadCredential=fleet:/path" },
	{ "credential with a path",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {credential: ../fleet}\n"),
	  "routes.yaml:8:23: 'key': a credential has a plain name, without '/'; for a path write {file: "
	  "/path}" },
	{ "too many secrets",
	  SOURCE("  fleet:\n"
	  "    plugin: probe\n"
	  "    key: {env: TEST_KEY}\n"
	  "    keys: [{env: TEST_KEY}, {env: TEST_KEY}, {env: TEST_UNSET}]\n"),
	  "routes.yaml:9:11: 'keys': has 3 entries; it takes 0 to 2" },
	{ "bool yes",
	  SINK("    on: yes\n"),
	  "routes.yaml:8:9: 'on': 'yes' is a string; write true or false" },
	{ "bool quoted",
	  SINK("    on: 'true'\n"),
	  "routes.yaml:8:9: 'on': 'true' in quotes is a string; write true or false without quotes" },
	{ "bool number",
	  SINK("    on: 1\n"),
	  "routes.yaml:8:9: 'on': '1' is a number; write true or false" },
	{ "int quoted",
	  SINK("    count: '5'\n"),
	  "routes.yaml:8:12: 'count': '5' in quotes is a string; write the number without quotes" },
	{ "int word",
	  SINK("    count: five\n"),
	  "routes.yaml:8:12: 'count': 'five' is not a whole number" },
	{ "int fraction",
	  SINK("    count: 5.5\n"),
	  "routes.yaml:8:12: 'count': '5.5' is not a whole number" },
	{ "int range",
	  SINK("    count: 101\n"),
	  "routes.yaml:8:12: 'count': 101 is out of range; write 1 to 100" },
	{ "int huge",
	  SINK("    count: 99999999999999999999\n"),
	  "routes.yaml:8:12: 'count': '99999999999999999999' is not a whole number" },
	{ "int list",
	  SINK("    count: [1]\n"),
	  "routes.yaml:8:12: 'count': must be one value, not a list" },
	{ "int null",
	  SINK("    count:\n"),
	  "routes.yaml:8:11: 'count': has no value; write one, or remove the line" },
	{ "real",
	  SINK("    ratio: 0x1p3\n"),
	  "routes.yaml:8:12: 'ratio': '0x1p3' is not a number; write it as 2 or 0.5" },
	{ "real range",
	  SINK("    ratio: 1.5\n"),
	  "routes.yaml:8:12: 'ratio': 1.5 is out of range; write 0 to 1" },
	{ "str mapping",
	  SINK("    text: {a: b}\n"),
	  "routes.yaml:8:11: 'text': must be one value, not a mapping" },
	{ "str null",
	  SINK("    text: ~\n"),
	  "routes.yaml:8:11: 'text': has no value; write one, or remove the line" },
	{ "strs empty",
	  SINK("    words: []\n"),
	  "routes.yaml:8:12: 'words': has 0 entries; it takes 1 to 3" },
	{ "strs too many",
	  SINK("    words: [a, b, c, d]\n"),
	  "routes.yaml:8:12: 'words': has 4 entries; it takes 1 to 3" },
	{ "strs nested",
	  SINK("    words: [a, [b]]\n"),
	  "routes.yaml:8:16: 'words': must be one value, not a list" },
	{ "enum near",
	  SINK("    mode: fancey\n"),
	  "routes.yaml:8:11: 'mode': there is no 'fancey'; did you mean 'fancy'?" },
	{ "enum far",
	  SINK("    mode: green\n"),
	  "routes.yaml:8:11: 'mode': there is no 'green'; write one of: plain, fancy, quiet" },
	{ "duration without unit",
	  SINK("    wait: 30\n"),
	  "routes.yaml:8:11: 'wait': '30' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d" },
	{ "duration with words",
	  SINK("    wait: 2 minutes\n"),
	  "routes.yaml:8:11: 'wait': '2 minutes' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d" },
	{ "duration range",
	  SINK("    wait: 2h\n"),
	  "routes.yaml:8:11: 'wait': 2h is out of range; write 100ms to 1h" },
	{ "size lower case",
	  SINK("    room: 4m\n"),
	  "routes.yaml:8:11: 'room': '4m' is not a size; write it as 512, 64K, 10M or 1G" },
	{ "size range",
	  SINK("    room: 12\n"),
	  "routes.yaml:8:11: 'room': 12 is out of range; write 1K or more" },
	{ "network",
	  SINK("    nets: [192.0.2.256, '::1/129', a, '']\n"),
	  "routes.yaml:8:12: 'nets': '192.0.2.256' is not an address or network; write it as 192.0.2.7, "
	  "192.0.2.0/24 or 2001:db8::/32\n"
	  "routes.yaml:8:25: 'nets': '::1/129' is not an address or network; write it as 192.0.2.7, "
	  "192.0.2.0/24 or 2001:db8::/32\n"
	  "routes.yaml:8:36: 'nets': 'a' is not an address or network; write it as 192.0.2.7, 192.0.2.0/24 or "
	  "2001:db8::/32\n"
	  "routes.yaml:8:39: 'nets': '' is not an address or network; write it as 192.0.2.7, 192.0.2.0/24 or "
	  "2001:db8::/32" },
	{ "jq program",
	  SINK("    pick: .data.\n"),
	  "routes.yaml:8:11: 'pick': not a valid jq program: syntax error, ..." },
	{ "jq text",
	  SINK("    say: 'x \\(.data'\n"),
	  "routes.yaml:8:10: 'say': not a valid jq text: '\\(.data' is not closed by a ')'; write '\\\\(' for "
	  "the two characters themselves" },
	{ "jq unknown function",
	  SINK("    pick: .data | frob\n"),
	  "routes.yaml:8:11: 'pick': not a valid jq program: frob/0 is not defined" },
	{ "columns scalar",
	  SINK("    columns: id\n"),
	  "routes.yaml:8:14: 'columns': must be a list of '- id' or '- header: expression' entries, not a "
	  "single value" },
	{ "columns mapping",
	  SINK("    columns: {a: .id}\n"),
	  "routes.yaml:8:14: 'columns': must be a list of '- id' or '- header: expression' entries, not a "
	  "mapping" },
	{ "columns unknown field",
	  SINK("    columns: [id, tiem, vehicle]\n"),
	  "routes.yaml:8:19: 'columns': an event has no field 'tiem'; did you mean 'time'?\n"
	  "routes.yaml:8:25: 'columns': an event has no field 'vehicle'; for what is inside of .data write "
	  "'header: .data.name'" },
	{ "columns in quotes",
	  SINK("    columns: ['x: .data.x']\n"),
	  "routes.yaml:8:15: 'columns': 'x: .data.x' in quotes is one word; write header: 'expression', with "
	  "quotes around the expression only" },
	{ "columns twice",
	  SINK("    columns: [id, id: .data.id]\n"),
	  "routes.yaml:8:19: 'columns': there are two entries 'id'; give each a name of its own" },
	{ "columns bad jq",
	  SINK("    columns:\n"
	  "      - id\n"
	  "      - x: .data |\n"),
	  "routes.yaml:10:12: 'columns': not a valid jq program: syntax error, ..." },
	{ "columns two keys",
	  SINK("    columns:\n"
	  "      - a: .id\n"
	  "        b: .type\n"),
	  "routes.yaml:9:9: 'columns': has 2 keys in one entry; begin each 'header: expression' with its own "
	  "'-'" },
	{ "plugin's own check",
	  SINK("    count: 13\n"),
	  "routes.yaml:6:3: sink 'audit': 'count' of 13 brings bad luck; take 14" },
	{ "plugin's own warning",
	  SINK("    count: 12\n"),
	  "routes.yaml:6:3: warning: sink 'audit': 12 is close to 13" },
	{ "retry scalar",
	  SINK("    retry: 5m\n"),
	  "routes.yaml:8:12: 'retry' must be a list of delays such as [1m, 10m, 1h], or {initial: 1s, factor: "
	  "2, max: 1h, give_up: 72h}" },
	{ "retry list",
	  SINK("    retry: [1m, 5, x]\n"),
	  "routes.yaml:8:17: 'retry': '5' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d\n"
	  "routes.yaml:8:20: 'retry': 'x' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d" },
	{ "retry mapping",
	  SINK("    retry: {initial: 0, factor: 0.5, max: 31d, giveup: 1h}\n"),
	  "routes.yaml:8:22: 'initial': 0 is out of range; write 1ms to 1d\n"
	  "routes.yaml:8:33: 'factor': 0.5 is out of range; write 1 to 100\n"
	  "routes.yaml:8:43: 'max': 31d is out of range; write 1ms to 30d\n"
	  "routes.yaml:8:48: unknown key 'giveup' in 'retry'; did you mean 'give_up'?" },
	{ "retry upside down",
	  SINK("    retry: {initial: 2h, max: 1h}\n"),
	  "routes.yaml:8:12: 'retry': 'max' is shorter than 'initial'; make it at least as long" },
	{ "timeout",
	  SINK("    timeout: 5\n"),
	  "routes.yaml:8:14: 'timeout': '5' is not a duration; write it as 500ms, 30s, 5m, 1h or 7d" },
	{ "timeout range",
	  SINK("    timeout: 10ms\n"),
	  "routes.yaml:8:14: 'timeout': 10ms is out of range; write 100ms to 1h" },
	{ "batch",
	  SINK("    batch: {events: 0, bites: 1M}\n"),
	  "routes.yaml:8:21: 'events': 0 is out of range; write 1 to 100000\n"
	  "routes.yaml:8:24: unknown key 'bites' in 'batch'; did you mean 'bytes'?" },
	{ "batch scalar",
	  SINK("    batch: 50\n"),
	  "routes.yaml:8:12: 'batch' must be {events: N, bytes: SIZE, linger: DURATION}, not a single value" },
};
