/* crasher.c - a source and a sink that do, to the process, what an event's own data or an option says: "null" (crash),
 * "loop" (for ever), "sleep" (for ever), "abort", "exit", "_exit", "overflow" (of the stack). A request is authentic if
 * its header x-secret is right; the header x-verify says what verify does, the body's "parse" what parse does, and
 * "act" (or the option of that name) what act does. Otherwise act appends the event's id to `path`. */
#include <patchbay/fetch.h>
#include <patchbay/idle.h>
#include <patchbay/services.h>
#include <patchbay/sugar.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct crasher_options {
	patchbay_str secret, path, create, destroy, idle, poll, mended, act;
};

struct crasher {
	const patchbay_host *host;
	const patchbay_json_service *json;
	const struct crasher_options *options;
	bool acted;
};

static int *volatile nowhere;
static volatile int counter;

__attribute__((noinline)) static int overflow(volatile char *above)
{
	volatile char here[4096];
	here[0] = above ? *above : 0;
	if (counter < 0) /* it never is */
		return 0;
	return overflow(here) + here[0];
}

__attribute__((no_sanitize("undefined"))) static void crash(void)
{
	*nowhere = 1;
}

static void loop(void)
{
	for (volatile unsigned turns = 0;; turns++) /* may wrap around, before it is ended */
		;
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void exit_badly(void)
{
	exit(3);
}

static void exit_at_once(void)
{
	_exit(4);
}

static void exit_well(void)
{
	exit(0);
}

static void exit_well_at_once(void)
{
	_exit(0);
}

#ifdef CRASHER_EAGER
__attribute__((constructor)) static void crash_at_once(void)
{
	crash();
}
#endif

static void overflow_stack(void)
{
	counter = overflow(NULL);
}

/* What a child of the worker does to itself is not the worker's end. */
static void in_child(void (*what)(void))
{
	pid_t child = fork();
	if (child == 0) {
		what();
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void child_crashes(void)
{
	in_child(crash);
}

static void child_exits(void)
{
	in_child(exit_badly);
}

/* It outlives the worker. */
static void child_stays(void)
{
	if (fork() != 0)
		return;
	alarm(60);
	sleep_for_ever();
}

static void *crash_in_thread(void *unused)
{
	crash();
	return unused;
}

static void *exit_in_thread(void *unused)
{
	_exit(0);
	return unused;
}

static void in_thread(void *(*what)(void *))
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, what, NULL) == 0)
		pthread_join(thread, NULL);
}

static void thread_crashes(void)
{
	in_thread(crash_in_thread);
}

static void thread_exits(void)
{
	in_thread(exit_in_thread);
}

static void block_and_crash(void)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	crash();
}

static void exit_on_signal(int number)
{
	_exit(number);
}

static void handle_and_crash(void)
{
	signal(SIGSEGV, exit_on_signal);
	crash();
}

static void free_twice(void)
{
	char *volatile p = malloc(2000);
	free(p);
	free(p);
}

static void close_all(void)
{
	close_range(3, ~0u, 0);
}

static void do_as_told(patchbay_str what)
{
	static const struct {
		const char *word;
		void (*what)(void);
	} things[] = {
		{ "null", crash },
		{ "loop", loop },
		{ "sleep", sleep_for_ever },
		{ "abort", abort },
		{ "exit", exit_badly },
		{ "_exit", exit_at_once },
		{ "exit well", exit_well },
		{ "_exit well", exit_well_at_once },
		{ "overflow", overflow_stack },
		{ "child crashes", child_crashes },
		{ "child exits", child_exits },
		{ "child stays", child_stays },
		{ "thread crashes", thread_crashes },
		{ "thread exits", thread_exits },
		{ "block", block_and_crash },
		{ "handle", handle_and_crash },
		{ "free", free_twice },
		{ "close", close_all },
	};
	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		if (what.n == strlen(things[i].word) && memcmp(what.p, things[i].word, what.n) == 0)
			things[i].what();
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct crasher *crasher = calloc(1, sizeof(*crasher));
	(void)call;
	if (!crasher)
		return PATCHBAY_ENOMEM;
	crasher->host = host;
	crasher->json = host->service(host, PATCHBAY_JSON);
	crasher->options = options;
	*self = crasher;
	do_as_told(crasher->options->create);
	return PATCHBAY_OK;
}

static void destroy(void *self)
{
	struct crasher *crasher = self;
	do_as_told(crasher->options->destroy);
	free(crasher);
}

static patchbay_status verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct crasher *crasher = self;
	(void)call, (void)reply;
	do_as_told(patchbay_header(r, PATCHBAY_S("x-verify")));
	return crasher->options->secret.n &&
			       patchbay_eq(patchbay_header(r, PATCHBAY_S("x-secret")), crasher->options->secret)
		       ? PATCHBAY_OK
		       : PATCHBAY_EDENIED;
}

