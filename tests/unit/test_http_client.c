/* The HTTP client against a server that does as it is told, byte by byte. (TLS: behaviour tests.) */
#include "net/http_client.h"

#include "base/call.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/http_answer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <patchbay/sugar.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TURNS_MAX 4

struct turn { /* one request and what is done about it */
	const char *answer;
	bool hang_up; /* after the answer */
	bool reset;   /* with a RST */
	bool stall;   /* until the client goes */
};

struct server {
	int listener;
	pthread_t thread;
	const struct turn *turns;
	size_t n;
	char got[TURNS_MAX][8192];
	_Atomic size_t served; /* read while it serves */
	_Atomic int connections;
};

struct rig {
	struct server server;
	char url[64];
	patchbay_http *http;
	patchbay_call call;
	patchbay_http_answer answer;
};

/* Reads one request, with a body of its Content-Length. False: the client has gone. */
static bool read_request(int fd, char *to, size_t room)
{
	size_t n = 0;

	for (;;) {
		ssize_t got = recv(fd, to + n, room - 1 - n, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
		to[n] = '\0';
		const char *end = strstr(to, "\r\n\r\n"), *length = strcasestr(to, "\r\nContent-Length:");
		if (end && n >= (size_t)(end + 4 - to) + (length && length < end ? (size_t)atoi(length + 17) : 0))
			return true;
	}
}

static void *serve(void *ctx)
{
	struct server *s = ctx;
	int fd = -1;

	for (size_t i = 0; i < s->n; i++) {
		const struct turn *t = &s->turns[i];
		if (fd < 0) {
			fd = accept(s->listener, NULL, NULL);
			if (fd < 0)
				return NULL;
			s->connections++;
		}
		if (!read_request(fd, s->got[s->served], sizeof(s->got[0]))) {
			close(fd);
			fd = -1;
			i--; /* on a connection of its own, then */
			continue;
		}
		s->served++;
		if (t->answer)
			send(fd, t->answer, strlen(t->answer), MSG_NOSIGNAL);
		if (t->stall) {
			char c;
			recv(fd, &c, 1, 0);
		}
		if (t->reset)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
		if (t->hang_up || t->reset || t->stall) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, n), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

static struct rig *rig_open(const struct turn *turns, size_t n)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	patchbay_http_options options = { .size = sizeof(options), .allow_private = 1 };
	uint16_t port;

	rig->server.listener = listen_on_loopback(&port);
	rig->server.turns = turns;
	rig->server.n = n;
	snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%d/secret-path?secret=query", port);
	pthread_create(&rig->server.thread, NULL, serve, &rig->server);
	rig->http = http_service.open(&options);
	assert_non_null(rig->http);
	call_init(&rig->call, 8 << 20);
	return rig;
}

static void rig_close(struct rig *rig)
{
	http_service.close(rig->http);
	shutdown(rig->server.listener, SHUT_RDWR);
	pthread_join(rig->server.thread, NULL);
	close(rig->server.listener);
	call_fini(&rig->call);
	free(rig);
}

static patchbay_status ask(struct rig *rig, patchbay_http_request request)
{
	request.size = sizeof(request);
	if (!request.url.n)
		request.url = str_c(rig->url);
	if (!request.method.n)
		request.method = STR("POST");
	if (!rig->call.deadline_ns)
		call_begin(&rig->call, 20000);
	rig->answer = (patchbay_http_answer){ .size = sizeof(rig->answer) };
	patchbay_status status = http_service.send(rig->http, &rig->call, &request, &rig->answer);
	char why[1024];
	snprintf(why, sizeof(why), "%.*s", STR_ARG(rig->answer.why));
	assert_null(strstr(why, "secret")); /* of whatever kind */
	assert_int_equal(status == PATCHBAY_OK, rig->answer.why.n == 0);
	assert_int_equal(status == PATCHBAY_OK, rig->answer.status != 0);
	return status;
}

static const char *why(struct rig *rig)
{
	static char text[1024];
	snprintf(text, sizeof(text), "%.*s", STR_ARG(rig->answer.why));
	return text;
}

static patchbay_str header(struct rig *rig, const char *name)
{
	for (uint32_t i = 0; i < rig->answer.n_headers; i++)
		if (str_is(rig->answer.headers[i].key, name))
			return rig->answer.headers[i].value;
	return STR("(none)");
}

#define OPEN(...)                                                                                                      \
	static const struct turn turns[] = { __VA_ARGS__ };                                                            \
	struct rig *rig = rig_open(turns, sizeof(turns) / sizeof(turns[0]))

static void test_request_and_answer_as_they_are(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
			 "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-MIXED-Case:  some value "
			 "\r\nEmpty:\r\n\r\nhello" });
	const patchbay_kv headers[] = { { STR("Authorization"), STR("Bearer secret") },
					{ STR("Content-Type"), STR("application/json") },
					{ STR("X-Empty"), STR("") } };

	assert_int_equal(
		ask(rig, (patchbay_http_request){ .headers = headers, .n_headers = 3, .body = STR("{\"a\":1}") }),
		PATCHBAY_OK);
	assert_int_equal(rig->answer.status, 201);
	assert_true(str_is(rig->answer.body, "hello"));
	assert_true(str_is(header(rig, "x-mixed-case"), "some value"));
	assert_true(str_is(header(rig, "empty"), ""));
	assert_true(str_is(header(rig, "x-interim"), "(none)"));
	assert_int_equal(rig->answer.retry_after_ms, -1);
	assert_int_equal(rig->answer.maybe_sent, 0);
	const char *got = rig->server.got[0];
	assert_ptr_equal(strstr(got, "POST /secret-path?secret=query HTTP/1.1\r\n"), got);
	assert_non_null(strstr(got, "\r\nAuthorization: Bearer secret\r\n"));
	assert_non_null(strstr(got, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(got, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(got, "\r\nUser-Agent: patchbay/"));
	assert_non_null(strstr(got, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(got, "Expect"));
	rig_close(rig);
}

static void test_methods(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
	     { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" }, { .answer = "HTTP/1.1 204 None\r\n\r\n" },
	     { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });

	assert_int_equal(ask(rig, (patchbay_http_request){ .method = STR("GET") }), PATCHBAY_OK);
	assert_int_equal(ask(rig, (patchbay_http_request){ .method = STR("HEAD") }), PATCHBAY_OK);
	assert_int_equal(ask(rig, (patchbay_http_request){ .method = STR("PUT") }), PATCHBAY_OK);
	assert_int_equal(ask(rig, (patchbay_http_request){ .method = STR("DELETE"), .body = STR("x") }), PATCHBAY_OK);
	assert_ptr_equal(strstr(rig->server.got[0], "GET "), rig->server.got[0]);
	assert_ptr_equal(strstr(rig->server.got[1], "HEAD "), rig->server.got[1]);
	assert_ptr_equal(strstr(rig->server.got[2], "PUT "), rig->server.got[2]);
	assert_non_null(strstr(rig->server.got[2], "Content-Length: 0"));
	assert_null(strstr(rig->server.got[2], "Content-Type"));
	assert_ptr_equal(strstr(rig->server.got[3], "DELETE "), rig->server.got[3]);
	assert_int_equal(rig->server.connections, 1); /* one for all of them */
	rig_close(rig);
}

static size_t requests_wiped;

/* In place of libcrypto's. */
void OPENSSL_cleanse(void *p, size_t n)
{
	static const char line[] = "POST /secret-path?secret=query HTTP/1.1\r\n";
	volatile char *byte = p;

	requests_wiped += n > 0 && memmem(p, n, line, sizeof(line) - 1);
	while (n-- > 0)
		*byte++ = 0;
}

static void test_what_libcurl_frees_is_wiped(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });

	requests_wiped = 0;
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_OK);
	rig_close(rig);
	assert_true(requests_wiped > 0);
}

