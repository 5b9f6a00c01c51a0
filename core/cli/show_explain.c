/* show_explain.c - all that is known about one event or quarantined request, for people. */
#include "cli/show.h"

#include "base/clock.h"
#include "cli/text.h"

#include <stdio.h>
#include <stdlib.h>

static void print_held(const struct show *show)
{
	const struct journal_record *released = &show->released;
	char time[TEXT_TIME_SIZE];
	if (!(show->record.flags & JOURNAL_FLAG_HELD))
		return;
	printf("%-12s ", "details");
	if (released->kind && released->request.n) {
		printf("fetched, see below\n");
	} else if (released->kind) {
		printf("none, and released without: ");
		text_print(stdout, released->note);
		putchar('\n');
	} else {
		printf("not fetched yet");
		if (show->fetch_due_ms)
			printf(", next try %s", text_time(show->fetch_due_ms * NS_PER_MS, time));
		putchar('\n');
	}
	attempts_print(&show->attempts, JOURNAL_SINK_ENRICH, 13);
}

static void print_routes(const struct show *show)
{
	const struct config *config = show->view->config;
	if (!config) {
		printf("\nroutes\n  not known: %s\n", show->view->no_config.text);
		return;
	}
	printf("\nroutes, as %s stands now (what was delivered, was by the one of its time)\n",
	       show_config_name(config));
	if (!show->n_routes)
		printf("  none\n");
	for (size_t i = 0; i < show->n_routes; i++) {
		const struct show_route *found = &show->routes[i];
		char *sources = show_sources_of(config, found->route), *sinks = show_sinks_of(config, found->route);
		printf("  %s:%d %s -> %s: ", show_config_name(config), found->route->line, sources, sinks);
		if (*found->why)
			text_print(stdout, str_c(found->why));
		else
			printf("%s", router_reason_text(found->reason));
		putchar('\n');
		free(sources);
		free(sinks);
	}
}

static void print_deliveries(const struct show *show)
{
	printf("\ndeliveries (a first attempt that worked need not be listed)\n");
	if (!show->deliveries.n)
		printf("  none%s\n", show->deliveries.held ? " yet" : "");
	for (size_t i = 0; i < show->deliveries.n; i++) {
		const struct view_delivery *delivery = &show->deliveries.v[i];
		show_delivery(delivery);
		attempts_print(&show->attempts, delivery->sink, 6);
		if (delivery->state != JOURNAL_STATE_DEAD)
			continue;
		char *advice = attempts_advice(delivery->class_, show->id, delivery->sink);
		printf("      to do: ");
		text_print(stdout, str_c(advice));
		putchar('\n');
		free(advice);
	}
}

static void print_request(const struct show *show)
{
	struct buf text = { 0 };
	show_request(show, &text);
	printf("\nrequest\n");
	for (size_t i = 0, end; i < text.n; i = end + 1) {
		for (end = i; end < text.n && text.p[end] != '\n'; end++)
			;
		printf("  ");
		text_print(stdout, (patchbay_str){ text.p + i, end - i });
		putchar('\n');
	}
	buf_free(&text);
}

static void print_quarantined(const struct show *show)
{
	const struct journal_record *record = &show->record;
	printf("\nto do\n");
	if (*show->admitted) {
		printf("  nothing: it was admitted since; `patchbay explain %s`\n", show->admitted);
	} else if (record->kind == JOURNAL_REFUSED && !show->failed_check) {
		printf("  nothing, unless it comes often: it had no effect, and verifying it again would not change "
		       "that\n");
	} else if (record->kind == JOURNAL_REFUSED) {
		printf("  If it is the provider's: compare the secret (or what else proves a request) of source '");
		text_print(stdout, record->source);
		printf("'\n  with what the provider has, mend it, and then `patchbay reverify ");
		text_print(stdout, record->source);
		printf("`.\n  If it is not: nothing, it had no effect.\n");
	} else {
		printf("  It is genuine, but plugin '");
		text_print(stdout, record->plugin);
		printf("' does not know it: it had no effect. What came stands below, for who maintains the\n"
		       "  plugin. With a plugin that knows it, `patchbay reverify ");
		text_print(stdout, record->source);
		printf("` takes it in.\n");
	}
}

void show_explain(const struct show *show)
{
	const struct journal_record *record = &show->record;
	char original[ID_TEXT_SIZE];
	show_envelope(show);
	print_held(show);
	if (record->kind == JOURNAL_EVENT) {
		print_routes(show);
		print_deliveries(show);
	} else if (show_is_quarantined(show)) {
		print_quarantined(show);
	} else if (record->kind == JOURNAL_DUPLICATE) {
		id_format(&record->original, original);
		printf("\nto do\n  nothing: what became of the event, `patchbay explain %s` says\n", original);
	}
	if (record->request.n)
		print_request(show);
	show_data(show);
	if (show->released.kind && show->released.request.n) {
		printf("\ndetails\n");
		text_print_json(stdout, show->released.request, 2);
	}
}
