/* log.c - one line, one write(). What a message quotes may come from anybody, so whatever could start a new line or
 * another member, or steer a terminal, is escaped; in both formats as JSON does it, which readers of logfmt know. A
 * line fits into what a pipe takes in one piece: those of two threads or processes never mix. */
#include "base/log.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)PIPE_BUF)
#define VALUE_MAX 80   /* of a member that is not the message, escaped: names have 63 */
#define BEHIND_MAX 480 /* of all that stands behind the message */
#define ESCAPED_MAX 8  /* of one character, with a NUL */
#define LIMIT_NS (10 * NS_PER_S)

struct shared { /* by the processes of a daemon */
	_Atomic int format, level;
};

static struct shared alone = { LOG_LOGFMT, LOG_LEVEL_INFO };
static struct shared *shared = &alone;
static bool to_journal, is_verbose;
static const char *const priorities[] = { "<3>", "<4>", "<6>", "<7>" };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct log_plugin_level *plugins;
static _Atomic size_t n_plugins; /* read without it, whether there are any */

/* ---- Settings */

/* systemd names the device and inode of the socket that it has made for the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;
	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(stream, own) == 0;
}

void log_open(bool verbose)
{
	to_journal = stderr_is_journal();
	is_verbose = verbose;
	if (shared == &alone) {
		void *p = mmap(NULL, sizeof alone, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED) /* else each process has its own, and the supervisor those that it began with */
			shared = p;
	}
	log_configure(&(struct log_settings){ .level = LOG_LEVEL_INFO });
}

void log_configure(const struct log_settings *settings)
{
	struct log_plugin_level *copy = xcalloc(settings->n_plugins + 1, sizeof *copy);
	for (size_t i = 0; i < settings->n_plugins; i++)
		copy[i] = (struct log_plugin_level){ xstrdup(settings->plugins[i].name), settings->plugins[i].level };
	atomic_store(&shared->format, (int)settings->format);
	atomic_store(&shared->level, is_verbose ? LOG_LEVEL_DEBUG : (int)settings->level);
	pthread_mutex_lock(&lock);
	struct log_plugin_level *before = plugins;
	size_t n_before = n_plugins;
	plugins = copy;
	n_plugins = settings->n_plugins;
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < n_before; i++)
		free((void *)(uintptr_t)before[i].name);
	free(before);
}

const char *log_priority(enum log_level level)
{
	return stderr_is_journal() ? priorities[level] : "";
}

bool log_is_read_by_a_person(void)
{
	return !to_journal && isatty(STDERR_FILENO);
}

bool log_wants(enum log_level level, const struct log_about *about)
{
	int most = atomic_load_explicit(&shared->level, memory_order_relaxed);
	if (about && about->plugin && atomic_load_explicit(&n_plugins, memory_order_relaxed)) {
		pthread_mutex_lock(&lock);
		for (size_t i = 0; i < n_plugins; i++)
			if (strcmp(plugins[i].name, about->plugin) == 0)
				most = (int)plugins[i].level;
		pthread_mutex_unlock(&lock);
	}
	return (int)level <= most;
}

/* ---- Escaping */

/* Besides what JSON escapes: what ends a line or turns the direction of writing somewhere, U+0080 to U+009F,
 * U+200E and F, U+2028 to E, U+2066 to 9. */
static unsigned steers(const unsigned char *p, size_t length)
{
	unsigned c = length == 2   ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
		     : length == 3 ? (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu)
				   : 0;
	bool does = (c >= 0x80 && c < 0xa0) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069);
	return does ? c : 0;
}

/* One character of text, which has n > 0 bytes, to out, as it stands between quotes; *ret_n: how long it is there.
 * Returns how many bytes it took of text. */
