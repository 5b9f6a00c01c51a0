/* control_socket.h - where the control socket is. */
#ifndef DAEMON_CONTROL_SOCKET_H
#define DAEMON_CONTROL_SOCKET_H

#include "base/err.h"

/* Returns the descriptor. -1: err. */
int control_socket_listen(const char *journal_folder, struct err *err);
void control_socket_remove(const char *journal_folder);
int control_socket_connect(const char *journal_folder, struct err *err);

#endif