static void test_redirects_are_answers(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nSet-Cookie: a=b\r\nContent-Length: "
			 "0\r\n\r\n" },
	     { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });

	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_OK);
	assert_int_equal(rig->answer.status, 307);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_OK);
	assert_null(strcasestr(rig->server.got[1], "cookie"));
	rig_close(rig);
}

static void test_retry_after(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "30", 30000 },
		{ "86400", 86400000 },
		{ "86401", 86400000 },
		{ "99999999999999999999999999", 86400000 },
		{ "-5", 0 },
		{ "-", -1 },
		{ "", -1 },
		{ "soon", -1 },
		{ "Sun, 22 Nov 2026 08:00:30 GMT", 30000 },
		{ "Sunday, 22-Nov-26 08:00:30 GMT", 30000 },
		{ "Sun, 22 Nov 2026 07:00:00 GMT", 0 },
		{ "Mon, 22 Nov 2027 08:00:00 GMT", 86400000 },
		{ "Sun, 22 Nov 2147483647 08:00:00 GMT", 86400000 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_retry_after_ms(str_c(cases[i].value), INT64_C(1795334400) * NS_PER_S) != cases[i].ms)
			fail_msg("Retry-After: %s", cases[i].value);

	OPEN({ .answer = "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n" },
	     { .answer = "HTTP/1.1 503 Later\r\nretry-after: Fri, 01 Jan 2100 00:00:00 GMT\r\nContent-Length: "
			 "0\r\n\r\n" });
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_OK);
	assert_int_equal(rig->answer.retry_after_ms, 7000);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_OK);
	assert_int_equal(rig->answer.status, 503);
	assert_int_equal(rig->answer.retry_after_ms, 86400000);
	rig_close(rig);
}

