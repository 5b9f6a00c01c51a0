/* test_options.c - from the table of options to an instance that the other tests can use. */
#include "conform/tests.h"

#include "base/mem.h"
#include "conform/guess.h"
#include "conform/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_file(struct kit *kit, const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(text->p, 1, text->n, f) != text->n || fclose(f) != 0)
		kit_fail(kit, "cannot write %s", path);
}

/* Reads the options that this attempt gives, into the kit. NULL: `why` is what was said against them. */
static struct config *attempt(struct kit *kit, enum side side, int variant, int n, struct buf *why)
{
	const struct guess guess = { kit->plugin, side, kit->order, kit->folder, variant, n };
	const struct config_plugins plugins = kit_plugins(kit);
	struct config_faults faults = { 0 };
	struct buf text = { 0 };
	char *path = xasprintf("%s/%s-%d.yaml", kit->folder, kit_side_name(side), variant);

	guess_write(&guess, &text);
	write_file(kit, path, &text);
	struct config *config = config_load(path, &plugins, &faults);
	why->n = 0;
	for (size_t i = 0; i < faults.n; i++)
		if (!faults.v[i].warning && why->n < 600)
			buf_addf(why, "%s%s", why->n ? "; " : "", faults.v[i].message);
	config_faults_free(&faults);
	buf_free(&text);
	free(path);
	return config;
}

void test_options_defaults(struct kit *kit)
{
	struct buf why = { 0 };

	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		if (!kit->shared->has[side])
			continue;
		struct config *config = attempt(kit, side, 0, 0, &why);
		const char *at = config ? NULL : strstr(buf_cstr(&why), "declares a wrong default");
		if (at)
			kit_fail(kit, "%s", buf_cstr(&why));
		config_free(config);
	}
	buf_free(&why);
}

/* With the first guess that the plugin takes. */
static bool make(struct kit *kit, enum side side, struct buf *first_why)
{
	int attempts = guess_attempts(kit->plugin, side);
	struct buf why = { 0 };

	for (int i = 0; i < attempts; i++) {
		struct config *config = attempt(kit, side, 0, i, &why);
		if (i == 0)
			buf_add_str(first_why, buf_str(&why));
		if (!config)
			continue;
		struct guest guest;
		kit->config[side][0] = config;
		const void *options = side == SIDE_SOURCE ? config->sources[0].options : config->sinks[0].options;
		patchbay_status status =
			guest_create(&guest, kit, side, options,
				     side == SIDE_SOURCE ? &config->sources[0].secrets : &config->sinks[0].secrets);
		if (status == PATCHBAY_OK) {
			guest_close(&guest);
			kit->config[side][1] = attempt(kit, side, 1, i, &why);
			buf_free(&why);
			return true;
		}
		if (first_why->n == 0)
			buf_addf(first_why, "create() answers %s: %.*s", kit_status_name(status),
				 STR_ARG(guest_why(&guest)));
		guest_close(&guest);
		config_free(config);
		kit->config[side][0] = NULL;
	}
	buf_free(&why);
	return false;
}

void test_options_instance(struct kit *kit)
{
	struct err err;

	for (size_t i = 0; i < kit->order->n_set; i++)
		if (guess_set_ok(kit->plugin, kit->order->set[i], &err) != 0)
			kit_fail(kit, "%s", err.text);
	struct buf problem = { 0 };
	for (enum side side = SIDE_SOURCE; side <= SIDE_SINK; side++) {
		struct buf why = { 0 };
		if (!kit->shared->has[side])
			continue;
		kit->shared->ready[side] = make(kit, side, &why);
		if (!kit->shared->ready[side] && strstr(buf_cstr(&why), "declares a wrong default")) {
			kit_skip(kit, "a default of its options is wrong; see options.defaults");
		} else if (!kit->shared->ready[side]) {
			kit->shared->needs_set[side] = true;
			buf_addf(&problem,
				 "%sno options could be guessed with which its %s works, so most of it was not tried; "
				 "give them with --set %s.OPTION=VALUE. What it says: %s",
				 problem.n ? ". " : "", kit_side_name(side), kit_side_name(side),
				 why.n ? buf_cstr(&why) : "nothing");
		}
		buf_free(&why);
	}
	if (problem.n)
		kit_fail(kit, "%s", buf_cstr(&problem));
}
