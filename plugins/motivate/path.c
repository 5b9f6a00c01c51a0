/* path.c - see path.h. */
#include "path.h"

#include <strings.h>

struct filling {
	const patchbay_http_service *http;
	bool missing;
};

static patchbay_str encode(void *ctx, patchbay_call *call, patchbay_str value)
{
	struct filling *filling = ctx;

	if (value.n == 0 || patchbay_eq(value, PATCHBAY_S("null")))
		filling->missing = true;
	return filling->http->encode(call, value);
}

/* What separates segments, also where it is encoded: some servers decode first, and take it apart then. */
static size_t separator(const char *p, const char *end)
{
	static const char *const encoded[] = { "%2F", "%5C" };

	if (p == end || *p == '/' || *p == '\\')
		return 1;
	for (size_t i = 0; i < sizeof(encoded) / sizeof(encoded[0]); i++)
		if (end - p >= 3 && strncasecmp(p, encoded[i], 3) == 0)
			return 3;
	return 0;
}

/* "." and ".." mean other places. */
static bool leaves_its_place(patchbay_str path)
{
	const char *p = path.p, *end = memchr(path.p, '?', path.n);
	size_t dots = 0, length = 0, n;

	for (end = end ? end : path.p + path.n;; p += n) {
		n = separator(p, end);
		if (n > 0 && dots == length && (dots == 1 || dots == 2))
			return true;
		if (p == end)
			return false;
		if (n > 0) {
			dots = length = 0;
			continue;
		}
		n = end - p >= 3 && strncasecmp(p, "%2E", 3) == 0 ? 3 : 1;
		dots += n == 3 || *p == '.';
		length++;
	}
}

patchbay_status path_render(const struct api *api, const patchbay_host *host, patchbay_call *call,
			    const patchbay_expr *path, const patchbay_delivery *event, patchbay_str *ret)
{
	const patchbay_expr_service *expr = host->service(host, PATCHBAY_EXPR);
	struct filling filling = { .http = api_http(api) };
	patchbay_value value = { .size = sizeof(value) };
	const char *wrong;

	if (!expr->eval(call, path, event, encode, &filling, &value))
		return PATCHBAY_EBADEVENT; /* explained */
	wrong = api_path_wrong(value.text);
	if (filling.missing) {
		host->explain(call, PATCHBAY_S("`path`: what is to be filled in is null or empty for this event"));
		return PATCHBAY_EBADEVENT;
	}
	if (wrong) {
		host->explain(call, patchbay_fmt(host, call, "`path` %s", wrong));
		return PATCHBAY_ECONFIG;
	}
	if (leaves_its_place(value.text)) {
		host->explain(call, PATCHBAY_S("`path` has a segment '.' or '..', which would lead elsewhere"));
		return PATCHBAY_EBADEVENT;
	}
	*ret = value.text;
	return PATCHBAY_OK;
}