static void test_half_an_answer_is_none(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"half\":", .hang_up = true },
	     { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"half\":", .reset = true }, { .reset = true },
	     { .hang_up = true });

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_DOWN);
		assert_int_equal(rig->answer.maybe_sent, 1);
		assert_int_equal(rig->answer.body.n, 0);
		assert_non_null(strstr(why(rig), "127.0.0.1:"));
	}
	assert_int_equal(rig->server.served, 4); /* each was sent once */
	rig_close(rig);
}

static void test_nothing_but_get_is_sent_twice(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }, { .hang_up = true },
	     { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });

	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("1") }), PATCHBAY_OK);
	/* On the connection that is kept; libcurl would take its end for a reason to send it once more. */
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("2") }), PATCHBAY_DOWN);
	assert_int_equal(rig->answer.maybe_sent, 1);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("3") }), PATCHBAY_OK);
	assert_int_equal(rig->server.served, 3);
	assert_non_null(strstr(rig->server.got[2], "\r\n\r\n3"));
	rig_close(rig);
}

static void test_a_get_is_sent_again(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }, { .hang_up = true },
	     { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });

	assert_int_equal(ask(rig, (patchbay_http_request){ .method = STR("GET") }), PATCHBAY_OK);
	assert_int_equal(ask(rig, (patchbay_http_request){ .method = STR("GET") }), PATCHBAY_OK);
	assert_int_equal(rig->server.served, 3);
	rig_close(rig);
}

static void test_a_stall_ends_at_the_deadline(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", .stall = true }, { .stall = true });

	for (size_t i = 0; i < 2; i++) {
		call_begin(&rig->call, 150);
		int64_t began = clock_steady_ns();
		assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_DOWN);
		int64_t took = clock_steady_ns() - began;
		assert_in_range(took, 100 * NS_PER_MS, 5000 * NS_PER_MS);
		assert_int_equal(rig->answer.maybe_sent, 1);
		assert_non_null(strstr(why(rig), "did not answer in full"));
	}
	rig->call.deadline_ns = clock_steady_ns() - 1;
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_DOWN);
	assert_int_equal(rig->answer.maybe_sent, 0);
	rig_close(rig);
}

static void test_long_answers_are_broken_off(void **state)
{
	(void)state;
	static char many[16384], turn_text[20000];
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", .hang_up = true },
	     { .answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello worl",
	       .hang_up = true },
	     { .answer = turn_text, .hang_up = true },
	     { .answer = "\x16\x03\x01 not HTTP at all\r\n\r\n", .hang_up = true });

	for (size_t i = 0; i < 101; i++)
		strcat(many, "X-Header: value\r\n");
	snprintf(turn_text, sizeof(turn_text), "HTTP/1.1 200 OK\r\n%s\r\n", many);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x"), .answer_max = 10 }), PATCHBAY_DOWN);
	assert_non_null(strstr(why(rig), "too long"));
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x"), .answer_max = 10 }), PATCHBAY_OK);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_DOWN);
	assert_non_null(strstr(why(rig), "too long"));
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_DOWN);
	assert_non_null(strstr(why(rig), "not HTTP"));
	rig_close(rig);
}

static void test_more_than_the_calls_memory(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world" });

	call_fini(&rig->call);
	call_init(&rig->call, 64);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_DOWN);
	assert_int_equal(rig->answer.maybe_sent, 1);
	rig_close(rig);
}

