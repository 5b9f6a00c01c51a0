/* places.c - see places.h. */
#include "conform/places.h"

#include "base/json.h"
#include "base/json_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_MIN 32  /* shorter runs of letters a to f may be words */
#define PROBES 24   /* changes that are tried to see whether a place counts */
#define DEPTH_MAX 8 /* of objects that are compared member by member */

static void add(struct places *places, struct place place)
{
	if (places->n < PLACES_MAX && place.n > 0)
		places->v[places->n++] = place;
}

/* Headers that sign() may well set, but that prove nothing. */
static bool proves_nothing(patchbay_str key)
{
	static const char *const names[] = { "content-type", "content-length", "content-encoding", "user-agent",
					     "host",         "accept",         "accept-encoding",  "connection" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_is(key, names[i]))
			return true;
	return false;
}

static void find_headers(const patchbay_request *plain, const patchbay_request *r, struct places *places)
{
	for (uint32_t i = 0; i < r->n_headers; i++) {
		bool old = proves_nothing(r->headers[i].key);
		for (uint32_t k = 0; k < plain->n_headers && !old; k++)
			old = str_eq(plain->headers[k].key, r->headers[i].key) &&
			      str_eq(plain->headers[k].value, r->headers[i].value);
		if (old)
			continue;
		struct place place = { .kind = PLACE_HEADER, .header = i, .n = r->headers[i].value.n };
		snprintf(place.name, sizeof(place.name), "header %.*s", STR_ARG(r->headers[i].key));
		add(places, place);
	}
}

static void add_field(struct places *places, const patchbay_request *r, patchbay_str value, patchbay_str key)
{
	struct place place = { .kind = PLACE_FIELD };
	bool quoted = value.n >= 2 && value.p[0] == '"';

	place.at = (size_t)(value.p - r->body.p) + quoted;
	place.n = value.n - 2 * (size_t)quoted;
	snprintf(place.name, sizeof(place.name), "field '%.*s' of the body", STR_ARG(key));
	add(places, place);
}

/* Members that are new, or have another value. */
static void find_fields(struct kit *kit, patchbay_call *call, patchbay_str before, patchbay_str after,
			const patchbay_request *r, struct places *places, int depth)
{
	const patchbay_json *old = json_parse(call, before), *now = json_parse(call, after);

	if (json_type(now) != PATCHBAY_JSON_OBJECT || json_type(old) != PATCHBAY_JSON_OBJECT)
		return;
	for (uint32_t i = 0; now->index.v && i < now->index.n; i++) {
		const struct json_member *member = &now->index.v[i];
		patchbay_str was = json_raw(json_get(call, old, member->key));
		if (str_eq(was, member->value) || member->value.n == 0)
			continue;
		if (was.n && was.p[0] == '{' && member->value.p[0] == '{' && depth < DEPTH_MAX)
			find_fields(kit, call, was, member->value, r, places, depth + 1);
		else
			add_field(places, r, member->value, member->key);
	}
}

