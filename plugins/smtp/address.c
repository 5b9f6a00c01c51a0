/* address.c - the rules of RFC 5321 and 5322 for addresses, without their exotic forms. */
#include "address.h"

#include <patchbay/sugar.h>

#include <string.h>
#include <strings.h>

#define LOCAL_MAX 64
#define DOMAIN_MAX 255
#define SHOWN_MAX 120

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* May stand in a local part outside of quotes. */
static bool is_atext(char c)
{
	return is_alnum(c) || (unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_utf8(patchbay_str s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = c < 0x80                ? 1
			   : c >= 0xc2 && c < 0xe0 ? 2
			   : c >= 0xe0 && c < 0xf0 ? 3
			   : c >= 0xf0 && c < 0xf5 ? 4
						   : 0;
		if (n == 0 || n > s.n - i)
			return false;
		for (size_t k = 1; k < n; k++)
			if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}
	return true;
}

bool address_breaks_line(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return true;
	return false;
}

bool address_is_ascii(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

const char *address_domain_wrong(patchbay_str domain)
{
	size_t label = 0;
	if (domain.n == 0)
		return "has no domain";
	if (domain.n > DOMAIN_MAX)
		return "has a domain of more than 255 bytes";
	if (!address_is_ascii(domain))
		return "has a domain with letters outside of ASCII; write it in its xn-- form";
	for (size_t i = 0; i <= domain.n; i++) {
		if (i < domain.n && domain.p[i] != '.') {
			if (!is_alnum(domain.p[i]) && domain.p[i] != '-' && domain.p[i] != '_')
				return "has a domain with other characters than letters, digits, '-' and '.'";
			label++;
			continue;
		}
		if (label == 0 || label > 63)
			return "has a domain with a part that is empty or too long";
		label = 0;
	}
	return NULL;
}

const char *address_wrong(patchbay_str address)
{
	if (address.n == 0)
		return "is empty";
	if (address_breaks_line(address))
		return "contains a line break or a NUL";
	const char *at = memchr(address.p, '@', address.n);
	if (!at)
		return "has no '@'";
	patchbay_str local = { address.p, (size_t)(at - address.p) };
	patchbay_str domain = { at + 1, address.n - local.n - 1 };
	if (memchr(domain.p, '@', domain.n))
		return "has more than one '@'";
	if (local.n == 0 || local.n > LOCAL_MAX)
		return "has nothing, or more than 64 bytes, before its '@'";
	if (!is_utf8(local))
		return "is not UTF-8";
	for (size_t i = 0; i < local.n; i++) {
		bool dot = local.p[i] == '.';
		if (!dot && !is_atext(local.p[i]))
			return "contains a character that an address cannot have outside of quotes";
		if (dot && (i == 0 || i + 1 == local.n || local.p[i + 1] == '.'))
			return "has a dot where none can be";
	}
	return address_domain_wrong(domain);
}

patchbay_str address_domain(patchbay_str address)
{
	const char *at = memchr(address.p, '@', address.n);
	return at ? (patchbay_str){ at + 1, address.n - (size_t)(at + 1 - address.p) } : (patchbay_str){ "", 0 };
}

bool address_has_route(patchbay_str address)
{
	size_t local = address.n - address_domain(address).n;
	return memchr(address.p, '%', local) || memchr(address.p, '!', local);
}

bool address_same_domain(patchbay_str a, patchbay_str b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static patchbay_str trimmed(patchbay_str s)
{
	while (s.n && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

const char *mailbox_parse(patchbay_str text, struct mailbox *ret)
{
	struct mailbox mailbox = { { "", 0 }, trimmed(text) };
	if (address_breaks_line(text))
		return "contains a line break or a NUL";
	patchbay_str s = mailbox.address;
	const char *open = memchr(s.p, '<', s.n);
	if (open && s.p[s.n - 1] == '>') {
		mailbox.name = trimmed((patchbay_str){ s.p, (size_t)(open - s.p) });
		mailbox.address = (patchbay_str){ open + 1, s.n - (size_t)(open - s.p) - 2 };
	}
	patchbay_str *name = &mailbox.name;
	if (name->n >= 2 && name->p[0] == '"' && name->p[name->n - 1] == '"')
		*name = (patchbay_str){ name->p + 1, name->n - 2 };
	if (memchr(name->p, '"', name->n) || memchr(name->p, '\\', name->n))
		return "has a quote or a backslash inside of its name";
	if (!is_utf8(*name))
		return "is not UTF-8";
	const char *wrong = address_wrong(mailbox.address);
	if (!wrong)
		*ret = mailbox;
	return wrong;
}

patchbay_str address_shown(const patchbay_host *host, patchbay_call *call, patchbay_str s)
{
	bool cut = s.n > SHOWN_MAX;
	size_t n = cut ? SHOWN_MAX : s.n;
	char *p = host->alloc(call, n + 3);
	if (!p)
		return PATCHBAY_S("?");
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f ? '?' : s.p[i];
	if (cut)
		memcpy(p + n, "...", 3);
	return (patchbay_str){ p, cut ? n + 3 : n };
}
