/* compose.c - evaluates the options for an event. Whatever an event brings into an address or a header is refused if it
 * would end that line: it is never mended, since what it would become is not what anybody asked for. */
#include "compose.h"

#include "buffer.h"
#include "delivered.h"

#include <patchbay/sugar.h>

#define SUBJECT_MAX 1000 /* bytes; what is longer is cut */

struct job {
	const struct composer *c;
	patchbay_call *call;
	const patchbay_delivery *event;
};

#define SAY(job, ...) patchbay_fmt((job)->c->host, (job)->call, __VA_ARGS__)

static patchbay_status refuse(const struct job *job, patchbay_status status, patchbay_str why)
{
	job->c->host->explain(job->call, why);
	return status;
}

static patchbay_status no_memory(const struct job *job)
{
	return refuse(job, PATCHBAY_RETRY, PATCHBAY_S("no memory was left in this call"));
}

/* ---- Recipients */

static patchbay_status add_recipient(const struct job *job, patchbay_str address, patchbay_str *list, size_t *n)
{
	const char *wrong = address_wrong(address);
	patchbay_str shown = address_shown(job->c->host, job->call, address);
	if (wrong)
		return refuse(job, PATCHBAY_EBADEVENT,
			      SAY(job, "`to` gave '%.*s', which %s; nothing was sent", (int)shown.n, shown.p, wrong));
	if (!options_allows(job->c->options, address))
		return refuse(job, PATCHBAY_EBADEVENT,
			      SAY(job, "`to` gave '%.*s', %s; nothing was sent", (int)shown.n, shown.p,
				  address_has_route(address) ? "whose '%' or '!' may lead past `allow_domains`"
							     : "whose domain is not in `allow_domains`"));
	for (size_t i = 0; i < *n; i++)
		if (patchbay_eq(list[i], address))
			return PATCHBAY_OK;
	if (*n == RECIPIENTS_MAX)
		return refuse(job, PATCHBAY_EBADEVENT,
			      SAY(job, "`to` gave more than %d addresses; nothing was sent", RECIPIENTS_MAX));
	list[(*n)++] = address;
	return PATCHBAY_OK;
}

static patchbay_status add_array(const struct job *job, patchbay_str json, patchbay_str *list, size_t *n)
{
	const patchbay_json_service *service = job->c->json;
	const patchbay_json *array = service->parse(job->call, json);
	if (!array)
		return no_memory(job);
	for (uint32_t i = 0; i < service->count(array); i++) {
		const patchbay_json *item = service->at(job->call, array, i);
		if (service->type(item) != PATCHBAY_JSON_STRING)
			return refuse(job, PATCHBAY_EBADEVENT,
				      PATCHBAY_S("`to` gave an array with something else than strings in it; nothing "
						 "was sent"));
		patchbay_status status = add_recipient(job, service->text(job->call, item), list, n);
		if (status != PATCHBAY_OK)
			return status;
	}
	return PATCHBAY_OK;
}

patchbay_str compose_name(const struct composer *c, patchbay_call *call, patchbay_str event, patchbay_str recipient)
{
	patchbay_str server = c->options->server, from = c->options->from;
	return patchbay_fmt(c->host, call, "%.*s\n%.*s\n%.*s\n%.*s", (int)server.n, server.p, (int)from.n, from.p,
			    (int)event.n, event.p, (int)recipient.n, recipient.p);
}

static patchbay_status owed(const struct job *job, struct composition *ret)
{
	const struct composer *c = job->c;
	bool *list = c->host->alloc(job->call, ret->n_to * sizeof(*list)), any = delivered_any();
	if (!list)
		return no_memory(job);
	for (size_t i = 0; i < ret->n_to; i++)
		list[i] = !any ||
			  !delivered_has(c->crypto, job->call, compose_name(c, job->call, job->event->id, ret->to[i]));
	ret->owed = list;
	return PATCHBAY_OK;
}