/* What is between the part that both begin with and the part that both end with. */
static void find_middle(const patchbay_request *plain, const patchbay_request *r, struct places *places)
{
	patchbay_str a = plain->body, b = r->body;
	size_t head = 0, tail = 0;

	while (head < a.n && head < b.n && a.p[head] == b.p[head])
		head++;
	while (tail < a.n - head && tail < b.n - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
		tail++;
	struct place place = { .kind = PLACE_FIELD, .at = head, .n = b.n - head - tail };
	snprintf(place.name, sizeof(place.name), "what sign() adds to the body");
	add(places, place);
}

void places_find(struct bench *bench, const patchbay_request *plain, const patchbay_request *r, struct places *places)
{
	patchbay_call call;

	*places = (struct places){ .body_changed = !str_eq(plain->body, r->body) };
	find_headers(plain, r, places);
	if (!str_eq(plain->query, r->query)) {
		struct place place = { .kind = PLACE_QUERY, .n = r->query.n, .name = "the query" };
		add(places, place);
	}
	if (!places->body_changed)
		return;
	size_t before = places->n;
	call_init(&call, 0);
	find_fields(bench->kit, &call, plain->body, r->body, r, places, 0);
	call_fini(&call);
	if (places->n == before)
		find_middle(plain, r, places);
}

patchbay_str place_value(const patchbay_request *r, const struct place *place)
{
	if (place->kind == PLACE_HEADER)
		return r->headers[place->header].value;
	return (patchbay_str){ (place->kind == PLACE_QUERY ? r->query.p : r->body.p) + place->at, place->n };
}

patchbay_request place_put(struct kit *kit, const patchbay_request *r, const struct place *place, patchbay_str value)
{
	patchbay_request copy = *r;
	patchbay_str whole = place->kind == PLACE_QUERY ? r->query : r->body;

	if (place->kind == PLACE_HEADER)
		return wire_with_header(kit, r, place->header, value);
	char *p = kit_alloc(kit, whole.n - place->n + value.n + 1);
	memcpy(p, whole.p, place->at);
	if (value.n)
		memcpy(p + place->at, value.p, value.n);
	memcpy(p + place->at + value.n, whole.p + place->at + place->n, whole.n - place->at - place->n);
	whole = (patchbay_str){ p, whole.n - place->n + value.n };
	*(place->kind == PLACE_QUERY ? &copy.query : &copy.body) = whole;
	return copy;
}

patchbay_request place_open(struct kit *kit, const patchbay_request *r, const struct place *place, char **ret_value)
{
	patchbay_request copy = place_put(kit, r, place, kit_copy(kit, place_value(r, place)));

	*ret_value = (char *)(uintptr_t)place_value(&copy, place).p;
	return copy;
}

bool place_counts(struct bench *bench, const patchbay_request *r, const struct place *place)
{
	char *value;
	patchbay_request changed = place_open(bench->kit, r, place, &value);

	for (int i = 0; i < PROBES; i++) {
		size_t at = i < 2 ? (i ? place->n - 1 : 0) : kit_below(bench->kit, place->n);
		value[at] ^= 1;
		bool refused = bench_verify(&bench->a, &changed) < 0;
		value[at] ^= 1;
		if (refused)
			return true;
	}
	return false;
}

/* ---- What is the same, written in another way */

static bool is_base64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static int sixbits(char c)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	const char *at = c ? strchr(letters, c) : NULL;
	return at ? (int)(at - letters) : -1;
}

static bool same_hex(patchbay_str value, size_t at, char now)
{
	size_t from = at, to = at;

	if (!isxdigit((unsigned char)value.p[at]) || tolower((unsigned char)value.p[at]) != tolower((unsigned char)now))
		return false;
	while (from > 0 && isalnum((unsigned char)value.p[from - 1]))
		from--;
	while (to < value.n && isalnum((unsigned char)value.p[to]))
		to++;
	for (size_t i = from; i < to; i++)
		if (!isxdigit((unsigned char)value.p[i]))
			return false;
	return to - from >= HEX_MIN;
}

/* The last digit of a base64 text has bits that mean nothing. */
static bool same_base64(patchbay_str value, size_t at, char now)
{
	size_t from = at, to = at;

	if (!is_base64(value.p[at]) || !is_base64(now))
		return false;
	while (from > 0 && is_base64(value.p[from - 1]))
		from--;
	while (to < value.n && is_base64(value.p[to]))
		to++;
	unsigned rest = (unsigned)((to - from) % 4), free_bits = rest == 2 ? 4 : rest == 3 ? 2 : 0;
	if (sixbits(value.p[at]) == sixbits(now))
		return true;
	return at == to - 1 && free_bits && sixbits(value.p[at]) >> free_bits == sixbits(now) >> free_bits;
}

bool place_means_same(patchbay_str value, size_t at, char now)
{
	return same_hex(value, at, now) || same_base64(value, at, now);
}
