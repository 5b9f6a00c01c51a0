/* api.c - requests to the API: addresses, headers, and the one repetition that an expired token is worth. */
#include "api_private.h"

#include "text.h"

#include <patchbay/keys.h>

#include <stdlib.h>
#include <strings.h>

const char *const api_logins[] = { "json", "form", NULL };

static patchbay_status refuse(const patchbay_host *host, patchbay_call *call, const char *why)
{
	host->explain(call, patchbay_cstr(why));
	return PATCHBAY_ECONFIG;
}

/* ---- Addresses */

/* "https://host:port/api/" -> "https://host:port", "/api". */
static bool split_url(patchbay_str url, patchbay_str *ret_origin, patchbay_str *ret_base)
{
	const char *end = url.p + url.n, *p;

	if (url.n < 8 || !(p = memmem(url.p, url.n, "://", 3)))
		return false;
	p += 3;
	while (p < end && *p != '/') {
		if (*p == '@' || *p == '?' || *p == '#' || (unsigned char)*p <= ' ')
			return false;
		p++;
	}
	*ret_origin = (patchbay_str){ url.p, (size_t)(p - url.p) };
	while (end > p && end[-1] == '/')
		end--;
	*ret_base = (patchbay_str){ p, (size_t)(end - p) };
	return ret_base->n == 0 || (!api_path_wrong(*ret_base) && !memchr(ret_base->p, '?', ret_base->n));
}

const char *api_path_wrong(patchbay_str path)
{
	if (path.n == 0 || path.p[0] != '/')
		return "must begin with '/': it is added to api_url";
	if (path.n > 1 && path.p[1] == '/')
		return "must not begin with '//'";
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>')
			return "has a character that must be percent-encoded in a URL";
		if (c == '#')
			return "has a '#', which is no part of a request";
	}
	return NULL;
}

patchbay_str api_target(const struct api *api, patchbay_call *call, patchbay_str path)
{
	const patchbay_str parts[] = { api->base, path };

	return patchbay_join(api->host, call, parts, 2);
}

/* Host and port of an absolute URL, without the scheme's own port; "" if it is none. *ret_rest: all behind it. */
static patchbay_str authority(patchbay_str url, patchbay_str *ret_rest)
{
	bool tls = url.n > 8 && strncasecmp(url.p, "https://", 8) == 0;
	size_t start = tls ? 8 : 7, end;
	const char *own = tls ? ":443" : ":80";
	patchbay_str name;

	if (!tls && (url.n <= 7 || strncasecmp(url.p, "http://", 7) != 0))
		return (patchbay_str){ "", 0 };
	for (end = start; end < url.n && url.p[end] != '/' && url.p[end] != '?'; end++)
		;
	*ret_rest = (patchbay_str){ url.p + end, url.n - end };
	name = (patchbay_str){ url.p + start, end - start };
	if (name.n > strlen(own) && memcmp(name.p + name.n - strlen(own), own, strlen(own)) == 0)
		name.n -= strlen(own);
	return name;
}

/* Does its query name this parameter? */
static bool has_parameter(patchbay_str target, const char *name)
{
	const char *at = target.n ? memchr(target.p, '?', target.n) : NULL, *end = target.p + target.n;
	size_t n = strlen(name);

	for (; at; at = memchr(at + 1, '&', (size_t)(end - at - 1)))
		if ((size_t)(end - at) > n + 1 && strncasecmp(at + 1, name, n) == 0 && at[n + 1] == '=')
			return true;
	return false;
}

/* The manual's links begin with http://: the server is compared, and the scheme is api_url's in any case. */
patchbay_str api_follow(const struct api *api, patchbay_call *call, patchbay_str link)
{
	patchbay_str rest, ours, theirs, target = link;

	if (link.n == 0 || link.p[0] != '/') {
		theirs = authority(link, &target);
		ours = authority(api->origin, &rest);
		if (theirs.n == 0 || theirs.n != ours.n || strncasecmp(theirs.p, ours.p, ours.n) != 0)
			return (patchbay_str){ "", 0 };
	}
	if (api_path_wrong(target) || has_parameter(target, "access_token"))
		return (patchbay_str){ "", 0 };
	return patchbay_join(api->host, call, &target, 1);
}

/* ---- Life */

patchbay_status api_check(const patchbay_host *host, patchbay_call *call, const struct api_options *o)
{
	const patchbay_http_service *http = host->service(host, PATCHBAY_HTTP);
	patchbay_str origin, base;

	if (!http)
		return refuse(host, call, "this host cannot call an API: it has no " PATCHBAY_HTTP "; use a newer one");
	if (o->client_id.n == 0)
		return refuse(host, call,
			      "'client_id' is missing: Motivate shows it under Settings, Developer, beside the "
			      "application");
	if (o->username.n == 0)
		return refuse(host, call,
			      "'username' is missing: the login ID of a user with the permission 'Access API'");
	if (o->secret_key.n == 0)
		return refuse(host, call,
			      "'secret_key' is missing: 'Generate Secret Key' under the user's permission "
			      "'Access API' makes one");
	if (!http->url_ok(call, o->api_url, o->allow_private))
		return PATCHBAY_ECONFIG; /* explained */
	if (!split_url(o->api_url, &origin, &base))
		return refuse(host, call,
			      "'api_url' must be a server and at most a path, as in https://www.motivatecloud.com/api");
	return PATCHBAY_OK;
}

