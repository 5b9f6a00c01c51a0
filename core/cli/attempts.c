/* attempts.c - see attempts.h. */
#include "cli/attempts.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/json_out.h"
#include "cli/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(void *ctx, const struct journal_attempt *attempt)
{
	struct attempts *attempts = ctx;
	attempts->v = xrealloc(attempts->v, (attempts->n + 1) * sizeof(*attempts->v));
	attempts->v[attempts->n++] = (struct attempt){
		.sink = xstrdup(attempt->sink),
		.result = xstrdup(attempt->result),
		.why = xstrdup(attempt->why ? attempt->why : ""),
		.number = attempt->number,
		.at_ms = attempt->at_ms,
		.took_ms = attempt->took_ms,
	};
}

int attempts_load(struct journal *journal, const struct id *id, struct attempts *ret, struct err *err)
{
	*ret = (struct attempts){ 0 };
	return journal_attempts(journal, id, add, ret, err) < 0 ? -1 : 0;
}

void attempts_free(struct attempts *attempts)
{
	for (size_t i = 0; i < attempts->n; i++) {
		free(attempts->v[i].sink);
		free(attempts->v[i].result);
		free(attempts->v[i].why);
	}
	free(attempts->v);
	*attempts = (struct attempts){ 0 };
}

void attempts_print(const struct attempts *attempts, const char *sink, int indent)
{
	char time[TEXT_TIME_SIZE];
	for (size_t i = 0; i < attempts->n; i++) {
		const struct attempt *attempt = &attempts->v[i];
		if (strcmp(attempt->sink, sink) != 0)
			continue;
		printf("%*s%s  ", indent, "", text_time(attempt->at_ms * NS_PER_MS, time));
		if (strcmp(attempt->result, "replayed") == 0 || strcmp(attempt->result, "skipped") == 0)
			printf("%s", attempt->result);
		else
			printf("%u. %s after %lld ms", attempt->number, attempt->result, (long long)attempt->took_ms);
		if (*attempt->why) {
			printf(": ");
			text_print(stdout, str_c(attempt->why));
		}
		putchar('\n');
	}
}

json_t *attempts_json(const struct attempts *attempts, const char *sink)
{
	json_t *array = json_array();
	for (size_t i = 0; i < attempts->n; i++) {
		const struct attempt *found = &attempts->v[i];
		if (sink ? strcmp(found->sink, sink) != 0 : strcmp(found->sink, JOURNAL_SINK_ENRICH) == 0)
			continue;
		json_t *attempt = json_object();
		json_object_set_new(attempt, "sink", json_out_string(str_c(found->sink)));
		json_object_set_new(attempt, "number", json_integer(found->number));
		json_object_set_new(attempt, "at", json_out_time(found->at_ms * NS_PER_MS));
		json_object_set_new(attempt, "took_ms", json_integer(found->took_ms));
		json_object_set_new(attempt, "result", json_string(found->result));
		json_object_set_new(attempt, "why", json_out_string(str_c(found->why)));
		json_array_append_new(array, attempt);
	}
	return array;
}

static const struct {
	const char *class_, *text;
} steps[] = {
	{ "event",
	  "the sink does not take this event as it is: if it is the sink's options that are wrong, mend them in "
	  "routes.yaml and run `patchbay reload`" },
	{ "configuration", "mend the sink's options in routes.yaml, and run `patchbay reload`" },
	{ "destination", "mend what is wrong with the destination" },
	{ "gave up", "see that the destination works again" },
	{ "plugin", "the plugin failed: its lines in the daemon's log say more" },
};

static const char *first_step(const char *class_)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(class_, steps[i].class_) == 0)
			return steps[i].text;
	return NULL;
}

const char *attempts_class(size_t i)
{
	return i < sizeof(steps) / sizeof(steps[0]) ? steps[i].class_ : NULL;
}

bool attempts_class_is_known(const char *class_)
{
	return first_step(class_) != NULL;
}

char *attempts_advice(const char *class_, const char *id, const char *sink)
{
	const char *step = first_step(class_);
	return xasprintf("%s; then `patchbay replay %s --sink %s`", step ? step : "mend the cause", id, sink);
}
