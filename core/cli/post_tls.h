/* post_tls.h - TLS under a post, over a connected socket that does not block. */
#ifndef CLI_POST_TLS_H
#define CLI_POST_TLS_H

#include "cli/post.h"

#include <sys/types.h>

struct post_tls;

/* Shakes hands. NULL: err, also if the other side is not who it should be. */
struct post_tls *post_tls_open(int fd, const struct post_url *, int64_t until_ns, struct err *err);
void post_tls_close(struct post_tls *); /* not the socket; NULL is fine */

/* As send() and recv(), errno included. */
ssize_t post_tls_send(struct post_tls *, const void *, size_t n);
ssize_t post_tls_recv(struct post_tls *, void *, size_t n);

#endif
