/* http_headers.c - see http_headers.h. A line break in any of this would let a value become a header, or a request. */
#include "net/http_headers.h"

#include "base/str.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 64
#define HEADER_BYTES_MAX ((size_t)64 << 10)

static bool is_token(patchbay_str s) /* RFC 9110: a method, the name of a header */
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return s.n > 0;
}

static bool is_value(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static int check(const patchbay_http_request *r, const char *where, struct err *err)
{
	size_t bytes = 0;

	if (r->n_headers > HEADERS_MAX)
		return err_set(err, "the request to %s would have %u headers, at most %d are sent", where, r->n_headers,
			       HEADERS_MAX);
	for (uint32_t i = 0; i < r->n_headers; i++) {
		const patchbay_kv *h = &r->headers[i];
		if (!is_token(h->key) || !is_value(h->value))
			return err_set(err,
				       "a header of the request to %s has a line break or another character that "
				       "no header may have; check the tokens and keys that were configured",
				       where);
		if (h->key.n > HEADER_BYTES_MAX - bytes || h->value.n > HEADER_BYTES_MAX - bytes - h->key.n)
			return err_set(err, "the headers of the request to %s are longer than %zu bytes", where,
				       HEADER_BYTES_MAX);
		bytes += h->key.n + h->value.n;
	}
	return 0;
}

static void add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		abort(); /* out of memory: as everywhere in the core */
	*list = longer;
}

/* libcurl takes "Name:" for "leave it out", and "Name;" for "Name:". Not by printf, which grows its own copies. */
static void add_header(struct curl_slist **list, const patchbay_kv *h)
{
	patchbay_str between = h->value.n ? STR(": ") : STR(";");
	struct buf line = { 0 };

	buf_grow(&line, h->key.n + between.n + h->value.n + 1);
	buf_add_str(&line, h->key);
	buf_add_str(&line, between);
	buf_add_str(&line, h->value);
	add(list, buf_cstr(&line));
	OPENSSL_cleanse(line.p, line.n);
	buf_free(&line);
}

int http_headers_make(const patchbay_http_request *r, const char *where, struct curl_slist **ret, struct err *err)
{
	bool has_type = false;

	*ret = NULL;
	if (check(r, where, err) != 0)
		return -1;
	for (uint32_t i = 0; i < r->n_headers; i++) {
		const patchbay_kv *h = &r->headers[i];
		add_header(ret, h);
		has_type = has_type || str_eq_nocase(h->key, STR("content-type"));
	}
	add(ret, "Expect:"); /* no waiting for a 100 first */
	if (!has_type)
		add(ret, "Content-Type:");
	return 0;
}

void http_headers_wipe(struct curl_slist *list)
{
	for (struct curl_slist *h = list; h; h = h->next)
		OPENSSL_cleanse(h->data, strlen(h->data));
	curl_slist_free_all(list);
}

int http_method_make(patchbay_str method, const char *where, char ret[HTTP_METHOD_MAX + 1], struct err *err)
{
	if (!is_token(method) || method.n > HTTP_METHOD_MAX)
		return err_set(err, "the request to %s has no method that HTTP knows", where);
	memcpy(ret, method.p, method.n);
	ret[method.n] = '\0';
	return 0;
}
