/* ask.h - asks the running daemon for something, over its control socket (daemon/control.h). */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <patchbay/plugin.h>

#include <jansson.h>

/* Sends the request, a whole line, and hands on each line that comes back, without its end, until the daemon closes the
 * connection or is gone. Which of both, the last line says. Closes fd, which is from control_connect(). */
void ask_daemon(int fd, patchbay_str request, void (*take_line)(void *ctx, patchbay_str line), void *ctx);

/* A member of such a line; "" and 0 if it is not there. The line keeps it. */
const char *ask_text(const json_t *line, const char *name);
json_int_t ask_number(const json_t *line, const char *name);

#endif
