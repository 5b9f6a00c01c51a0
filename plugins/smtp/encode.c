/* encode.c - quoted-printable, base64, and encoded-words in headers. */
#include "encode.h"

#include <patchbay/sugar.h>

#include <string.h>

#define LINE_MAX_SENT 998 /* RFC 5322, without CRLF */
#define LINE 76           /* of headers and encoded bodies */
#define WORD 75           /* an encoded-word, with what is around its text: */
#define WORD_FRAME 12     /* =?utf-8?Q??= */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void encode_lines(struct buffer *out, patchbay_str text)
{
	size_t start = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\r' && text.p[i] != '\n')
			continue;
		buffer_add(out, text.p + start, i - start);
		buffer_add_text(out, "\r\n");
		if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			i++;
		start = i + 1;
	}
	buffer_add(out, text.p + start, text.n - start);
	if (start < text.n)
		buffer_add_text(out, "\r\n");
}

/* ---- Bodies */

/* What some servers on the way, or a mailbox file, would change; and what could be taken for a boundary. */
static bool begins_badly(patchbay_str line)
{
	return line.n && (line.p[0] == '.' || (line.n >= 5 && memcmp(line.p, "From ", 5) == 0) ||
			  (line.n >= 2 && memcmp(line.p, "--", 2) == 0));
}

enum encoding encode_choose(patchbay_str lines)
{
	size_t high = 0, start = 0;
	bool plain = true;
	for (size_t i = 0; i < lines.n; i++) {
		unsigned char c = (unsigned char)lines.p[i];
		if (c == '\n') {
			size_t n = i - start - 1;
			plain = plain && n <= LINE_MAX_SENT && !begins_badly((patchbay_str){ lines.p + start, n });
			start = i + 1;
		} else if (c >= 0x80) {
			high++;
		} else if (c != '\r' && c != '\t' && (c < 0x20 || c == 0x7f)) {
			plain = false;
		}
	}
	if (high == 0)
		return plain ? ENCODING_7BIT : ENCODING_QUOTED_PRINTABLE;
	return high > lines.n / 6 ? ENCODING_BASE64 : ENCODING_QUOTED_PRINTABLE; /* the shorter of both */
}

const char *encode_name(enum encoding encoding)
{
	static const char *const names[] = { "7bit", "quoted-printable", "base64" };
	return names[encoding];
}

static void add_quoted_printable(struct buffer *out, patchbay_str s)
{
	size_t column = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool last = i + 2 < s.n && s.p[i + 1] == '\r' && s.p[i + 2] == '\n';
		last = last || i + 1 == s.n;
		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') {
			buffer_add_text(out, "\r\n");
			column = 0;
			i++;
			continue;
		}
		bool at_start = column == 0;
		bool as_is = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
		if (at_start && as_is)
			as_is = c != '.' && c != 'F' && c != '-';
		size_t width = as_is ? 1 : 3;
		if (column + width > (last ? LINE : LINE - 1)) {
			buffer_add_text(out, "=\r\n");
			column = 0;
			i--; /* again, at the start of a line */
			continue;
		}
		if (as_is)
			buffer_add(out, &s.p[i], 1);
		else
			buffer_addf(out, "=%02X", c);
		column += width;
	}
}

static void add_base64(struct buffer *out, patchbay_str s, size_t line)
{
	size_t column = 0;
	for (size_t i = 0; i < s.n; i += 3) {
		size_t n = s.n - i < 3 ? s.n - i : 3;
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? (unsigned char)s.p[i + k] : 0u);
		char four[4] = { base64_digits[bits >> 18], base64_digits[bits >> 12 & 63],
				 n > 1 ? base64_digits[bits >> 6 & 63] : '=', n > 2 ? base64_digits[bits & 63] : '=' };
		buffer_add(out, four, 4);
		column += 4;
		if (line && (column + 4 > line || i + 3 >= s.n)) {
			buffer_add_text(out, "\r\n");
			column = 0;
		}
	}
}

