/* cmd_send.c - `patchbay send`: what is asked for, and whether it can be done. */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/args.h"
#include "cli/load.h"
#include "cli/send.h"
#include "plugin/simulate.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char help[] =
	"Usage: patchbay send [-c FILE] SOURCE EVENT [--count N] [--to URL] [--serial N] [--bad-signature] [--retry] "
	"[--json]\n"
	"       patchbay send [-c FILE] patchbay ALARM [--json]\n"
	"       patchbay send [-c FILE] --list [SOURCE] [--json]\n"
	"Plays the provider of a source: sends one of its events, signed with the secrets of the configuration.\n"
	"With the source patchbay: has the running daemon make an alarm's event, to see where it arrives.\n\n"
	"  -c, --config FILE    the configuration (" CLI_CONFIG_PATH ")\n"
	"      --list           the events that can be sent\n"
	"      --count N        send N different ones\n"
	"      --to URL         not to where `listen` says, but there: http://127.0.0.1:8080/in/fleet\n"
	"      --serial N       make event number N; the same number makes the same event again. 0: exactly the one\n"
	"                       that the provider documents. Without it, every run sends new events\n"
	"      --bad-signature  sign it wrongly; it must be refused\n"
	"      --retry          when the answer does not please the provider, wait as it does, and send again\n"
	"      --json           print one JSON object (with --list: one on each line)\n"
	"  -h, --help           this text\n\n"
	"Prints the answer's status code and the id of the event (with --count, how many there were of each code).\n"
	"Exit status: 0 every answer was one that the provider takes as success (with --bad-signature: every answer "
	"was\n"
	"403), 1 not so, 2 wrong usage.\n";

#define NO_SERIAL UINT64_MAX

struct asked {
	const char *config, *source, *event, *to;
	uint64_t count, serial;
	bool list, bad_signature, retry, json;
};

static const struct config_source *find_source(const struct config *config, const char *name)
{
	const char **names = xcalloc(config->n_sources + 1, sizeof(*names));
	const struct config_source *found = NULL;
	for (size_t i = 0; i < config->n_sources; i++) {
		names[i] = config->sources[i].name;
		if (strcmp(names[i], name) == 0)
			found = &config->sources[i];
	}
	if (!found) {
		const char *nearest = str_nearest(str_c(name), names, config->n_sources);
		fprintf(stderr, "patchbay send: %s has no source '%s'; ", config->path, name);
		if (nearest)
			fprintf(stderr, "did you mean '%s'?\n", nearest);
		else
			fprintf(stderr, "`patchbay send --list` shows those that it has\n");
	}
	free(names);
	return found;
}

static bool find_sample(struct send_order *order, const char *name)
{
	uint32_t n = order->simulate.n_samples;
	const char **names = xcalloc((size_t)n + 1, sizeof(*names));
	order->sample = n;
	for (uint32_t i = 0; i < n; i++) {
		names[i] = simulate_sample(&order->simulate, i).name;
		if (strcmp(names[i], name) == 0)
			order->sample = i;
	}
	if (order->sample == n) {
		const char *nearest = str_nearest(str_c(name), names, n);
		fprintf(stderr, "patchbay send: '%s' cannot send '%s'; ", order->source->name, name);
		if (nearest)
			fprintf(stderr, "did you mean '%s'?\n", nearest);
		else
			fprintf(stderr, "`patchbay send %s --list` shows what it can\n", order->source->name);
	}
	free(names);
	return order->sample < n;
}

static bool can_play(const struct config_source *source, patchbay_simulate *ret)
{
	if (simulate_get(source->plugin, ret))
		return true;
	fprintf(stderr, "patchbay send: plugin '%s', of source '%s', cannot play its provider\n", source->plugin->name,
		source->name);
	return false;
}

