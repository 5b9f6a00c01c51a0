/* post.c - see post.h. */
#include "cli/post.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/post_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX (1024 * 1024) /* head and body */

struct post {
	const struct post_url *url;
	int fd;               /* -1: not connected */
	struct post_tls *tls; /* NULL: plain */
	bool used;            /* has brought an answer before */
	struct buf in;
};

struct post *post_open(const struct post_url *url)
{
	struct post *post = xcalloc(1, sizeof(*post));
	post->url = url;
	post->fd = -1;
	return post;
}

static void hang_up(struct post *post)
{
	post_tls_close(post->tls);
	post->tls = NULL;
	if (post->fd >= 0)
		close(post->fd);
	post->fd = -1;
	post->used = false;
	post->in.n = 0;
}

void post_close(struct post *post)
{
	if (!post)
		return;
	hang_up(post);
	buf_free(&post->in);
	free(post);
}

/* 0: ready; -1: the time is up, err says so. */
static int wait_for(struct post *post, short events, int64_t until_ns, struct err *err)
{
	for (;;) {
		struct pollfd ready = { .fd = post->fd, .events = events };
		int64_t left = until_ns - clock_steady_ns();
		int r = left > 0 ? poll(&ready, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS)) : 0;
		if (r > 0)
			return 0;
		if (r == 0)
			return err_set(err, "%s did not answer in time", post->url->host);
		if (errno != EINTR)
			return err_set(err, "cannot wait for %s: %s", post->url->host, strerror(errno));
	}
}

