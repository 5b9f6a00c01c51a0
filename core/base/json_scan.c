/* json_scan.c - the validating pass. It stands between a request and its answer, hence the eight bytes at
 * a time. It never reads at or behind the end of the text, which may be the end of mapped memory. */
#include "base/json_scan.h"

#include "base/json.h"
#include "base/utf8.h"

#include <endian.h>
#include <string.h>

#define INDEX_FIRST 16
#define INDEX_MAX 1024 /* members; an object with more of them is searched by reading it */

typedef unsigned char byte;

struct scan {
	const byte *start, *end;
	struct arena *arena;
	struct json_index index;
	uint32_t index_room;
	bool indexing; /* cleared when the index is given up */
	bool escaped;  /* the string scanned last had an escape in it */
	struct err *err;
};

/* All of these return the position behind what they scanned, or NULL: err is set. */
static const byte *scan_value(struct scan *, const byte *p, int depth);

static const byte *fail(struct scan *s, const byte *p, const char *expected)
{
	size_t at = (size_t)(p - s->start);

	if (p >= s->end)
		err_set(s->err, "it ends at byte %zu, where %s was expected", at, expected);
	else if (*p > 0x20 && *p < 0x7f)
		err_set(s->err, "byte %zu is '%c', where %s was expected", at, *p, expected);
	else
		err_set(s->err, "byte %zu is 0x%02x, where %s was expected", at, *p, expected);
	return NULL;
}

static const byte *fail_because(struct scan *s, const byte *p, const char *why)
{
	err_set(s->err, "at byte %zu: %s", (size_t)(p - s->start), why);
	return NULL;
}

static patchbay_str span(const byte *from, const byte *to)
{
	return (patchbay_str){ (const char *)from, (size_t)(to - from) };
}

static const byte *skip_space(const byte *p, const byte *end)
{
	while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* The first byte that is not plain text inside a string: a quote, a backslash, below 0x20, above 0x7f. */
static const byte *skip_plain(const byte *p, const byte *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);

	for (; end - p >= 8; p += 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		word = le64toh(word);
		uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
		/* Borrows can only spoil bytes behind the first hit, and the first is all that counts. */
		uint64_t hit = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((word - ones * 0x20) & ~word);
		hit = (hit | word) & tops;
		if (hit)
			return p + (__builtin_ctzll(hit) >> 3);
	}
	while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static int hex_digit(byte c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits; -1: there are not that many. */
static int32_t hex4(const byte *p, const byte *end)
{
	int32_t value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* From behind the backslash. */
static const byte *scan_escape(struct scan *s, const byte *p)
{
	static const char lone[] = "half of a surrogate pair (\\ud800 to \\udfff stand for a character only in twos)";
	int32_t unit;

	s->escaped = true;
	if (p < s->end && *p && strchr("\"\\/bfnrt", *p))
		return p + 1;
	if (p == s->end || *p != 'u')
		return fail(s, p, "one of \"\\/bfnrtu behind the backslash");
	if ((unit = hex4(p + 1, s->end)) < 0)
		return fail_because(s, p - 1, "\\u is not followed by four hexadecimal digits");
	if (unit < 0xd800 || unit > 0xdfff)
		return p + 5;
	if (unit >= 0xdc00 || s->end - p < 7 || p[5] != '\\' || p[6] != 'u')
		return fail_because(s, p - 1, lone);
	unit = hex4(p + 7, s->end);
	if (unit < 0xdc00 || unit > 0xdfff)
		return fail_because(s, p - 1, lone);
	return p + 11;
}

/* From behind the opening quote to behind the closing one. */
static const byte *scan_string(struct scan *s, const byte *p)
{
	s->escaped = false;
	for (;;) {
		p = skip_plain(p, s->end);
		if (p == s->end)
			return fail(s, p, "the end of a string");
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			if (!(p = scan_escape(s, p + 1)))
				return NULL;
		} else if (*p >= 0x80) {
			size_t length = utf8_sequence(p, (size_t)(s->end - p));
			if (!length)
				return fail(s, p, "UTF-8");
			p += length;
		} else {
			return fail(s, p, "no control character in a string without an escape");
		}
	}
}

static const byte *scan_digits(struct scan *s, const byte *p)
{
	const byte *first = p;

	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	return p > first ? p : fail(s, p, "a digit");
}

static const byte *scan_number(struct scan *s, const byte *p)
{
	if (*p == '-')
		p++;
	if (p < s->end && *p == '0')
		p++;
	else if (!(p = scan_digits(s, p)))
		return NULL;
	if (p < s->end && *p == '.' && !(p = scan_digits(s, p + 1)))
		return NULL;
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		return scan_digits(s, p);
	}
	return p;
}

static const byte *scan_word(struct scan *s, const byte *p, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p + i == s->end || p[i] != (byte)word[i])
			return fail(s, p + i, word);
	return p + n;
}

