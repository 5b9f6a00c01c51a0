/* http_client.c - one request at a time over libcurl, one easy handle for each client: it keeps connections and TLS
 * sessions for the next request. What of a request may be secret (URL, headers, body) never gets into a sentence. */
#include "net/http_client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/str.h"
#include "net/http_answer.h"
#include "net/http_headers.h"
#include "net/http_memory.h"
#include "net/http_url.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/x509.h>
#include <patchbay/sugar.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_MS 10000
#define NO_DEADLINE_MS 60000 /* of a call that has none: nothing here may hang for ever */
#define ANSWER_MAX ((uint64_t)1 << 20)
#define OPTIONS_1_0 SIZED_END(patchbay_http_options, ca_file)
#define REQUEST_1_0 SIZED_END(patchbay_http_request, answer_max)
#define ANSWER_1_0 SIZED_END(patchbay_http_answer, why)

struct patchbay_http {
	CURL *curl;
	bool allow_private;
	long connect_ms;
	char *ca_file; /* NULL: the system's */
};

struct exchange { /* one request and what becomes of it */
	patchbay_http *http;
	patchbay_call *call;
	const patchbay_http_request *request;
	struct http_url url;
	char method[HTTP_METHOD_MAX + 1];
	struct curl_slist *headers;
	struct http_intake in;
	bool refused;  /* an address, by us */
	bool tried;    /* an address, at least */
	unsigned sent; /* how often it was begun to be sent */
	patchbay_str why;
};

/* ---- A client */

static patchbay_http *http_open(const patchbay_http_options *given)
{
	patchbay_http_options options = { 0 };

	http_memory_init();
	if (given && sized_has(given, OPTIONS_1_0)) /* else what is strictest, and the system's certificates */
		sized_read(&options, sizeof(options), given);
	CURL *curl = curl_easy_init();
	if (!curl)
		return NULL;
	patchbay_http *http = xcalloc(1, sizeof(*http));
	http->curl = curl;
	http->allow_private = options.allow_private == 1;
	http->connect_ms = options.connect_ms ? (long)options.connect_ms : CONNECT_MS;
	if (options.ca_file.n)
		http->ca_file = xstrndup(options.ca_file.p, options.ca_file.n);
	return http;
}

static void http_close(patchbay_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	free(http->ca_file);
	free(http);
}

__attribute__((format(printf, 3, 4))) static patchbay_status fails(struct exchange *x, patchbay_status status,
								   const char *fmt, ...)
{
	struct err err;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	x->why = arena_copy(&x->call->arena, str_c(err.text));
	if (!x->why.p)
		x->why = STR("this call used up the memory that one call may have");
	return status;
}

/* ---- The connection */

/* Called with each address that is about to be connected to: names may resolve to anything, and to something else
 * tomorrow. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct exchange *x = ctx;
	uint8_t addr[16] = { 0 };
	(void)purpose;

	if (to->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &to->addr, sizeof(in));
		addr[10] = addr[11] = 0xff;
		memcpy(addr + 12, &in.sin_addr, 4);
	} else if (to->family == AF_INET6 && to->addrlen >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in6; /* longer than the struct sockaddr that curl declares */
		memcpy(&in6, (const char *)to + offsetof(struct curl_sockaddr, addr), sizeof(in6));
		memcpy(addr, &in6.sin6_addr, 16);
	} else {
		return CURL_SOCKET_BAD;
	}
	if (patchbay_is_private(addr) ? !x->http->allow_private : x->url.clear) {
		x->refused = true;
		return CURL_SOCKET_BAD;
	}
	x->tried = true;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Called whenever the request is about to be sent. libcurl sends it again by itself when a kept connection was closed
 * under it; the server may have acted on it all the same, so that is done only where it makes no difference. */
