/* The client of `patchbay send`, against a server in a thread that plays a script: one answer after another. */
#include "cli/post.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

struct step {
	const char *answer; /* NULL: none */
	bool hang_up;       /* afterwards */
	bool bytewise;
};

static struct {
	int fd;
	const struct step *steps;
	size_t n;
	unsigned connections;
	char request[4096]; /* the last */
	pthread_t thread;
} server;

static struct post_url url;

static size_t read_request(int fd)
{
	size_t n = 0;
	ssize_t got = 1;
	while (got > 0) {
		server.request[n] = '\0';
		const char *end = strstr(server.request, "\r\n\r\n"),
			   *length = strstr(server.request, "Content-Length: ");
		unsigned body = 0;
		if (end && length && sscanf(length, "Content-Length: %u", &body) == 1 &&
		    n >= (size_t)(end - server.request) + 4 + body)
			return n;
		got = read(fd, server.request + n, sizeof(server.request) - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static void *serve(void *arg)
{
	int fd = -1;
	(void)arg;
	for (size_t i = 0; i < server.n; i++) {
		const struct step *step = &server.steps[i];
		if (fd < 0) {
			fd = accept(server.fd, NULL, NULL);
			server.connections++;
		}
		size_t n = step->answer ? strlen(step->answer) : 0;
		if (step->answer && !read_request(fd))
			break;
		for (size_t k = 0; k < n; k += step->bytewise ? 1 : n)
			if (write(fd, step->answer + k, step->bytewise ? 1 : n) < 0)
				break;
		if (step->hang_up) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0) {
		while (read(fd, server.request, sizeof(server.request)) > 0)
			; /* until the client goes */
		close(fd);
	}
	return NULL;
}

static void start(const struct step *steps, size_t n)
{
	server.steps = steps;
	server.n = n;
	server.connections = 0;
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(addr);
	char text[64];
	struct err err;
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server.fd, (struct sockaddr *)&addr, size) != 0 || listen(server.fd, 8) != 0 ||
	    getsockname(server.fd, (struct sockaddr *)&addr, &size) != 0)
		return -1;
	snprintf(text, sizeof(text), "http://127.0.0.1:%u/in/fleet?a=b", ntohs(addr.sin_port));
	return post_url_parse(text, &url, &err);
}

static int teardown(void **state)
{
	(void)state;
	return close(server.fd);
}

static int post(struct post *client, int64_t timeout_ms, struct post_answer *answer, struct err *err)
{
	static const patchbay_kv header = { { "x-signature", 11 }, { "abc", 3 } };
	patchbay_request request = {
		.size = sizeof(request), .n_headers = 1, .headers = &header, .body = STR("{\"a\":1}")
	};
	return post_send(client, &request, timeout_ms, answer, err);
}

#define OK200 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nPatchbay-Event-Id: 0193-x\r\n\r\nok\n"

static void keeps_the_connection_and_reads_slow_answers(void **state)
{
	(void)state;
	static const struct step steps[] = {
		{ OK200, false, false },
		{ OK200, false, true },
		{ "HTTP/1.1 503 Service Unavailable\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n", true, false },
		{ "HTTP/1.0 403 Forbidden\r\n\r\nuntil the end", true, false },
	};
	static const int expected[] = { 200, 200, 503, 403 };
	struct post *client = post_open(&url);
	struct err err = { 0 };
	start(steps, 4);
	for (int i = 0; i < 4; i++) {
		struct post_answer answer;
		if (post(client, 20000, &answer, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(answer.status, expected[i]);
		assert_string_equal(answer.event_id, i < 2 ? "0193-x" : "");
	}
	post_close(client);
	pthread_join(server.thread, NULL);
	assert_int_equal(server.connections, 2);
	assert_non_null(strstr(server.request, "POST /in/fleet?a=b HTTP/1.1\r\nHost: 127.0.0.1:"));
	assert_non_null(strstr(server.request, "\r\nx-signature: abc\r\n"));
	assert_non_null(strstr(server.request, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(server.request, "\r\n\r\n{\"a\":1}"));
}

static void connects_anew_when_a_kept_connection_is_gone(void **state)
{
	(void)state;
	static const struct step steps[] = { { OK200, true, false }, { OK200, false, false } };
	struct post *client = post_open(&url);
	struct post_answer answer;
	struct err err = { 0 };
	start(steps, 2);
	assert_int_equal(post(client, 20000, &answer, &err), 0);
	assert_int_equal(post(client, 20000, &answer, &err), 0);
	assert_int_equal(answer.status, 200);
	post_close(client);
	pthread_join(server.thread, NULL);
	assert_int_equal(server.connections, 2);
}

static void says_why_there_is_no_answer(void **state)
{
	(void)state;
	static const struct step hang_up[] = { { "", true, false } }, middle[] = { { "HTTP/1.1 20", true, false } },
				 garbage[] = { { "SSH-2.0-OpenSSH_9.2\r\n\r\n", true, false } };
	static const struct {
		const struct step *step;
		const char *why;
	} cases[] = { { hang_up, "without an answer" },
		      { middle, "in the middle" },
		      { garbage, "does not speak HTTP" } };
	for (size_t i = 0; i < 3; i++) {
		struct post *client = post_open(&url);
		struct post_answer answer;
		struct err err = { 0 };
		start(cases[i].step, 1);
		assert_int_equal(post(client, 20000, &answer, &err), -1);
		assert_non_null(strstr(err.text, cases[i].why));
		post_close(client);
		pthread_join(server.thread, NULL);
	}
}

static void gives_up_in_time(void **state)
{
	(void)state;
	static const struct step silence[] = { { NULL, false, false } };
	struct post *client = post_open(&url);
	struct post_answer answer;
	struct err err = { 0 };
	start(silence, 1);
	assert_int_equal(post(client, 50, &answer, &err), -1);
	assert_non_null(strstr(err.text, "in time"));
	assert_in_range(answer.took_ms, 40, 10000);
	post_close(client);
	pthread_join(server.thread, NULL);
}

static void urls(void **state)
{
	(void)state;
	struct post_url u;
	struct err err = { 0 };
	assert_int_equal(post_url_parse("http://[::1]:8080/in/a", &u, &err), 0);
	assert_int_equal(((struct sockaddr_in6 *)&u.addr)->sin6_port, htons(8080));
	assert_string_equal(u.host, "[::1]:8080");
	assert_string_equal(u.path, "/in/a");
	assert_int_equal(post_url_parse("http://127.0.0.1", &u, &err), 0);
	assert_int_equal(((struct sockaddr_in *)&u.addr)->sin_port, htons(80));
	assert_string_equal(u.path, "/");
	assert_int_equal(post_url_parse("http://unix:/run/x.sock:/in/a", &u, &err), 0);
	assert_string_equal(((struct sockaddr_un *)&u.addr)->sun_path, "/run/x.sock");
	assert_string_equal(u.path, "/in/a");
	assert_false(u.tls);
	assert_int_equal(post_url_parse("https://[::1]/in/a", &u, &err), 0);
	assert_true(u.tls);
	assert_int_equal(((struct sockaddr_in6 *)&u.addr)->sin6_port, htons(443));
	assert_string_equal(u.name, "::1");
	static const char *const wrong[] = { "https:///in/a",     "ftp://a/", "http:///x",   "http://[::1/",
					     "http://1.2.3.4:x/", "fleet",    "http://a b/", "http://unix::/in" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(post_url_parse(wrong[i], &u, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_connection_and_reads_slow_answers),
		cmocka_unit_test(connects_anew_when_a_kept_connection_is_gone),
		cmocka_unit_test(says_why_there_is_no_answer),
		cmocka_unit_test(gives_up_in_time),
		cmocka_unit_test(urls),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
