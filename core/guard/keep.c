/* keep.c - descriptors that outlive the worker: it sends a duplicate to the supervisor, which has nothing to do with it
 * but to hold it; the next worker is forked, and so has it too. */
#include "guard/internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_MAX_BYTES 256
#define KEPT_MAX 256

static struct {
	char name[NAME_MAX_BYTES];
	int fd;
} kept[KEPT_MAX];
static size_t n_kept;
static int ours = -1, workers = -1;

int guard_keep_open(struct err *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, "cannot make a pair of sockets: %s", strerror(errno));
	ours = pair[0];
	workers = pair[1];
	fcntl(ours, F_SETFL, O_NONBLOCK);
	return ours;
}

void guard_keep_worker(void)
{
	close(ours);
	ours = -1;
}

bool guard_keep_is_lost(void)
{
	return workers != -1 && fcntl(workers, F_GETFD) == -1 && errno == EBADF;
}

static void keep(const char *name, int fd)
{
	size_t i = 0;
	while (i < n_kept && strcmp(kept[i].name, name) != 0)
		i++;
	if (i == KEPT_MAX) {
		log_warning("no room to keep %s over a restart of the worker", name);
		close(fd);
		return;
	}
	if (i == n_kept)
		snprintf(kept[n_kept++].name, NAME_MAX_BYTES, "%s", name);
	else
		close(kept[i].fd);
	kept[i].fd = fd;
}

void guard_keep_take(void)
{
	for (;;) {
		char name[NAME_MAX_BYTES];
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec data = { name, sizeof name - 1 };
		struct msghdr message = {
			.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
		};
		ssize_t n = recvmsg(ours, &message, MSG_CMSG_CLOEXEC);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		name[n] = '\0';
		const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		int fd;
		if (!head || head->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
		keep(name, fd);
	}
}

void guard_keep(const char *name, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	char copy[NAME_MAX_BYTES];
	int n = snprintf(copy, sizeof copy, "%s", name);
	struct iovec data = { copy, (size_t)n };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	if (!guard_board || n >= NAME_MAX_BYTES - 1)
		return;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	if (sendmsg(workers, &message, MSG_NOSIGNAL) == -1)
		log_warning("%s does not outlive a restart of the worker: %s", name, strerror(errno));
}

int guard_kept(const char *name)
{
	for (size_t i = 0; guard_board && i < n_kept; i++)
		if (strcmp(kept[i].name, name) == 0)
			return fcntl(kept[i].fd, F_DUPFD_CLOEXEC, 3);
	return -1;
}
