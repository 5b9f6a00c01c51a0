/* show_parts.c - what the short and the whole page about an event have in common. */
#include "cli/show.h"

#include "base/clock.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

static void line(const char *label, patchbay_str value)
{
	if (!value.n)
		return;
	printf("%-12s ", label);
	text_print(stdout, value);
	putchar('\n');
}

static void print_status(const struct show *show)
{
	const struct journal_record *record = &show->record;
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
		printf("%s%s\n", record->flags & JOURNAL_FLAG_TEST ? "the provider's test call" : "event",
		       show->deliveries.held ? ", held: it is routed when its details have been fetched" : "");
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

static patchbay_str check_text(const char *check)
{
	if (!check)
		return STR("");
	return strcmp(check, "path_secret") == 0 ? STR("the secret in its path")
	       : strcmp(check, "verify") == 0    ? STR("the check that it is the provider's")
						 : STR("to be understood; that it is genuine was proved");
}

void show_envelope(const struct show *show)
{
	const struct journal_record *record = &show->record;
	bool quarantined = show_is_quarantined(show);
	char time[TEXT_TIME_SIZE];
	printf("%-12s %s\n", "id", show->id);
	print_status(show);
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
	line("failed", check_text(show->failed_check));
	line(quarantined ? "why" : "verified", record->note);
	if (*show->admitted)
		printf("%-12s as event %s, %s\n", "admitted", show->admitted,
		       text_time(show->admitted_ms * NS_PER_MS, time));
	if (record->kind == JOURNAL_EVENT) {
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

void show_delivery(const struct view_delivery *delivery)
{
	char time[TEXT_TIME_SIZE];
	printf("  ");
	text_print_column(stdout, str_c(delivery->sink), 20);
	printf("%s", view_state_name(delivery->state));
	if (delivery->at_ms)
		printf(" %s", text_time(delivery->at_ms * NS_PER_MS, time));
	if (delivery->attempts > 1)
		printf(", %u attempts", delivery->attempts);
	if (delivery->state == JOURNAL_STATE_PARKED && delivery->due_ms == JOURNAL_WAITS)
		printf(", waits for an earlier one of its subject");
	else if (delivery->state == JOURNAL_STATE_PARKED)
		printf(", next try %s", text_time(delivery->due_ms * NS_PER_MS, time));
	if (*delivery->class_)
		printf(" (%s)", delivery->class_);
	if (*delivery->why) {
		printf(": ");
		text_print(stdout, str_c(delivery->why));
	}
	putchar('\n');
}

void show_data(const struct show *show)
{
	if (show->record.data.n) {
		printf("\ndata, %zu bytes%s\n", show->record.data.n,
		       text_is_json(show->record.data) ? " (indented here; --raw gives them as they came)" : "");
		text_print_json(stdout, show->record.data, 2);
	}
}

void show_raw_data(const struct show *show)
{
	fwrite(show->record.data.p, 1, show->record.data.n, stdout);
}

void show_request(const struct show *show, struct buf *ret)
{
	patchbay_str request = show->record.request;
	for (size_t i = 0, end; i < request.n; i = end) {
		const char *newline = memchr(request.p + i, '\n', request.n - i);
		end = newline ? (size_t)(newline - request.p) + 1 : request.n;
		if (request.p[i] != ':')
			buf_add(ret, request.p + i, end - i);
	}
}

void show_raw(const struct show *show)
{
	struct buf request = { 0 };
	show_request(show, &request);
	if (request.n) {
		fwrite(request.p, 1, request.n, stdout);
		putchar('\n');
	}
	buf_free(&request);
	show_raw_data(show);
}
