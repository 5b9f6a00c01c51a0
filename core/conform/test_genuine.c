/* test_genuine.c - who is let in: the provider, and nobody else. */
#include "conform/tests.h"

#include "conform/places.h"

#include <stdlib.h>
#include <string.h>

static bool lets_in(patchbay_status status)
{
	return status == PATCHBAY_OK;
}

void test_source_genuine(struct kit *kit)
{
	struct bench bench;
	size_t genuine = 0, events = 0;

	bench_open(&bench, kit, true);
	if (!bench.can_play)
		kit_skip(kit,
			 "the plugin cannot play its provider; with " PATCHBAY_SIMULATE " (<patchbay/simulate.h>) far "
			 "more of it can be proved");
	for (uint32_t i = 0; i < bench.play.n_samples; i++) {
		for (int round = 0; round < 3; round++) {
			uint64_t serial = round ? kit_random(kit) : 0;
			const char *name = simulate_sample(&bench.play, i).name;
			patchbay_request r;
			kit_what(kit, "sample '%s', serial %llu", name, (unsigned long long)serial);
			patchbay_status status = bench_sample(&bench, &bench.a, i, serial, 0, &r, NULL);
			if (status == PATCHBAY_EUNSUPPORTED)
				kit_skip(kit, "with these options it cannot sign: %.*s", STR_ARG(guest_why(&bench.a)));
			if (status != PATCHBAY_OK)
				kit_fail(kit, "cannot make sample '%s': %s, '%.*s'", name, kit_status_name(status),
					 STR_ARG(guest_why(&bench.a)));
			status = bench_verify(&bench.a, &r);
			if (status == PATCHBAY_REPLY)
				continue;
			if (status != PATCHBAY_OK)
				kit_fail(kit,
					 "verify() refuses sample '%s', which the plugin signed itself: %s, '%.*s'%s",
					 name, kit_status_name(status), STR_ARG(guest_why(&bench.a)),
					 bench.capitals ? "; the names of headers come in lower case, so ask for them "
							  "so"
							: "");
			struct taken taken;
			taken_init(&taken, &r);
			status = bench_parse(&bench.a, &r, &taken);
			if (status != PATCHBAY_OK && !taken.fault[0]) /* else see parse.events */
				kit_fail(kit, "parse() does not understand sample '%s': %s, '%.*s'", name,
					 kit_status_name(status), STR_ARG(guest_why(&bench.a)));
			genuine++;
			events += taken.n + (taken.fault[0] != 0);
			taken_fini(&taken);
		}
	}
	if (genuine && !events)
		kit_fail(kit, "parse() emits no event for any of its %u samples", bench.play.n_samples);
	kit_info(kit, "%u samples%s", bench.play.n_samples, bench.by_address ? ", known by its addresses" : "");
	bench_close(&bench);
}

/* Is there a secret with a value in these options? */
static bool has_secret(struct kit *kit, const void *options)
{
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(kit->plugin, SIDE_SOURCE, &n, &size);

	for (uint32_t i = 0; i < n; i++) {
		size_t length;
		if (!(table[i].flags & PATCHBAY_F_SECRET))
			continue;
		memcpy(&length, (const char *)options + table[i].offset + offsetof(patchbay_str, n), sizeof(length));
		if (length > 0)
			return true;
	}
	return false;
}

static void foreign(patchbay_request *r)
{
	static const uint8_t addr[16] = { [10] = 0xff, [11] = 0xff, 203, 0, 113, 77 };

	memcpy(r->client_addr, addr, sizeof(addr));
	r->client = STR("203.0.113.77");
}

/* Skips when check() warns that this configuration lets everybody in. */
static void must_not_be_open(struct kit *kit, const void *options, const char *fault)
{
	patchbay_str said;

	if (guest_check(kit, SIDE_SOURCE, options, &said) == PATCHBAY_OK && said.n)
		kit_skip(kit, "it lets everybody in, and check() warns of it: %.*s", STR_ARG(kit_show(kit, said)));
	kit_fail(kit, "%s", fault);
}

/* Random bytes that are a text, mostly. */
static patchbay_str random_body(struct kit *kit)
{
	static const char *const texts[] = { "{}", "[]", "{\"id\":1,\"type\":\"x\"}", "null", "\"x\"", "id=1&type=x" };
	size_t n = kit_below(kit, 300);
	char *p = kit_alloc(kit, n + 1);

	if (kit_below(kit, 2))
		return kit_copy(kit, str_c(texts[kit_below(kit, sizeof(texts) / sizeof(texts[0]))]));
	for (size_t i = 0; i < n; i++)
		p[i] = (char)kit_random(kit);
	return (patchbay_str){ p, n };
}

