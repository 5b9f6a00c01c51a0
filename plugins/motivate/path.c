/* path.c - see path.h. */
#include "path.h"

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

/* "." and ".." are not encoded, and mean other places. */
static bool leaves_its_place(patchbay_str path)
{
	const char *p = path.p, *end = memchr(path.p, '?', path.n);

	for (end = end ? end : path.p + path.n; p < end;) {
		const char *slash = memchr(p + 1, '/', (size_t)(end - p - 1));
		patchbay_str segment = { p + 1, (size_t)((slash ? slash : end) - p - 1) };
		if (patchbay_eq(segment, PATCHBAY_S(".")) || patchbay_eq(segment, PATCHBAY_S("..")))
			return true;
		p = slash ? slash : end;
	}
	return false;
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
