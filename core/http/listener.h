/* listener.h - a socket that listens: TCP, or a unix socket's file. */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include "base/err.h"
#include "config/config.h"

struct MHD_Daemon;

struct listener {
	struct MHD_Daemon *daemon; /* whoever serves it; not touched here */
	int listen_fd;             /* -1 before listener_open() */
	int epoll_fd;
	bool unix_socket, tls;
	struct certificate *certificate; /* what new connections are shown; whoever serves it sets it */
	char *address;                   /* with the port that port 0 became */
	char *configured;                /* as routes.yaml says */
	char *unlink_path;               /* unix sockets that nobody else holds */
};

#define LISTENER_PREFIX "listen "
/* By which a socket on this address is kept (guard_keep()), however routes.yaml spells it: "listen [::1]:8080". To be
 * freed. */
char *listener_name(const struct sockaddr *, socklen_t);

int listener_open(struct listener *, const struct config_address *, struct err *err);
void listener_close(struct listener *);

#endif
