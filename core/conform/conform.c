/* conform.c - which tests are run, in which order, and what is judged from all of them together. */
#include "conform/conform.h"

#include "base/mem.h"
#include "conform/report.h"
#include "conform/runner.h"
#include "net/http_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_selected(const struct conform_order *order, const struct conform_test *test)
{
	return !order->only || str_glob(str_c(order->only), str_c(test->name));
}

/* The others build on these, whether they were asked for or not. */
static bool is_needed(const struct conform_test *test)
{
	return strcmp(test->name, "file.loads") == 0 || strcmp(test->name, "options.instance") == 0;
}

static bool has_side(const struct shared *shared, enum needs needs)
{
	return needs == NEEDS_SOURCE ? shared->has[SIDE_SOURCE] : needs == NEEDS_SINK ? shared->has[SIDE_SINK] : true;
}

/* Why it cannot be run; NULL: it can. */
static const char *cannot_run(const struct shared *shared, const struct conform_test *test)
{
	enum needs needs = test->needs;

	if (needs == NEEDS_FILE || needs == GATHERED)
		return NULL;
	if (!shared->loads)
		return "the plugin could not be loaded; see file.loads";
	bool ready = needs == NEEDS_SOURCE ? shared->ready[SIDE_SOURCE]
		     : needs == NEEDS_SINK ? shared->ready[SIDE_SINK]
		     : needs == NEEDS_ANY  ? shared->ready[SIDE_SOURCE] || shared->ready[SIDE_SINK]
					   : true;
	return ready ? NULL : "there is no instance to try it on; see options.instance";
}

/* From what the processes of all tests told. */
static void gather(const struct conform_test *test, const struct result *results, size_t n, struct result *result)
{
	bool output = strcmp(test->name, "process.output") == 0, state = strcmp(test->name, "process.state") == 0;

	*result = (struct result){ .test = test, .verdict = VERDICT_PASS };
	for (size_t i = 0; i < n && result->verdict == VERDICT_PASS; i++) {
		const char *told = output ? results[i].printed : state ? results[i].state : results[i].secret;
		if (!*told)
			continue;
		result->verdict = VERDICT_FAIL;
		snprintf(result->sentence, sizeof(result->sentence), "%.1000s (seen in %s); %s", told,
			 results[i].test->name,
			 output  ? "what a person should know goes to host->log() or host->explain()"
			 : state ? "a plugin shares its process with others, and leaves it as it is"
				 : "leave it out of every sentence");
	}
}

int conform_check(const struct conform_order *order)
{
	struct result *results = xcalloc(conform_n_tests, sizeof(*results));
	size_t n = 0, selected = 0;
	struct runner runner;
	struct report report = { 0 };

	for (size_t i = 0; i < conform_n_tests; i++)
		selected += is_selected(order, &conform_tests[i]);
	if (selected == 0) {
		fprintf(stderr,
			"patchbay plugin check: no test is called '%s'; `patchbay plugin check --list` names them\n",
			order->only);
		free(results);
		return 2;
	}
	unsetenv("PATCHBAY_PLUGIN_PATH");
	http_memory_init(); /* before any plugin that brings libcurl along, as in the daemon */
	if (runner_init(&runner, order) != 0) {
		free(results);
		return 1;
	}
	report_begin(&report, order);
	for (size_t i = 0; i < conform_n_tests; i++) {
		const struct conform_test *test = &conform_tests[i];
		struct result *result = &results[n];
		bool wanted = is_selected(order, test);
		if ((!wanted && !is_needed(test)) || (runner.shared->loads && !has_side(runner.shared, test->needs)))
			continue;
		const char *why = cannot_run(runner.shared, test);
		if (test->needs == GATHERED) {
			gather(test, results, n, result);
		} else if (why) {
			*result = (struct result){ .test = test, .verdict = VERDICT_SKIP };
			snprintf(result->sentence, sizeof(result->sentence), "%s", why);
		} else {
			runner_run(&runner, test, result);
		}
		n++;
		if (wanted || (result->verdict == VERDICT_FAIL && is_needed(test)))
			report_add(&report, result);
	}
	report_end(&report, runner.shared);
	runner_fini(&runner);
	free(results);
	return report.failed > 0;
}
