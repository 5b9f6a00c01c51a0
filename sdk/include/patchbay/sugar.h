/* patchbay/sugar.h - conveniences for plugin authors, all static inline: no part of the ABI. For C11 and later, and for
 * C++17 and later. */
#ifndef PATCHBAY_SUGAR_H
#define PATCHBAY_SUGAR_H

#include <patchbay/plugin.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* PATCHBAY_S: a patchbay_str of a string literal.
 * PATCHBAY_OPTION: one line of an options table: PATCHBAY_OPTION(struct options, PATCHBAY_T_STR, path, .help = "..."). */
#ifndef __cplusplus
#define PATCHBAY_S(literal) ((patchbay_str){ "" literal, sizeof(literal) - 1 })

#define PATCHBAY_OPTION(type_, kind_, field_, ...) \
	{ .size = sizeof(patchbay_option), .type = (kind_), .name = #field_, \
	  .offset = (uint32_t)offsetof(type_, field_), __VA_ARGS__ }

/* In a patchbay_source or patchbay_sink: PATCHBAY_OPTIONS(table, struct options), says which table and struct. */
#define PATCHBAY_OPTIONS(table_, type_) \
	.options = (table_), .n_options = sizeof(table_) / sizeof((table_)[0]), .options_size = sizeof(type_)
#else
static inline constexpr patchbay_str patchbay_literal(const char *p, size_t n)
{
	return patchbay_str{ p, n };
}
#define PATCHBAY_S(literal) patchbay_literal("" literal, sizeof(literal) - 1)

/* Written as in C, for `static constexpr patchbay_option table[]`; up to eight members. */
#define PATCHBAY_OPTION(type_, kind_, field_, ...) \
	([] { \
		patchbay_option option_ = {}; \
		option_.size = static_cast<uint32_t>(sizeof(patchbay_option)); \
		option_.type = (kind_); \
		option_.name = #field_; \
		option_.offset = static_cast<uint32_t>(offsetof(type_, field_)); \
		PATCHBAY_SET_(__VA_ARGS__) \
		return option_; \
	}())
#define PATCHBAY_SET_(...) \
	PATCHBAY_PICK_(__VA_ARGS__, PATCHBAY_SET_8_, PATCHBAY_SET_7_, PATCHBAY_SET_6_, PATCHBAY_SET_5_, PATCHBAY_SET_4_, \
		       PATCHBAY_SET_3_, PATCHBAY_SET_2_, PATCHBAY_SET_1_, 0)(__VA_ARGS__)
#define PATCHBAY_PICK_(a, b, c, d, e, f, g, h, name, ...) name
#define PATCHBAY_SET_1_(a) option_ a;
#define PATCHBAY_SET_2_(a, ...) option_ a; PATCHBAY_SET_1_(__VA_ARGS__)
#define PATCHBAY_SET_3_(a, ...) option_ a; PATCHBAY_SET_2_(__VA_ARGS__)
#define PATCHBAY_SET_4_(a, ...) option_ a; PATCHBAY_SET_3_(__VA_ARGS__)
#define PATCHBAY_SET_5_(a, ...) option_ a; PATCHBAY_SET_4_(__VA_ARGS__)
#define PATCHBAY_SET_6_(a, ...) option_ a; PATCHBAY_SET_5_(__VA_ARGS__)
#define PATCHBAY_SET_7_(a, ...) option_ a; PATCHBAY_SET_6_(__VA_ARGS__)
#define PATCHBAY_SET_8_(a, ...) option_ a; PATCHBAY_SET_7_(__VA_ARGS__)
#endif

static inline patchbay_str patchbay_cstr(const char *s)
{
	patchbay_str str = { s, s ? strlen(s) : 0 };
	return str;
}

