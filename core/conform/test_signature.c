/* test_signature.c - that a signature is compared whole, once, and with all that it covers. Each test changes a request
 * that the plugin signed itself. */
#include "conform/tests.h"

#include "base/clock.h"
#include "conform/places.h"

#include <stdlib.h>
#include <string.h>

#define BODY_POSITIONS 3000
#define LONG_VALUE ((size_t)64 << 10)
#define LONG_MS 20
#define MANY 250
#define LARGE ((size_t)900 << 10)

struct signature {
	struct bench bench;
	patchbay_request r, plain;
	struct places places;
};

/* A genuine request, and where its signature is. Skips where there is none. */
static void open_signature(struct signature *s, struct kit *kit, bool largest)
{
	bench_open(&s->bench, kit, false);
	bench_pick(&s->bench, largest, &s->r, &s->plain);
	places_find(&s->bench, &s->plain, &s->r, &s->places);
	if (s->places.n == 0)
		kit_skip(kit, "sign() adds nothing to a request");
}

static bool accepted(struct signature *s, const patchbay_request *r)
{
	return bench_verify(&s->bench.a, r) >= 0;
}

/* ---- Every byte */

struct count {
	size_t refused, accepted;
	size_t at; /* the first that was accepted */
	unsigned was, now;
};

/* "Bearer" may be written "bearer". */
static bool is_scheme(const struct signature *s, const struct place *place, patchbay_str value, size_t at)
{
	return str_is(s->r.headers[place->header].key, "authorization") && !memchr(value.p, ' ', at + 1) &&
	       memchr(value.p, ' ', value.n);
}

static void change_bytes(struct signature *s, const struct place *place, struct count *count)
{
	struct kit *kit = s->bench.kit;
	char *value;
	patchbay_request changed = place_open(kit, &s->r, place, &value);
	patchbay_str original = place_value(&s->r, place);

	for (size_t at = 0; at < place->n; at++) {
		for (unsigned mask = 1; mask < 256; mask++) {
			if ((mask & (mask - 1)) && (KIT_SANITIZED || kit_hurries(kit)))
				continue; /* one bit at a time */
			value[at] = (char)(original.p[at] ^ (char)mask);
			if (place_means_same(original, at, value[at]) ||
			    (place->kind == PLACE_HEADER && mask == 0x20 && is_scheme(s, place, original, at)))
				continue;
			kit_what(kit, "byte %zu of %s changed from 0x%02x to 0x%02x", at + 1, place->name,
				 (unsigned char)original.p[at], (unsigned char)value[at]);
			if (!accepted(s, &changed)) {
				count->refused++;
			} else if (count->accepted++ == 0) {
				count->at = at;
				count->was = (unsigned char)original.p[at];
				count->now = (unsigned char)value[at];
			}
		}
		value[at] = original.p[at];
	}
}

static void judge_bytes(struct signature *s, bool fields)
{
	struct kit *kit = s->bench.kit;
	size_t looked_at = 0, counting = 0;

	for (size_t i = 0; i < s->places.n; i++) {
		const struct place *place = &s->places.v[i];
		struct count count = { 0 };
		if ((place->kind == PLACE_FIELD) != fields)
			continue;
		looked_at++;
		change_bytes(s, place, &count);
		if (count.refused && count.accepted)
			kit_fail(kit,
				 "%zu of %zu changes of a single byte in %s are accepted, the first at byte %zu of %zu "
				 "(0x%02x instead of 0x%02x): compare all of it, and its length",
				 count.accepted, count.accepted + count.refused, place->name, count.at + 1, place->n,
				 count.now, count.was);
		counting += count.refused > 0;
	}
	if (!looked_at)
		kit_skip(kit, fields ? "sign() leaves the body alone" : "sign() adds no header");
	if (!counting && s->places.n == looked_at)
		kit_fail(kit, "whatever is changed in %s, verify() answers OK: the signature is not compared",
			 s->places.v[0].name);
	kit_info(kit, "%zu of %zu that sign() adds", counting, looked_at);
}