static int before_sending(void *ctx, char *their_ip, char *our_ip, int their_port, int our_port)
{
	struct exchange *x = ctx;
	(void)their_ip, (void)our_ip, (void)their_port, (void)our_port;

	if (x->sent > 0 && strcmp(x->method, "GET") != 0 && strcmp(x->method, "HEAD") != 0)
		return CURL_PREREQFUNC_ABORT;
	x->sent++;
	return CURL_PREREQFUNC_OK;
}

static void set_up(struct exchange *x, long left_ms)
{
	const patchbay_http_request *r = x->request;
	CURL *curl = x->http->curl;

	curl_easy_reset(curl); /* the options only: connections stay */
	curl_easy_setopt(curl, CURLOPT_CURLU, x->url.handle);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* do not wait beyond the deadline for a name server */
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "patchbay/" PATCHBAY_VERSION);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, x->http->connect_ms);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_sending);
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, x);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, x->headers);
	http_intake_attach(&x->in, curl);
	if (x->http->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, x->http->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (strcmp(x->method, "HEAD") == 0) {
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	} else if (r->body.n || strcmp(x->method, "POST") == 0 || strcmp(x->method, "PUT") == 0 ||
		   strcmp(x->method, "PATCH") == 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body.n ? r->body.p : "");
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
}

/* ---- What came of it */

static patchbay_status not_connected(struct exchange *x)
{
	long os_errno = 0;

	if (x->refused && !x->tried && x->url.clear)
		return fails(x, PATCHBAY_EBADSINK,
			     "%s is no address of a private network, and http:// would send everything "
			     "in the clear; write https://",
			     x->url.where);
	if (x->refused && !x->tried)
		return fails(x, PATCHBAY_EBADSINK,
			     "%s is at a private address, which only allow_private: true permits; check "
			     "that it is meant",
			     x->url.where);
	curl_easy_getinfo(x->http->curl, CURLINFO_OS_ERRNO, &os_errno);
	return fails(x, PATCHBAY_DOWN, "%s cannot be connected to: %s", x->url.where,
		     os_errno ? strerror((int)os_errno) : "no connection came about");
}

static patchbay_status bad_certificate(struct exchange *x)
{
	long verdict = X509_V_OK;

	curl_easy_getinfo(x->http->curl, CURLINFO_SSL_VERIFYRESULT, &verdict);
	bool good = verdict == X509_V_OK || verdict == X509_V_ERR_UNSPECIFIED; /* libcurl had not asked yet */
	return fails(x, PATCHBAY_EBADSINK, "the certificate of %s is not accepted: %s", x->url.where,
		     good ? "it is for another name" : X509_verify_cert_error_string(verdict));
}

static patchbay_status no_answer(struct exchange *x, CURLcode code, long left_ms)
{
	if (x->in.too_long)
		return fails(x, PATCHBAY_DOWN, "the answer of %s is too long: more than %zu bytes, or too many headers",
			     x->url.where, x->in.body_max);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return fails(x, PATCHBAY_DOWN, "%s: this name cannot be resolved", x->url.where);
	case CURLE_COULDNT_CONNECT:
		return not_connected(x);
	case CURLE_OPERATION_TIMEDOUT:
		return fails(x, PATCHBAY_DOWN,
			     x->sent ? "%s did not answer in full within %ld ms"
				     : "%s could not be connected to within %ld ms",
			     x->url.where, x->sent || left_ms < x->http->connect_ms ? left_ms : x->http->connect_ms);
	case CURLE_PEER_FAILED_VERIFICATION:
		return bad_certificate(x);
	case CURLE_SSL_CACERT_BADFILE:
		return fails(x, PATCHBAY_EBADSINK, "the certificates to check %s with cannot be read from %s",
			     x->url.where, x->http->ca_file ? x->http->ca_file : "the system's");
	case CURLE_URL_MALFORMAT:
		return fails(x, PATCHBAY_EBADSINK, "the URL of %s cannot be used", x->url.where);
	case CURLE_SSL_CONNECT_ERROR:
		return fails(x, PATCHBAY_DOWN, "%s: no TLS connection came about", x->url.where);
	case CURLE_OUT_OF_MEMORY: /* which is what libcurl calls a line of more than 100 KiB */
		return fails(x, PATCHBAY_DOWN, "the answer of %s is too long: a header of it has no end", x->url.where);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return fails(x, PATCHBAY_DOWN, "what %s answered is not HTTP", x->url.where);
	case CURLE_PARTIAL_FILE:
		return fails(x, PATCHBAY_DOWN, "%s closed the connection in the middle of its answer", x->url.where);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_ABORTED_BY_CALLBACK:
		return fails(x, PATCHBAY_DOWN, "%s closed the connection before it had answered", x->url.where);
	default: /* its texts are general, they quote nothing */
		return fails(x, PATCHBAY_DOWN, "no answer of %s: %s", x->url.where, curl_easy_strerror(code));
	}
}

