/* scalar.c - the single values of routes.yaml: numbers, durations, sizes, networks, both ways. */
#include "config/scalar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};
static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
};
static const struct unit sizes[] = {
	{ "T", INT64_C(1) << 40 }, { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { "", 1 }
};
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static size_t leading_digits(patchbay_str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

static bool read_digits(const char *p, size_t n, int64_t *ret)
{
	int64_t value = 0;
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, p[i] - '0', &value))
			return false;
	*ret = value;
	return n > 0;
}

bool scalar_int(patchbay_str s, int64_t *ret)
{
	bool sign = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
	patchbay_str digits = { s.p + sign, s.n - sign };
	int64_t value;
	if (leading_digits(digits) != digits.n || !read_digits(digits.p, digits.n, &value))
		return false;
	*ret = sign && s.p[0] == '-' ? -value : value;
	return true;
}

bool scalar_real(patchbay_str s, double *ret)
{
	char text[64], *end;
	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strspn(text, "+-.0123456789eE") != s.n) /* no hex, inf or nan */
		return false;
	errno = 0;
	double value = strtod(text, &end);
	if (*end || !isfinite(value) || (errno == ERANGE && value != 0))
		return false;
	*ret = value;
	return true;
}

static bool read_unit(patchbay_str s, const struct unit *units, size_t n, int64_t *ret)
{
	size_t digits = leading_digits(s);
	int64_t value;
	if (!read_digits(s.p, digits, &value))
		return false;
	patchbay_str name = { s.p + digits, s.n - digits };
	for (size_t i = 0; i < n; i++)
		if (str_is(name, units[i].name))
			return !__builtin_mul_overflow(value, units[i].factor, ret);
	if (name.n > 0 || value != 0)
		return false;
	*ret = 0;
	return true;
}

bool scalar_ms(patchbay_str s, int64_t *ret)
{
	return read_unit(s, durations, COUNT(durations), ret);
}

bool scalar_bytes(patchbay_str s, int64_t *ret)
{
	return read_unit(s, sizes, COUNT(sizes), ret);
}

bool scalar_rate(patchbay_str s, int64_t *ret_count, int64_t *ret_ms)
{
	static const struct unit per[] = { { "/s", 1000 }, { "/min", 60000 }, { "/h", 3600000 } };
	size_t digits = leading_digits(s);
	patchbay_str name = { s.p + digits, s.n - digits };
	int64_t count;

	if (str_is(s, "off")) {
		*ret_count = *ret_ms = 0;
		return true;
	}
	if (!read_digits(s.p, digits, &count) || count < 1 || count > SCALAR_RATE_MAX)
		return false;
	for (size_t i = 0; i < COUNT(per); i++)
		if (str_is(name, per[i].name)) {
			*ret_count = count;
			*ret_ms = per[i].factor;
			return true;
		}
	return false;
}

static const char *show_unit(int64_t value, const struct unit *units, size_t n, char out[SCALAR_SHOW_SIZE])
{
	size_t i = 0;
	while (i + 1 < n && (value == 0 || value % units[i].factor != 0))
		i++;
	snprintf(out, SCALAR_SHOW_SIZE, "%" PRId64 "%s", value / units[i].factor, value ? units[i].name : "");
	return out;
}

const char *scalar_show_ms(int64_t ms, char out[SCALAR_SHOW_SIZE])
{
	return show_unit(ms, durations, COUNT(durations), out);
}

const char *scalar_show_bytes(int64_t bytes, char out[SCALAR_SHOW_SIZE])
{
	return show_unit(bytes, sizes, COUNT(sizes), out);
}

bool scalar_cidr(patchbay_str s, patchbay_cidr *ret, bool *ret_stray)
{
	char text[INET6_ADDRSTRLEN];
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	size_t n = slash ? (size_t)(slash - s.p) : s.n;
	patchbay_cidr net = { { 0 }, 128 };
	int64_t bits, stray = 0;

	if (n == 0 || n >= sizeof(text) || memchr(s.p, 0, n))
		return false;
	memcpy(text, s.p, n);
	text[n] = '\0';
	bool v4 = inet_pton(AF_INET, text, net.addr + 12) == 1;
	if (v4)
		net.addr[10] = net.addr[11] = 0xff;
	else if (inet_pton(AF_INET6, text, net.addr) != 1)
		return false;
	if (slash) {
		patchbay_str prefix = { slash + 1, s.n - n - 1 };
		if (leading_digits(prefix) != prefix.n || !read_digits(prefix.p, prefix.n, &bits) ||
		    bits > (v4 ? 32 : 128))
			return false;
		net.bits = (uint32_t)bits + (v4 ? 96 : 0);
	}
	for (uint32_t i = net.bits; i < 128; i++) {
		uint8_t bit = (uint8_t)(0x80u >> (i % 8));
		stray |= net.addr[i / 8] & bit;
		net.addr[i / 8] &= (uint8_t)~bit;
	}
	*ret = net;
	*ret_stray = stray != 0;
	return true;
}
