/* recover.c - see recover.h. */
#include "daemon/recover.h"

#include "base/call.h"
#include "base/clock.h"
#include "base/log.h"
#include "guard/guard.h"
#include "source/quarantine.h"

#include <stdio.h>

#define CALL_MEMORY ((size_t)1 << 20)

static int put(const struct guard_request *left, const struct config_source *source, struct journal *journal,
	       struct err *err)
{
	struct patchbay_call call;
	struct journal_ticket ticket = { 0 };
	call_init(&call, CALL_MEMORY);
	call_begin(&call, 0);
	call_explain(&call, "the plugin crashed %s: %s", guard_call_name(left->call), left->what);
	const struct quarantine q = { .check = left->call == GUARD_PARSE ? QUARANTINE_PARSE : QUARANTINE_VERIFY,
				      .request = &left->request,
				      .why = call.why };
	quarantine_put(&ticket, source, &call, &q);
	int r = journal_append_wait(journal, &ticket, err);
	const struct journal_crashed crashed = { .id = ticket.id,
						 .source = source->name,
						 .plugin = source->plugin->name,
						 .at_ms = clock_wall_ns() / NS_PER_MS,
						 .count = left->count,
						 .why = call.why.p };
	if (r == 0)
		r = journal_crashed_add(journal, &crashed, err);
	if (r == 0) {
		char id[ID_TEXT_SIZE];
		const struct log_about about = { .source = source->name,
						 .plugin = source->plugin->name,
						 .event = &ticket.id };
		id_format(&ticket.id, id);
		log_about(LOG_LEVEL_ERROR, &about,
			  "source %s (%s): the request that the plugin crashed with is in quarantine as %s; once the "
			  "plugin is mended, `patchbay reverify %s` lets it in",
			  source->name, source->plugin->name, id, source->name);
	}
	buf_free(&ticket.records);
	call_fini(&call);
	return r;
}

void recover_request(const struct config *config, struct journal *journal)
{
	struct guard_request left;
	struct err err = { "" };
	if (!guard_take_request(&left))
		return;
	const struct config_source *source = config_find_source(config, left.source);
	if (!source)
		err_set(&err, "the source is gone from routes.yaml");
	if (!left.is_kept && (!source || put(&left, source, journal, &err) != 0))
		log_about(LOG_LEVEL_ERROR, &(struct log_about){ .source = left.source, .plugin = left.plugin },
			  "source %s: the request that its plugin %s crashed with could not be kept: %s", left.source,
			  left.plugin, err.text);
	guard_request_free(&left);
}