static patchbay_status perform(struct exchange *x, patchbay_http_answer *ret)
{
	int64_t left_ms = NO_DEADLINE_MS;
	long status = 0;

	if (x->call->deadline_ns)
		left_ms = (x->call->deadline_ns - clock_steady_ns()) / NS_PER_MS;
	if (left_ms <= 0)
		return fails(x, PATCHBAY_DOWN, "no time is left to ask %s", x->url.where);
	set_up(x, (long)left_ms);
	CURLcode code = curl_easy_perform(x->http->curl);
	if (code != CURLE_OK)
		return no_answer(x, code, (long)left_ms);
	if (!http_intake_answer(&x->in, x->call, ret))
		return fails(x, PATCHBAY_DOWN, "the answer of %s needs more memory than one call may have",
			     x->url.where);
	curl_easy_getinfo(x->http->curl, CURLINFO_RESPONSE_CODE, &status);
	ret->status = (int32_t)status;
	return PATCHBAY_OK;
}

static patchbay_status http_send(patchbay_http *http, patchbay_call *call, const patchbay_http_request *given,
				 patchbay_http_answer *ret)
{
	patchbay_http_request request;
	patchbay_http_answer answer = { .retry_after_ms = -1, .body = STR(""), .why = STR("") };
	struct err err;

	if (!sized_has(ret, ANSWER_1_0)) {
		call_explain(call, "its plugin asked for an answer over HTTP in a struct without .size");
		return PATCHBAY_EBADSINK;
	}
	if (!sized_has(given, REQUEST_1_0)) {
		answer.why = STR("its plugin made a request without .size");
		sized_write(ret, &answer, sizeof(answer));
		return PATCHBAY_EBADSINK;
	}
	sized_read(&request, sizeof(request), given);
	struct exchange x = { .http = http, .call = call, .request = &request, .why = STR("") };
	uint64_t answer_max = request.answer_max ? request.answer_max : ANSWER_MAX;
	x.in.body_max = answer_max < SIZE_MAX ? (size_t)answer_max : SIZE_MAX;
	patchbay_status status;
	if (http_url_parse(request.url, http->allow_private, &x.url, &err) != 0 ||
	    http_method_make(request.method, x.url.where, x.method, &err) != 0 ||
	    http_headers_make(&request, x.url.where, &x.headers, &err) != 0)
		status = fails(&x, PATCHBAY_EBADSINK, "%s", err.text);
	else
		status = perform(&x, &answer);
	if (status != PATCHBAY_OK) {
		answer.maybe_sent = x.sent > 0;
		answer.why = x.why;
	}
	curl_easy_reset(http->curl); /* it has pointers into what is about to go */
	http_headers_wipe(x.headers);
	http_intake_fini(&x.in);
	http_url_fini(&x.url);
	sized_write(ret, &answer, sizeof(answer));
	return status;
}

const patchbay_http_service http_service = {
	.size = sizeof(patchbay_http_service),
	.open = http_open,
	.close = http_close,
	.send = http_send,
	.url_ok = http_url_ok,
	.encode = http_url_encode,
};