static void test_what_no_request_may_have(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });
	static const patchbay_kv bad[] = {
		{ { "X", 1 }, { "secret\r\nEvil: 1", 15 } },
		{ { "X", 1 }, { "secret\nEvil: 1", 14 } },
		{ { "X", 1 }, { "secret\0", 7 } },
		{ { "X\r\nEvil", 7 }, { "secret", 6 } },
		{ { "X: secret", 9 }, { "", 0 } },
		{ { "X;", 2 }, { "", 0 } },
		{ { "", 0 }, { "secret", 6 } },
	};
	static const patchbay_str methods[] = {
		{ "GET /x", 6 }, { "GET\r\n", 5 }, { "G\0T", 3 }, { "AVERYLONGMETHODNAME", 19 }
	};
	static const char *const urls[] = {
		"http://127.0.0.1/secret\r\nX: 1",
		"http://127.0.0.1/se cret",
		"ftp://127.0.0.1/secret",
		"file:///secret",
		"127.0.0.1/secret",
		"http:///secret",
		"http://user:secret@127.0.0.1/",
		"http://secret@127.0.0.1/",
		"http://127.0.0.1:99999/secret",
		"gopher://127.0.0.1:6379/secret",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			ask(rig, (patchbay_http_request){ .headers = &bad[i], .n_headers = 1, .body = STR("x") }),
			PATCHBAY_EBADSINK);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		assert_int_equal(ask(rig, (patchbay_http_request){ .method = methods[i] }), PATCHBAY_EBADSINK);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		assert_int_equal(ask(rig, (patchbay_http_request){ .url = str_c(urls[i]) }), PATCHBAY_EBADSINK);
		assert_int_equal(rig->answer.maybe_sent, 0);
	}
	assert_int_equal(ask(rig, (patchbay_http_request){ .url = { "http://127.0.0.1/\0secret", 24 } }),
			 PATCHBAY_EBADSINK);
	assert_int_equal(rig->server.served, 0);
	rig_close(rig);
}

static void test_private_addresses_need_permission(void **state)
{
	(void)state;
	static const char *const private[] = {
		"https://localhost",  "https://127.0.0.1", "https://[::1]",    "https://0x7f.1",
		"https://2130706433", "https://0",         "http://localhost", "https://[::ffff:127.0.0.1]",
	};
	patchbay_http_options options = { .size = sizeof(options) };
	uint16_t port;
	char url[128];
	struct rig rig = { .http = http_service.open(&options) };
	int listener = listen_on_loopback(&port);

	call_init(&rig.call, 1 << 20);
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		snprintf(url, sizeof(url), "%s:%d/secret", private[i], port);
		assert_int_equal(ask(&rig, (patchbay_http_request){ .url = str_c(url) }), PATCHBAY_EBADSINK);
		assert_non_null(strstr(why(&rig), "allow_private"));
		assert_int_equal(rig.answer.maybe_sent, 0);
	}
	fcntl(listener, F_SETFL, O_NONBLOCK);
	assert_int_equal(accept(listener, NULL, NULL), -1); /* nobody came */
	close(listener);
	http_service.close(rig.http);
	call_fini(&rig.call);
}

static void test_public_addresses_need_tls(void **state)
{
	(void)state;
	struct rig *rig = rig_open(NULL, 0);

	assert_int_equal(ask(rig, (patchbay_http_request){ .url = STR("http://192.0.2.1/secret") }), PATCHBAY_EBADSINK);
	assert_non_null(strstr(why(rig), "https://"));
	rig_close(rig);
}

static void test_nobody_there(void **state)
{
	(void)state;
	struct rig *rig = rig_open(NULL, 0);
	uint16_t port;
	char url[64];

	close(listen_on_loopback(&port));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/secret", port);
	assert_int_equal(ask(rig, (patchbay_http_request){ .url = str_c(url) }), PATCHBAY_DOWN);
	assert_non_null(strstr(why(rig), "Connection refused"));
	assert_int_equal(rig->answer.maybe_sent, 0);
	rig_close(rig);
}

static void test_tls_that_does_not_come_about(void **state)
{
	(void)state;
	OPEN({ .hang_up = true });
	patchbay_http_options options = { .size = sizeof(options), .allow_private = 1, .ca_file = STR("/no/such.pem") };
	char url[80];

	snprintf(url, sizeof(url), "https%s", rig->url + strlen("http"));
	http_service.close(rig->http);
	rig->http = http_service.open(&options);
	assert_int_equal(ask(rig, (patchbay_http_request){ .url = str_c(url) }), PATCHBAY_EBADSINK);
	assert_non_null(strstr(why(rig), "/no/such.pem"));
	assert_int_equal(rig->answer.maybe_sent, 0);
	assert_int_equal(rig->server.served, 0);
	rig_close(rig);
}