static void try_forged(struct bench *bench, patchbay_request *r, const char *what)
{
	struct kit *kit = bench->kit;

	if (bench->by_address)
		foreign(r);
	kit_what(kit, "%s", what);
	patchbay_status status = bench_verify(&bench->a, r);
	if (lets_in(status) && has_secret(kit, bench->a.options))
		kit_fail(kit, "verify() answers OK to %s: whoever knows the URL can post events", what);
	if (lets_in(status))
		must_not_be_open(kit, bench->a.options,
				 "verify() answers OK to what nobody signed, and check() does not warn that this "
				 "configuration lets everybody in; give the source a secret, or let check() explain()");
	if (status == PATCHBAY_EDENIED && guest_why(&bench->a).n == 0)
		kit_fail(kit,
			 "verify() refuses %s without a word; explain() what was missing or wrong, or nobody can mend "
			 "it",
			 what);
}

/* What proves something, replaced; and then all that sign() adds at once. A header that names the event may say what it
 * likes. */
static void forge_headers(struct bench *bench, const patchbay_request *r, const patchbay_request *plain)
{
	struct kit *kit = bench->kit;
	struct places places;
	patchbay_request all = *r;
	size_t changed = 0;

	places_find(bench, plain, r, &places);
	for (size_t i = 0; i < places.n; i++) {
		const struct place *place = &places.v[i];
		patchbay_str random = random_body(kit);
		if (place->kind != PLACE_HEADER || str_eq(random, place_value(r, place)))
			continue;
		patchbay_request forged = place_put(kit, r, place, random);
		all = place_put(kit, &all, place, random);
		changed++;
		if (!place_counts(bench, r, place))
			continue;
		try_forged(bench, &forged, "a sample with something else for a signature");
		forged = place_put(kit, r, place, STR(""));
		try_forged(bench, &forged, "a sample with an empty signature");
	}
	if (changed)
		try_forged(bench, &all, "a sample with something else in every header that sign() adds");
}

void test_source_forged(struct kit *kit)
{
	struct bench bench;

	bench_open(&bench, kit, true);
	for (uint32_t i = 0; bench.can_play && i < bench.play.n_samples; i++) {
		patchbay_request r, plain;
		patchbay_status status = bench_sample(&bench, &bench.a, i, 0, 0, &r, &plain);
		if (status != PATCHBAY_OK)
			continue;
		try_forged(&bench, &plain, "a sample without a signature");
		if (bench_verify(&bench.a, &r) == PATCHBAY_OK)
			forge_headers(&bench, &r, &plain);
	}
	for (int i = 0; i < 300; i++) {
		patchbay_request r = bench_plain(&bench, random_body(kit));
		try_forged(&bench, &r, "a random request");
	}
	bench_close(&bench);
}

void test_source_wrong_signature(struct kit *kit)
{
	struct bench bench;
	size_t tried = 0;

	bench_open(&bench, kit, false);
	for (uint32_t i = 0; i < bench.play.n_samples; i++) {
		patchbay_request r, right;
		const char *name = simulate_sample(&bench.play, i).name;
		kit_what(kit, "sample '%s', wrongly signed", name);
		if (bench_sample(&bench, &bench.a, i, 0, 0, &right, NULL) != PATCHBAY_OK ||
		    bench_verify(&bench.a, &right) != PATCHBAY_OK)
			continue;
		patchbay_status status = bench_sample(&bench, &bench.a, i, 0, PATCHBAY_SIGN_WRONG, &r, NULL);
		if (status == PATCHBAY_EUNSUPPORTED)
			continue;
		if (status != PATCHBAY_OK)
			kit_fail(kit, "sign() answers %s when it shall sign wrongly; it may answer OK or EUNSUPPORTED",
				 kit_status_name(status));
		tried++;
		status = bench_verify(&bench.a, &r);
		if (status >= 0)
			kit_fail(kit,
				 "verify() answers %s to sample '%s' under PATCHBAY_SIGN_WRONG: either it does not "
				 "compare the signature, or sign() does not make a wrong one",
				 kit_status_name(status), name);
	}
	if (!tried)
		kit_skip(kit, "with these options it cannot sign wrongly");
	bench_close(&bench);
}

