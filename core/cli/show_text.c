/* show_text.c - one event, for people. */
#include "cli/show.h"

#include "base/clock.h"
#include "cli/text.h"

#include <stdlib.h>
#include <string.h>

static void line(const char *label, patchbay_str value)
{
	if (!value.n)
		return;
	printf("%-12s ", label);
	text_print(stdout, value);
	putchar('\n');
}

static void print_status(const struct journal_record *record)
{
	char original[ID_TEXT_SIZE];
	printf("%-12s ", "what");
	switch (record->kind) {
	case JOURNAL_DUPLICATE:
		id_format(&record->original, original);
		printf("repeat of %s; not delivered again\n", original);
		break;
	case JOURNAL_MALFORMED:
		printf("quarantined: genuine, but not understood\n");
		break;
	case JOURNAL_REFUSED:
		printf("quarantined: refused, not known to be genuine\n");
		break;
	default:
		printf("%s\n", record->flags & JOURNAL_FLAG_TEST ? "the provider's test call" : "event");
	}
}

/* Parts of a key are commonly joined by a control character, the unit separator, which nobody could read. */
static void print_key(patchbay_str key)
{
	while (key.n) {
		const char *end = memchr(key.p, '\x1f', key.n);
		size_t n = end ? (size_t)(end - key.p) : key.n;
		text_print(stdout, (patchbay_str){ key.p, n });
		if (end)
			printf(", ");
		key.p += n + (end != NULL);
		key.n -= n + (end != NULL);
	}
}

static void print_envelope(const struct show *show)
{
	const struct journal_record *record = &show->record;
	bool quarantined = record->kind == JOURNAL_MALFORMED || record->kind == JOURNAL_REFUSED;
	char time[TEXT_TIME_SIZE];
	printf("%-12s %s\n", "id", show->id);
	print_status(record);
	printf("%-12s ", "source");
	text_print(stdout, record->source);
	printf(" (");
	text_print(stdout, record->plugin);
	printf(")\n");
	printf("%-12s ", "type");
	text_print(stdout, record->type.n ? record->type : STR("unknown"));
	printf("%s\n", record->flags & JOURNAL_FLAG_TYPE_GUESS ? " (the request names none: inferred)" : "");
	if (record->kind_name.n && !str_eq(record->kind_name, record->type))
		line("kind", record->kind_name);
	line("subject", record->subject);
	printf("%-12s %s, %s\n", "time", text_time(record->time_ns ? record->time_ns : record->received_ns, time),
	       record->time_ns ? "as the provider says" : "when it came: the provider says none");
	printf("%-12s %s", "received", text_time(record->received_ns, time));
	if (record->client.n) {
		printf(" from ");
		text_print(stdout, record->client);
	}
	putchar('\n');
	line(quarantined ? "why" : "verified", record->note);
	if (!quarantined) {
		printf("%-12s %s", "repeats", view_dedupe_name(record));
		if (record->key.n) {
			printf(", known by ");
			print_key(record->key);
		}
		putchar('\n');
	}
	for (size_t i = 0; i < show->n_repeats; i++) {
		printf("%-12s came again %s", "", text_time(show->repeats[i].received_ns, time));
		printf(" from ");
		text_print(stdout, str_c(show->repeats[i].client));
		putchar('\n');
	}
}

static void print_routes(const struct show *show)
{
	printf("\nroutes\n");
	if (!show->view->config)
		printf("  not known: %s\n", show->view->no_config.text);
	else if (!show->n_routes)
		printf("  none\n");
	for (size_t i = 0; i < show->n_routes; i++) {
		const struct show_route *route = &show->routes[i];
		char *sources = show_sources_of(show->view->config, route->route);
		char *sinks = show_sinks_of(show->view->config, route->route);
		printf("  line %-4d %s -> %s: %s", route->route->line, sources, sinks,
		       router_reason_text(route->reason));
		if (*route->why) {
			printf(": ");
			text_print(stdout, str_c(route->why));
		}
		putchar('\n');
		free(sources);
		free(sinks);
	}
}

static void print_deliveries(const struct show *show)
{
	char time[TEXT_TIME_SIZE];
	printf("\ndeliveries\n");
	if (!show->deliveries.n)
		printf("  none\n");
	for (size_t i = 0; i < show->deliveries.n; i++) {
		const struct view_delivery *delivery = &show->deliveries.v[i];
		printf("  ");
		text_print_column(stdout, str_c(delivery->sink), 20);
		printf("%s", view_state_name(delivery->state));
		if (delivery->at_ms)
			printf(" %s", text_time(delivery->at_ms * NS_PER_MS, time));
		if (delivery->attempts > 1)
			printf(", %u attempts", delivery->attempts);
		if (delivery->state == JOURNAL_STATE_PARKED)
			printf(", next try %s", text_time(delivery->due_ms * NS_PER_MS, time));
		if (*delivery->class_)
			printf(" (%s)", delivery->class_);
		if (*delivery->why) {
			printf(": ");
			text_print(stdout, str_c(delivery->why));
		}
		putchar('\n');
	}
	for (size_t i = 0; i < show->n_attempts; i++) {
		const struct show_attempt *attempt = &show->attempts[i];
		if (!i)
			printf("\nattempts (a first one that worked is not listed)\n");
		printf("  %s  ", text_time(attempt->at_ms * NS_PER_MS, time));
		text_print_column(stdout, str_c(attempt->sink), 20);
		printf("%u. %s after %lld ms", attempt->number, attempt->result, (long long)attempt->took_ms);
		if (*attempt->why) {
			printf(": ");
			text_print(stdout, str_c(attempt->why));
		}
		putchar('\n');
	}
}

void show_text(const struct show *show)
{
	const struct journal_record *record = &show->record;
	print_envelope(show);
	if (record->kind == JOURNAL_EVENT) {
		print_routes(show);
		print_deliveries(show);
	}
	if (record->request.n) {
		printf("\nrequest\n");
		for (size_t i = 0, end; i < record->request.n; i = end + 1) {
			for (end = i; end < record->request.n && record->request.p[end] != '\n'; end++)
				;
			size_t n = end - i - (end > i && record->request.p[end - 1] == '\r');
			printf("  ");
			text_print(stdout, (patchbay_str){ record->request.p + i, n });
			putchar('\n');
		}
	}
	if (record->data.n) {
		printf("\ndata\n");
		text_print_json(stdout, record->data, 2);
	}
}
