/* http_fake.c - what a plugin sees instead of servers. Of a process that runs one test: there is one for all guests of
 * a thread. */
#include "conform/http_fake.h"

#include "base/call.h"
#include "base/sized.h"
#include "base/str.h"
#include "net/http_client.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SAID_MAX ((size_t)1 << 20)
#define OPTIONS_1_0 SIZED_END(patchbay_http_options, ca_file)
#define REQUEST_1_0 SIZED_END(patchbay_http_request, answer_max)
#define ANSWER_1_0 SIZED_END(patchbay_http_answer, why)

struct patchbay_http {
	int unused;
};

static const struct http_answer_fake down = { .name = "no answer", .returns = PATCHBAY_DOWN };

static _Thread_local struct {
	const struct http_answer_fake *answer, *good;
	unsigned good_first, requests, good_answers;
	struct buf said;
	const char *misused;
} fake = { .answer = &down };
static int n_open;

void http_fake_set(const struct http_answer_fake *answer, const struct http_answer_fake *good, unsigned good_first)
{
	fake.answer = answer;
	fake.good = good;
	fake.good_first = good_first;
	fake.requests = fake.good_answers = 0;
	fake.said.n = 0;
}

unsigned http_fake_requests(void)
{
	return fake.requests;
}

unsigned http_fake_good_answers(void)
{
	return fake.good_answers;
}

bool http_fake_said(patchbay_str text)
{
	return text.n && fake.said.n >= text.n && memmem(fake.said.p, fake.said.n, text.p, text.n);
}

int http_fake_open(void)
{
	return __atomic_load_n(&n_open, __ATOMIC_RELAXED);
}

const char *http_fake_misused(void)
{
	return fake.misused;
}

static patchbay_http *open_client(const patchbay_http_options *options)
{
	if (options && !sized_has(options, OPTIONS_1_0))
		fake.misused = "open() is given options";
	__atomic_add_fetch(&n_open, 1, __ATOMIC_RELAXED);
	return malloc(sizeof(struct patchbay_http)); /* to be freed, as a real one */
}

static void close_client(patchbay_http *client)
{
	if (client)
		__atomic_sub_fetch(&n_open, 1, __ATOMIC_RELAXED);
	free(client);
}

static patchbay_status send_request(patchbay_http *client, patchbay_call *call, const patchbay_http_request *request,
				    patchbay_http_answer *answer)
{
	static const patchbay_kv headers[] = { { { "content-type", 12 }, { "application/json", 16 } } };
	patchbay_http_answer full = { .size = answer->size, .retry_after_ms = -1 };
	(void)client;

	if (!sized_has(request, REQUEST_1_0))
		fake.misused = "send() is given a request";
	if (!sized_has(answer, ANSWER_1_0))
		fake.misused = "send() is given an answer";
	sched_yield(); /* as a real one: other threads run before the body is read */
	if (fake.said.n < SAID_MAX) {
		buf_add_str(&fake.said, request->url);
		for (uint32_t i = 0; i < request->n_headers; i++)
			buf_add_str(&fake.said, request->headers[i].value);
		buf_add_str(&fake.said, request->body);
	}
	const struct http_answer_fake *now = fake.requests++ < fake.good_first ? fake.good : fake.answer;
	if (call->deadline_ns == 1 && now->returns == PATCHBAY_OK)
		now = &down; /* there is no time for anything */
	full.status = now->returns == PATCHBAY_OK ? now->status : 0;
	full.maybe_sent = now->maybe_sent;
	fake.good_answers += full.status >= 200 && full.status < 300;
	if (now->returns == PATCHBAY_OK && now->retry_after_ms)
		full.retry_after_ms = now->retry_after_ms;
	if (now->returns == PATCHBAY_OK) {
		full.body = arena_copy(&call->arena, str_c(now->body)); /* as the real one: some wipe it */
		full.headers = headers;
		full.n_headers = 1;
	} else {
		full.why = STR("nobody answers at 127.0.0.1:9");
	}
	memcpy(answer, &full, answer->size < sizeof(full) ? answer->size : sizeof(full));
	return now->returns;
}

static bool url_ok(patchbay_call *call, patchbay_str url, bool allow_private)
{
	return http_service.url_ok(call, url, allow_private);
}

static patchbay_str encode(patchbay_call *call, patchbay_str text)
{
	return http_service.encode(call, text);
}

const patchbay_http_service http_fake_service = {
	.size = sizeof(patchbay_http_service),
	.open = open_client,
	.close = close_client,
	.send = send_request,
	.url_ok = url_ok,
	.encode = encode,
};
