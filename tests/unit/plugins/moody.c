/* moody.c - a sink that does as it is told: by a file (`mood`), by its option `behaviour`, or by each event's own
 * data ({"do": "bad", "why": "..."}), in this order. Before it decides, it appends "ID do attempt ms" to `path`. It
 * says in the log when it is made and destroyed, and by which build: there are several, and one under another name;
 * and, for debugging, what each event told it. */
#include <patchbay/services.h>
#include <patchbay/sugar.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HANG_MS 60000 /* or until the file says something else */
#define SLOW_MS 200
#ifndef MOODY_BUILD
#define MOODY_NAME "moody"
#define MOODY_BUILD "1"
#endif

struct moody_options {
	patchbay_str path, behaviour, mood;
};

static const patchbay_option moody_table[] = {
	PATCHBAY_OPTION(struct moody_options, PATCHBAY_T_STR, path, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_PATH,
			.help = "Where to write down what was taken."),
	PATCHBAY_OPTION(struct moody_options, PATCHBAY_T_STR, behaviour, .help = "What to do with every event."),
	PATCHBAY_OPTION(struct moody_options, PATCHBAY_T_STR, mood, .flags = PATCHBAY_F_PATH,
			.help = "A file whose first word says what to do, looked at for every event."),
};

struct moody {
	const patchbay_host *host;
	const patchbay_json_service *json;
	char *path, *mood; /* mood NULL: none */
	char behaviour[32];
};

static char *copy(patchbay_str s)
{
	return s.n ? strndup(s.p, s.n) : NULL;
}

static void destroy(void *self)
{
	struct moody *moody = self;
	if (!moody)
		return;
	moody->host->log(moody->host, PATCHBAY_LOG_INFO, PATCHBAY_S("destroyed, build " MOODY_BUILD));
	free(moody->path);
	free(moody->mood);
	free(moody);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *p, void **self)
{
	const struct moody_options *options = p;
	struct moody *moody = calloc(1, sizeof(*moody));
	(void)call;
	if (!moody)
		return PATCHBAY_ENOMEM;
	moody->host = host;
	moody->json = host->service(host, PATCHBAY_JSON);
	moody->path = copy(options->path);
	moody->mood = copy(options->mood);
	snprintf(moody->behaviour, sizeof(moody->behaviour), "%.*s", (int)options->behaviour.n, options->behaviour.p);
	*self = moody;
	host->log(host, PATCHBAY_LOG_INFO, PATCHBAY_S("made, build " MOODY_BUILD));
	return moody->path && moody->json ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

/* The first word of the file; "" if there is none. */
static void read_mood(const struct moody *moody, char out[32])
{
	FILE *f = moody->mood ? fopen(moody->mood, "re") : NULL;
	*out = '\0';
	if (!f)
		return;
	if (fscanf(f, "%31s", out) != 1)
		*out = '\0';
	fclose(f);
}

static void decide(const struct moody *moody, const patchbay_json *told, char out[32], patchbay_call *call)
{
	read_mood(moody, out);
	if (!*out)
		memcpy(out, moody->behaviour, sizeof(moody->behaviour));
	if (!*out) {
		patchbay_str word = moody->json->text(call, told);
		snprintf(out, 32, "%.*s", (int)word.n, word.n ? word.p : "");
	}
	if (!*out)
		memcpy(out, "ok", 3);
}

static void write_down(const struct moody *moody, const patchbay_delivery *event, const char *what)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "%.*s %s %u %lld\n", (int)event->id.n, event->id.p, what, event->attempt,
			 (long long)(moody->host->now_ns(moody->host) / 1000000));
	int fd = open(moody->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	if (n > 0 && write(fd, line, (size_t)n) < 0) {
		/* the test will miss the line */
	}
	close(fd);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void hang(const struct moody *moody)
{
	char mood[32];
	for (int ms = 0; ms < HANG_MS; ms += 10) {
		read_mood(moody, mood);
		if (*mood && strcmp(mood, "hang") != 0)
			return;
		pause_ms(10);
	}
}

static void act_on(const struct moody *moody, patchbay_call *call, const patchbay_delivery *event, patchbay_result *ret)
{
	static const struct {
		const char *word;
		patchbay_status status;
	} known[] = {
		{ "ok", PATCHBAY_OK },          { "slow", PATCHBAY_OK },          { "hang", PATCHBAY_OK },
		{ "retry", PATCHBAY_RETRY },    { "bad", PATCHBAY_EBADEVENT },    { "down", PATCHBAY_DOWN },
		{ "config", PATCHBAY_ECONFIG }, { "badsink", PATCHBAY_EBADSINK },
	};
	const patchbay_json *data = moody->json->parse(call, event->data);
	char what[32];
	decide(moody, moody->json->find(call, data, "do|event_data.do", false), what, call);
	write_down(moody, event, what);
	moody->host->log(moody->host, PATCHBAY_LOG_DEBUG, patchbay_fmt(moody->host, call, "is told %s", what));
	if (strcmp(what, "slow") == 0)
		pause_ms(SLOW_MS);
	if (strcmp(what, "hang") == 0)
		hang(moody);
	ret->status = PATCHBAY_EBADEVENT;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(what, known[i].word) == 0)
			ret->status = known[i].status;
	ret->why = moody->json->text(call, moody->json->find(call, data, "why|event_data.why", false));
	if (!ret->why.n)
		ret->why = patchbay_fmt(moody->host, call, "it was told to be %s", what);
}

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	(void)checkpoint;
	for (size_t i = 0; i < n; i++)
		act_on(self, call, events[i], &results[i]);
}

static const patchbay_sink sink = {
	.size = sizeof(sink),
	.n_options = sizeof(moody_table) / sizeof(moody_table[0]),
	.options = moody_table,
	.options_size = sizeof(struct moody_options),
	.batch_events = 1,
	.concurrency_max = 16,
	.create = create,
	.destroy = destroy,
	.act = act,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin),
	.name = MOODY_NAME,
	.version = MOODY_BUILD ".0.0",
	.license = "MIT",
	.summary = "a sink for tests, that does as it is told",
	.sink = &sink,
};