/* The index is a convenience: where there is no memory for it, or no sense in it, it is given up. */
static void note_member(struct scan *s, struct json_member member)
{
	if (s->index.n == s->index_room) {
		uint32_t room = s->index_room ? s->index_room * 2 : INDEX_FIRST;
		struct json_member *v = room > INDEX_MAX ? NULL : arena_alloc(s->arena, room * sizeof(*v));
		if (!v) {
			s->indexing = false;
			s->index = (struct json_index){ 0 };
			return;
		}
		if (s->index.n)
			memcpy(v, s->index.v, s->index.n * sizeof(*v));
		s->index.v = v;
		s->index_room = room;
	}
	s->index.v[s->index.n++] = member;
}

/* From behind the brace. */
static const byte *scan_object(struct scan *s, const byte *p, int depth)
{
	bool noting = depth == 1 && s->indexing;

	p = skip_space(p, s->end);
	if (p < s->end && *p == '}')
		return p + 1;
	for (;;) {
		if (p == s->end || *p != '"')
			return fail(s, p, "a member's name in double quotes");
		const byte *key = p + 1;
		if (!(p = scan_string(s, key)))
			return NULL;
		const byte *quote = p - 1;
		bool escaped = s->escaped;
		p = skip_space(p, s->end);
		if (p == s->end || *p != ':')
			return fail(s, p, "':'");
		const byte *value = skip_space(p + 1, s->end);
		if (!(p = scan_value(s, value, depth)))
			return NULL;
		if (noting && s->indexing)
			note_member(s, (struct json_member){ span(key, quote), span(value, p), escaped });
		p = skip_space(p, s->end);
		if (p < s->end && *p == '}')
			return p + 1;
		if (p == s->end || *p != ',')
			return fail(s, p, "',' or '}'");
		p = skip_space(p + 1, s->end);
	}
}

/* From behind the bracket. */
static const byte *scan_array(struct scan *s, const byte *p, int depth)
{
	p = skip_space(p, s->end);
	if (p < s->end && *p == ']')
		return p + 1;
	for (;;) {
		if (!(p = scan_value(s, p, depth)))
			return NULL;
		p = skip_space(p, s->end);
		if (p < s->end && *p == ']')
			return p + 1;
		if (p == s->end || *p != ',')
			return fail(s, p, "',' or ']'");
		p = skip_space(p + 1, s->end);
	}
}

/* depth: of what the value stands in; JSON_DEPTH_MAX bounds the recursion. */
static const byte *scan_value(struct scan *s, const byte *p, int depth)
{
	static const char too_deep[] = "more than 128 levels of objects and arrays";
	_Static_assert(JSON_DEPTH_MAX == 128, "the sentence names it");

	if (p == s->end)
		return fail(s, p, "a value");
	switch (*p) {
	case '"':
		return scan_string(s, p + 1);
	case '{':
		return depth == JSON_DEPTH_MAX ? fail_because(s, p, too_deep) : scan_object(s, p + 1, depth + 1);
	case '[':
		return depth == JSON_DEPTH_MAX ? fail_because(s, p, too_deep) : scan_array(s, p + 1, depth + 1);
	case 't':
		return scan_word(s, p, "true", 4);
	case 'f':
		return scan_word(s, p, "false", 5);
	case 'n':
		return scan_word(s, p, "null", 4);
	default:
		return *p == '-' || (*p >= '0' && *p <= '9') ? scan_number(s, p) : fail(s, p, "a value");
	}
}

bool json_scan(struct arena *arena, patchbay_str text, struct patchbay_json *root, struct err *err)
{
	struct scan s = { .start = (const byte *)(text.p ? text.p : ""), .arena = arena, .indexing = true, .err = err };
	const byte *first, *end;

	s.end = s.start + text.n;
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		return fail_because(&s, s.start, "a byte order mark, which JSON must not have");
	first = skip_space(s.start, s.end);
	if (!(end = scan_value(&s, first, 0)))
		return false;
	const byte *rest = skip_space(end, s.end);
	if (rest < s.end)
		return fail(&s, rest, "nothing more, for the value is complete");
	*root = json_value((const char *)first, (size_t)(end - first));
	root->index = s.index;
	return true;
}
