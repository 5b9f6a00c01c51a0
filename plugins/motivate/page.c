/* page.c - see page.h. Lists come as `data` beside `meta`, as a bare array, or as CSV. The next page is the Link
 * header's rel="next", or else follows from `meta`. */
#include "page.h"

#include "csv.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#define ITEMS_MAX 10000 /* what the host takes in one go */

static const char no_memory[] = "it is larger than a call's memory";
static const char too_many[] = "it has more than 10000 items; ask for fewer with page_size";

/* ---- Targets */

static bool asks_for(patchbay_str target, const char *name)
{
	const char *query = target.n ? memchr(target.p, '?', target.n) : NULL;

	return query && memmem(query, (size_t)(target.p + target.n - query), name, strlen(name));
}

patchbay_str page_first(const patchbay_host *host, patchbay_call *call, patchbay_str target, int64_t page_size)
{
	if (page_size == 0 || asks_for(target, "page_size=") || asks_for(target, "pageSize="))
		return target;
	return patchbay_fmt(host, call, "%.*s%cpage_size=%" PRId64 "&pageSize=%" PRId64, (int)target.n, target.p,
			    memchr(target.p, '?', target.n) ? '&' : '?', page_size, page_size);
}

/* The target with this page_num, in place of any other. */
static patchbay_str numbered(const patchbay_host *host, patchbay_call *call, patchbay_str target, int64_t number)
{
	const char *query = memchr(target.p, '?', target.n), *end = target.p + target.n;
	struct text t = { .host = host, .call = call };

	text_add(&t, (patchbay_str){ target.p, query ? (size_t)(query - target.p) : target.n });
	text_add_c(&t, "?");
	while (query) {
		const char *start = query + 1, *next = memchr(start, '&', (size_t)(end - start));
		patchbay_str parameter = { start, (size_t)((next ? next : end) - start) };
		if (parameter.n > 0 && (parameter.n < 9 || strncasecmp(start, "page_num=", 9) != 0)) {
			text_add(&t, parameter);
			text_add_c(&t, "&");
		}
		query = next;
	}
	text_add(&t, patchbay_fmt(host, call, "page_num=%" PRId64, number));
	return text_str(&t);
}

/* ---- Where the next page is */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Do these parameters of a link (; rel="next"; title="x") say that it is the next page? */
static bool is_next(const char *p, const char *end)
{
	while (p < end) {
		const char *start, *stop;
		while (p < end && (is_space(*p) || *p == ';'))
			p++;
		start = p;
		while (p < end && *p != '=' && *p != ';')
			p++;
		if (p == end || *p == ';')
			continue;
		stop = p++;
		while (p < end && is_space(*p))
			p++;
		bool quoted = p < end && *p == '"';
		const char *value = p += quoted;
		while (p < end && (quoted ? *p != '"' : *p != ';' && !is_space(*p)))
			p++;
		if (stop - start == 3 && strncasecmp(start, "rel", 3) == 0 && p - value == 4 &&
		    strncasecmp(value, "next", 4) == 0)
			return true;
		p += quoted && p < end;
	}
	return false;
}

/* The URL of <URL>; rel="next" among the links; "" if there is none. */
static patchbay_str next_link(patchbay_str links)
{
	const char *p = links.p, *end = links.p + links.n;

	while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
		const char *url = p + 1, *close = memchr(url, '>', (size_t)(end - url)), *q;
		bool quoted = false;
		if (!close)
			break;
		for (q = close + 1; q < end && (quoted || *q != ','); q++)
			quoted ^= *q == '"';
		if (is_next(close + 1, q))
			return (patchbay_str){ url, (size_t)(close - url) };
		p = q;
	}
	return (patchbay_str){ "", 0 };
}

struct page_reader {
	const struct api *api;
	const patchbay_host *host;
	patchbay_call *call;
	const patchbay_json_service *json;
	const patchbay_json *meta;
};

static int64_t number_at(const struct page_reader *r, const char *name)
{
	patchbay_str text = r->json->text(r->call, r->json->find(r->call, r->meta, name, true));
	const char *digits = text_c(r->host, r->call, text);

	return digits && text.n < 18 ? strtoll(digits, NULL, 10) : 0;
}

