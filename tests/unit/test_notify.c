/* What is sent to a service manager: this test is the manager. */
#include "daemon/notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "temp_dir.h"

static int manager_at(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	assert_true(n < sizeof un.sun_path);
	memcpy(un.sun_path, path, n);
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_not_equal(fd, -1);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, len), 0);
	return fd;
}

/* Returns the descriptor that came along, or -1. */
static int expect_message(int manager, const char *lines)
{
	char text[4096];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { text, sizeof text };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t n = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
	int fd = -1;
	assert_int_equal(n, strlen(lines));
	assert_memory_equal(text, lines, (size_t)n);
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static void test_a_path(void **state)
{
	struct notify n;
	struct err err;
	char *dir = temp_dir_make(), path[200];
	(void)state;
	snprintf(path, sizeof path, "%s/notify", dir ? dir : "");
	int manager = manager_at(path);
	assert_int_equal(notify_open(&n, path, &err), 0);
	assert_true(notify_send(&n, "READY=1\nSTATUS=all is well", -1));
	assert_int_equal(expect_message(manager, "READY=1\nSTATUS=all is well"), -1);
	notify_close(&n);
	close(manager);
	temp_dir_remove(dir);
}

static void test_an_abstract_name(void **state)
{
	struct notify n;
	struct err err;
	char name[100];
	(void)state;
	snprintf(name, sizeof name, "@patchbay-unit-%d", (int)getpid());
	int manager = manager_at(name);
	assert_int_equal(notify_open(&n, name, &err), 0);
	assert_true(notify_send(&n, "STOPPING=1", -1));
	expect_message(manager, "STOPPING=1");
	notify_close(&n);
	close(manager);
}

static void test_a_descriptor(void **state)
{
	struct notify n;
	struct err err;
	struct stat was, is;
	char name[100];
	int pipes[2];
	(void)state;
	snprintf(name, sizeof name, "@patchbay-unit-fd-%d", (int)getpid());
	int manager = manager_at(name);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(notify_open(&n, name, &err), 0);
	assert_true(notify_send(&n, "FDSTORE=1\nFDNAME=x", pipes[0]));
	int fd = expect_message(manager, "FDSTORE=1\nFDNAME=x");
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(pipes[0], &was), 0);
	assert_int_equal(fstat(fd, &is), 0);
	assert_int_equal(is.st_ino, was.st_ino);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	notify_close(&n);
	close(manager);
}

static void test_nobody(void **state)
{
	struct notify n;
	struct err err;
	(void)state;
	assert_int_equal(notify_open(&n, NULL, &err), 0);
	assert_false(notify_send(&n, "READY=1", -1));
	assert_int_equal(notify_open(&n, "", &err), 0);
	assert_false(notify_send(&n, "READY=1", -1));
	notify_close(&n);
	assert_int_equal(notify_open(&n, "/nobody/is/there", &err), 0);
	assert_false(notify_send(&n, "READY=1", -1)); /* and that is all: it is no reason to end */
	assert_int_equal(errno, ENOENT);
	notify_close(&n);
}

static void test_no_address(void **state)
{
	static const char *const wrong[] = { "notify", "vsock:2:1234", "/", "@" };
	char longest[200];
	struct notify n;
	struct err err;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(notify_open(&n, wrong[i], &err), -1);
		assert_non_null(strstr(err.text, "NOTIFY_SOCKET is neither"));
		assert_false(notify_send(&n, "READY=1", -1));
	}
	memset(longest, '/', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(notify_open(&n, longest, &err), -1);
}

static void test_too_long(void **state)
{
	struct notify n;
	struct err err;
	char name[100], lines[4000];
	(void)state;
	snprintf(name, sizeof name, "@patchbay-unit-long-%d", (int)getpid());
	int manager = manager_at(name);
	memset(lines, 'x', sizeof lines);
	lines[sizeof lines - 1] = '\0';
	assert_int_equal(notify_open(&n, name, &err), 0);
	assert_false(notify_send(&n, lines, -1));
	notify_close(&n);
	close(manager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_path),       cmocka_unit_test(test_an_abstract_name),
		cmocka_unit_test(test_a_descriptor), cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_no_address),   cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
