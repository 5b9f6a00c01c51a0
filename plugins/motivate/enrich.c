/* enrich.c - see enrich.h. An event waits for its details for as long as `within` says, and then goes on without. */
#include "enrich.h"

#include "page.h"
#include "path.h"
#include "text.h"

#include <inttypes.h>
#include <strings.h>

#define ANSWER_MAX (UINT64_C(1) << 20)
#define DETAILS_MAX ((size_t)1 << 20)
#define PAGES_MAX 10
#define PAGE_SIZE 100

#define OPTION(kind, field, ...) PATCHBAY_OPTION(struct enrich_options, kind, field, __VA_ARGS__)
const patchbay_option enrich_option_table[ENRICH_N_OPTIONS] = {
	OPTION(PATCHBAY_T_TEXT, path, .flags = PATCHBAY_F_REQUIRED,
	       .help = "Where the details are, below api_url: '/ftplogs/\\(.data.event_data.ftp_log_id)'."),
	OPTION(PATCHBAY_T_MS, within, .def = "1m", .min = 1000, .max = 86400000,
	       .help = "How long an event may wait for its details."),
};

static bool is_positive(patchbay_str number)
{
	for (size_t i = 0; i < number.n && number.p[i] != '-'; i++)
		if (number.p[i] >= '1' && number.p[i] <= '9')
			return true;
	return false;
}

bool enrich_wanted(const struct motivate *m, patchbay_call *call, const patchbay_json *event_data)
{
	patchbay_str status = m->json->text(call, m->json->find(call, event_data, "status", false));
	patchbay_str errors = m->json->text(call, m->json->find(call, event_data, "error_count", false));

	return is_positive(errors) || (status.n == 5 && strncasecmp(status.p, "error", 5) == 0);
}

/* All pages, as one array; or the one thing that the API answered with, as it is. False: *answer says why. */
static bool fetch(struct motivate *m, patchbay_call *call, patchbay_str target, struct api_answer *answer,
		  patchbay_str *ret)
{
	struct text all = { .host = m->host, .call = call };
	struct api_request request = { .method = "GET", .answer_max = ANSWER_MAX };
	struct page page = { .next = page_first(m->host, call, target, PAGE_SIZE) };
	size_t items = 0;

	text_add_c(&all, "[");
	for (int pages = 0; page.next.n > 0; pages++) {
		if (pages == PAGES_MAX || all.n > DETAILS_MAX) {
			m->host->log(m->host, PATCHBAY_LOG_WARNING,
				     patchbay_fmt(m->host, call,
						  "of the details of an event only the first %zu rows "
						  "were taken; there are more",
						  items));
			break;
		}
		request.target = page.next;
		api_send(m->api, call, &request, answer);
		if (answer->status != PATCHBAY_OK)
			return false;
		const char *wrong = page_read(m->api, m->host, call, answer, request.target, &page);
		if (wrong) {
			answer->status = PATCHBAY_DOWN;
			answer->why = patchbay_fmt(m->host, call, "the answer cannot be read: %s", wrong);
			return false;
		}
		if (page.single && pages == 0) {
			*ret = page.items[0];
			return true;
		}
		for (size_t i = 0; i < page.n; i++) {
			text_add_c(&all, items++ == 0 ? "" : ",");
			text_add(&all, page.items[i]);
		}
	}
	text_add_c(&all, "]");
	*ret = text_str(&all);
	if (!all.failed)
		return true;
	*answer = (struct api_answer){ .status = PATCHBAY_EBADEVENT,
				       .why = PATCHBAY_S("they are larger than a call's memory") };
	return false;
}

/* Is it worth asking again: is the API away, or not yet done with what it told of? */
static bool may_come(const struct api_answer *answer)
{
	return answer->status == PATCHBAY_DOWN || answer->http_status == 404;
}

static patchbay_status enrich(void *self, patchbay_call *call, const patchbay_delivery *event,
			      patchbay_str *ret_details)
{
	struct motivate *m = self;
	const struct enrich_options *o = m->options->enrich;
	struct api_answer answer;
	patchbay_str path;
	int64_t waited_ms;

	if (!o || !m->api) {
		m->host->explain(call, PATCHBAY_S("no details: 'enrich' was taken out of routes.yaml"));
		return PATCHBAY_EBADEVENT;
	}
	if (path_render(m->api, m->host, call, o->path, event, &path) != PATCHBAY_OK)
		return PATCHBAY_EBADEVENT; /* explained */
	if (fetch(m, call, api_target(m->api, call, path), &answer, ret_details))
		return PATCHBAY_OK;
	waited_ms = (m->host->now_ns(m->host) - event->received_ns) / INT64_C(1000000);
	if (may_come(&answer) && waited_ms >= 0 && waited_ms + answer.after_ms < o->within) {
		m->host->explain(call, answer.why);
		return PATCHBAY_RETRY;
	}
	if (may_come(&answer))
		m->host->explain(call, patchbay_fmt(m->host, call, "no details within %" PRId64 " s: %.*s",
						    o->within / 1000, (int)answer.why.n, answer.why.p));
	else
		m->host->explain(call,
				 patchbay_fmt(m->host, call, "no details: %.*s", (int)answer.why.n, answer.why.p));
	return PATCHBAY_EBADEVENT;
}

const patchbay_enrich motivate_enrich = { .size = sizeof(motivate_enrich), .enrich = enrich };