static void test_environment_is_not_asked(void **state)
{
	(void)state;
	OPEN({ .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" });

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_int_equal(ask(rig, (patchbay_http_request){ .body = STR("x") }), PATCHBAY_OK);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	rig_close(rig);
}

static void test_url_ok(void **state)
{
	(void)state;
	patchbay_call call;

	call_init(&call, 1 << 16);
	assert_true(http_service.url_ok(&call, STR("https://hooks.example.com/services/T/B/x"), false));
	assert_true(http_service.url_ok(&call, STR("http://127.0.0.1:8080/x"), true));
	assert_false(http_service.url_ok(&call, STR("http://hooks.example.com/secret"), false));
	assert_false(http_service.url_ok(&call, STR("https://10.0.0.1/secret"), false));
	assert_false(http_service.url_ok(&call, STR("https://[fe80::1]/secret"), false));
	assert_false(http_service.url_ok(&call, STR("hooks.example.com/secret"), false));
	assert_false(http_service.url_ok(&call, STR(""), false));
	assert_true(call.why.n > 0);
	assert_null(memmem(call.why.p, call.why.n, "secret", 6));
	assert_true(str_is(http_service.encode(&call, STR("a/b?c=d&e %\xc3\xa4~-._")),
			   "a%2Fb%3Fc%3Dd%26e%20%25%C3%A4~-._"));
	assert_true(str_is(http_service.encode(&call, STR("")), ""));
	call_fini(&call);
}

static void test_private_addresses_are_known(void **state)
{
	(void)state;
	static const char *const private[] = {
		"0.0.0.0",
		"10.255.0.1",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"192.0.0.8",
		"198.18.0.1",
		"224.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:10.0.0.1",
		"::127.0.0.1",
		"64:ff9b::a00:1",
		"64:ff9b:1::1",
		"fe80::1",
		"fec0::1",
		"fc00::1",
		"fdff::1",
		"ff02::1",
		"2002:7f00:1::",
		"2001::1",
	};
	static const char *const public[] = {
		"9.255.255.255",  "11.0.0.1",        "100.63.255.255",       "100.128.0.1",    "126.0.0.1",
		"128.0.0.1",      "169.253.0.1",     "172.15.0.1",           "172.32.0.1",     "192.167.0.1",
		"192.0.1.1",      "198.20.0.1",      "223.255.255.255",      "::ffff:8.8.8.8", "64:ff9b::808:808",
		"2002:808:808::", "2606:4700::1111", "2001:4860:4860::8888",
	};

	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]) + sizeof(public) / sizeof(public[0]); i++) {
		bool is_private = i < sizeof(private) / sizeof(private[0]);
		const char *text = is_private ? private[i] : public[i - sizeof(private) / sizeof(private[0])];
		uint8_t addr[16] = { 0 };
		addr[10] = addr[11] = 0xff;
		if (inet_pton(AF_INET, text, addr + 12) != 1)
			assert_int_equal(inet_pton(AF_INET6, text, addr), 1);
		if (patchbay_is_private(addr) != is_private)
			fail_msg("%s is %sprivate", text, is_private ? "" : "not ");
	}
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_and_answer_as_they_are),
		TEST(test_methods),
		TEST(test_redirects_are_answers),
		TEST(test_what_libcurl_frees_is_wiped),
		TEST(test_retry_after),
		TEST(test_half_an_answer_is_none),
		TEST(test_nothing_but_get_is_sent_twice),
		TEST(test_a_get_is_sent_again),
		TEST(test_a_stall_ends_at_the_deadline),
		TEST(test_long_answers_are_broken_off),
		TEST(test_more_than_the_calls_memory),
		TEST(test_what_no_request_may_have),
		TEST(test_private_addresses_need_permission),
		TEST(test_public_addresses_need_tls),
		TEST(test_nobody_there),
		TEST(test_tls_that_does_not_come_about),
		TEST(test_environment_is_not_asked),
		TEST(test_url_ok),
		TEST(test_private_addresses_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
