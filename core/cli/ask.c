/* ask.c - see ask.h. */
#include "cli/ask.h"

#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 65536

void ask_daemon(int fd, patchbay_str request, void (*take_line)(void *ctx, patchbay_str line), void *ctx)
{
	struct buf text = { 0 };
	for (bool sent = send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n; sent;) {
		ssize_t got = recv(fd, buf_grow(&text, PIECE), PIECE, 0);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		text.n += (size_t)got;
		size_t done = 0;
		for (const char *end; (end = memchr(text.p + done, '\n', text.n - done));
		     done = (size_t)(end - text.p) + 1)
			take_line(ctx, (patchbay_str){ text.p + done, (size_t)(end - text.p) - done });
		memmove(text.p, text.p + done, text.n - done);
		text.n -= done;
	}
	buf_free(&text);
	close(fd);
}

const char *ask_text(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));
	return text ? text : "";
}

json_int_t ask_number(const json_t *line, const char *name)
{
	return json_integer_value(json_object_get(line, name));
}