static int connect_plain(struct post *post, int64_t until_ns, struct err *err)
{
	const struct post_url *url = post->url;
	int problem = 0;
	socklen_t size = sizeof(problem);
	post->fd = socket(url->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (post->fd < 0)
		return err_set(err, "cannot make a socket: %s", strerror(errno));
	if (connect(post->fd, (const struct sockaddr *)&url->addr, url->addr_len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return err_set(err, "cannot connect to %s: %s; is `patchbay serve` running?", url->host,
			       strerror(errno));
	if (wait_for(post, POLLOUT, until_ns, err) < 0)
		return -1;
	getsockopt(post->fd, SOL_SOCKET, SO_ERROR, &problem, &size);
	if (problem)
		return err_set(err, "cannot connect to %s: %s; is `patchbay serve` running?", url->host,
			       strerror(problem));
	return 0;
}

static int connect_to(struct post *post, int64_t until_ns, struct err *err)
{
	if (connect_plain(post, until_ns, err) < 0)
		return -1;
	if (post->url->tls)
		post->tls = post_tls_open(post->fd, post->url, until_ns, err);
	return post->url->tls && !post->tls ? -1 : 0;
}

static void add_request(struct buf *out, const struct post_url *url, const patchbay_request *request)
{
	bool typed = false;
	buf_addf(out, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n", url->path, url->host, request->body.n);
	for (uint32_t i = 0; i < request->n_headers; i++) {
		const patchbay_kv *header = &request->headers[i];
		typed |= str_is(header->key, "content-type");
		buf_addf(out, "%.*s: %.*s\r\n", STR_ARG(header->key), STR_ARG(header->value));
	}
	buf_addf(out, "%s\r\n", typed ? "" : "Content-Type: application/json\r\n");
	buf_add_str(out, request->body);
}

static int send_all(struct post *post, const struct buf *out, int64_t until_ns, struct err *err)
{
	for (size_t sent = 0; sent < out->n;) {
		const char *rest = out->p + sent;
		ssize_t n = post->tls ? post_tls_send(post->tls, rest, out->n - sent)
				      : send(post->fd, rest, out->n - sent, MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_for(post, POLLOUT, until_ns, err) < 0)
				return -1;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return 0; /* it may have answered before it hung up */
		} else if (errno != EINTR) {
			return err_set(err, "cannot send to %s: %s", post->url->host, strerror(errno));
		}
	}
	return 0;
}

/* More of the answer: 1; its end: 0; -1. */
static int receive(struct post *post, int64_t until_ns, struct err *err)
{
	for (;;) {
		if (post->in.n > ANSWER_MAX)
			return err_set(err, "the answer of %s is too long", post->url->host);
		char *room = buf_grow(&post->in, 16384);
		ssize_t n = post->tls ? post_tls_recv(post->tls, room, 16384) : recv(post->fd, room, 16384, 0);
		if (n > 0) {
			post->in.n += (size_t)n;
			return 1;
		}
		if (n == 0 || errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			return err_set(err, "cannot read from %s: %s", post->url->host, strerror(errno));
		if (wait_for(post, POLLIN, until_ns, err) < 0)
			return -1;
	}
}

/* ---- The answer */

struct head {
	size_t length; /* of the head, with the empty line */
	size_t body;   /* Content-Length */
	bool has_body_length, close;
};

static patchbay_str trimmed(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return (patchbay_str){ p, (size_t)(end - p) };
}

static bool parse_header(patchbay_str name, patchbay_str value, struct head *head, struct post_answer *ret)
{
	if (str_eq_nocase(name, STR("content-length"))) {
		head->body = 0;
		for (size_t i = 0; i < value.n; i++) {
			if (value.p[i] < '0' || value.p[i] > '9' || head->body > ANSWER_MAX)
				return false;
			head->body = head->body * 10 + (size_t)(value.p[i] - '0');
		}
		head->has_body_length = value.n > 0;
	} else if (str_eq_nocase(name, STR("connection"))) {
		head->close = str_eq_nocase(value, STR("close"));
	} else if (str_eq_nocase(name, STR("patchbay-event-id"))) {
		size_t n = value.n < sizeof(ret->event_id) - 1 ? value.n : sizeof(ret->event_id) - 1;
		memcpy(ret->event_id, value.p, n);
		ret->event_id[n] = '\0';
	}
	return true;
}

/* 1: the head is whole; 0: not yet; -1: that is no HTTP. */
static int parse_head(struct post *post, struct head *head, struct post_answer *ret, struct err *err)
{
	const char *p = post->in.p;
	const char *end = post->in.n ? memmem(p, post->in.n, "\r\n\r\n", 4) : NULL;
	if (!end)
		return 0;
	*head = (struct head){ .length = (size_t)(end - p) + 4 };
	if (head->length < 16 || memcmp(p, "HTTP/1.", 7) != 0 || p[8] != ' ')
		goto strange;
	ret->status = 0;
	for (int i = 9; i < 12; i++) {
		if (p[i] < '0' || p[i] > '9')
			goto strange;
		ret->status = ret->status * 10 + (p[i] - '0');
	}
	head->close = p[7] == '0';
	for (const char *line = memchr(p, '\n', head->length); line && line < end;) {
		const char *name = line + 1, *stop = memchr(name, '\n', (size_t)(end + 2 - name));
		const char *colon = stop ? memchr(name, ':', (size_t)(stop - name)) : NULL;
		if (colon &&
		    !parse_header((patchbay_str){ name, (size_t)(colon - name) }, trimmed(colon + 1, stop), head, ret))
			goto strange;
		line = stop;
	}
	if (ret->status == 204 || ret->status == 304)
		head->has_body_length = true;
	return 1;
strange:
	return err_set(err, "what answers at %s does not speak HTTP/1.1", post->url->host);
}

/* 1: answered; 0: hung up before a byte of it; -1: err. */
static int read_answer(struct post *post, int64_t until_ns, struct post_answer *ret, struct err *err)
{
	struct head head = { 0 };
	int whole = 0, got = 1;
	while ((whole = parse_head(post, &head, ret, err)) == 0) {
		got = receive(post, until_ns, err);
		if (got < 0)
			return -1;
		if (got == 0)
			return post->in.n ? err_set(err, "%s hung up in the middle of its answer", post->url->host) : 0;
	}
	if (whole < 0)
		return -1;
	while (got > 0 && (!head.has_body_length || post->in.n < head.length + head.body))
		if ((got = receive(post, until_ns, err)) < 0)
			return -1;
	if (head.close || !head.has_body_length || got == 0)
		hang_up(post);
	else
		post->used = true;
	post->in.n = 0;
	return 1;
}

int post_send(struct post *post, const patchbay_request *request, int64_t timeout_ms, struct post_answer *ret,
	      struct err *err)
{
	int64_t began = clock_steady_ns(), until = began + timeout_ms * NS_PER_MS;
	struct buf out = { 0 };
	int got = -1;
	add_request(&out, post->url, request);
	for (;;) {
		bool reused = post->used;
		*ret = (struct post_answer){ 0 };
		if (post->fd < 0 && connect_to(post, until, err) < 0)
			break;
		if (send_all(post, &out, until, err) < 0 || (got = read_answer(post, until, ret, err)) < 0)
			break;
		if (got == 1)
			break;
		hang_up(post);
		if (!reused) { /* a kept-alive connection may go at any time; a new one must not */
			got = err_set(err, "%s hung up without an answer", post->url->host);
			break;
		}
	}
	if (got != 1)
		hang_up(post);
	buf_free(&out);
	ret->took_ms = (clock_steady_ns() - began) / NS_PER_MS;
	return got == 1 ? 0 : -1;
}
