/* poll.c - see poll.h. One page is one step: its events and the place of the next page become durable together, so that
 * after a crash nothing is missing and nothing comes twice. An item that has not changed since is known to the host by
 * its key and its contents, and dropped there. A poll that fails does not keep the others waiting. */
#include "poll.h"

#include "page.h"
#include "schedule.h"
#include "text.h"

#define ANSWER_MAX (UINT64_C(8) << 20)
#define TYPE_MAX 100
#define NS_PER_MS INT64_C(1000000)

#define OPTION(kind, field, ...) PATCHBAY_OPTION(struct poll_options, kind, field, __VA_ARGS__)
const patchbay_option poll_option_table[POLL_N_OPTIONS] = {
	OPTION(PATCHBAY_T_STR, path, .flags = PATCHBAY_F_REQUIRED,
	       .help = "What to GET, below api_url: /users, or /users?active=true."),
	OPTION(PATCHBAY_T_MS, every, .def = "15m", .min = 10000, .max = INT64_C(30) * 86400000, .help = "How often."),
	OPTION(PATCHBAY_T_STR, type, .help = "Type of the events; else the last part of the path."),
	OPTION(PATCHBAY_T_STR, id, .def = "id",
	       .help = "Member of an item that names it, as in id or user.id; a changed item is a new event."),
	OPTION(PATCHBAY_T_STR, time, .help = "Member of an item that says when it happened."),
	OPTION(PATCHBAY_T_STR, subject, .help = "Member of an item that says whom it is about."),
	OPTION(PATCHBAY_T_INT, page_size, .def = "100", .min = 0, .max = 10000,
	       .help = "Items asked for at a time; 0: as many as the API likes."),
};

/* ---- Options */

static patchbay_status refuse(const patchbay_host *host, patchbay_call *call, patchbay_str path, const char *why)
{
	host->explain(call, patchbay_fmt(host, call, "poll: path '%.*s' %s", (int)path.n, path.p, why));
	return PATCHBAY_ECONFIG;
}

patchbay_status poll_check(const patchbay_host *host, patchbay_call *call, patchbay_list polls)
{
	const struct poll_options *v = polls.v;

	for (size_t i = 0; i < polls.n; i++) {
		const char *wrong = api_path_wrong(v[i].path);
		if (wrong)
			return refuse(host, call, v[i].path, wrong);
		if (v[i].path.n > TARGET_MAX / 4)
			return refuse(host, call, v[i].path, "is longer than 512 bytes");
		if (v[i].type.n > TYPE_MAX)
			return refuse(host, call, v[i].path, "has a 'type' of more than 100 bytes");
		for (size_t k = 0; k < i; k++)
			if (patchbay_eq(v[i].path, v[k].path))
				return refuse(host, call, v[i].path, "is there twice; remove one");
	}
	return PATCHBAY_OK;
}

/* "/courses/5/results?x=1" -> "results" */
static patchbay_str type_of(const struct poll_options *poll)
{
	patchbay_str path = poll->path;
	const char *query = memchr(path.p, '?', path.n);
	size_t start;

	if (poll->type.n > 0)
		return poll->type;
	if (query)
		path.n = (size_t)(query - path.p);
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	for (start = path.n; start > 0 && path.p[start - 1] != '/'; start--)
		;
	path = (patchbay_str){ path.p + start, path.n - start };
	if (path.n > TYPE_MAX)
		path.n = TYPE_MAX;
	return path.n > 0 ? path : PATCHBAY_S("polled");
}

/* ---- Items */

struct reader { /* of the items of one poll */
	const struct motivate *m;
	patchbay_call *call;
	const struct poll_options *poll;
	const char *id, *time, *subject;
};

static patchbay_str member(const struct reader *r, const patchbay_json *item, const char *path)
{
	return *path ? r->m->json->text(r->call, r->m->json->find(r->call, item, path, false))
		     : (patchbay_str){ "", 0 };
}

static patchbay_status emit_item(const struct reader *r, patchbay_str text, const patchbay_emitter *emitter)
{
	const struct motivate *m = r->m;
	const patchbay_json *item = m->json->parse(r->call, text);
	patchbay_str key[] = { r->poll->path, PATCHBAY_S("\x1f"), member(r, item, r->id) };
	patchbay_event event = {
		.size = sizeof(event),
		.dedupe = PATCHBAY_DEDUPE_LATEST,
		.flags = r->poll->type.n == 0 ? PATCHBAY_EVENT_TYPE_GUESSED : 0,
		.type = type_of(r->poll),
		.kind = PATCHBAY_S("polled"),
		.subject = member(r, item, r->subject),
		.data = text,
	};

	if (key[2].n == 0) { /* nothing tells its next state from another item */
		key[2] = m->crypto->sha256_hex(r->call, text);
		event.dedupe = PATCHBAY_DEDUPE_KEY;
	}
	event.key = patchbay_join(m->host, r->call, key, 3);
	if (!item || key[2].n == 0 || event.key.n == 0)
		return PATCHBAY_ENOMEM;
	if (!m->time->parse(member(r, item, r->time), &event.time_ns))
		event.time_ns = 0;
	return emitter->emit(emitter->ctx, &event);
}

static patchbay_status emit_page(const struct motivate *m, patchbay_call *call, const struct poll_options *poll,
				 const struct page *page, const patchbay_emitter *emitter)
{
	struct reader r = { .m = m,
			    .call = call,
			    .poll = poll,
			    .id = text_c(m->host, call, poll->id),
			    .time = text_c(m->host, call, poll->time),
			    .subject = text_c(m->host, call, poll->subject) };
	patchbay_status status = r.id && r.time && r.subject ? PATCHBAY_OK : PATCHBAY_ENOMEM;

	for (size_t i = 0; status == PATCHBAY_OK && i < page->n; i++)
		status = emit_item(&r, page->items[i], emitter);
	return status;
}

