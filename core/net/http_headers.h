/* http_headers.h - the method and the headers of a request: checked, and as libcurl wants them. */
#ifndef NET_HTTP_HEADERS_H
#define NET_HTTP_HEADERS_H

#include "base/err.h"

#include <curl/curl.h>
#include <patchbay/services.h>

#define HTTP_METHOD_MAX 16

/* `where`: the host, for err. 0: *ret is to be wiped. */
int http_headers_make(const patchbay_http_request *, const char *where, struct curl_slist **ret, struct err *err);
void http_headers_wipe(struct curl_slist *); /* and frees; NULL is fine */
int http_method_make(patchbay_str method, const char *where, char ret[HTTP_METHOD_MAX + 1], struct err *err);

#endif
