/* nul_ends_signature.c - compares decoded signatures as C strings, of which a NUL is the end.
 * Caught by: signature.bytes. */
#define VERIFY broken_verify
#include "source.h"

static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 15;
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex = patchbay_header(r, HEADER), want = s->crypto->hmac_raw(call, s->keys.v[0], &r->body, 1);
	char given[33] = "", right[33] = "";
	(void)reply;

	if (hex.n != 64 || want.n != 32 || !patchbay_is_hex(hex))
		return refuse(s, call, "X-Signature is missing, or no HMAC-SHA256 in hex");
	for (size_t i = 0; i < 32; i++)
		given[i] = (char)(digit(hex.p[2 * i]) << 4 | digit(hex.p[2 * i + 1]));
	memcpy(right, want.p, 32);
	return strncmp(given, right, 32) == 0 ? PATCHBAY_OK : refuse(s, call, "X-Signature is wrong");
}

SOURCE_PLUGIN("nul-ends-signature");
