/* http_url.c - see http_url.h. */
#include "net/http_url.h"

#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <patchbay/sugar.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX 8192

static void wipe(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	curl_free(text);
}

/* Is the host written as an address, and a private one? A name is judged by what it resolves to, at each connection. */
static bool is_private_literal(const char *host)
{
	uint8_t addr[16] = { 0 };
	char text[INET6_ADDRSTRLEN];
	size_t n = strlen(host);

	addr[10] = addr[11] = 0xff;
	if (inet_pton(AF_INET, host, addr + 12) == 1)
		return patchbay_is_private(addr);
	if (n < 2 || host[0] != '[' || n - 2 >= sizeof(text))
		return false;
	memcpy(text, host + 1, n - 2);
	text[n - 2] = '\0';
	return inet_pton(AF_INET6, text, addr) == 1 && patchbay_is_private(addr);
}

static int judge(const struct http_url *url, const char *host, bool allow_private, struct err *err)
{
	if (url->clear && !allow_private)
		return err_set(
			err,
			"http://%s would send everything in the clear; write https://, or allow_private: true for a "
			"server on this machine or network",
			url->where);
	if (!allow_private && is_private_literal(host))
		return err_set(
			err, "%s is a private address, which only allow_private: true permits: check that it is meant",
			url->where);
	return 0;
}

/* What the text says, parsed by what will connect to it: two parsers might see two hosts. */
static int take_apart(const char *text, bool allow_private, struct http_url *ret, struct err *err)
{
	char *host = NULL, *port = NULL, *scheme = NULL, *user = NULL, *password = NULL;
	int r = -1;
	CURLUcode code = curl_url_set(ret->handle, CURLUPART_URL, text, 0);

	if (code != CURLUE_OK) {
		err_set(err, "the URL is not one (%s); write it as https://host/path", curl_url_strerror(code));
		goto out;
	}
	curl_url_get(ret->handle, CURLUPART_SCHEME, &scheme, 0);
	curl_url_get(ret->handle, CURLUPART_HOST, &host, 0);
	curl_url_get(ret->handle, CURLUPART_USER, &user, 0);
	curl_url_get(ret->handle, CURLUPART_PASSWORD, &password, 0);
	if (!scheme || !host || curl_url_get(ret->handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
		err_set(err, "the URL names no host; write it as https://host/path");
		goto out;
	}
	ret->where = xasprintf("%s:%s", host, port);
	ret->clear = strcmp(scheme, "http") == 0;
	if (user || password) {
		err_set(err, "the URL of %s has a user or password in it; take them out of it", ret->where);
		goto out;
	}
	r = judge(ret, host, allow_private, err);
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	wipe(user);
	wipe(password);
	return r;
}

/* libcurl is lenient: of https:/path/x it would take the path for the host, and that would be shown. */
static bool names_host(patchbay_str text)
{
	static const patchbay_str schemes[] = { { "https://", 8 }, { "http://", 7 } };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = schemes[i].n;
		if (text.n > n && str_eq_nocase((patchbay_str){ text.p, n }, schemes[i]))
			return text.p[n] != '/';
	}
	return false;
}

int http_url_parse(patchbay_str text, bool allow_private, struct http_url *ret, struct err *err)
{
	int r = -1;

	*ret = (struct http_url){ NULL };
	if (text.n == 0)
		return err_set(err, "the URL is empty; write it as https://host/path");
	if (text.n > URL_MAX)
		return err_set(err, "the URL has %zu bytes, at most %d are taken", text.n, URL_MAX);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
			return err_set(err,
				       "the URL has a space, line break or control character at byte %zu; "
				       "check how it was copied",
				       i + 1);
	if (!names_host(text))
		return err_set(err, "the URL does not begin with https:// (or http://) and a host; write it as "
				    "https://host/path");
	char *copy = xstrndup(text.p, text.n);
	ret->handle = curl_url();
	if (ret->handle)
		r = take_apart(copy, allow_private, ret, err);
	else
		err_set(err, "out of memory");
	OPENSSL_cleanse(copy, text.n);
	free(copy);
	if (r != 0)
		http_url_fini(ret);
	return r;
}

void http_url_fini(struct http_url *url)
{
	curl_url_cleanup(url->handle);
	free(url->where);
	*url = (struct http_url){ NULL };
}

bool http_url_ok(patchbay_call *call, patchbay_str text, bool allow_private)
{
	struct http_url url;
	struct err err;

	if (http_url_parse(text, allow_private, &url, &err) != 0) {
		call_explain(call, "%s", err.text);
		return false;
	}
	http_url_fini(&url);
	return true;
}

patchbay_str http_url_encode(patchbay_call *call, patchbay_str s)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0, max;
	char *out = __builtin_mul_overflow(s.n, (size_t)3, &max) ? NULL : arena_alloc(&call->arena, max ? max : 1);

	if (!out) {
		call_explain(call, "a value to be put into a URL needs more memory than one call may have");
		return STR("");
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
			     c == '.' || c == '_' || c == '~';
		if (plain) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	return (patchbay_str){ out, n };
}
