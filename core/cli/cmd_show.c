/* cmd_show.c - `patchbay show ID`: finds the event, and gathers everything that is known about it. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/load.h"
#include "cli/show.h"
#include "deliver/delivery.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_MIN 8                             /* hex digits of an id that may stand for all of it */
#define ID_MARGIN_NS (NS_PER_S * 120)            /* an id is made a little before or after its record */
#define REPEATS_SCAN_MAX 500000                  /* records behind an event that are searched for its repeats, */
#define REPEATS_WINDOW_NS (NS_PER_S * 3600 * 48) /* and how long after it */

static const char help[] =
	"Usage: patchbay show ID [-c FILE] [--json] [--raw]\n"
	"Shows one event: where it came from, what proved it genuine, how it is routed, how each delivery stands, and\n"
	"its data. The first 8 or more digits of an ID will do when no other event's begin with them.\n"
	"Works beside a running daemon, and without one; needs no secrets. Run it as the daemon's user, or as root.\n\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"      --json         one JSON object; `data` is exactly as it came, `raw` the same as a string\n"
	"      --raw          only the data, byte for byte\n"
	"  -h, --help         this text\n\n"
	"Exit status: 0 done, 1 there is no such event or the journal cannot be read, 2 wrong usage.\n";

char *show_sources_of(const struct config *config, const struct config_route *route)
{
	struct buf out = { 0 };
	for (size_t i = 0; i < route->n_sources; i++)
		buf_addf(&out, "%s%s", i ? ", " : "", config->sources[route->sources[i]].name);
	char *text = xstrdup(route->n_sources ? buf_cstr(&out) : "*");
	buf_free(&out);
	return text;
}

char *show_sinks_of(const struct config *config, const struct config_route *route)
{
	struct buf out = { 0 };
	for (size_t i = 0; i < route->n_sinks; i++)
		buf_addf(&out, "%s%s", i ? ", " : "", config->sinks[route->sinks[i]].name);
	char *text = xstrdup(buf_cstr(&out));
	buf_free(&out);
	return text;
}

/* ---- Finding */

