/* test_table.c - what a plugin says of itself, and its further abilities. */
#include "conform/tests.h"

#include "base/sized.h"
#include "conform/guest.h"
#include "plugin/ability.h"

#include <patchbay/checkpoint.h>
#include <patchbay/fetch.h>
#include <patchbay/idle.h>
#include <patchbay/preview.h>
#include <patchbay/simulate.h>

#include <stdio.h>
#include <string.h>

#define ABILITY_SIZE_MAX 4096
#define SAMPLES_MAX 10000

static bool is_blank(const char *s)
{
	return !s || !s[strspn(s, " \t\n")];
}

void test_table_metadata(struct kit *kit)
{
	const patchbay_plugin *plugin = kit->plugin;

	if (is_blank(plugin->version))
		kit_fail(kit, "has no version; set .version, such as \"1.0.0\"");
	if (is_blank(plugin->license))
		kit_fail(kit, "has no licence; set .license to its SPDX name, such as \"Apache-2.0\"");
	if (is_blank(plugin->summary))
		kit_fail(kit, "has no summary; set .summary, one line that `patchbay plugins` shows");
	if (plugin->abi_minor > PATCHBAY_ABI_MINOR)
		kit_info(kit, "built for 1.%u, this patchbay offers 1.%u", plugin->abi_minor, PATCHBAY_ABI_MINOR);
	if (plugin->abi_minor_need > plugin->abi_minor)
		kit_fail(kit,
			 "needs version 1.%u of the interface, but says that it was built with 1.%u; set "
			 ".abi_minor = PATCHBAY_ABI_MINOR",
			 plugin->abi_minor_need, plugin->abi_minor);
}

static void check_help(struct kit *kit, const char *side, const char *prefix, const patchbay_option *table, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const patchbay_option *o = &table[i];
		char inner[200];
		if (is_blank(o->help))
			kit_fail(kit, "option '%s%s' of its %s has no help; say in one sentence what it is for", prefix,
				 o->name, side);
		if (o->type == PATCHBAY_T_ENUM)
			for (uint32_t a = 0; o->one_of[a]; a++)
				for (uint32_t b = 0; b < a; b++)
					if (strcmp(o->one_of[a], o->one_of[b]) == 0)
						kit_fail(kit, "option '%s%s' of its %s has two values named '%s'",
							 prefix, o->name, side, o->one_of[a]);
		if ((o->type == PATCHBAY_T_STR || o->type == PATCHBAY_T_STRS) && !(o->flags & PATCHBAY_F_SECRET) &&
		    (strstr(o->name, "password") || strstr(o->name, "secret")))
			kit_fail(kit,
				 "option '%s%s' of its %s is a secret by its name, but not by its flags, so it is "
				 "shown, and cannot come from a file; add PATCHBAY_F_SECRET",
				 prefix, o->name, side);
		if (o->flags & PATCHBAY_F_SECRET && o->def)
			kit_fail(kit,
				 "option '%s%s' of its %s is a secret with a default: everybody knows it; take the "
				 "default out",
				 prefix, o->name, side);
		snprintf(inner, sizeof(inner), "%s%s.", prefix, o->name);
		if (o->fields)
			check_help(kit, side, inner, o->fields, o->n_fields);
	}
}

void test_table_options(struct kit *kit)
{
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		uint32_t n, size;
		const patchbay_option *table = kit_table_of(kit->plugin, side, &n, &size);
		check_help(kit, kit_side_name(side), "", table, n);
	}
}

void test_table_provider(struct kit *kit)
{
	const patchbay_provider *p = kit->plugin->source ? kit->plugin->source->provider : NULL;
	uint64_t sum = 0;
	bool refusal_is_ok = false;

	if (!p)
		kit_skip(kit, "has no source, so there is no provider to describe");
	for (uint32_t i = 0; i < p->n_ok; i++) {
		unsigned from = p->ok[2 * i], to = p->ok[2 * i + 1];
		if (from < 100 || to > 599 || from > to)
			kit_fail(kit, "pair %u of .ok is %u to %u; status codes are 100 to 599, the lower one first",
				 i + 1, from, to);
		refusal_is_ok |= p->final_refusal >= from && p->final_refusal <= to;
	}
	for (uint32_t i = 0; i < p->n_retry; i++) {
		sum += p->retry_s[i];
		if (i > 0 && p->retry_s[i] < p->retry_s[i - 1])
			kit_info(kit, "retry delay %u is shorter than the one before", i + 1);
	}
	if (p->n_retry && p->retry_horizon_s < sum)
		kit_fail(kit,
			 ".retry_horizon_s is %u, but the delays in .retry_s add up to %llu s: the last retry would "
			 "come after the horizon",
			 p->retry_horizon_s, (unsigned long long)sum);
	if (p->final_refusal && (p->final_refusal < 100 || p->final_refusal > 599))
		kit_fail(kit, ".final_refusal is %u, which is no status code", p->final_refusal);
	if (p->final_refusal && refusal_is_ok)
		kit_fail(kit, ".final_refusal, %u, is among the codes that .ok takes as success", p->final_refusal);
}

/* ---- Abilities */