static patchbay_str told(const struct crasher *crasher, patchbay_call *call, patchbay_str data, const char *which)
{
	return crasher->json->text(call, crasher->json->find(call, crasher->json->parse(call, data), which, false));
}

static patchbay_status parse(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct crasher *crasher = self;
	patchbay_event event = { .size = sizeof(event), .type = PATCHBAY_S("thing"), .data = r->body };
	patchbay_str mended =
		patchbay_fmt(crasher->host, call, "%.*s", (int)crasher->options->mended.n, crasher->options->mended.p);
	if (access(mended.p, F_OK) != 0)
		do_as_told(told(crasher, call, r->body, "parse"));
	event.key = told(crasher, call, r->body, "id");
	event.subject = told(crasher, call, r->body, "subject");
	if (told(crasher, call, r->body, "enrich").n)
		event.flags |= PATCHBAY_EVENT_ENRICH;
	return emitter->emit(emitter->ctx, &event);
}

static void act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		patchbay_result *results, patchbay_str *checkpoint)
{
	struct crasher *crasher = self;
	(void)checkpoint;
	crasher->acted = true;
	for (size_t i = 0; i < n; i++) {
		if (events[i]->attempt == 1 && told(crasher, call, events[i]->data, "retry").n) {
			results[i] = (patchbay_result){ PATCHBAY_RETRY, 1, PATCHBAY_S("as it was told") };
			continue;
		}
		do_as_told(crasher->options->act);
		do_as_told(told(crasher, call, events[i]->data, "act"));
		patchbay_str path = crasher->options->path,
			     line = patchbay_fmt(crasher->host, call, "%.*s\n", (int)events[i]->id.n, events[i]->id.p);
		char *name = crasher->host->alloc(call, path.n + 1);
		memcpy(name, path.p, path.n);
		int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		results[i].status =
			fd >= 0 && write(fd, line.p, line.n) == (ssize_t)line.n ? PATCHBAY_OK : PATCHBAY_DOWN;
		if (fd >= 0)
			close(fd);
	}
}

static patchbay_status idle(void *self, patchbay_call *call, patchbay_str *checkpoint)
{
	const struct crasher *crasher = self;
	(void)call, (void)checkpoint;
	if (crasher->acted)
		do_as_told(crasher->options->idle);
	return PATCHBAY_OK;
}

static bool wants_to_poll(const void *self)
{
	const struct crasher *crasher = self;
	return crasher->options->poll.n != 0;
}

static patchbay_status poll(void *self, patchbay_call *call, patchbay_str cursor, const patchbay_emitter *emitter,
			    patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	const struct crasher *crasher = self;
	(void)call, (void)cursor, (void)emitter, (void)ret_cursor;
	do_as_told(crasher->options->poll);
	*ret_again_ms = 100;
	return PATCHBAY_OK;
}

static patchbay_status enrich(void *self, patchbay_call *call, const patchbay_delivery *event,
			      patchbay_str *ret_details)
{
	do_as_told(told(self, call, event->data, "enrich"));
	*ret_details = PATCHBAY_S("{\"details\":true}");
	return PATCHBAY_OK;
}

static const void *sink_extension(const char *id)
{
	static const patchbay_idle when_idle = { .size = sizeof(when_idle), .every_ms = 100, .idle = idle };
	return strcmp(id, PATCHBAY_IDLE) == 0 ? &when_idle : NULL;
}

static const void *source_extension(const char *id)
{
	static const patchbay_poll polling = { .size = sizeof(polling), .wanted = wants_to_poll, .poll = poll };
	static const patchbay_enrich enriching = { .size = sizeof(enriching), .enrich = enrich };
	return strcmp(id, PATCHBAY_POLL) == 0     ? (const void *)&polling
	       : strcmp(id, PATCHBAY_ENRICH) == 0 ? (const void *)&enriching
						  : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, secret, .help = "What x-secret must say."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, path, .flags = PATCHBAY_F_PATH,
			.help = "Where ids go."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, create, .help = "What create does."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, destroy, .help = "What destroy does."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, idle,
			.help = "What a sink does when it is idle, once it has acted."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, poll, .help = "What a source does when it polls."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, mended, .flags = PATCHBAY_F_PATH,
			.help = "Once this file is there, parse does nothing bad."),
	PATCHBAY_OPTION(struct crasher_options, PATCHBAY_T_STR, act, .help = "What a sink does with every event."),
};

static const patchbay_source source = {
	.size = sizeof(source),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct crasher_options),
	.create = create,
	.destroy = destroy,
	.verify = verify,
	.parse = parse,
	.extension = source_extension,
};

static const patchbay_sink sink = {
	.size = sizeof(sink),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct crasher_options),
	.batch_events = 50,
	.concurrency_max = 16,
	.timeout_ms = 1000,
	.create = create,
	.destroy = destroy,
	.act = act,
	.extension = sink_extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin),
	.name = "crasher",
	.version = "1.0.0",
	.license = "MIT",
	.summary = "for tests: crashes, and hangs, as it is told",
	.source = &source,
	.sink = &sink,
};
