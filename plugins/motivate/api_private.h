/* api_private.h - what api.c (requests), login.c (the token) and answer.c (what an answer means) share. */
#ifndef MOTIVATE_API_PRIVATE_H
#define MOTIVATE_API_PRIVATE_H

#include "api.h"

struct api {
	const patchbay_host *host;
	const struct api_options *options;
	const patchbay_http_service *http;
	const patchbay_json_service *json;
	patchbay_http *client;
	patchbay_str origin, base; /* parts of api_url: https://host:port, and /api */
	char *token;               /* NULL: none */
	size_t token_n;
	int64_t token_until_ns; /* wall clock */
};

/* One exchange, whatever its answer; false: there is none, and *ret says why. */
bool api_exchange(struct api *, patchbay_call *, const patchbay_http_request *, patchbay_http_answer *,
		  struct api_answer *ret);

/* See to it that there is a token. False: there is none, and *ret says why. */
bool api_login(struct api *, patchbay_call *, struct api_answer *ret);
void api_logout(struct api *); /* wipes the token */

/* Fills in *ret for an answer other than 401. */
void api_judge(const struct api *, patchbay_call *, const patchbay_http_answer *, struct api_answer *ret);
/* "Motivate Cloud answered 400: the user does not exist", or without what it said. */
patchbay_str api_said(const struct api *, patchbay_call *, const patchbay_http_answer *);

#endif
