/* A whole write, through a pipe that takes it piece by piece while signals come. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES ((size_t)1 << 20) /* more than a pipe holds */

static char sent[BYTES], got[BYTES];

struct taker {
	int fd;
	pthread_t writer;
};

static void on_signal(int number)
{
	(void)number;
}

static void *take(void *ctx)
{
	const struct taker *taker = ctx;
	size_t n = 0;
	for (ssize_t piece; (piece = read(taker->fd, got + n, BYTES - n < 1000 ? BYTES - n : 1000)) > 0;) {
		n += (size_t)piece;
		if (n < BYTES / 2) /* while the writer certainly waits for room */
			pthread_kill(taker->writer, SIGUSR1);
	}
	return NULL;
}

static void all_of_it_arrives(void **state)
{
	int ends[2];
	pthread_t thread;
	(void)state;
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL); /* without SA_RESTART */
	assert_int_equal(pipe(ends), 0);
	for (size_t i = 0; i < BYTES; i++)
		sent[i] = (char)(i * 7 + i / 251);
	struct taker taker = { .fd = ends[0], .writer = pthread_self() };
	assert_int_equal(pthread_create(&thread, NULL, take, &taker), 0);
	assert_int_equal(io_write_all(ends[1], sent, BYTES), 0);
	close(ends[1]);
	pthread_join(thread, NULL);
	close(ends[0]);
	assert_memory_equal(sent, got, BYTES);
}

static void a_full_disk_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, "x", 0), 0);
	assert_int_equal(io_write_all(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_arrives),
		cmocka_unit_test(a_full_disk_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