void test_extension_unknown(struct kit *kit)
{
	static const char *const ids[] = { "",
					   "patchbay",
					   "patchbay.",
					   "patchbay.simulate",
					   "patchbay.simulate/2",
					   "patchbay.simulate/10",
					   "patchbay.poll/0",
					   "patchbay.idle/",
					   "PATCHBAY.IDLE/1",
					   "patchbay.checkpoint/1 ",
					   "x",
					   "org.example.nothing/1" };

	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		if (!kit->shared->has[side])
			continue;
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]) + 20; i++) {
			char random[40];
			const char *id = random;
			if (i < sizeof(ids) / sizeof(ids[0]))
				id = ids[i];
			else
				snprintf(random, sizeof(random), "org.example.x%llx/1",
					 (unsigned long long)kit_random(kit));
			kit_what(kit, "\"%s\"", id);
			if (guest_ability(kit, side, id))
				kit_fail(kit,
					 "extension(\"%s\") of its %s is not NULL, though there is no such ability; "
					 "compare the whole id, and answer NULL for all that you do not know",
					 id, kit_side_name(side));
		}
	}
}

static const struct known {
	enum side side;
	const char *id;
	size_t size; /* of its first version */
	const char *functions[3];
	size_t offsets[3];
} known[] = {
	{ SIDE_SOURCE,
	  PATCHBAY_SIMULATE,
	  SIZED_END(patchbay_simulate, sign),
	  { "body", "sign" },
	  { offsetof(patchbay_simulate, body), offsetof(patchbay_simulate, sign) } },
	{ SIDE_SOURCE,
	  PATCHBAY_POLL,
	  SIZED_END(patchbay_poll, poll),
	  { "wanted", "poll" },
	  { offsetof(patchbay_poll, wanted), offsetof(patchbay_poll, poll) } },
	{ SIDE_SOURCE,
	  PATCHBAY_ENRICH,
	  SIZED_END(patchbay_enrich, enrich),
	  { "enrich" },
	  { offsetof(patchbay_enrich, enrich) } },
	{ SIDE_SINK,
	  PATCHBAY_CHECKPOINT,
	  SIZED_END(patchbay_checkpoint, resume),
	  { "resume" },
	  { offsetof(patchbay_checkpoint, resume) } },
	{ SIDE_SINK, PATCHBAY_IDLE, SIZED_END(patchbay_idle, idle), { "idle" }, { offsetof(patchbay_idle, idle) } },
	{ SIDE_SINK,
	  PATCHBAY_PREVIEW,
	  SIZED_END(patchbay_preview, preview),
	  { "preview" },
	  { offsetof(patchbay_preview, preview) } },
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static void check_samples(struct kit *kit, const void *table)
{
	patchbay_simulate simulate;

	memcpy(&simulate, table, sizeof(simulate));
	if (simulate.n_samples > SAMPLES_MAX || (simulate.n_samples && !simulate.samples))
		kit_fail(kit, "%s says that it has %u samples, but %s", PATCHBAY_SIMULATE, simulate.n_samples,
			 simulate.samples ? "so many are not believed" : "does not list them");
	for (uint32_t i = 0; i < simulate.n_samples; i++) {
		uint32_t step = simulate.samples->size;
		const char *at = (const char *)simulate.samples + (size_t)i * step;
		patchbay_sample sample;
		if (step < sizeof(sample) || step % sizeof(void *))
			kit_fail(kit,
				 "the first sample says that it is %u bytes long; set .size = sizeof(patchbay_sample)",
				 step);
		memcpy(&sample, at, sizeof(sample));
		if (is_blank(sample.name) || is_blank(sample.about))
			kit_fail(kit, "sample %u has no %s", i + 1, is_blank(sample.name) ? "name" : "`about`");
		for (uint32_t k = 0; k < i; k++) {
			patchbay_sample other;
			memcpy(&other, (const char *)simulate.samples + (size_t)k * step, sizeof(other));
			if (strcmp(sample.name, other.name) == 0)
				kit_fail(kit, "samples %u and %u are both named '%s'", k + 1, i + 1, sample.name);
		}
	}
}

static void check_ability(struct kit *kit, const struct known *k, const void *table)
{
	uint32_t size;

	memcpy(&size, table, sizeof(size));
	if (size < k->size || size > ABILITY_SIZE_MAX)
		kit_fail(
			kit,
			"its table of %s says that it is %u bytes long, but version 1 has %zu; set .size = sizeof(...)",
			k->id, size, k->size);
	for (int f = 0; f < 3 && k->functions[f]; f++) {
		void *function;
		memcpy(&function, (const char *)table + k->offsets[f], sizeof(function));
		if (!function)
			kit_fail(kit, "its table of %s lacks %s()", k->id, k->functions[f]);
	}
	if (strcmp(k->id, PATCHBAY_SIMULATE) == 0)
		check_samples(kit, table);
}

void test_extension_known(struct kit *kit)
{
	const void *tables[N_KNOWN] = { NULL };
	struct buf list = { 0 };

	for (size_t i = 0; i < N_KNOWN; i++) {
		if (!kit->shared->has[known[i].side])
			continue;
		kit_what(kit, "\"%s\"", known[i].id);
		/* An id of the caller's own: only its text counts. */
		patchbay_str copy = kit_copy(kit, str_c(known[i].id));
		tables[i] = guest_ability(kit, known[i].side, known[i].id);
		if (guest_ability(kit, known[i].side, copy.p) != tables[i])
			kit_fail(kit,
				 "extension(\"%s\") gives another table at the second call; it must be the same static "
				 "one every time",
				 known[i].id);
		if (!tables[i])
			continue;
		for (size_t k = 0; k < i; k++)
			if (tables[k] == tables[i])
				kit_fail(kit, "extension() gives one and the same table for %s and %s", known[k].id,
					 known[i].id);
		check_ability(kit, &known[i], tables[i]);
		buf_addf(&list, "%s%s", list.n ? ", " : "", known[i].id);
	}
	kit_info(kit, "%s", list.n ? buf_cstr(&list) : "none");
	buf_free(&list);
}