static patchbay_status recipients(const struct job *job, struct composition *ret)
{
	const struct options *options = job->c->options;
	patchbay_str *list = job->c->host->alloc(job->call, RECIPIENTS_MAX * sizeof(*list));
	patchbay_value value = { .size = sizeof(value) };
	patchbay_status status = PATCHBAY_OK;
	size_t n = 0;
	if (!list)
		return no_memory(job);
	for (size_t i = 0; i < options->to.strs.n && status == PATCHBAY_OK; i++)
		status = add_recipient(job, options->to.strs.v[i], list, &n);
	if (options->to.expr) {
		if (!job->c->expr->eval(job->call, options->to.expr, job->event, NULL, NULL, &value))
			return PATCHBAY_EBADEVENT; /* explained */
		if (value.type == PATCHBAY_JSON_STRING)
			status = add_recipient(job, value.text, list, &n);
		else if (value.type == PATCHBAY_JSON_ARRAY)
			status = add_array(job, value.text, list, &n);
	}
	if (status == PATCHBAY_OK && n == 0)
		return refuse(job, PATCHBAY_EBADEVENT,
			      PATCHBAY_S("`to` gave no address for this event; a `select` in the route's `when` can "
					 "leave such events out"));
	ret->to = list;
	ret->n_to = n;
	return status == PATCHBAY_OK ? owed(job, ret) : status;
}

static bool same_recipients(const struct composition *a, const struct composition *b)
{
	if (a->n_to != b->n_to)
		return false;
	for (size_t i = 0; i < a->n_to; i++)
		if (!patchbay_eq(a->to[i], b->to[i]) || a->owed[i] != b->owed[i])
			return false;
	return true;
}

/* ---- Texts */

static patchbay_str note_break(void *ctx, patchbay_call *call, patchbay_str value)
{
	bool *breaks = ctx;
	(void)call;
	*breaks = *breaks || address_breaks_line(value);
	return value;
}