/* ---- Steps */

/* A poll that goes wrong is said once, until it goes well. */
static void warn(struct motivate *m, patchbay_call *call, size_t i, patchbay_str why)
{
	const struct poll_options *poll = (const struct poll_options *)m->options->poll.v + i;

	if (m->warned & UINT32_C(1) << i)
		return;
	m->warned |= UINT32_C(1) << i;
	m->host->log(m->host, PATCHBAY_LOG_WARNING,
		     patchbay_fmt(m->host, call, "poll of %.*s: %.*s; tried again when it is due", (int)poll->path.n,
				  poll->path.p, (int)why.n, why.p));
}

static patchbay_status fail(const struct motivate *m, patchbay_call *call, const struct poll_options *poll,
			    patchbay_status status, patchbay_str why)
{
	m->host->explain(call, patchbay_fmt(m->host, call, "poll of %.*s: %.*s", (int)poll->path.n, poll->path.p,
					    (int)why.n, why.p));
	return status;
}

/* Does this answer say that this very request is wrong, so that others may do better? */
static bool is_refused(const struct api_answer *answer)
{
	return answer->status != PATCHBAY_DOWN && answer->http_status >= 300 && answer->http_status != 401;
}

/* Reads one page of poll i. OK: *run has moved on, whether there were events or not. */
static patchbay_status read_page(struct motivate *m, patchbay_call *call, size_t i, struct run *run,
				 const patchbay_emitter *emitter, int64_t *ret_after_ms)
{
	const struct poll_options *poll = (const struct poll_options *)m->options->poll.v + i;
	patchbay_str target = run->next;
	struct api_request request = { .method = "GET", .answer_max = ANSWER_MAX };
	struct api_answer answer;
	struct page page;
	const char *wrong, *odd;
	patchbay_status status;

	if (target.n == 0)
		target = page_first(m->host, call, api_target(m->api, call, poll->path), poll->page_size);
	request.target = target;
	api_send(m->api, call, &request, &answer);
	if (answer.status != PATCHBAY_OK) {
		if (!is_refused(&answer)) {
			*ret_after_ms = answer.after_ms;
			return fail(m, call, poll, answer.status == PATCHBAY_DOWN ? PATCHBAY_DOWN : PATCHBAY_EBADSINK,
				    answer.why);
		}
		run->next = (patchbay_str){ "", 0 };
		warn(m, call, i, answer.why);
		return PATCHBAY_OK;
	}
	wrong = page_read(m->api, m->host, call, &answer, target, &page);
	if (wrong)
		return fail(m, call, poll, PATCHBAY_DOWN,
			    patchbay_fmt(m->host, call, "the answer cannot be read: %s", wrong));
	status = emit_page(m, call, poll, &page, emitter);
	if (status != PATCHBAY_OK)
		return fail(m, call, poll, PATCHBAY_RETRY,
			    PATCHBAY_S("the page holds more than the host takes at once; lower page_size"));
	if (schedule_advance(run, target, page.next, &odd))
		return PATCHBAY_OK;
	if (page.odd || odd)
		warn(m, call, i, patchbay_cstr(page.odd ? page.odd : odd));
	else
		m->warned &= ~(UINT32_C(1) << i);
	return PATCHBAY_OK;
}

static bool wanted(const void *self)
{
	const struct motivate *m = self;

	return m->options->poll.n > 0;
}

static patchbay_status step(void *self, patchbay_call *call, patchbay_str cursor, const patchbay_emitter *emitter,
			    patchbay_str *ret_cursor, int64_t *ret_again_ms)
{
	struct motivate *m = self;
	const struct poll_options *polls = m->options->poll.v;
	size_t n = m->options->poll.n, i = 0, turn = 0;
	int64_t now_ms = m->host->now_ns(m->host) / NS_PER_MS, again_ms = 0;
	struct run runs[POLLS_MAX];
	patchbay_status status;

	schedule_read(m->host, call, cursor, polls, n, runs);
	for (size_t k = 0; k < n; k++)
		if (runs[k].due_ms - now_ms > polls[k].every)
			runs[k].due_ms = now_ms; /* the clock was set back, or the schedule is another one now */
	for (; turn < n; turn++) {
		i = (m->turn + turn) % n;
		if (runs[i].next.n > 0 || runs[i].due_ms <= now_ms)
			break;
	}
	if (turn == n) {
		*ret_again_ms = schedule_wait_ms(runs, n, now_ms);
		return PATCHBAY_OK;
	}
	m->turn = i + 1; /* so that one that fails does not keep the others waiting */
	if (runs[i].next.n == 0)
		runs[i] = (struct run){ .due_ms = now_ms + polls[i].every, .next = { "", 0 } };
	status = read_page(m, call, i, &runs[i], emitter, &again_ms);
	if (status != PATCHBAY_OK) {
		*ret_again_ms = again_ms;
		return status;
	}
	*ret_cursor = schedule_write(m->host, call, polls, n, runs);
	*ret_again_ms = schedule_wait_ms(runs, n, now_ms);
	if (ret_cursor->n > 0)
		return PATCHBAY_OK;
	return fail(m, call, &polls[i], PATCHBAY_RETRY, PATCHBAY_S("this call has no memory left"));
}

const patchbay_poll motivate_poll = { .size = sizeof(motivate_poll), .wanted = wanted, .poll = step };
