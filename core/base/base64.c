/* base64.c - see base64.h. */
#include "base/base64.h"

#include <stdint.h>

void base64_encode(patchbay_str bytes, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t v = (uint32_t)(unsigned char)bytes.p[i] << 16;
		if (left > 1)
			v |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)bytes.p[i + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[v & 63] : '=';
	}
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bits of the last digit that have no place in a byte must be 0: by them one value could be written in several ways. */
bool base64_decode(patchbay_str text, char *out, size_t *ret_n)
{
	size_t n = text.n, done = 0;
	uint32_t v = 0;
	unsigned bits = 0; /* of v that are in no byte yet */
	if (n % 4)
		return false;
	for (int i = 0; i < 2 && n && text.p[n - 1] == '='; i++)
		n--;
	for (size_t i = 0; i < n; i++) {
		int d = digit(text.p[i]);
		if (d < 0)
			return false;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		out[done++] = (char)(v >> bits);
	}
	*ret_n = done;
	return (v & ((1u << bits) - 1)) == 0;
}
