/* schedule.c - see schedule.h. The cursor is JSON:
 * {"polls":[{"path":...,"due":...,"next":...,"pages":...,"mark":...}]}. */
#include "schedule.h"

#include "text.h"

#include <inttypes.h>

#define PAGES_MAX 100000

static uint64_t hash(patchbay_str s) /* FNV-1a */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static int64_t number(const patchbay_json_service *json, patchbay_call *call, const patchbay_json *of, const char *name)
{
	patchbay_str text = json->text(call, json->get(call, of, patchbay_cstr(name)));
	int64_t value = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text.p[i] - '0', &value))
			return 0;
	return value;
}

void schedule_read(const patchbay_host *host, patchbay_call *call, patchbay_str cursor,
		   const struct poll_options *polls, size_t n, struct run *runs)
{
	const patchbay_json_service *json = host->service(host, PATCHBAY_JSON);
	const patchbay_json *root = cursor.n > 0 ? json->parse(call, cursor) : NULL;
	const patchbay_json *list = json->get(call, root, PATCHBAY_S("polls"));

	for (size_t i = 0; i < n; i++)
		runs[i] = (struct run){ .next = { "", 0 } };
	for (uint32_t k = 0; k < json->count(list); k++) {
		const patchbay_json *entry = json->at(call, list, k);
		patchbay_str path = json->text(call, json->get(call, entry, PATCHBAY_S("path")));
		for (size_t i = 0; i < n; i++) {
			if (!patchbay_eq(path, polls[i].path))
				continue;
			runs[i].due_ms = number(json, call, entry, "due");
			runs[i].next = json->text(call, json->get(call, entry, PATCHBAY_S("next")));
			runs[i].pages = number(json, call, entry, "pages");
			runs[i].mark = (uint64_t)number(json, call, entry, "mark");
		}
	}
}

patchbay_str schedule_write(const patchbay_host *host, patchbay_call *call, const struct poll_options *polls, size_t n,
			    const struct run *runs)
{
	struct text t = { .host = host, .call = call };

	for (size_t i = 0; i < n; i++) {
		text_add_c(&t, i == 0 ? "{\"polls\":[{\"path\":" : ",{\"path\":");
		text_add_string(&t, polls[i].path);
		text_add(&t, patchbay_fmt(host, call, ",\"due\":%" PRId64, runs[i].due_ms));
		if (runs[i].next.n > 0) {
			text_add_c(&t, ",\"next\":");
			text_add_string(&t, runs[i].next);
			text_add(&t, patchbay_fmt(host, call, ",\"pages\":%" PRId64 ",\"mark\":%" PRIu64, runs[i].pages,
						  runs[i].mark));
		}
		text_add_c(&t, "}");
	}
	text_add_c(&t, "]}");
	return text_str(&t);
}

/* Brent's way of finding a circle: one earlier page is remembered, a later one each time their number has doubled. */
bool schedule_advance(struct run *run, patchbay_str page, patchbay_str next, const char **ret_odd)
{
	*ret_odd = NULL;
	run->next = (patchbay_str){ "", 0 };
	if (next.n == 0)
		return false;
	run->pages++;
	if ((run->pages & (run->pages - 1)) == 0)
		run->mark = hash(page) >> 1; /* fits a signed number */
	if (hash(next) >> 1 == run->mark)
		*ret_odd = "the links from page to page lead in circles";
	else if (next.n > TARGET_MAX)
		*ret_odd = "the link to its next page is longer than 2048 bytes";
	else if (run->pages >= PAGES_MAX)
		*ret_odd = "there are more than 100000 pages";
	if (*ret_odd)
		return false;
	run->next = next;
	return true;
}

int64_t schedule_wait_ms(const struct run *runs, size_t n, int64_t now_ms)
{
	int64_t wait = INT64_MAX;

	for (size_t i = 0; i < n; i++) {
		if (runs[i].next.n > 0 || runs[i].due_ms <= now_ms)
			return 0;
		if (runs[i].due_ms - now_ms < wait)
			wait = runs[i].due_ms - now_ms;
	}
	return wait;
}
