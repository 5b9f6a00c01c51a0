/* http_url.h - the URL of a request: checked, taken apart, and what of it may be shown to people. */
#ifndef NET_HTTP_URL_H
#define NET_HTTP_URL_H

#include "base/call.h"
#include "base/err.h"

#include <curl/curl.h>
#include <stdbool.h>

struct http_url {
	CURLU *handle;
	char *where; /* "host:port": all that may be shown, since path, query and user are often secret */
	bool clear;  /* http://, not https:// */
};

/* 0: *ret is to be freed. -1: err says why, without more of the URL than host and port. */
int http_url_parse(patchbay_str text, bool allow_private, struct http_url *ret, struct err *err);
void http_url_fini(struct http_url *); /* of a zeroed one, too */

/* The two functions of this name in patchbay_http_service. */
bool http_url_ok(patchbay_call *, patchbay_str url, bool allow_private);
patchbay_str http_url_encode(patchbay_call *, patchbay_str);

#endif
