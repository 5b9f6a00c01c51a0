/* alarm.c - see alarm.h. */
#include "alarm/alarm.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct alarm_type alarm_types[ALARM_TYPES] = {
	[ALARM_SOURCE_SILENT] = { "source_silent",
				  .example = { "source", "fleet",
					       "source fleet: nothing genuine has come for 9 h; see whether its "
					       "provider still sends to this address" } },
	[ALARM_SOURCE_REFUSING] = { "source_refusing",
				    .example = { "source", "fleet",
						 "source fleet: the last 12 posts were all refused" } },
	[ALARM_SOURCE_MALFORMED] = { "source_malformed",
				     .example = { "source", "fleet",
						  "source fleet: the last 3 genuine posts were not understood" } },
	[ALARM_SINK_STOPPED] = { "sink_stopped", .error = true, .patient = true, .in_log = true,
				 .example = { "sink", "desk",
					      "sink desk: connection refused; its events wait, and are tried again" } },
	[ALARM_SINK_BROKEN] = { "sink_broken", .error = true, .in_log = true,
				.example = { "sink", "desk",
					     "sink desk: wrong token; its events wait until somebody mends this" } },
	[ALARM_DELIVERIES_DEAD] = { "deliveries_dead", .repeats = true,
				    .example = { "sink", "desk",
						 "sink desk: 7 new dead letters; `patchbay dead --sink desk` says "
						 "why" } },
	[ALARM_JOURNAL_REFUSING] = { "journal_refusing", .error = true, .patient = true, .in_log = true, .late = true,
				     .example = { "", "", "journal: no space left on device" } },
	[ALARM_JOURNAL_NEARLY_FULL] = { "journal_nearly_full", .patient = true,
					.example = { "", "", "journal: 83 % of its limit are owed to sinks" } },
	[ALARM_CERTIFICATE_EXPIRING] = { "certificate_expiring",
					 .example = { "listener", "0.0.0.0:8443",
						      "listener 0.0.0.0:8443: the certificate of hooks.example.org "
						      "expires in 12 d" } },
	[ALARM_CERTIFICATE_EXPIRED] = { "certificate_expired", .error = true,
					.example = { "listener", "0.0.0.0:8443",
						     "listener 0.0.0.0:8443: the certificate of hooks.example.org has "
						     "expired" } },
	[ALARM_PLUGIN_CRASHED] = { "plugin_crashed", .repeats = true, .in_log = true,
				   .example = { "sink", "desk", "sink desk: its plugin crashed 3 times" } },
	[ALARM_PLUGIN_LEFT_ALONE] = { "plugin_left_alone", .error = true,
				      .example = { "source", "fleet",
						   "source fleet: its plugin crashed when it parsed a request, again "
						   "and again; it is left alone for another 60 s" } },
	[ALARM_CONFIGURATION_REFUSED] = { "configuration_refused", .in_log = true,
					  .example = { "", "",
						       "configuration: the last reload was refused: routes.yaml:12:5: "
						       "unknown sink 'desc'; did you mean 'desk'?" } },
	[ALARM_POLLING_FAILING] = { "polling_failing", .error = true, .patient = true, .in_log = true,
				    .example = { "source", "learning", "source learning, polling: the API says 401" } },
	[ALARM_DETAILS_FAILING] = { "details_failing",
				    .example = { "", "", "details of events: none of the last 5 could be fetched" } },
};

struct alarm *alarm_add(struct alarm_list *list, enum alarm_id id, const char *what, const char *about, const char *fmt,
			...)
{
	va_list ap;
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 8;
		list->v = xrealloc(list->v, list->room * sizeof *list->v);
	}
	struct alarm *alarm = &list->v[list->n++];
	*alarm = (struct alarm){ .id = id, .what = what ? what : "" };
	snprintf(alarm->about, sizeof alarm->about, "%s", about ? about : "");
	va_start(ap, fmt);
	vsnprintf(alarm->text, sizeof alarm->text, fmt, ap);
	va_end(ap);
	return alarm;
}

void alarm_list_free(struct alarm_list *list)
{
	free(list->v);
	*list = (struct alarm_list){ 0 };
}

bool alarm_is_same(const struct alarm *a, const struct alarm *b)
{
	return a->id == b->id && strcmp(a->what, b->what) == 0 && strcmp(a->about, b->about) == 0;
}

enum alarm_id alarm_find(patchbay_str name)
{
	enum alarm_id id = 0;
	while (id < ALARM_TYPES && !str_is(name, alarm_types[id].name))
		id++;
	return id;
}

const char *alarm_what(patchbay_str text)
{
	static const char *const known[] = { "source", "sink", "plugin", "listener" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_is(text, known[i]))
			return known[i];
	return "";
}

void names_add(struct names *names, char *name)
{
	names->v = xrealloc(names->v, (names->n + 1) * sizeof *names->v);
	names->v[names->n++] = name;
}

void names_drop(struct names *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names->v[i]);
	names->n -= n;
	if (names->n == 0) {
		free(names->v);
		names->v = NULL;
	} else {
		memmove(names->v, names->v + n, names->n * sizeof *names->v);
	}
}

const char *alarm_show_span(int64_t ms, char out[CLOCK_SPAN_SIZE])
{
	return clock_format_span(ms < 1000 ? ms : ms - ms % 1000, 2, out);
}