/* The digits of an id or of its beginning, without hyphens, in lower case. False: that is none. */
static bool parse_prefix(const char *text, char out[33])
{
	size_t n = 0;
	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
		if (c == '-')
			continue;
		if (n == 32 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n >= PREFIX_MIN;
}

static bool has_prefix(const struct id *id, const char *digits)
{
	char text[ID_TEXT_SIZE], found[33];
	id_format(id, text);
	return parse_prefix(text, found) && strncmp(found, digits, strlen(digits)) == 0;
}

/* The earliest time that an id with these digits can be of. */
static int64_t prefix_time_ns(const char *digits)
{
	char padded[33], *end = NULL;
	snprintf(padded, sizeof(padded), "%.12s000000000000", digits);
	padded[12] = '\0';
	return (int64_t)strtoull(padded, &end, 16) * NS_PER_MS;
}

typedef int read_backward(struct journal_reader *, struct journal_pos *, struct journal_record *, struct err *);

/* Looks from the newest back to the time of the prefix. Returns how many there are; *ret is the newest. */
static size_t search(struct view *view, read_backward *next, struct journal_pos pos, const char *digits, struct id *ret)
{
	struct journal_record record;
	struct err err = { 0 };
	int64_t not_before = prefix_time_ns(digits) - ID_MARGIN_NS;
	struct journal_pos before = pos;
	size_t found = 0;
	for (int got; (got = next(view->reader, &pos, &record, &err)) != 0;) {
		if (got < 0 && journal_pos_cmp(pos, before) == 0)
			break; /* not even passed over */
		before = pos;
		if (got < 0)
			continue;
		if (record.received_ns < not_before)
			break;
		if (record.kind != JOURNAL_ANSWER && has_prefix(&record.id, digits) && !found++)
			*ret = record.id;
	}
	return found;
}

/* The event that is meant; 1, 0 or -1 (err says which there are, or why not). */
static int resolve(struct view *view, const char *text, struct id *ret, struct err *err)
{
	char digits[33];
	struct id refused;
	if (id_parse(str_c(text), ret))
		return 0;
	if (!parse_prefix(text, digits))
		return err_set(err, "'%s' is no event id, nor the first %d or more digits of one", text, PREFIX_MIN);
	size_t events = search(view, journal_read_before, journal_end(view->journal), digits, ret);
	size_t refusals = search(view, journal_read_refused, (struct journal_pos){ 0 }, digits, &refused);
	if (events + refusals == 0)
		return err_set(err, "no event's id begins with '%s'; `patchbay events` lists them", text);
	if (events + refusals > 1)
		return err_set(err, "the ids of %zu events begin with '%s': more digits, please", events + refusals,
			       text);
	if (!events)
		*ret = refused;
	return 0;
}

/* ---- Gathering */

static void add_attempt(void *ctx, const struct journal_attempt *attempt)
{
	struct show *show = ctx;
	show->attempts = xrealloc(show->attempts, (show->n_attempts + 1) * sizeof(*show->attempts));
	show->attempts[show->n_attempts++] = (struct show_attempt){
		.sink = xstrdup(attempt->sink),
		.result = xstrdup(attempt->result),
		.why = xstrdup(attempt->why ? attempt->why : ""),
		.number = attempt->number,
		.at_ms = attempt->at_ms,
		.took_ms = attempt->took_ms,
	};
}

static void find_repeats(struct show *show, struct journal_pos pos)
{
	struct journal_reader *reader = journal_reader_open(show->view->journal);
	struct journal_record record;
	struct err err = { 0 };
	int got;
	for (int i = 0; i < REPEATS_SCAN_MAX && (got = journal_read(reader, &pos, &record, NULL, &err)) != 0; i++) {
		if (got < 0)
			continue;
		if (record.received_ns > show->record.received_ns + REPEATS_WINDOW_NS)
			break;
		if (record.kind != JOURNAL_DUPLICATE ||
		    memcmp(&record.original, &show->record.id, sizeof(record.id)) != 0)
			continue;
		show->repeats = xrealloc(show->repeats, (show->n_repeats + 1) * sizeof(*show->repeats));
		show->repeats[show->n_repeats++] = (struct show_repeat){
			.id = record.id,
			.received_ns = record.received_ns,
			.client = xstrndup(record.client.n ? record.client.p : "", record.client.n),
		};
	}
	journal_reader_close(reader);
}

static void find_routes(struct show *show)
{
	struct view *view = show->view;
	struct router *router = router_create(view->config, ROUTER_ALL_SINKS);
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery event;
	delivery_from_record(&show->record, id_text, &event);
	call_begin(&view->call, 0);
	show->n_routes = router_count(router);
	show->routes = xcalloc(show->n_routes + 1, sizeof(*show->routes));
	for (size_t i = 0; i < show->n_routes; i++) {
		struct show_route *route = &show->routes[i];
		route->route = router_route(router, i);
		route->reason = router_check(router, i, &view->call, &event);
		route->why = route->reason == ROUTER_WHEN_ERROR && view->call.why.n
				     ? xstrndup(view->call.why.p, view->call.why.n)
				     : xstrdup("");
	}
	router_destroy(router);
}

static int gather(struct show *show, const struct id *id, struct err *err)
{
	struct view *view = show->view;
	struct journal_pos at;
	id_format(id, show->id);
	int got = journal_find(view->reader, id, &show->record, &at, err);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(err, "there is no event %s; `patchbay events` lists those that there are", show->id);
	if (show->record.kind != JOURNAL_EVENT)
		return 0;
	if (view_deliveries(view, at, &show->record, &show->deliveries, err) < 0 ||
	    journal_attempts(view->journal, id, add_attempt, show, err) < 0)
		return -1;
	if (view->config)
		find_routes(show);
	find_repeats(show, at);
	return 0;
}

static void forget(struct show *show)
{
	view_deliveries_free(&show->deliveries);
	for (size_t i = 0; i < show->n_attempts; i++) {
		free(show->attempts[i].sink);
		free(show->attempts[i].result);
		free(show->attempts[i].why);
	}
	for (size_t i = 0; i < show->n_repeats; i++)
		free(show->repeats[i].client);
	for (size_t i = 0; i < show->n_routes; i++)
		free(show->routes[i].why);
	free(show->attempts);
	free(show->repeats);
	free(show->routes);
}

static int show_event(struct view *view, const char *text, bool json, bool raw)
{
	struct show show = { .view = view };
	struct err err = { 0 };
	struct id id;
	int status = 1;
	if (resolve(view, text, &id, &err) < 0 || gather(&show, &id, &err) < 0) {
		fprintf(stderr, "patchbay show: %s\n", err.text);
		goto out;
	}
	if (raw)
		fwrite(show.record.data.p, 1, show.record.data.n, stdout);
	else
		(json ? show_json : show_text)(&show);
	status = 0;
out:
	forget(&show);
	return status;
}

static int usage(void)
{
	fprintf(stderr, "`patchbay show --help` explains\n");
	return 2;
}

int cmd_show(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *config = CLI_CONFIG_PATH;
	bool json = false, raw = false;
	struct view view;
	for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'r':
			raw = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage();
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "patchbay show: one ID, please; `patchbay events` lists them\n");
		return usage();
	}
	if (json && raw) {
		fprintf(stderr, "patchbay show: --json or --raw, not both\n");
		return usage();
	}
	int status = view_open(&view, "show", config) < 0 ? 1 : show_event(&view, argv[optind], json, raw);
	view_close(&view);
	return status;
}