static inline bool patchbay_eq(patchbay_str a, patchbay_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Does the text begin with the prefix ("sha256=")? Then *rest is what follows it. */
static inline bool patchbay_after(patchbay_str text, const char *prefix, patchbay_str *rest)
{
	size_t n = strlen(prefix);
	if (text.n < n || memcmp(text.p, prefix, n) != 0)
		return false;
	rest->p = text.p + n;
	rest->n = text.n - n;
	return true;
}

/* The next part of a list ("t=1,v1=ab,v1=cd") that begins with the prefix ("v1="): what follows it there. *at is 0 at
 * first. False: there is none any more. */
static inline bool patchbay_part(patchbay_str list, char separator, const char *prefix, size_t *at, patchbay_str *rest)
{
	while (*at < list.n) {
		patchbay_str part = { list.p + *at, list.n - *at };
		const char *end = (const char *)memchr(part.p, separator, part.n);
		if (end)
			part.n = (size_t)(end - part.p);
		*at += part.n + 1;
		if (patchbay_after(part, prefix, rest))
			return true;
	}
	return false;
}

/* How many headers of that (lower-case) name there are. *ret is the last one's value, where there is one. */
static inline uint32_t patchbay_headers(const patchbay_request *r, patchbay_str name, patchbay_str *ret)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->n_headers; i++) {
		if (!patchbay_eq(r->headers[i].key, name))
			continue;
		*ret = r->headers[i].value;
		n++;
	}
	return n;
}

/* The value of the only header of that (lower-case) name; {NULL, 0} if there is none, or several. */
static inline patchbay_str patchbay_header(const patchbay_request *r, patchbay_str name)
{
	patchbay_str none = { NULL, 0 }, value = none;
	return patchbay_headers(r, name, &value) == 1 ? value : none;
}

static inline bool patchbay_cidr_has(const patchbay_cidr *net, const uint8_t addr[16])
{
	uint32_t bytes = net->bits / 8, rest = net->bits % 8;
	if (memcmp(net->addr, addr, bytes) != 0)
		return false;
	return rest == 0 || ((net->addr[bytes] ^ addr[bytes]) >> (8 - rest)) == 0;
}

/* Is this an address that only means something on this machine or its own network: loopback, private, shared
 * (100.64/10), link-local, unspecified, multicast, reserved? IPv4 comes as ::ffff:a.b.c.d; an IPv6 address that only
 * wraps an IPv4 address (NAT64, 6to4, IPv4-compatible) is what that one is. */
static inline bool patchbay_is_private(const uint8_t addr[16])
{
	static const uint8_t zero[10] = { 0 }, nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	const uint8_t *v4 = addr + 12;

	if (addr[0] == 0x20 && addr[1] == 0x02)
		v4 = addr + 2;
	else if (!(memcmp(addr, zero, 10) == 0 && addr[10] == addr[11] && (addr[10] == 0 || addr[10] == 0xff)) &&
		 memcmp(addr, nat64, 12) != 0)
		return (addr[0] & 0xfe) == 0xfc || (addr[0] == 0xfe && addr[1] >= 0x80) || addr[0] == 0xff ||
		       memcmp(addr, zero, 8) == 0 || memcmp(addr, nat64, 4) == 0 ||
		       memcmp(addr, "\x20\x01\0\0", 4) == 0; /* Teredo */
	return v4[0] == 0 || v4[0] == 10 || v4[0] == 127 || v4[0] >= 224 || (v4[0] == 100 && (v4[1] & 0xc0) == 64) ||
	       (v4[0] == 169 && v4[1] == 254) || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 192 && v4[1] == 0 && v4[2] == 0) ||
	       (v4[0] == 198 && (v4[1] & 0xfe) == 18);
}

/* printf into memory of the call; "" when there is none left. */
__attribute__((format(printf, 3, 4)))
static inline patchbay_str patchbay_fmt(const patchbay_host *host, patchbay_call *call, const char *fmt, ...)
{
	patchbay_str out = { "", 0 };
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : (char *)host->alloc(call, (size_t)n + 1);
	if (!p)
		return out;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	out.p = p;
	out.n = (size_t)n;
	return out;
}

/* A service that the plugin cannot do without; NULL, explained: this host does not have it. */
static inline const void *patchbay_service(const patchbay_host *host, patchbay_call *call, const char *id)
{
	const void *service = host->service(host, id);
	if (!service)
		host->explain(call, patchbay_fmt(host, call, "this host lacks the service '%s'; use a newer one", id));
	return service;
}

/* The parts, joined, in memory of the call; "" when there is none left. */
static inline patchbay_str patchbay_join(const patchbay_host *host, patchbay_call *call, const patchbay_str *parts,
					 size_t n)
{
	patchbay_str out = { "", 0 };
	size_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += parts[i].n;
	char *p = total ? (char *)host->alloc(call, total) : NULL;
	if (!p)
		return out;
	for (size_t i = 0, at = 0; i < n; at += parts[i].n, i++)
		if (parts[i].n)
			memcpy(p + at, parts[i].p, parts[i].n);
	out.p = p;
	out.n = total;
	return out;
}

#endif