void api_destroy(struct api *api)
{
	if (!api)
		return;
	api_logout(api);
	if (api->client)
		api->http->close(api->client);
	free(api);
}

patchbay_status api_create(const patchbay_host *host, patchbay_call *call, const struct api_options *options,
			   struct api **ret)
{
	patchbay_status status = api_check(host, call, options);
	patchbay_http_options http = { .size = sizeof(http),
				       .allow_private = options->allow_private,
				       .ca_file = options->ca_file };
	struct api *api;

	if (status != PATCHBAY_OK)
		return status;
	api = calloc(1, sizeof(*api));
	if (!api)
		return PATCHBAY_ENOMEM;
	api->host = host;
	api->options = options;
	api->http = host->service(host, PATCHBAY_HTTP);
	api->json = host->service(host, PATCHBAY_JSON);
	split_url(options->api_url, &api->origin, &api->base);
	api->client = api->http->open(&http);
	if (!api->client || !api->json) {
		host->explain(call, api->json ? PATCHBAY_S("there is no memory for an HTTP client")
					      : PATCHBAY_S("this host has no " PATCHBAY_JSON "; use a newer one"));
		status = api->json ? PATCHBAY_ENOMEM : PATCHBAY_ECONFIG;
		api_destroy(api);
		return status;
	}
	*ret = api;
	return PATCHBAY_OK;
}

const patchbay_http_service *api_http(const struct api *api)
{
	return api->http;
}

/* ---- Requests */

bool api_exchange(struct api *api, patchbay_call *call, const patchbay_http_request *request,
		  patchbay_http_answer *answer, struct api_answer *ret)
{
	patchbay_status status;

	*answer = (patchbay_http_answer){ .size = sizeof(*answer), .retry_after_ms = -1 };
	status = api->http->send(api->client, call, request, answer);
	if (status == PATCHBAY_OK)
		return true;
	*ret = (struct api_answer){ .status = status == PATCHBAY_EBADSINK ? PATCHBAY_EBADSINK : PATCHBAY_DOWN,
				    .why = answer->why };
	if (ret->why.n == 0)
		ret->why = PATCHBAY_S("Motivate Cloud could not be reached");
	return false;
}

static bool exchange(struct api *api, patchbay_call *call, const struct api_request *r, patchbay_http_answer *answer,
		     struct api_answer *ret)
{
	const patchbay_str url[] = { api->origin, r->target };
	const patchbay_str bearer[] = { PATCHBAY_S("Bearer "), { api->token, api->token_n } };
	patchbay_str authorization = patchbay_join(api->host, call, bearer, 2);
	patchbay_kv headers[4] = { { PATCHBAY_S("Authorization"), authorization },
				   { PATCHBAY_S("Accept"), PATCHBAY_S("application/json, text/csv;q=0.9") } };
	patchbay_http_request request = { .size = sizeof(request),
					  .n_headers = 2,
					  .headers = headers,
					  .method = patchbay_cstr(r->method),
					  .url = patchbay_join(api->host, call, url, 2),
					  .body = r->body,
					  .answer_max = r->answer_max };
	bool answered;

	if (r->body.n > 0)
		headers[request.n_headers++] =
			(patchbay_kv){ PATCHBAY_S("Content-Type"), PATCHBAY_S("application/json") };
	if (r->key.n > 0)
		headers[request.n_headers++] = (patchbay_kv){ PATCHBAY_S("Idempotency-Key"), r->key };
	if (authorization.n == 0 || request.url.n == 0) {
		*ret = (struct api_answer){ .status = PATCHBAY_DOWN,
					    .why = PATCHBAY_S("this call has no memory left") };
		return false;
	}
	answered = api_exchange(api, call, &request, answer, ret);
	patchbay_wipe(authorization);
	return answered;
}

void api_send(struct api *api, patchbay_call *call, const struct api_request *request, struct api_answer *ret)
{
	patchbay_http_answer answer;

	for (int tries = 0; tries < 2; tries++) {
		if (!api_login(api, call, ret) || !exchange(api, call, request, &answer, ret))
			return;
		if (answer.status != 401) {
			api_judge(api, call, &answer, ret);
			return;
		}
		api_logout(api);
	}
	*ret = (struct api_answer){ .status = PATCHBAY_EBADSINK, .http_status = 401 };
	ret->why = api_said(api, call, &answer);
	ret->why = patchbay_fmt(api->host, call,
				"%.*s, to a token that it had given out a moment before; see to it that the user may "
				"use the API, and that the application is still registered",
				(int)ret->why.n, ret->why.p);
}
