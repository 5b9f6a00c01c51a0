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

static struct kept {
	char name[NAME_MAX_BYTES];
	int fd; /* -1: it was forgotten */
	enum guard_holder holder;
	bool inherited;
} kept[KEPT_MAX];
static size_t n_kept;
static int ours = -1, workers = -1;
static void (*on_change)(void *ctx, const char *name, int fd);
static void *on_change_ctx;

int guard_keep_open(void (*changed)(void *ctx, const char *name, int fd), void *ctx, struct err *err)
{
	on_change = changed;
	on_change_ctx = ctx;
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

static struct kept *find(const char *name)
{
	for (size_t i = 0; i < n_kept; i++)
		if (strcmp(kept[i].name, name) == 0)
			return &kept[i];
	return NULL;
}

/* NULL: there is no room. */
static struct kept *keep(const char *name, int fd)
{
	struct kept *k = find(name);
	if (!k && n_kept == KEPT_MAX) {
		log_warning("no room to keep %s over a restart of the worker", name);
		close(fd);
		return NULL;
	}
	if (!k) {
		k = &kept[n_kept++];
		snprintf(k->name, NAME_MAX_BYTES, "%s", name);
	} else if (k->fd != -1) {
		close(k->fd);
	}
	k->fd = fd;
	k->inherited = false;
	k->holder = on_change ? GUARD_STORED : GUARD_ALONE;
	return k;
}

static void forget(const char *name)
{
	struct kept *k = find(name);
	if (!k || k->fd == -1)
		return;
	close(k->fd);
	k->fd = -1;
	k->inherited = false;
}

void guard_keep_inherited(const char *name, int fd, enum guard_holder holder)
{
	struct kept *k = keep(name, fd);
	if (!k)
		return;
	k->holder = holder;
	k->inherited = true;
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
		if (!head) {
			const struct kept *k = find(name);
			if (k && k->holder == GUARD_STORED && on_change)
				on_change(on_change_ctx, name, -1);
			forget(name);
			continue;
		}
		if (head->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
		if (keep(name, fd) && on_change)
			on_change(on_change_ctx, name, fd);
	}
}

/* fd -1: it is to be forgotten. */
static void tell(const char *name, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	char copy[NAME_MAX_BYTES];
	int n = snprintf(copy, sizeof copy, "%s", name);
	struct iovec data = { copy, (size_t)n };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	if (!guard_board || n >= NAME_MAX_BYTES - 1)
		return;
	if (fd != -1) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(head), &fd, sizeof fd);
	}
	if (sendmsg(workers, &message, MSG_NOSIGNAL) == -1 && fd != -1)
		log_warning("%s does not outlive a restart of the worker: %s", name, strerror(errno));
}

void guard_keep(const char *name, int fd)
{
	tell(name, fd);
}

void guard_forget(const char *name)
{
	forget(name);
	tell(name, -1);
}

void guard_wake(void)
{
	tell(" ", -1); /* there is no such name, so nothing else comes of it */
}

int guard_kept(const char *name)
{
	const struct kept *k = guard_board ? find(name) : NULL;
	return k && k->fd != -1 ? fcntl(k->fd, F_DUPFD_CLOEXEC, 3) : -1;
}

enum guard_holder guard_holder(const char *name)
{
	const struct kept *k = guard_board ? find(name) : NULL;
	if (k && k->fd != -1)
		return k->holder;
	return guard_board && on_change ? GUARD_STORED : GUARD_ALONE;
}

const char *guard_inherited(size_t i)
{
	for (size_t at = 0; guard_board && at < n_kept; at++)
		if (kept[at].inherited && i-- == 0)
			return kept[at].name;
	return NULL;
}