static void find_next(const struct page_reader *r, const struct api_answer *answer, patchbay_str target,
		      struct page *ret)
{
	patchbay_str link = next_link(answer->link);
	int64_t number = number_at(r, "page_num|pageNum"), count = number_at(r, "page_count|pageCount");

	ret->next = link.n > 0 ? api_follow(r->api, r->call, link) : link;
	if (ret->next.n == 0 && number > 0 && number < count)
		ret->next = numbered(r->host, r->call, target, number + 1);
	else if (ret->next.n == 0 && link.n > 0)
		ret->odd = "the link to its next page leads to another server, or is no URL that can be followed";
}

/* ---- Items */

static const char *add_item(const struct page_reader *r, struct page *page, size_t *room, patchbay_str item)
{
	patchbay_str *grown;

	if (page->n == ITEMS_MAX)
		return too_many;
	if (page->n == *room) {
		*room = *room ? *room * 2 : 64;
		grown = r->host->alloc(r->call, *room * sizeof(*grown));
		if (!grown)
			return no_memory;
		if (page->n > 0)
			memcpy(grown, page->items, page->n * sizeof(*grown));
		page->items = grown;
	}
	page->items[page->n++] = item;
	return NULL;
}

/* Where a value ends that is known to be well-formed. */
static const char *behind_value(const char *p)
{
	size_t depth = 0;

	for (;; p++) {
		if (*p == '"') {
			for (p++; *p != '"'; p++)
				p += *p == '\\';
		} else if (*p == '[' || *p == '{') {
			depth++;
		} else if (*p == ']' || *p == '}') {
			if (depth == 0)
				return p;
			depth--;
		} else if (depth == 0 && *p == ',') {
			return p;
		}
	}
}

/* The elements of an array, in one pass: asked for by number they would cost a pass each. */
static const char *add_elements(const struct page_reader *r, patchbay_str array, struct page *page)
{
	const char *p = array.p + 1, *wrong = NULL;
	size_t room = 0;

	for (;;) {
		while (is_space(*p) || *p == '\n' || *p == '\r' || *p == ',')
			p++;
		if (*p == ']' || wrong)
			return wrong;
		const char *end = behind_value(p), *last = end;
		while (last > p && (is_space(last[-1]) || last[-1] == '\n' || last[-1] == '\r'))
			last--;
		wrong = add_item(r, page, &room, (patchbay_str){ p, (size_t)(last - p) });
		p = end;
	}
}

static const char *read_csv(const struct page_reader *r, patchbay_str body, struct page *page)
{
	struct csv csv;
	patchbay_str row;
	const char *wrong = NULL;
	size_t room = 0;

	if (csv_open(&csv, r->host, r->call, body))
		while (!wrong && csv_next(&csv, &row))
			wrong = add_item(r, page, &room, row);
	return wrong ? wrong : csv.wrong;
}

static const char *read_json(struct page_reader *r, patchbay_str body, struct page *page)
{
	const patchbay_json *root = r->json->parse(r->call, body), *data;
	size_t room = 0;

	if (!root)
		return "it is neither JSON nor CSV";
	data = r->json->type(root) == PATCHBAY_JSON_OBJECT ? r->json->get(r->call, root, PATCHBAY_S("data")) : root;
	r->meta = r->json->get(r->call, root, PATCHBAY_S("meta"));
	if (r->json->type(data) == PATCHBAY_JSON_NULL)
		return NULL;
	if (r->json->type(data) == PATCHBAY_JSON_ARRAY)
		return add_elements(r, r->json->raw(data), page);
	page->single = true;
	return add_item(r, page, &room, r->json->raw(data ? data : root));
}

const char *page_read(const struct api *api, const patchbay_host *host, patchbay_call *call,
		      const struct api_answer *answer, patchbay_str target, struct page *ret)
{
	struct page_reader r = { .api = api, .host = host, .call = call, .json = host->service(host, PATCHBAY_JSON) };
	bool csv = answer->type.n > 0 && memmem(answer->type.p, answer->type.n, "csv", 3);
	const char *wrong = NULL;

	*ret = (struct page){ .next = { "", 0 } };
	if (answer->body.n > 0)
		wrong = csv ? read_csv(&r, answer->body, ret) : read_json(&r, answer->body, ret);
	if (!wrong)
		find_next(&r, answer, target, ret);
	return wrong;
}