void encode_body(struct buffer *out, patchbay_str lines, enum encoding encoding)
{
	if (encoding == ENCODING_7BIT)
		buffer_add_str(out, lines);
	else if (encoding == ENCODING_QUOTED_PRINTABLE)
		add_quoted_printable(out, lines);
	else
		add_base64(out, lines, LINE);
}

/* ---- Headers */

/* Stands for itself inside of an encoded-word, wherever that may be (RFC 2047 section 5 (3)). */
static bool is_word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!*+-/", c));
}

static size_t code_point(patchbay_str s, size_t at)
{
	size_t n = 1;
	while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80 && n < 4)
		n++;
	return n;
}

static size_t q_width(patchbay_str s)
{
	size_t width = 0;
	for (size_t i = 0; i < s.n; i++)
		width += is_word_char(s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return width;
}

static void add_q(struct buffer *out, patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_word_char(s.p[i]))
			buffer_add(out, &s.p[i], 1);
		else if (s.p[i] == ' ')
			buffer_add_text(out, "_");
		else
			buffer_addf(out, "=%02X", (unsigned char)s.p[i]);
	}
}

void encode_words(struct buffer *out, patchbay_str text, size_t column)
{
	bool q = q_width(text) <= 2 * text.n; /* as long as it can be read */
	for (size_t at = 0; at < text.n;) {
		size_t room = LINE - column < WORD ? LINE - column : WORD;
		patchbay_str part = { text.p + at, 0 };
		while (at + part.n < text.n) {
			patchbay_str longer = { part.p, part.n + code_point(text, at + part.n) };
			size_t width = q ? q_width(longer) : (longer.n + 2) / 3 * 4;
			if (width + WORD_FRAME > room)
				break;
			part = longer;
		}
		if (part.n == 0) { /* only possible behind a long name of a header */
			buffer_add_text(out, "\r\n ");
			column = 1;
			continue;
		}
		buffer_add_text(out, q ? "=?utf-8?Q?" : "=?utf-8?B?");
		if (q)
			add_q(out, part);
		else
			add_base64(out, part, 0);
		buffer_add_text(out, "?=");
		at += part.n;
		column = 1;
		if (at < text.n)
			buffer_add_text(out, "\r\n ");
	}
}

/* May it stand as it is, folded at its spaces? Text that looks encoded would be decoded. */
static bool is_plain(patchbay_str s, size_t column)
{
	size_t word = 0;
	if (s.n == 0)
		return true;
	if (s.p[0] == ' ' || s.p[s.n - 1] == ' ' || memmem(s.p, s.n, "=?", 2) || memmem(s.p, s.n, "  ", 2))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c >= 0x7f)
			return false;
		word = s.p[i] == ' ' ? 0 : word + 1;
		if (word + column >= LINE)
			return false;
	}
	return true;
}

static void add_folded(struct buffer *out, patchbay_str s, size_t column)
{
	for (size_t i = 0; i < s.n;) {
		size_t end = i + 1; /* with the space in front */
		while (end < s.n && s.p[end] != ' ')
			end++;
		if (i > 0 && column + (end - i) > LINE) {
			buffer_add_text(out, "\r\n");
			column = 0;
		}
		buffer_add(out, s.p + i, end - i);
		column += end - i;
		i = end;
	}
}

void encode_header(struct buffer *out, patchbay_str text, size_t column)
{
	if (is_plain(text, column))
		add_folded(out, text, column);
	else
		encode_words(out, text, column);
}

void encode_display_name(struct buffer *out, patchbay_str name, size_t column)
{
	bool atoms = true;
	for (size_t i = 0; i < name.n; i++)
		atoms = atoms && (is_word_char(name.p[i]) || name.p[i] == ' ');
	if (!is_plain(name, column) || column + name.n + 2 > LINE)
		encode_words(out, name, column);
	else if (atoms)
		buffer_add_str(out, name);
	else
		buffer_addf(out, "\"%.*s\"", (int)name.n, name.p);
}
