/* answer.c - what an answer means: is it this request, or any; now, or for ever? And what is said about it. */
#include "api_private.h"

#include "text.h"

#include <inttypes.h>

#define SAID_MAX 300
#define SECRET_MIN 4 /* shorter ones are found in any sentence */

/* The value of the first header of that name, "" if there is none. */
static patchbay_str header(const patchbay_http_answer *answer, const char *name)
{
	for (uint32_t i = 0; i < answer->n_headers; i++)
		if (patchbay_eq(answer->headers[i].key, patchbay_cstr(name)))
			return answer->headers[i].value;
	return (patchbay_str){ "", 0 };
}

/* All the Link headers as one: that is what several mean. */
static patchbay_str links(const struct api *api, patchbay_call *call, const patchbay_http_answer *answer)
{
	struct text t = { .host = api->host, .call = call };

	for (uint32_t i = 0; i < answer->n_headers; i++) {
		if (!patchbay_eq(answer->headers[i].key, PATCHBAY_S("link")))
			continue;
		text_add_c(&t, t.n > 0 ? ", " : "");
		text_add(&t, answer->headers[i].value);
	}
	return text_str(&t);
}

/* Fit to be shown: one line, and without a secret in it. */
static patchbay_str shown(const struct api *api, patchbay_call *call, patchbay_str s)
{
	const patchbay_str secrets[] = { { api->token, api->token_n },
					 api->options->secret_key,
					 api->options->password };

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (s.n > 0 && secrets[i].n >= SECRET_MIN && memmem(s.p, s.n, secrets[i].p, secrets[i].n))
			return PATCHBAY_S("(not shown: it repeats a secret)");
	return text_line(api->host, call, s, SAID_MAX);
}

patchbay_str api_said(const struct api *api, patchbay_call *call, const patchbay_http_answer *answer)
{
	const patchbay_json *root = answer->body.n > 0 ? api->json->parse(call, answer->body) : NULL;
	const patchbay_json *message = api->json->find(call, root, "message|error_description|error", true);
	patchbay_str text = shown(api, call, api->json->text(call, message));

	return patchbay_fmt(api->host, call, "Motivate Cloud answered %" PRId32 "%s%.*s", answer->status,
			    text.n ? ": " : "", (int)text.n, text.p);
}

static patchbay_status status_of(int32_t http)
{
	if (http >= 200 && http <= 299)
		return PATCHBAY_OK;
	if (http == 408 || http == 429 || http < 200 || http >= 500)
		return PATCHBAY_DOWN;
	if (http < 400 || http == 401 || http == 403)
		return PATCHBAY_EBADSINK;
	return PATCHBAY_EBADEVENT;
}

static const char *advice(int32_t http)
{
	if (http >= 300 && http <= 399)
		return "; redirects are not followed: is api_url the address of the API?";
	return http == 403 ? "; give the user the role that this needs" : "";
}

void api_judge(const struct api *api, patchbay_call *call, const patchbay_http_answer *answer, struct api_answer *ret)
{
	patchbay_str said;

	*ret = (struct api_answer){ .status = status_of(answer->status), .http_status = answer->status };
	if (ret->status == PATCHBAY_OK) {
		ret->location = shown(api, call, header(answer, "location"));
		ret->link = links(api, call, answer);
		ret->type = header(answer, "content-type");
		ret->body = answer->body;
		return;
	}
	if (ret->status == PATCHBAY_DOWN && answer->retry_after_ms > 0)
		ret->after_ms = answer->retry_after_ms;
	said = api_said(api, call, answer);
	ret->why = patchbay_fmt(api->host, call, "%.*s%s", (int)said.n, said.p, advice(answer->status));
}
