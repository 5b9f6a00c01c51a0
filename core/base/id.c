/* id.c - UUIDv7. The 12 bits behind the milliseconds continue the time (RFC 9562, 6.2, method 3), so that
 * ids made in one process sort as they were made; the other 62 bits are random. */
#include "base/id.h"

#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define STAMP_PER_MS INT64_C(4096)
#define STAMP_PER_S (1000 * STAMP_PER_MS)

/* One system call for 64 ids. */
static uint64_t random_bits(void)
{
	static _Thread_local uint64_t pool[64];
	static _Thread_local size_t left;

	if (left == 0) {
		char *p = (char *)pool;
		for (size_t got = 0; got < sizeof(pool);) {
			ssize_t n = getrandom(p + got, sizeof(pool) - got, 0);
			if (n < 0 && errno != EINTR)
				abort(); /* a kernel without getrandom: nothing here may be guessable */
			if (n > 0)
				got += (size_t)n;
		}
		left = sizeof(pool) / sizeof(pool[0]);
	}
	return pool[--left];
}

/* The time in 1/4096 ms, greater than any before it. Where the clock was set back by more than a second,
 * its time is worth more than the order. */
static int64_t next_stamp(int64_t wall_ns)
{
	static _Atomic int64_t last;
	int64_t ns = wall_ns > 0 ? wall_ns : 0;
	int64_t now = ns / NS_PER_MS * STAMP_PER_MS + ns % NS_PER_MS * STAMP_PER_MS / NS_PER_MS;
	int64_t seen = last, stamp;

	do {
		stamp = now <= seen && seen - now < STAMP_PER_S ? seen + 1 : now;
	} while (!atomic_compare_exchange_weak(&last, &seen, stamp));
	return stamp;
}

static void put_big_endian(uint8_t *p, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		p[i] = (uint8_t)value;
}

struct id id_new(int64_t wall_ns)
{
	uint64_t stamp = (uint64_t)next_stamp(wall_ns);
	struct id id;

	put_big_endian(id.b, stamp / STAMP_PER_MS << 16 | 0x7000 | stamp % STAMP_PER_MS);
	put_big_endian(id.b + 8, (random_bits() & UINT64_C(0x3fffffffffffffff)) | UINT64_C(0x8000000000000000));
	return id;
}

/* Unique by its time (60 bits) and 14 random bits: there are few, and never two at once. */
static const uint8_t own_end[6] = { 'p', 'a', 't', 'c', 'h', 'b' };

struct id id_new_own(int64_t wall_ns)
{
	struct id id = id_new(wall_ns);

	memcpy(id.b + sizeof id.b - sizeof own_end, own_end, sizeof own_end);
	return id;
}

bool id_is_own(const struct id *id)
{
	return memcmp(id->b + sizeof id->b - sizeof own_end, own_end, sizeof own_end) == 0;
}

int64_t id_time_ms(const struct id *id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms;
}

static bool dash_before(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void id_format(const struct id *id, char out[ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (dash_before(i))
			*out++ = '-';
		*out++ = digits[id->b[i] >> 4];
		*out++ = digits[id->b[i] & 15];
	}
	*out = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool id_parse(patchbay_str text, struct id *ret)
{
	struct id id;
	const char *p = text.p;

	if (text.n != ID_TEXT_SIZE - 1)
		return false;
	for (int i = 0; i < 16; i++) {
		if (dash_before(i) && *p++ != '-')
			return false;
		int high = hex_digit(p[0]), low = hex_digit(p[1]);
		if (high < 0 || low < 0)
			return false;
		id.b[i] = (uint8_t)(high << 4 | low);
		p += 2;
	}
	*ret = id;
	return true;
}