/* Of many signatures some have a NUL in them, where C strings end. */
static void judge_many(struct signature *s)
{
	struct kit *kit = s->bench.kit;

	for (int i = 0; i < MANY && !kit_hurries(kit); i++) {
		struct places places;
		patchbay_request r, plain;
		uint32_t sample = (uint32_t)i % s->bench.play.n_samples;
		if (bench_sample(&s->bench, &s->bench.a, sample, kit_random(kit), 0, &r, &plain) != PATCHBAY_OK ||
		    bench_verify(&s->bench.a, &r) != PATCHBAY_OK)
			continue;
		places_find(&s->bench, &plain, &r, &places);
		for (size_t k = 0; k < places.n; k++) {
			const struct place *place = &places.v[k];
			if (place->kind != PLACE_HEADER || place->n < 16 || !place_counts(&s->bench, &r, place))
				continue;
			char *value;
			patchbay_request changed = place_open(kit, &r, place, &value);
			patchbay_str right = place_value(&r, place);
			for (size_t back = 1; back <= 5; back += 4) {
				size_t at = place->n - back;
				value[at] = value[at] == '0' ? '1' : '0';
				kit_what(kit, "byte %zu of %zu of another sample's %s changed", at + 1, place->n,
					 place->name);
				if (!place_means_same(right, at, value[at]) && accepted(s, &changed))
					kit_fail(kit,
						 "in some samples byte %zu of %zu in %s may be another, though not in "
						 "all: compare signatures by their length, not as strings that end "
						 "with a NUL",
						 at + 1, place->n, place->name);
				value[at] = right.p[at];
			}
		}
	}
}

void test_signature_bytes(struct kit *kit)
{
	struct signature s;

	open_signature(&s, kit, false);
	judge_bytes(&s, false);
	judge_many(&s);
	bench_close(&s.bench);
}

void test_signature_fields(struct kit *kit)
{
	struct signature s;

	open_signature(&s, kit, false);
	judge_bytes(&s, true);
	bench_close(&s.bench);
}

/* ---- Its length */

/* "t=1,v1=HEX,v1=HEX", "v1,BASE64 v1,BASE64": of which any may match, so that twice the same is as right as once. */
static bool is_list(const struct signature *s, const struct place *place, patchbay_str value)
{
	return memchr(value.p, ',', value.n) || memchr(value.p, ';', value.n) ||
	       (memchr(value.p, ' ', value.n) && place->kind == PLACE_HEADER &&
		!str_is(s->r.headers[place->header].key, "authorization"));
}

static void try_value(struct signature *s, const struct place *place, patchbay_str value, const char *how, size_t n)
{
	struct kit *kit = s->bench.kit;
	patchbay_str right = place_value(&s->r, place);
	bool twice = value.n >= right.n * 2 && memcmp(value.p + right.n, right.p, right.n) == 0;

	kit_what(kit, "%s %s %zu bytes", place->name, how, n);
	patchbay_request changed = place_put(kit, &s->r, place, value);
	if (accepted(s, &changed) && !(twice && is_list(s, place, right)))
		kit_fail(kit, "%s, %s %zu bytes, is still accepted: its length must be exactly right", place->name, how,
			 n);
}

static void try_lengths(struct signature *s, const struct place *place)
{
	struct kit *kit = s->bench.kit;
	patchbay_str value = place_value(&s->r, place);
	static const char more[] = { '0', 'a', 'A', 'x', '\0', '\x80' };

	for (size_t n = 0; n < value.n; n++)
		try_value(s, place, (patchbay_str){ value.p, n }, "cut to", n);
	char *longer = kit_alloc(kit, value.n * 2 + 1);
	memcpy(longer, value.p, value.n);
	for (size_t i = 0; i < sizeof(more); i++) {
		longer[value.n] = more[i];
		try_value(s, place, (patchbay_str){ longer, value.n + 1 }, "made longer by", 1);
	}
	memcpy(longer + value.n, value.p, value.n);
	try_value(s, place, (patchbay_str){ longer, value.n * 2 }, "made longer by", value.n);

	char *huge = kit_alloc(kit, LONG_VALUE);
	int64_t best = INT64_MAX;
	for (int form = 0; form < 2; form++) {
		for (size_t i = 0; i < LONG_VALUE; i++)
			huge[i] = form == 0 ? '0' : value.p[i % value.n];
		for (int i = 0; i < 3; i++) {
			int64_t began = clock_steady_ns();
			try_value(s, place, (patchbay_str){ huge, LONG_VALUE }, "of", LONG_VALUE);
			int64_t took = clock_steady_ns() - began;
			best = took < best ? took : best;
		}
	}
	if (best > LONG_MS * NS_PER_MS && !KIT_SANITIZED)
		kit_fail(kit, "a %s of %zu bytes keeps verify() busy for %lld ms; look at the length first",
			 place->name, LONG_VALUE, (long long)(best / NS_PER_MS));
}