void test_source_other_secret(struct kit *kit)
{
	struct bench bench;
	struct guest other;
	patchbay_request r, plain, mine;

	bench_open(&bench, kit, false);
	guest_open(&other, kit, SIDE_SOURCE, 1);
	for (uint32_t i = 0; i < bench.play.n_samples; i++) {
		kit_what(kit, "a sample that an instance with another secret signed");
		if (bench_sample(&bench, &bench.a, i, 0, 0, &mine, &plain) != PATCHBAY_OK ||
		    bench_verify(&bench.a, &mine) != PATCHBAY_OK ||
		    bench_sample(&bench, &other, i, 0, 0, &r, NULL) != PATCHBAY_OK)
			continue;
		if (r.n_headers == plain.n_headers && str_eq(r.body, plain.body) && str_eq(r.query, plain.query))
			kit_skip(kit, "sign() adds nothing to a request, so no secret is in it");
		if (!has_secret(kit, bench.a.options))
			kit_skip(kit, "it has no secret");
		if (bench_verify(&other, &r) != PATCHBAY_OK)
			kit_fail(kit, "an instance with another secret refuses what it signed itself: %.*s",
				 STR_ARG(guest_why(&other)));
		if (lets_in(bench_verify(&bench.a, &r))) {
			bool same = r.n_headers == mine.n_headers && str_eq(r.body, mine.body);
			for (uint32_t h = 0; same && h < r.n_headers; h++)
				same = str_eq(r.headers[h].value, mine.headers[h].value);
			if (same && kit->order->n_set)
				kit_skip(kit, "both instances sign alike; is the secret the same because of --set?");
			kit_fail(kit, "verify() answers OK to what was signed with another secret: the secret does not "
				      "count");
		}
	}
	guest_close(&other);
	bench_close(&bench);
}

/* ---- Without a secret */

/* A copy of the options in which every secret is gone, or is one that is empty. */
static void *blank_options(struct kit *kit, const void *options, bool one_empty)
{
	static const patchbay_str empty = { "", 0 };
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(kit->plugin, SIDE_SOURCE, &n, &size);
	char *copy = kit_alloc(kit, size);

	memcpy(copy, options, size);
	for (uint32_t i = 0; i < n; i++) {
		if (!(table[i].flags & PATCHBAY_F_SECRET))
			continue;
		if (table[i].type == PATCHBAY_T_STRS)
			memcpy(copy + table[i].offset, &(patchbay_strs){ one_empty ? &empty : NULL, one_empty },
			       sizeof(patchbay_strs));
		else
			memcpy(copy + table[i].offset, one_empty ? &empty : &(patchbay_str){ NULL, 0 },
			       sizeof(patchbay_str));
	}
	return copy;
}

static void must_refuse(struct bench *bench, struct guest *blank, patchbay_request *r, const char *what)
{
	struct kit *kit = bench->kit;

	if (bench->by_address)
		foreign(r);
	if (!lets_in(bench_verify(blank, r)))
		return;
	must_not_be_open(
		kit, blank->options,
		kit_format(kit,
			   "with an empty secret verify() answers OK to %s; without a secret nobody is genuine: "
			   "refuse it in create(), and in check()",
			   what)
			.p);
}

void test_source_no_secret(struct kit *kit)
{
	struct bench bench;

	bench_open(&bench, kit, true);
	if (!has_secret(kit, bench.a.options))
		kit_skip(kit, "it has no secret");
	for (int one_empty = 0; one_empty < 2; one_empty++) {
		struct guest blank;
		const void *options = blank_options(kit, bench.a.options, one_empty);
		kit_what(kit, "%s", one_empty ? "secrets that are empty" : "no secrets");
		if (guest_create(&blank, kit, SIDE_SOURCE, options, NULL) != PATCHBAY_OK) {
			guest_close(&blank);
			continue;
		}
		patchbay_request r = bench_plain(&bench, STR("{\"id\":1}"));
		must_refuse(&bench, &blank, &r, "a request that nobody signed");
		for (uint32_t i = 0; bench.can_play && i < bench.play.n_samples && i < 4; i++) {
			patchbay_request own, plain;
			if (bench_sample(&bench, &bench.a, i, 0, 0, &r, &plain) == PATCHBAY_OK) {
				must_refuse(&bench, &blank, &r, "what was signed with some secret");
				must_refuse(&bench, &blank, &plain, "a sample without a signature");
			}
			/* sign() may rely on a secret; that it crashes without one is not what is asked here */
			if (one_empty && bench_sample(&bench, &blank, i, 0, 0, &own, NULL) == PATCHBAY_OK)
				must_refuse(&bench, &blank, &own, "what was signed with the empty secret");
		}
		guest_close(&blank);
	}
	bench_close(&bench);
}