static size_t escape(const char *text, size_t n, char out[ESCAPED_MAX], size_t *ret_n)
{
	static const char short_ones[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const unsigned char *p = (const unsigned char *)text;
	size_t length = utf8_sequence(p, n);
	const char *is_short = length == 1 && p[0] ? strchr(short_ones, p[0]) : NULL;
	unsigned code = length == 1 ? (p[0] < 0x20 || p[0] == 0x7f) : steers(p, length);
	if (length == 0)
		*ret_n = (size_t)snprintf(out, ESCAPED_MAX, "\xef\xbf\xbd"); /* U+FFFD: not UTF-8 */
	else if (is_short)
		*ret_n = (size_t)snprintf(out, ESCAPED_MAX, "\\%c", names[is_short - short_ones]);
	else if (code)
		*ret_n = (size_t)snprintf(out, ESCAPED_MAX, "\\u%04x", length == 1 ? p[0] : code);
	else
		memcpy(out, text, *ret_n = length);
	return length ? length : 1;
}

static bool needs_quotes(const char *text, size_t n)
{
	for (size_t i = 0, took, length; i < n; i += took) {
		char out[ESCAPED_MAX];
		took = escape(text + i, n - i, out, &length);
		if (length != took || text[i] == ' ' || text[i] == '=' || memcmp(out, text + i, length) != 0)
			return true;
	}
	return n == 0;
}

/* ---- Lines */

struct line {
	char p[LINE_MAX_BYTES];
	size_t n;
	bool json;
	unsigned members;
};

static void put(struct line *line, const char *text)
{
	size_t n = strlen(text);
	memcpy(line->p + line->n, text, n);
	line->n += n;
}

/* room: for all of it; at least 8. What is too long is cut, visibly. */
static void put_value(struct line *line, const char *text, size_t n, size_t room)
{
	static const char cut[] = "...";
	bool quotes = line->json || needs_quotes(text, n);
	char *out = line->p + line->n, *at = out, *end = out + room - quotes, *last = NULL;
	if (quotes)
		*at++ = '"';
	for (size_t i = 0, length; i < n; at += length) {
		char one[ESCAPED_MAX];
		i += escape(text + i, n - i, one, &length);
		if (!last && at + length > end - (sizeof cut - 1))
			last = at; /* from here on it gives way, unless all of it fits */
		if (at + length > end) {
			at = last;
			memcpy(at, cut, sizeof cut - 1);
			at += sizeof cut - 1;
			break;
		}
		memcpy(at, one, length);
	}
	if (quotes)
		*at++ = '"';
	line->n += (size_t)(at - out);
}

static void put_name(struct line *line, const char *name)
{
	if (line->members++)
		put(line, line->json ? "," : " ");
	put(line, line->json ? "\"" : "");
	put(line, name);
	put(line, line->json ? "\":" : "=");
}

static void put_member(struct line *line, const char *name, const char *value)
{
	if (!value)
		return;
	put_name(line, name);
	put_value(line, value, strlen(value), VALUE_MAX);
}

static void put_time(struct line *line)
{
	char iso[CLOCK_ISO_SIZE], text[40];
	int64_t now = clock_wall_ns();
	clock_format_iso(now - now % NS_PER_S, iso);
	snprintf(text, sizeof text, "%.19s.%03dZ", iso, (int)(now % NS_PER_S / NS_PER_MS));
	put_member(line, "time", text);
}

static void put_about(struct line *line, const struct log_about *about, uint64_t left_out)
{
	char id[ID_TEXT_SIZE], number[24];
	if (about->event)
		id_format(about->event, id);
	put_member(line, "event", about->event ? id : NULL);
	put_member(line, "source", about->source);
	put_member(line, "sink", about->sink);
	put_member(line, "plugin", about->plugin);
	if (!left_out)
		return;
	snprintf(number, sizeof number, "%llu", (unsigned long long)left_out);
	put_name(line, "left_out");
	put(line, number);
}

static void write_line(enum log_level level, const struct log_about *about, uint64_t left_out, const char *message,
		       size_t n)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	struct line line;
	line.n = line.members = 0;
	line.json = atomic_load_explicit(&shared->format, memory_order_relaxed) == LOG_JSON;
	put(&line, to_journal ? priorities[level] : "");
	put(&line, line.json ? "{" : "");
	if (!to_journal)
		put_time(&line);
	put_member(&line, "level", names[level]);
	put_name(&line, "msg");
	put_value(&line, message, n, LINE_MAX_BYTES - line.n - BEHIND_MAX);
	put_about(&line, about, left_out);
	put(&line, line.json ? "}\n" : "\n");
	/* A log that cannot be written has nobody to be told about it. */
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		return;
}

/* ---- Messages */

static bool passes(struct log_limit *limit, uint64_t *ret_left_out)
{
	int64_t now = clock_steady_ns(), until = atomic_load(&limit->until_ns);
	if (now >= until && atomic_compare_exchange_strong(&limit->until_ns, &until, now + LIMIT_NS)) {
		atomic_store(&limit->n, 1);
		*ret_left_out = atomic_exchange(&limit->left_out, 0);
		return true;
	}
	if (atomic_fetch_add(&limit->n, 1) < limit->most)
		return true;
	atomic_fetch_add(&limit->left_out, 1);
	return false;
}

bool log_write(struct log_limit *limit, enum log_level level, const struct log_about *about, const char *fmt, ...)
{
	static const struct log_about nothing;
	char message[LINE_MAX_BYTES]; /* one that does not fit in here does not fit into the line */
	uint64_t left_out = 0;
	va_list ap;
	if (!log_wants(level, about))
		return true;
	if (limit && !passes(limit, &left_out))
		return false;
	va_start(ap, fmt);
	int n = vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	if (n >= 0)
		write_line(level, about ? about : &nothing, left_out, message,
			   (size_t)n < sizeof message ? (size_t)n : sizeof message - 1);
	return true;
}