void test_signature_length(struct kit *kit)
{
	struct signature s;

	open_signature(&s, kit, false);
	for (size_t i = 0; i < s.places.n; i++) {
		const struct place *place = &s.places.v[i];
		if (!place_counts(&s.bench, &s.r, place))
			continue;
		try_lengths(&s, place);
		if (place->kind != PLACE_HEADER || s.bench.by_address)
			continue;
		for (int form = 0; form < 2; form++) {
			patchbay_str key = s.r.headers[place->header].key;
			patchbay_request other = wire_without_header(kit, &s.r, place->header);
			key = form ? (patchbay_str){ key.p, key.n - 1 } : kit_format(kit, "%.*s-old", STR_ARG(key));
			kit_what(kit, "%s, called %.*s", place->name, STR_ARG(key));
			other = wire_add_header(kit, &other, place->header, key, place_value(&s.r, place));
			if (accepted(&s, &other))
				kit_fail(kit, "%s counts, too, when it is called %.*s; compare the whole name",
					 place->name, STR_ARG(key));
		}
		kit_what(kit, "%s taken out", place->name);
		patchbay_request without = wire_without_header(kit, &s.r, place->header);
		if (accepted(&s, &without))
			kit_fail(kit, "%s may be left out, and the request is still accepted", place->name);
	}
	bench_close(&s.bench);
}

/* ---- It comes once */

void test_signature_once(struct kit *kit)
{
	struct signature s;
	size_t tried = 0;

	open_signature(&s, kit, false);
	for (size_t i = 0; i < s.places.n; i++) {
		const struct place *place = &s.places.v[i];
		if (place->kind != PLACE_HEADER || !place_counts(&s.bench, &s.r, place))
			continue;
		tried++;
		patchbay_kv header = s.r.headers[place->header];
		char *wrong = (char *)(uintptr_t)kit_copy(kit, header.value).p;
		wrong[header.value.n - 1] = wrong[header.value.n - 1] == '0' ? '1' : '0';
		patchbay_str other = { wrong, header.value.n };
		for (int form = 0; form < 3; form++) {
			static const char *const forms[] = { "a wrong one before the right one",
							     "a wrong one behind the "
							     "right one",
							     "an empty one before the right one" };
			kit_what(kit, "%s twice, %s", place->name, forms[form]);
			patchbay_request twice = wire_add_header(kit, &s.r, place->header + (form == 1), header.key,
								 form == 2 ? STR("") : other);
			if (accepted(&s, &twice))
				kit_fail(kit,
					 "%s may come twice, with %s: which one counts is for an attacker to choose; "
					 "refuse it, as patchbay_header() does",
					 place->name, forms[form]);
		}
		kit_what(kit, "%s twice, the same", place->name);
		patchbay_request same = wire_add_header(kit, &s.r, place->header, header.key, header.value);
		if (accepted(&s, &same))
			kit_info(kit, "%s may come twice, if it is the same", place->name);
	}
	if (!tried)
		kit_skip(kit, "no header proves anything");
	bench_close(&s.bench);
}

/* ---- The body */

/* Is it a token, not a signature: the secret itself stands there, as it is or in base64? */
static bool shows_secret(struct kit *kit, const struct signature *s)
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(kit->plugin, SIDE_SOURCE, &n, &size);
	const patchbay_crypto_service *crypto = s->bench.a.host.service(&s->bench.a.host, PATCHBAY_CRYPTO);

	for (size_t i = 0; i < s->places.n; i++) {
		patchbay_str value = place_value(&s->r, &s->places.v[i]), decoded = { NULL, 0 };
		const char *space = memrchr(value.p, ' ', value.n);
		patchbay_str last =
			space ? (patchbay_str){ space + 1, (size_t)(value.p + value.n - space - 1) } : value;
		patchbay_call call;
		bool found = false;
		call_init(&call, 0);
		if (!crypto->unbase64(&call, last, &decoded))
			decoded.n = 0;
		for (uint32_t k = 0; k < n && !found; k++) {
			patchbay_str secret;
			if (!(table[k].flags & PATCHBAY_F_SECRET))
				continue;
			memcpy(&secret, (const char *)s->bench.a.options + table[k].offset, sizeof(secret));
			if (table[k].type == PATCHBAY_T_STRS) {
				patchbay_strs list;
				memcpy(&list, (const char *)s->bench.a.options + table[k].offset, sizeof(list));
				secret = list.n ? list.v[0] : STR("");
			}
			found = secret.n &&
				((value.n >= secret.n && memmem(value.p, value.n, secret.p, secret.n)) ||
				 (decoded.n >= secret.n && memmem(decoded.p, decoded.n, secret.p, secret.n)));
		}
		call_fini(&call);
		if (found)
			return true;
	}
	return false;
}

