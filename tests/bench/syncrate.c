/* syncrate.c - the disk by itself: appends as much as one event takes and calls fdatasync, again and again.
 *   syncrate FOLDER BYTES SECONDS  ->  "RATE P50_US P99_US" */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX 1000000

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: syncrate FOLDER BYTES SECONDS\n");
		return 2;
	}
	size_t bytes = (size_t)atol(argv[2]), n = 0;
	char path[4096], *data = calloc(1, bytes);
	int64_t *took = malloc(MAX * sizeof(*took));
	snprintf(path, sizeof(path), "%s/syncrate.tmp", argv[1]);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || !data || !took) {
		perror(path);
		return 1;
	}
	memset(data, 'x', bytes);
	int64_t start = now_ns(), end = start + atol(argv[3]) * INT64_C(1000000000), t = start;
	while (t < end && n < MAX) {
		if (write(fd, data, bytes) != (ssize_t)bytes || fdatasync(fd) != 0) {
			perror(path);
			return 1;
		}
		int64_t after = now_ns();
		took[n++] = after - t;
		t = after;
	}
	unlink(path);
	qsort(took, n, sizeof(*took), compare);
	printf("%.0f %lld %lld\n", (double)n / ((double)(t - start) / 1e9), (long long)took[n / 2] / 1000,
	       (long long)took[n * 99 / 100] / 1000);
	return 0;
}
