/* empty200.c - the ceiling: the same libmicrohttpd, driven by the same kind of loop, reads a POST and answers an
 * empty 200. No signature, no JSON, no journal.   empty200 ADDRESS PORT */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static struct MHD_Response *empty;

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **state)
{
	(void)cls, (void)url, (void)method, (void)version, (void)upload;
	static int seen;
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, empty);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1) {
		fprintf(stderr, "usage: empty200 ADDRESS PORT\n");
		return 2;
	}
	at.sin_port = htons((uint16_t)atoi(argv[2]));

	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);

	empty = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR,
						     (struct sockaddr *)&at, MHD_OPTION_CONNECTION_LIMIT, 2048u,
						     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
						     MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "empty200: cannot listen on %s:%s\n", argv[1], argv[2]);
		return 1;
	}
	int epoll = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	int outer = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &(struct epoll_event){ .events = EPOLLIN });
	while (true) {
		MHD_UNSIGNED_LONG_LONG wait_ms = 250;
		if (MHD_get_timeout(daemon, &wait_ms) != MHD_YES || wait_ms > 250)
			wait_ms = 250;
		struct epoll_event event;
		epoll_wait(outer, &event, 1, (int)wait_ms);
		MHD_run(daemon);
	}
}
