/* post.h - an HTTP/1.1 client for `patchbay send`: POST over IPv4, IPv6 or a unix socket, with or without TLS, one
 * kept-alive connection. */
#ifndef CLI_POST_H
#define CLI_POST_H

#include "base/err.h"

#include <patchbay/plugin.h>

#include <stdbool.h>
#include <sys/socket.h>

struct certificate;

struct post_url {
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char host[300]; /* for the Host header, and for people */
	char name[300]; /* the same without the port */
	bool tls;
	const struct certificate *certificate; /* TLS: the only one that is right; NULL: whom this machine trusts */
	char path[1024];                       /* with the query */
};

struct post_answer {
	int status;
	char event_id[64]; /* of the Patchbay-Event-Id header, "" if there is none */
	int64_t took_ms;   /* until the whole answer was here, connecting included */
};

struct post;

/* "http://127.0.0.1:8080/in/fleet", "http://[::1]:8080/in/fleet", "http://unix:/run/x.sock:/in/fleet",
 * "https://example.org/in/fleet". */
int post_url_parse(const char *url, struct post_url *ret, struct err *err);

/* Connects with the first post. The URL must outlive it. */
struct post *post_open(const struct post_url *);
void post_close(struct post *); /* NULL is fine */
/* -1: there was no answer; err says why. */
int post_send(struct post *, const patchbay_request *, int64_t timeout_ms, struct post_answer *ret, struct err *err);

#endif
