/* guess.c - a value for each option that must have one, by its type, its name and what it says of itself. A plugin may
 * refuse what was guessed first, so there are several attempts: with none, one or all of the secrets that it could do
 * without, and with other ways to write a text. */
#include "conform/guess.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALTERNATIVES 4 /* ways to write a text */
#define SINGLES_MAX 6  /* secrets that are tried one by one */

enum mode { MODE_NONE, MODE_ALL_SECRETS, MODE_EVERYTHING, MODE_SINGLE }; /* SINGLE + i: the i'th optional secret */

static bool is_optional_secret(const patchbay_option *o)
{
	return (o->flags & PATCHBAY_F_SECRET) && !(o->flags & PATCHBAY_F_REQUIRED);
}

static int count_singles(const patchbay_plugin *plugin, enum side side)
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(plugin, side, &n, &size);
	int singles = 0;

	for (uint32_t i = 0; i < n; i++)
		singles += is_optional_secret(&table[i]);
	return singles < SINGLES_MAX ? singles : SINGLES_MAX;
}

int guess_attempts(const patchbay_plugin *plugin, enum side side)
{
	return ALTERNATIVES * (MODE_SINGLE + count_singles(plugin, side));
}

/* A source is tried with its signatures, a sink with as little as it needs. */
static int mode_of(const struct guess *g, int *ret_alternative)
{
	int singles = count_singles(g->plugin, g->side), modes = MODE_SINGLE + singles;
	int i = g->attempt % modes;

	*ret_alternative = g->attempt / modes;
	if (i == 0)
		return g->side == SIDE_SOURCE ? MODE_ALL_SECRETS : MODE_NONE;
	if (i <= singles)
		return MODE_SINGLE + i - 1;
	if (i == singles + 1)
		return g->side == SIDE_SOURCE ? MODE_NONE : MODE_ALL_SECRETS;
	return MODE_EVERYTHING;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Is it one of the words of an option's name: "url" of "webhook_url"? */
static bool names(const char *name, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = name; (at = strstr(at, word)); at++)
		if ((at == name || !is_word(at[-1])) && !is_word(at[n]))
			return true;
	return false;
}

static bool names_any(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (names(name, *words))
			return true;
	return false;
}

/* The example that an option's help gives, {NULL, 0} if none. */
static patchbay_str example_of(const patchbay_option *o)
{
	static const char *const before[] = { "e.g. ", "for example ", "such as ", NULL };

	for (size_t i = 0; o->help && before[i]; i++) {
		const char *at = strstr(o->help, before[i]);
		if (!at)
			continue;
		at += strlen(before[i]);
		at += strspn(at, "'\"`");
		size_t n = strcspn(at, " ,;)'\"`");
		while (n > 0 && at[n - 1] == '.')
			n--;
		if (n > 0)
			return (patchbay_str){ at, n };
	}
	return (patchbay_str){ NULL, 0 };
}

static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void add_random(const struct guess *g, const patchbay_option *o, const char *alphabet, size_t n, struct buf *out)
{
	uint64_t x = g->order->seed ^ (g->variant ? UINT64_C(0x5555555555555555) : 0), letters = strlen(alphabet);

	for (const char *p = o->name; *p; p++)
		x = mix(x ^ (unsigned char)*p);
	for (size_t i = 0; i < n; i++) {
		x = mix(x);
		buf_add(out, &alphabet[x % letters], 1);
	}
}

#define HEX "0123456789abcdef"
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* 64 digits of hex are good as 32 bytes, as base64, and as any text. */
static void add_key(const struct guess *g, const patchbay_option *o, int alternative, struct buf *out)
{
	if (alternative == 0) {
		add_random(g, o, HEX, 64, out);
		return;
	}
	if (alternative == 2)
		buf_addf(out, "whsec_");
	add_random(g, o, alternative == 3 ? HEX : BASE64, alternative == 3 ? 32 : 42, out);
	if (alternative != 3)
		buf_addf(out, "A=");
}

