/* http.h - what the parts of this plugin share: http.c (options, and the request), cloudevent.c (an event as a
 * CloudEvent), answer.c (what the receiver's answer means). */
#ifndef HTTP_H
#define HTTP_H

#include <patchbay/keys.h>
#include <patchbay/plugin.h>
#include <patchbay/services.h>
#include <patchbay/sugar.h>

#define ATTRIBUTES_MAX 10
#define HEADERS_MAX 16 /* of routes.yaml */

struct http_header { /* an item of `headers` */
	patchbay_str name, value;
};

struct http_options {
	patchbay_str url, ca_file;
	int64_t mode;
	patchbay_strs secret;
	patchbay_list headers; /* struct http_header */
	bool allow_private;
};

struct http {
	const patchbay_host *host;
	const struct http_options *options;
	const patchbay_json_service *json;
	const patchbay_time_service *time;
	const patchbay_crypto_service *crypto;
	const patchbay_http_service *http;
	patchbay_http *client;
	patchbay_keys keys;
};

/* The event as one JSON object: the body in structured mode. "": no memory. */
patchbay_str cloudevent_json(const struct http *, patchbay_call *, const patchbay_delivery *);
/* All but its data as headers: binary mode. Returns how many; 0: no memory. */
size_t cloudevent_headers(const struct http *, patchbay_call *, const patchbay_delivery *,
			  patchbay_kv ret[ATTRIBUTES_MAX]);

/* `sent`: what the client said of the request; unless OK, there is no answer. */
patchbay_result http_judge(const struct http *, patchbay_call *, patchbay_status sent, const patchbay_http_answer *);

#endif