static void print_sample_json(const struct config_source *source, const patchbay_sample *sample)
{
	json_t *line = json_pack("{s:s, s:s, s:s}", "source", source->name, "name", sample->name, "about",
				 sample->about ? sample->about : "");
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void list_source(const struct config_source *source, bool json)
{
	patchbay_simulate simulate = { 0 };
	bool plays = simulate_get(source->plugin, &simulate);
	if (!json)
		printf("%s (%s)%s\n", source->name, source->plugin->name, plays ? "" : ": cannot be played");
	for (uint32_t i = 0; plays && i < simulate.n_samples; i++) {
		patchbay_sample sample = simulate_sample(&simulate, i);
		if (json)
			print_sample_json(source, &sample);
		else
			printf("  %-36s %s\n", sample.name, sample.about ? sample.about : "");
	}
}

static int list_samples(const struct config *config, const struct asked *asked)
{
	const struct config_source *only = asked->source ? find_source(config, asked->source) : NULL;
	if (asked->source && !only)
		return 2;
	for (size_t i = 0; i < config->n_sources; i++)
		if (!only || only == &config->sources[i])
			list_source(&config->sources[i], asked->json);
	return 0;
}

static int play(const struct config *config, const struct asked *asked)
{
	struct send_order order = {
		.source = find_source(config, asked->source),
		.serial = asked->serial,
		.count = asked->count,
		.bad_signature = asked->bad_signature,
		.retry = asked->retry,
		.json = asked->json,
	};
	struct err err = { 0 };
	if (!order.source)
		return 2;
	if (!can_play(order.source, &order.simulate))
		return 1;
	if (!find_sample(&order, asked->event))
		return 2;
	char *url = asked->to ? xstrdup(asked->to) : send_default_url(config, order.source);
	int parsed = post_url_parse(url, &order.url, &err);
	if (!asked->to)
		order.url.certificate = send_default_address(config)->certificate;
	free(url);
	if (parsed < 0) {
		fprintf(stderr, "patchbay send: %s\n", err.text);
		return asked->to ? 2 : 1;
	}
	if (asked->serial == NO_SERIAL) {
		if (getrandom(&order.serial, sizeof(order.serial), 0) != sizeof(order.serial)) {
			fprintf(stderr, "patchbay send: the system gives no random number: %s\n", strerror(errno));
			return 1;
		}
		order.serial = (order.serial >> 2) + 1; /* never 0, the documented one, nor near the end */
	}
	return send_play(&order);
}

int cmd_send(int argc, char **argv)
{
	struct asked asked = { .config = CLI_CONFIG_PATH, .count = 1, .serial = NO_SERIAL };
	const struct arg v[] = {
		ARG_CONFIG(&asked.config),
		{ "list", 0, ARG_FLAG, &asked.list },
		{ "count", 0, ARG_NUMBER, &asked.count },
		{ "to", 0, ARG_TEXT, &asked.to },
		{ "serial", 0, ARG_NUMBER, &asked.serial },
		{ "bad-signature", 0, ARG_FLAG, &asked.bad_signature },
		{ "retry", 0, ARG_FLAG, &asked.retry },
		ARG_JSON(&asked.json),
	};
	const struct args args = { "send", help, v, sizeof(v) / sizeof(v[0]), 0, 2, "a SOURCE and an EVENT, please" };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	int given = argc - optind;
	if (asked.list && given > 1)
		return args_wrong(&args, "--list takes one SOURCE at most");
	if (!asked.list && given < 2)
		return args_wrong(&args, "a SOURCE and an EVENT, please; --list shows both");
	if (!asked.count)
		return args_wrong(&args, "--count is a number from 1");
	asked.source = given > 0 ? argv[optind] : NULL;
	asked.event = given > 1 ? argv[optind + 1] : NULL;
	bool own = asked.source && strcmp(asked.source, CONFIG_OWN_SOURCE) == 0;
	if (own && (asked.to || asked.count != 1 || asked.serial != NO_SERIAL || asked.bad_signature || asked.retry))
		return args_wrong(&args, "an alarm is made by the daemon, so it takes --json only");
	if (own && !asked.list)
		return send_own(asked.config, asked.event, asked.json);
	if (own) {
		send_list_own(asked.json);
		return 0;
	}
	struct registry *registry = NULL;
	struct err err = { 0 };
	struct config *config = asked.list ? cli_load_for_looking(asked.config, &registry, &err)
					   : cli_load_config(asked.config, &registry);
	if (!config) {
		if (asked.list)
			fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	status = asked.list ? list_samples(config, &asked) : play(config, &asked);
	config_free(config);
	registry_destroy(registry);
	return status;
}
