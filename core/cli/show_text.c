/* show_text.c - one event, for people, in short. */
#include "cli/show.h"

#include <stdio.h>

/* Which routes take it: "routes.yaml:41, routes.yaml:45". */
static void print_routes(const struct show *show)
{
	size_t matching = 0;
	printf("%-12s ", "routes");
	if (!show->view->config) {
		printf("not known: %s\n", show->view->no_config.text);
		return;
	}
	for (size_t i = 0; i < show->n_routes; i++)
		if (show->routes[i].reason == ROUTER_OK)
			printf("%s%s:%d", matching++ ? ", " : "", show_config_name(show->view->config),
			       show->routes[i].route->line);
	printf("%s\n", matching ? "" : "none takes it");
}

void show_text(const struct show *show)
{
	show_envelope(show);
	if (show->record.kind == JOURNAL_EVENT) {
		print_routes(show);
		printf("\ndeliveries\n");
		for (size_t i = 0; i < show->deliveries.n; i++)
			show_delivery(&show->deliveries.v[i]);
		if (!show->deliveries.n)
			printf("  none%s\n", show->deliveries.held ? " yet" : "");
	}
	show_data(show);
	printf("\n`patchbay explain %s` says more\n", show->id);
}
