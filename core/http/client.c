/* client.c - who posted: the socket's peer, or, behind proxies that the configuration trusts, the address that they
 * say. */
#include "http/internal.h"

#include <patchbay/sugar.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static bool parse_address(patchbay_str text, uint8_t addr[16])
{
	char copy[64];
	while (text.n && (text.p[0] == ' ' || text.p[0] == '\t')) {
		text.p++;
		text.n--;
	}
	while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	if (text.n >= 2 && text.p[0] == '[') { /* [2001:db8::1] or [2001:db8::1]:443 */
		const char *end = memchr(text.p, ']', text.n);
		if (!end)
			return false;
		text = (patchbay_str){ text.p + 1, (size_t)(end - text.p - 1) };
	} else {
		const char *colon = memchr(text.p ? text.p : "", ':', text.n);
		if (colon && !memchr(colon + 1, ':', text.n - (size_t)(colon + 1 - text.p)))
			text.n = (size_t)(colon - text.p); /* 192.0.2.1:443 */
	}
	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	memcpy(addr, mapped, sizeof mapped);
	return inet_pton(AF_INET, copy, addr + 12) == 1 || inet_pton(AF_INET6, copy, addr) == 1;
}

static bool trusted(const struct config *config, const uint8_t addr[16])
{
	for (size_t i = 0; i < config->trusted_proxies.n; i++)
		if (patchbay_cidr_has(&config->trusted_proxies.v[i], addr))
			return true;
	return false;
}

/* The last address, from the right, that is no trusted proxy itself. Whatever stands left of it anybody may have
 * written. */
static bool forwarded(const struct config *config, const patchbay_request *r, uint8_t addr[16])
{
	bool found = false;
	for (uint32_t i = r->n_headers; i-- > 0;) {
		if (!str_is(r->headers[i].key, "x-forwarded-for"))
			continue;
		patchbay_str list = r->headers[i].value;
		for (;;) {
			size_t start = list.n;
			while (start > 0 && list.p[start - 1] != ',')
				start--;
			uint8_t hop[16];
			if (!parse_address((patchbay_str){ list.p + start, list.n - start }, hop))
				return found;
			memcpy(addr, hop, sizeof hop);
			found = true;
			if (!trusted(config, addr))
				return true;
			if (start == 0)
				break;
			list.n = start - 1;
		}
	}
	return found;
}

void client_address(const struct config *config, const struct sockaddr *peer, patchbay_request *r, char text[64])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t addr[16] = { 0 };
	bool known = false;
	if (peer && peer->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)peer;
		memcpy(addr, mapped, sizeof mapped);
		memcpy(addr + 12, &in->sin_addr, 4);
		known = true;
	} else if (peer && peer->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)peer;
		memcpy(addr, &in6->sin6_addr, 16);
		known = true;
	}
	/* Who may connect to a unix socket of ours is a proxy that file permissions trust. */
	uint8_t behind[16];
	if ((!known || trusted(config, addr)) && forwarded(config, r, behind)) {
		memcpy(addr, behind, sizeof addr);
		known = true;
	}
	memcpy(r->client_addr, addr, sizeof addr);
	r->client = STR("");
	if (!known)
		return;
	bool v4 = memcmp(addr, mapped, sizeof mapped) == 0;
	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, text, 64))
		r->client = str_c(text);
}