static const char *plain_text(const patchbay_option *o, int alternative)
{
	static const struct {
		const char *const words[10];
		const char *const text[ALTERNATIVES];
	} known[] = {
		{ { "url", "uri", "endpoint", "webhook", NULL },
		  { "https://127.0.0.1:9/x", "http://127.0.0.1:9/x", "127.0.0.1:9", "https://example.invalid/x" } },
		{ { "server", "host", "broker", "relay", NULL },
		  { "127.0.0.1:9", "127.0.0.1", "http://127.0.0.1:9", "https://127.0.0.1:9" } },
		{ { "from", "to", "email", "mail", "sender", "recipient", "recipients", "address", NULL },
		  { "patchbay@example.org", "127.0.0.1", "127.0.0.1:9", "example.org" } },
		{ { "port", NULL }, { "9", "9", "9", "9" } },
		{ { "domain", "domains", NULL }, { "example.org", "example.org", "example.org", "example.org" } },
		{ { "path", "file", "dir", "folder", NULL }, { "/x", "x", "/tmp/x", "x.txt" } },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (names_any(o->name, known[i].words))
			return known[i].text[alternative];
	static const char *const others[ALTERNATIVES] = { "example", "1", "patchbay@example.org", "/example" };
	return others[alternative];
}

/* "ldap" of "ldap://host:port or ldaps://...": the first scheme that the help speaks of. */
static patchbay_str scheme_of(const patchbay_option *o)
{
	const char *end = o->help ? strstr(o->help, "://") : NULL, *from = end;

	while (from && from > o->help && from[-1] >= 'a' && from[-1] <= 'z')
		from--;
	return (patchbay_str){ from, (size_t)(end - from) };
}

static void add_text(const struct guess *g, const patchbay_option *o, int alternative, struct buf *out)
{
	static const char *const keys[] = { "key", "token", "secret", "password", "seed", NULL };
	patchbay_str example = example_of(o), scheme = scheme_of(o);
	const char *end = o->name + strlen(o->name);

	if (o->flags & PATCHBAY_F_PATH)
		buf_addf(out, "%s/work%s/%s", g->folder, g->variant ? "-b" : "", o->name);
	else if ((o->flags & PATCHBAY_F_SECRET) && end - o->name >= 3 && strcmp(end - 3, "url") == 0) {
		buf_addf(out, "https://127.0.0.1:9/");
		add_random(g, o, HEX, 24, out);
	} else if ((o->flags & PATCHBAY_F_SECRET) || names_any(o->name, keys))
		add_key(g, o, alternative, out);
	else if (example.n && alternative == (names(o->name, "url") || names(o->name, "server") ? 1 : 0))
		buf_add_str(out, example);
	else if (scheme.n && alternative == 0)
		buf_addf(out, "%.*s://127.0.0.1:9", STR_ARG(scheme));
	else
		buf_add_str(out, str_c(plain_text(o, alternative)));
}

static void add_quoted(struct buf *out, patchbay_str text)
{
	buf_addf(out, "'");
	for (size_t i = 0; i < text.n; i++)
		buf_addf(out, text.p[i] == '\'' ? "''" : "%c", text.p[i]);
	buf_addf(out, "'");
}

static int64_t number_of(const patchbay_option *o, int64_t wanted)
{
	if (o->min == 0 && o->max == 0)
		return wanted;
	return wanted < o->min ? o->min : o->max >= o->min && wanted > o->max ? o->max : wanted;
}

static void add_value(const struct guess *, const patchbay_option *, int alternative, struct buf *);

/* {a: 1, b: 2} of what the options of a table need */
static void add_nested(const struct guess *g, const patchbay_option *o, int alternative, struct buf *out)
{
	const char *comma = "";

	buf_addf(out, "{");
	for (uint32_t i = 0; i < o->n_fields; i++) {
		if (!(o->fields[i].flags & PATCHBAY_F_REQUIRED))
			continue;
		buf_addf(out, "%s%s: ", comma, o->fields[i].name);
		add_value(g, &o->fields[i], alternative, out);
		comma = ", ";
	}
	buf_addf(out, "}");
}

static void add_value(const struct guess *g, const patchbay_option *o, int alternative, struct buf *out)
{
	struct buf text = { 0 };
	bool list = o->type == PATCHBAY_T_STRS || o->type == PATCHBAY_T_STRS_EXPR || o->type == PATCHBAY_T_LIST;
	int64_t times = list && o->min > 1 && o->min < 100 ? o->min : 1;

	if (list)
		buf_addf(out, "[");
	for (int64_t i = 0; i < times; i++) {
		if (i)
			buf_addf(out, ", ");
		switch (o->type) {
		case PATCHBAY_T_BOOL:
			buf_addf(out, strcmp(o->name, "allow_private") == 0 ? "true" : "false");
			break;
		case PATCHBAY_T_INT:
			buf_addf(out, "%" PRId64, number_of(o, names(o->name, "port") ? 9 : 1));
			break;
		case PATCHBAY_T_REAL:
			buf_addf(out, "%" PRId64, number_of(o, 1));
			break;
		case PATCHBAY_T_MS:
			buf_addf(out, "%" PRId64 "ms", number_of(o, 1000));
			break;
		case PATCHBAY_T_BYTES:
			buf_addf(out, "%" PRId64, number_of(o, 65536));
			break;
		case PATCHBAY_T_ENUM:
			buf_addf(out, "%s", o->one_of[0]);
			break;
		case PATCHBAY_T_CIDRS:
			buf_addf(out, "[192.0.2.1]");
			break;
		case PATCHBAY_T_EXPR:
			buf_addf(out, "%s", alternative % 2 ? ".id" : ".data");
			break;
		case PATCHBAY_T_TEXT:
			buf_addf(out,
				 names(o->name, "path") || alternative % 2 ? "'/event/\\(.id)'" : "'event \\(.id)'");
			break;
		case PATCHBAY_T_FIELDS:
			buf_addf(out, "[id, time, type, data: .data]");
			break;
		case PATCHBAY_T_MAP:
		case PATCHBAY_T_LIST:
			add_nested(g, o, alternative, out);
			break;
		default:
			text.n = 0;
			add_text(g, o, alternative, &text);
			add_quoted(out, buf_str(&text));
		}
	}
	if (list)
		buf_addf(out, "]");
	buf_free(&text);
}

/* What was set by hand for this option, of this side; NULL: nothing. The last one counts. */
static const char *set_value(const struct guess *g, const char *option)
{
	const char *found = NULL;

	for (size_t i = 0; i < g->order->n_set; i++) {
		const char *set = g->order->set[i], *equals = strchr(set, '='), *dot = strchr(set, '.');
		if (dot && dot < equals) {
			const char *side = kit_side_name(g->side);
			if ((size_t)(dot - set) != strlen(side) || strncmp(set, side, strlen(side)) != 0)
				continue;
			set = dot + 1;
		}
		if ((size_t)(equals - set) == strlen(option) && strncmp(set, option, strlen(option)) == 0)
			found = equals + 1;
	}
	return found;
}

static bool is_wanted(const patchbay_option *o, int mode, int *singles)
{
	if (o->flags & PATCHBAY_F_REQUIRED || (o->type == PATCHBAY_T_BOOL && strcmp(o->name, "allow_private") == 0))
		return true;
	if (mode == MODE_EVERYTHING)
		return !o->def && o->type != PATCHBAY_T_LIST && o->type != PATCHBAY_T_MAP;
	if (!is_optional_secret(o))
		return false;
	return mode == MODE_ALL_SECRETS || mode == MODE_SINGLE + (*singles)++;
}

void guess_write(const struct guess *g, struct buf *out)
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(g->plugin, g->side, &n, &size);
	int alternative, mode = mode_of(g, &alternative), singles = 0;

	buf_addf(out, "listen: 127.0.0.1:8080\njournal: %s/journal\n%ss:\n  tried:\n    plugin: %s\n", g->folder,
		 kit_side_name(g->side), g->plugin->name);
	for (uint32_t i = 0; i < n; i++) {
		const char *set = set_value(g, table[i].name);
		bool wanted = is_wanted(&table[i], mode, &singles);
		if (!set && !wanted)
			continue;
		buf_addf(out, "    %s: ", table[i].name);
		if (set)
			buf_add_str(out, str_c(set));
		else
			add_value(g, &table[i], alternative, out);
		buf_addf(out, "\n");
	}
}

int guess_set_ok(const patchbay_plugin *plugin, const char *set, struct err *err)
{
	const char *equals = strchr(set, '='), *dot = strchr(set, '.'), *name = set;

	if (!equals || equals == set || strchr(set, '\n'))
		return err_set(err, "--set wants option=value, on one line, not '%s'", set);
	if (dot && dot < equals)
		name = dot + 1;
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		uint32_t n, size;
		const patchbay_option *table = kit_table_of(plugin, side, &n, &size);
		const char *called = kit_side_name(side);
		if (name != set && ((size_t)(dot - set) != strlen(called) || strncmp(set, called, strlen(called)) != 0))
			continue;
		for (uint32_t i = 0; i < n; i++)
			if (strlen(table[i].name) == (size_t)(equals - name) &&
			    strncmp(table[i].name, name, (size_t)(equals - name)) == 0)
				return 0;
	}
	return err_set(err, "--set: plugin %s has no option '%.*s'; `patchbay plugins %s` lists them", plugin->name,
		       (int)(equals - set), set, plugin->name);
}
