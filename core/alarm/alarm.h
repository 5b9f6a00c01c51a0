/* alarm.h - what an alarm is: something that stands, and that a person should know. Which there are is said in one
 * table; what stands right now is a list of them. */
#ifndef ALARM_ALARM_H
#define ALARM_ALARM_H

#include "base/clock.h"
#include "base/str.h"
#include "config/config.h"

enum alarm_id {
	ALARM_SOURCE_SILENT,
	ALARM_SOURCE_REFUSING,
	ALARM_SOURCE_MALFORMED,
	ALARM_SINK_STOPPED,
	ALARM_SINK_BROKEN,
	ALARM_DELIVERIES_DEAD,
	ALARM_JOURNAL_REFUSING,
	ALARM_JOURNAL_NEARLY_FULL,
	ALARM_CERTIFICATE_EXPIRING,
	ALARM_CERTIFICATE_EXPIRED,
	ALARM_PLUGIN_CRASHED,
	ALARM_PLUGIN_LEFT_ALONE,
	ALARM_CONFIGURATION_REFUSED,
	ALARM_POLLING_FAILING,
	ALARM_DETAILS_FAILING,
	ALARM_TYPES
};

struct alarm_type {
	const char *name; /* "sink_stopped"; the type of its event */
	bool error;       /* /health says 503; else it is a warning */
	bool patient;     /* raised only when it has lasted (alarms: grace) */
	bool repeats;     /* counts what happens again and again: told once more when there is more of it */
	bool in_log;      /* who causes it writes into the log by itself */
	bool late;        /* told even if it is over by the time that anybody can be told */
	struct {          /* an example, for trying out a configuration */
		const char *what, *about, *text;
	} example;
};
extern const struct alarm_type alarm_types[ALARM_TYPES];

#define ALARM_TEXT_SIZE 900

struct alarm {
	enum alarm_id id;
	const char *what;             /* "source", "sink", "plugin", "listener", or ""; static text */
	char about[CONFIG_NAME_SIZE]; /* the name of that, or the address */
	int64_t since_ms;             /* wall clock; 0: since it is looked for */
	uint64_t count, total;        /* of a type that repeats: how much nobody was told of yet; how much there was */
	char text[ALARM_TEXT_SIZE];   /* what, where, why, what to do */
};

struct alarm_list {
	struct alarm *v;
	size_t n, room;
};

/* One more, at the end; what and about may be NULL. The text is cut where it is too long. */
struct alarm *alarm_add(struct alarm_list *, enum alarm_id, const char *what, const char *about, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void alarm_list_free(struct alarm_list *);
/* The same thing, whatever its text? */
bool alarm_is_same(const struct alarm *, const struct alarm *);
/* ALARM_TYPES: there is none of this name. */
enum alarm_id alarm_find(patchbay_str name);
/* The static text for it; "" for what is not known. */
const char *alarm_what(patchbay_str);

struct names { /* of notes in the journal that are to be forgotten */
	char **v;
	size_t n;
};
void names_add(struct names *, char *name); /* takes it */
void names_drop(struct names *, size_t n);  /* the first n */

/* "3 h 20 min": two units, and no fractions of a second. */
const char *alarm_show_span(int64_t ms, char out[CLOCK_SPAN_SIZE]);

#endif
