/* http_answer.c - see http_answer.h. */
#include "net/http_answer.h"

#include "base/clock.h"

#include <openssl/crypto.h>
#include <string.h>

#define HEADERS_MAX 100
#define HEAD_MAX ((size_t)64 << 10)
#define RETRY_AFTER_MAX_MS (INT64_C(24) * 3600 * 1000)

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct http_intake *in = ctx;

	n *= size;
	if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* a new answer: what came before was interim */
		in->head.n = 0;
		in->n_headers = 0;
		return n;
	}
	if (in->n_headers == HEADERS_MAX || n > HEAD_MAX - in->head.n) {
		in->too_long = true;
		return 0;
	}
	in->n_headers++;
	buf_add(&in->head, p, n);
	if (n == 0 || p[n - 1] != '\n')
		buf_add(&in->head, "\n", 1);
	return n;
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http_intake *in = ctx;

	n *= size;
	if (n > in->body_max - in->body.n) {
		in->too_long = true;
		return 0;
	}
	buf_add(&in->body, p, n);
	return n;
}

void http_intake_attach(struct http_intake *in, CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, in);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, in);
}

static patchbay_str trimmed(char *p, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", p[n - 1]))
		n--;
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	return (patchbay_str){ p, n };
}

/* One line into one header, its name in lower case. False: it is none. */
static bool split(char *line, size_t n, patchbay_kv *ret)
{
	char *colon = memchr(line, ':', n);

	if (!colon || colon == line)
		return false;
	for (char *c = line; c < colon; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	ret->key = trimmed(line, (size_t)(colon - line));
	ret->value = trimmed(colon + 1, (size_t)(line + n - colon - 1));
	return true;
}

int64_t http_retry_after_ms(patchbay_str value, int64_t now_ns)
{
	char text[64]; /* the longest date has 33 */
	bool negative = value.n > 0 && value.p[0] == '-';
	int64_t ms = 0;
	size_t i = negative;

	if (value.n == 0 || value.n >= sizeof(text))
		return -1;
	for (; i < value.n && value.p[i] >= '0' && value.p[i] <= '9'; i++)
		if (ms < RETRY_AFTER_MAX_MS)
			ms = ms * 10 + (value.p[i] - '0') * INT64_C(1000);
	if (i < value.n || i == negative) {
		memcpy(text, value.p, value.n);
		text[value.n] = '\0';
		time_t date = curl_getdate(text, NULL);
		if (negative || date == -1)
			return -1;
		int64_t s = (int64_t)date - now_ns / NS_PER_S; /* the year may be any number */
		ms = s < RETRY_AFTER_MAX_MS / 1000 ? s * 1000 : RETRY_AFTER_MAX_MS;
		negative = s < 0;
	}
	return negative ? 0 : ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
}

bool http_intake_answer(const struct http_intake *in, patchbay_call *call, patchbay_http_answer *ret)
{
	patchbay_kv *headers = arena_alloc(&call->arena, (in->n_headers + 1) * sizeof(*headers));
	char *line = arena_alloc(&call->arena, in->head.n + 1);

	ret->body = arena_copy(&call->arena, buf_str(&in->body));
	if (!headers || !line || !ret->body.p)
		return false;
	memcpy(line, buf_str(&in->head).p, in->head.n);
	ret->headers = headers;
	ret->n_headers = 0;
	ret->retry_after_ms = -1;
	for (size_t left = in->head.n; left > 0;) {
		size_t n = (size_t)((char *)memchr(line, '\n', left) - line) + 1;
		patchbay_kv *h = &headers[ret->n_headers];
		if (split(line, n, h)) {
			ret->n_headers++;
			if (str_is(h->key, "retry-after"))
				ret->retry_after_ms = http_retry_after_ms(h->value, clock_wall_ns());
		}
		line += n;
		left -= n;
	}
	return true;
}

void http_intake_fini(struct http_intake *in)
{
	if (in->head.p)
		OPENSSL_cleanse(in->head.p, in->head.room);
	if (in->body.p)
		OPENSSL_cleanse(in->body.p, in->body.room);
	buf_free(&in->head);
	buf_free(&in->body);
}
