/* common.h - what both plugins of these tests need. They include nothing of the SDK but the interface itself, since its
 * conveniences are not frozen with it. PATCHBAY_GROWN: built against the headers that grow.py made. */
#ifndef ABI_COMMON_H
#define ABI_COMMON_H

#include <patchbay/services.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define S(literal)                                                                                                     \
	{                                                                                                              \
		"" literal, sizeof(literal) - 1                                                                        \
	}
#define OPTION(type_, kind_, field_, ...)                                                                              \
	{                                                                                                              \
		.size = sizeof(patchbay_option), .type = (kind_), .name = #field_, .offset = offsetof(type_, field_),  \
		GROWN __VA_ARGS__                                                                                      \
	}
#ifdef PATCHBAY_GROWN /* members that a host of 1.0 knows nothing of, and must not trip over */
#define GROWN .grown = { 1, 2, 3 },
#else
#define GROWN
#endif

struct services {
	const patchbay_json_service *json;
	const patchbay_crypto_service *crypto;
	const patchbay_ed25519_service *ed25519;
	const patchbay_time_service *time;
	const patchbay_expr_service *expr;
	const patchbay_http_service *http;
};

static inline patchbay_str str(const char *s)
{
	patchbay_str out = { s, strlen(s) };
	return out;
}

static inline bool is(patchbay_str s, const char *wanted)
{
	return s.n == strlen(wanted) && (s.n == 0 || memcmp(s.p, wanted, s.n) == 0);
}

__attribute__((format(printf, 3, 4))) static inline patchbay_str fmt(const patchbay_host *host, patchbay_call *call,
								     const char *format, ...)
{
	patchbay_str out = { "", 0 };
	char *p = host->alloc(call, 1024);
	va_list ap;
	if (!p)
		return out;
	va_start(ap, format);
	int n = vsnprintf(p, 1024, format, ap);
	va_end(ap);
	out.p = p;
	out.n = n < 1024 ? (size_t)n : 1023;
	return out;
}

static inline patchbay_status explain(const patchbay_host *host, patchbay_call *call, patchbay_status status,
				      const char *why)
{
	host->explain(call, str(why));
	return status;
}

/* All of version 1.0, each with every function that it had then. */
static inline const char *find_services(const patchbay_host *host, struct services *s)
{
	s->json = host->service(host, PATCHBAY_JSON);
	s->crypto = host->service(host, PATCHBAY_CRYPTO);
	s->ed25519 = host->service(host, PATCHBAY_ED25519);
	s->time = host->service(host, PATCHBAY_TIME);
	s->expr = host->service(host, PATCHBAY_EXPR);
	s->http = host->service(host, PATCHBAY_HTTP);
	if (!s->json || !PATCHBAY_HAS(s->json, text) || !s->crypto || !PATCHBAY_HAS(s->crypto, unbase64))
		return "no JSON, or no hashes";
	if (!s->ed25519 || !PATCHBAY_HAS(s->ed25519, public_key) || !s->time || !PATCHBAY_HAS(s->time, format))
		return "no signatures, or no time";
	if (!s->expr || !PATCHBAY_HAS(s->expr, eval) || !s->http || !PATCHBAY_HAS(s->http, encode))
		return "no expressions, or no HTTP";
	if (host->service(host, "patchbay.tomorrow/9") || host->service(host, ""))
		return "a service that nobody offers";
	return PATCHBAY_HAS(host, instance) && host->instance.n ? NULL : "no name of the instance";
}

#endif