/* Nor may what is large be covered in part, or not at all. */
static void judge_large(struct signature *s)
{
	static const size_t places[] = { 70 << 10, 300 << 10, 600 << 10, LARGE - 1 };
	struct kit *kit = s->bench.kit;
	char *p = kit_alloc(kit, LARGE);

	memset(p, ' ', LARGE);
	memcpy(p, s->plain.body.p, s->plain.body.n < LARGE ? s->plain.body.n : LARGE);
	patchbay_request r = bench_with_body(&s->bench, &s->plain, (patchbay_str){ p, LARGE });
	kit_what(kit, "a body of %zu bytes", LARGE);
	if (!accepted(s, &r)) {
		kit_info(kit, "bodies of %zu bytes are refused", LARGE);
		return;
	}
	patchbay_request changed = wire_copy(kit, &r);
	char *body = (char *)(uintptr_t)changed.body.p;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && changed.body.n >= LARGE; i++) {
		body[places[i]] ^= 1;
		kit_what(kit, "byte %zu of a body of %zu bytes changed", places[i] + 1, changed.body.n);
		if (accepted(s, &changed))
			kit_fail(kit,
				 "the signature does not cover all of a large body: byte %zu of %zu may be another; "
				 "hash "
				 "all of request->body, however long it is",
				 places[i] + 1, changed.body.n);
		body[places[i]] ^= 1;
	}
}

void test_signature_body(struct kit *kit)
{
	static const char masks[] = { 0x01, 0x20 };
	struct signature s;
	struct count count = { 0 };

	open_signature(&s, kit, true);
	if (s.places.body_changed)
		kit_skip(kit, "sign() changes the body itself; see signature.fields");
	if (shows_secret(kit, &s))
		kit_skip(kit, "it proves itself by a token, which covers nothing");
	patchbay_str body = s.r.body;
	char *p = kit_alloc(kit, body.n + 1);
	memcpy(p, body.p, body.n);
	patchbay_request changed = s.r;
	changed.body = (patchbay_str){ p, body.n };
	size_t step = body.n / BODY_POSITIONS + 1;
	for (size_t at = 0; at < body.n; at += at < 64 || at + 64 >= body.n ? 1 : kit_hurries(kit) ? 16 * step : step) {
		for (size_t m = 0; m < sizeof(masks); m++) {
			p[at] = (char)(body.p[at] ^ masks[m]);
			kit_what(kit, "byte %zu of %zu of the body changed", at + 1, body.n);
			if (!accepted(&s, &changed))
				count.refused++;
			else if (count.accepted++ == 0)
				count.at = at;
		}
		p[at] = body.p[at];
	}
	if (!count.refused && count.accepted)
		kit_fail(kit, "the signature does not cover the body: whatever is changed in it, verify() answers OK; "
			      "sign and compare all of request->body");
	if (count.accepted)
		kit_fail(kit,
			 "the signature does not cover all of the body: %zu of %zu changes are accepted, the first at "
			 "byte %zu of %zu",
			 count.accepted, count.accepted + count.refused, count.at + 1, body.n);
	for (int form = 0; form < 4 && body.n > 0; form++) {
		static const char *const forms[] = { "a byte less", "a line feed more", "a NUL more", "nothing in it" };
		p[body.n] = form == 1 ? '\n' : '\0';
		changed.body.n = form == 0 ? body.n - 1 : form == 3 ? 0 : body.n + 1;
		kit_what(kit, "the body with %s", forms[form]);
		if (accepted(&s, &changed))
			kit_fail(kit,
				 "the body with %s is still accepted: the signature covers exactly request->body.n "
				 "bytes",
				 forms[form]);
	}
	judge_large(&s);
	bench_close(&s.bench);
}