/* ---- By its address */

void test_source_address(struct kit *kit)
{
	struct bench bench;
	uint32_t n, size;
	const patchbay_option *table = kit_table_of(kit->plugin, SIDE_SOURCE, &n, &size);
	patchbay_request r, plain, from;
	size_t tried = 0;

	bench_open(&bench, kit, false);
	if (!bench.by_address)
		kit_skip(kit, "it does not go by the sender's address");
	bench_pick(&bench, false, &r, &plain);
	for (uint32_t i = 0; i < n; i++) {
		patchbay_cidrs list;
		if (table[i].type != PATCHBAY_T_CIDRS)
			continue;
		memcpy(&list, (const char *)bench.a.options + table[i].offset, sizeof(list));
		for (size_t k = 0; k < list.n * 130; k++) {
			const patchbay_cidr *net = &list.v[k / 130];
			unsigned bit = k % 130;
			bool listed = false;
			from = r;
			memcpy(from.client_addr, net->addr, 16);
			if (bit < 128)
				from.client_addr[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			else if (bit == 128) /* as an IPv6 address that only looks like it */
				memset(from.client_addr, 0, 12);
			else /* a unix socket */
				memset(from.client_addr, 0, 16);
			for (size_t m = 0; m < list.n; m++) {
				uint32_t bytes = list.v[m].bits / 8, rest = list.v[m].bits % 8;
				bool in = memcmp(list.v[m].addr, from.client_addr, bytes) == 0;
				listed |= in && (!rest ||
						 (list.v[m].addr[bytes] ^ from.client_addr[bytes]) >> (8 - rest) == 0);
			}
			if (listed)
				continue;
			tried++;
			kit_what(kit, "another address: bit %u of one in '%s' changed", bit, table[i].name);
			if (lets_in(bench_verify(&bench.a, &from)))
				kit_fail(
					kit,
					"verify() answers OK to an address that is not in '%s' (bit %u of one that is, "
					"changed)",
					table[i].name, bit);
		}
	}
	kit_info(kit, "%zu other addresses", tried);
	bench_close(&bench);
}

/* ---- Time */

void test_source_clock(struct kit *kit)
{
	static const int64_t years[] = { 2002, 2035 };
	struct bench bench;
	patchbay_request r, plain;
	unsigned late = 0;

	bench_open(&bench, kit, false);
	for (size_t i = 0; i < sizeof(years) / sizeof(years[0]); i++) {
		kit->clock_ns = (years[i] - 1970) * INT64_C(31556952) * 1000000000;
		kit_what(kit, "a sample signed when the host's clock says %lld", (long long)years[i]);
		patchbay_status status = bench_sample(&bench, &bench.a, 0, 0, 0, &r, NULL);
		if (status == PATCHBAY_OK)
			status = bench_verify(&bench.a, &r);
		if (status < 0)
			kit_fail(kit,
				 "when the host's clock says %lld, verify() refuses what sign() signs at that moment: "
				 "'%.*s'; the host's clock is the only one: host->now_ns(), request->received_ns",
				 (long long)years[i], STR_ARG(guest_why(&bench.a)));
	}
	kit->clock_ns = GUEST_NOON_NS;
	bench_pick(&bench, false, &r, &plain);
	kit->clock_ns += INT64_C(31556952) * 1000000000;
	kit_what(kit, "a sample that came a year ago, when it was signed");
	if (bench_verify(&bench.a, &r) < 0)
		kit_fail(
			kit,
			"a year later verify() refuses what was genuine when it came: '%.*s'. Compare a signature's "
			"time with request->received_ns, not with host->now_ns(), or `patchbay reverify` can never let "
			"in what was refused for a wrong secret",
			STR_ARG(guest_why(&bench.a)));
	for (int i = -1; i <= 1; i += 2) {
		patchbay_request off = r;
		off.received_ns += i * INT64_C(315569520) * 1000000000;
		kit->clock_ns = GUEST_NOON_NS + i * INT64_C(315569520) * 1000000000;
		kit_what(kit, "a sample that comes ten years too %s", i < 0 ? "early" : "late");
		late += lets_in(bench_verify(&bench.a, &off));
	}
	kit_info(kit, "a signature ten years off is %s", late ? "accepted: it covers no time" : "refused");
	bench_close(&bench);
}