static patchbay_str cut(patchbay_str s)
{
	if (s.n <= SUBJECT_MAX)
		return s;
	s.n = SUBJECT_MAX;
	while (s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	return s;
}

static patchbay_status subject(const struct job *job, patchbay_str *ret)
{
	patchbay_value value = { .size = sizeof(value) };
	bool data_breaks = false;
	if (!job->c->expr->eval(job->call, job->c->options->subject, job->event, note_break, &data_breaks, &value))
		return PATCHBAY_EBADEVENT;
	if (data_breaks)
		return refuse(
			job, PATCHBAY_EBADEVENT,
			PATCHBAY_S("what the event brings into `subject` contains a line break or a NUL, which could "
				   "forge headers; nothing was sent"));
	if (address_breaks_line(value.text))
		return refuse(job, PATCHBAY_ECONFIG,
			      PATCHBAY_S("`subject` itself contains a line break or a NUL; write it on one line"));
	*ret = cut(value.text);
	return PATCHBAY_OK;
}

struct escaper {
	const patchbay_host *host;
	bool failed; /* no memory was left */
};

static patchbay_str escape_html(void *ctx, patchbay_call *call, patchbay_str value)
{
	struct escaper *escaper = ctx;
	struct buffer out = { 0 };
	for (size_t i = 0; i < value.n; i++) {
		switch (value.p[i]) {
		case '&':
			buffer_add_text(&out, "&amp;");
			break;
		case '<':
			buffer_add_text(&out, "&lt;");
			break;
		case '>':
			buffer_add_text(&out, "&gt;");
			break;
		case '"':
			buffer_add_text(&out, "&quot;");
			break;
		case '\'':
			buffer_add_text(&out, "&#39;");
			break;
		default:
			buffer_add(&out, &value.p[i], 1);
		}
	}
	patchbay_str whole = buffer_str(&out), copy = patchbay_join(escaper->host, call, &whole, 1);
	escaper->failed = escaper->failed || out.failed || copy.n != whole.n;
	buffer_free(&out);
	return copy;
}

/* The mail about this one event. */
static patchbay_status single(const struct job *job, struct composition *ret)
{
	const struct options *options = job->c->options;
	patchbay_value value = { .size = sizeof(value) };
	struct escaper escaper = { job->c->host, false };
	patchbay_status status = subject(job, &ret->subject);
	if (status != PATCHBAY_OK)
		return status;
	if (!job->c->expr->eval(job->call, options->text, job->event, NULL, NULL, &value))
		return PATCHBAY_EBADEVENT;
	ret->text = value.text;
	if (options->html) {
		if (!job->c->expr->eval(job->call, options->html, job->event, escape_html, &escaper, &value))
			return PATCHBAY_EBADEVENT;
		if (escaper.failed)
			return no_memory(job);
		ret->html = value.text;
	}
	return PATCHBAY_OK;
}

/* ---- Digests */

static bool is_plain_line(patchbay_str s)
{
	return s.n > 0 && !address_breaks_line(s);
}

/* An event's own subject; its type, where it has none that fits on a line. */
static patchbay_str title(const struct job *job)
{
	patchbay_value value = { .size = sizeof(value) };
	bool breaks = false;
	if (job->c->expr->eval(job->call, job->c->options->subject, job->event, note_break, &breaks, &value) &&
	    is_plain_line(value.text))
		return cut(value.text);
	return address_shown(job->c->host, job->call, job->event->type);
}

static patchbay_str digest_subject(const struct job *job, const patchbay_delivery *const *events, const bool *members,
				   size_t n, size_t count, patchbay_str first, patchbay_str last)
{
	patchbay_str type = events[0]->type, what = PATCHBAY_S("events");
	bool same = is_plain_line(type);
	for (size_t i = 0; i < n; i++)
		same = same && (!members[i] || patchbay_eq(events[i]->type, type));
	if (same)
		what = SAY(job, "x %.*s", (int)type.n, type.p);
	if (first.n < 16 || last.n < 16)
		return SAY(job, "%zu %.*s", count, (int)what.n, what.p);
	if (memcmp(first.p, last.p, 10) != 0) /* the days */
		return SAY(job, "%zu %.*s, %.10s to %.10s", count, (int)what.n, what.p, first.p, last.p);
	return SAY(job, "%zu %.*s, %.10s %.5s-%.5s UTC", count, (int)what.n, what.p, first.p, first.p + 11,
		   last.p + 11);
}

static patchbay_status digest(const struct job *of, const patchbay_delivery *const *events, const bool *members,
			      size_t n, size_t count, struct composition *ret)
{
	struct job job = *of;
	struct buffer text = { 0 };
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
	for (size_t i = 0; i < n; i++) {
		if (!members[i])
			continue;
		first_ns = events[i]->time_ns < first_ns ? events[i]->time_ns : first_ns;
		last_ns = events[i]->time_ns > last_ns ? events[i]->time_ns : last_ns;
	}
	patchbay_str first = job.c->time->format(job.call, first_ns), last = job.c->time->format(job.call, last_ns);
	patchbay_str route = events[0]->route;
	buffer_addf(&text, "%zu events by %.*s, %.*s to %.*s\n", count, (int)route.n, route.p, (int)first.n, first.p,
		    (int)last.n, last.p);
	for (size_t i = 0, number = 0; i < n; i++) {
		if (!members[i])
			continue;
		job.event = events[i];
		patchbay_str line = title(&job), time = job.c->time->format(job.call, events[i]->time_ns);
		patchbay_str type = events[i]->type, source = events[i]->source, id = events[i]->id;
		if (!is_plain_line(type)) /* it must not look like lines of the digest */
			type = address_shown(job.c->host, job.call, type);
		buffer_addf(&text, "\n%zu. %.*s\n   %.*s from %.*s, %.*s\n   event %.*s\n", ++number, (int)line.n,
			    line.p, (int)type.n, type.p, (int)source.n, source.p, (int)time.n, time.p, (int)id.n, id.p);
	}
	patchbay_str whole = buffer_str(&text);
	ret->text = patchbay_join(job.c->host, job.call, &whole, 1);
	ret->subject = cut(digest_subject(of, events, members, n, count, first, last));
	bool ok = !text.failed && ret->text.n == whole.n && ret->subject.n;
	buffer_free(&text);
	return ok ? PATCHBAY_OK : no_memory(of);
}

patchbay_status compose(const struct composer *c, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
			bool *members, struct composition *ret)
{
	struct job job = { c, call, events[0] };
	size_t count = 1;
	*ret = (struct composition){ .html = { "", 0 } };
	for (size_t i = 0; i < n; i++)
		members[i] = i == 0;
	patchbay_status status = recipients(&job, ret);
	if (status != PATCHBAY_OK)
		return status;
	for (size_t i = 1; i < n && c->options->digest > 0; i++) {
		struct job other = { c, call, events[i] };
		struct composition theirs = { 0 };
		members[i] = patchbay_eq(events[i]->route, events[0]->route) &&
			     recipients(&other, &theirs) == PATCHBAY_OK && same_recipients(ret, &theirs);
		count += members[i];
	}
	if (c->options->digest > 0 && count > (size_t)c->options->digest)
		return digest(&job, events, members, n, count, ret);
	for (size_t i = 1; i < n; i++)
		members[i] = false;
	return single(&job, ret);
}
