/* log.h - lines for the operator, logfmt on stderr: time, level, message. One line per thing that a
 * person should know; library code returns errors, whoever handles an error logs it. Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

void log_set_level(enum log_level); /* what is less urgent is not written; INFO at first */
void log_line(enum log_level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* For what may happen a thousand times a second: at most one line in 10 s from each place; the next one
 * says how many were left out. `limit` is a static variable of the caller's, zero at first. */
struct log_limit {
	_Atomic int64_t next_ns;
	_Atomic uint64_t left_out;
};
void log_limited(struct log_limit *limit, enum log_level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
