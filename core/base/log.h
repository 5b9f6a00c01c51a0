/* log.h - lines for the operator, on stderr, as logfmt or JSON: time, level, msg, and what the line is about. One line
 * per thing that a person should know; library code returns errors, whoever handles an error logs it. Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* What a line is about: each a member of its own. NULL: it is not about one. */
struct log_about {
	const char *source, *sink;
	const char *plugin;     /* whose level decides whether the line is written, if it has one */
	const struct id *event; /* what `patchbay show` takes; also a request in quarantine */
};

/* For what may happen a thousand times a second: so many lines in 10 s from each place; the next one has a member
 * left_out, how many were not written. It is the caller's, zero at first: a static variable where the place is about
 * the whole, else a member of what it is about, so that one sink, say, does not hide another's first line. */
struct log_limit {
	unsigned most; /* 0 is 1 */
	_Atomic int64_t until_ns;
	_Atomic uint64_t n;
	_Atomic uint64_t left_out;
};

/* limit NULL: none; about NULL: nothing of that. False: held back by the limit. */
bool log_write(struct log_limit *limit, enum log_level, const struct log_about *about, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Would it be written? Where it costs something to make. */
bool log_wants(enum log_level, const struct log_about *);

#define log_about_limited(limit, level, about, ...) log_write(limit, level, about, __VA_ARGS__)
#define log_about(level, about, ...) log_write(NULL, level, about, __VA_ARGS__)
#define log_limited(limit, level, ...) log_write(limit, level, NULL, __VA_ARGS__)
#define log_line(level, ...) log_write(NULL, level, NULL, __VA_ARGS__)
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

/* ---- What is written, and how. Until it is said: as logfmt, from INFO on. */

struct log_plugin_level {
	const char *name;
	enum log_level level;
};
struct log_settings {
	int64_t format, level; /* enum log_format, log_level */
	struct log_plugin_level *plugins;
	size_t n_plugins;
};

/* For a daemon, before it forks or makes a thread: from now on processes share format and level. Where systemd has
 * connected stderr to its journal, lines begin with their priority and have no time. verbose: from DEBUG on, whatever
 * log_configure() says. */
void log_open(bool verbose);
void log_configure(const struct log_settings *); /* copied. [any thread] */
/* What a line of another form begins with: its priority, if systemd has connected stderr to its journal, else "". */
const char *log_priority(enum log_level);
/* Is somebody looking, at a terminal? Then what is wrong with a file is better shown as `check` shows it. */
bool log_is_read_by_a_person(void);

#endif
