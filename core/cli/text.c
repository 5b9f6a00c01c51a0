/* text.c - see text.h. */
#include "cli/text.h"

#include "base/call.h"
#include "base/clock.h"
#include "base/json.h"


/* The length of the UTF-8 character at p, 0 if there is none or it is a control character. */
static size_t printable(const unsigned char *p, size_t n)
{
	size_t len = *p < 0x80                 ? 1
		     : *p >= 0xC2 && *p < 0xE0 ? 2
		     : *p >= 0xE0 && *p < 0xF0 ? 3
		     : *p >= 0xF0 && *p < 0xF5 ? 4
					       : 0;
	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	if (len == 1)
		return *p >= 0x20 && *p != 0x7F;
	if (len == 2 && *p == 0xC2 && p[1] < 0xA0) /* U+0080 to U+009F */
		return 0;
	if (len == 3 && ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))) /* overlong, surrogate */
		return 0;
	if (len == 3 && p[0] == 0xE2 &&
	    ((p[1] == 0x80 && (p[2] & 0xFC) >= 0xA8 && p[2] <= 0xAE) ||
	     (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9))) /* line ends, turning text around */
		return 0;
	return len == 4 && ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)) ? 0 : len;
}

void text_add_clean(struct buf *out, patchbay_str s)
{
	for (size_t i = 0; i < s.n;) {
		size_t len = printable((const unsigned char *)s.p + i, s.n - i);
		if (len)
			buf_add(out, s.p + i, len);
		else
			buf_add(out, "?", 1);
		i += len ? len : 1;
	}
}

void text_print(FILE *f, patchbay_str s)
{
	struct buf out = { 0 };
	text_add_clean(&out, s);
	fwrite(out.p, 1, out.n, f);
	buf_free(&out);
}

void text_print_column(FILE *f, patchbay_str s, size_t width)
{
	struct buf out = { 0 };
	size_t characters = 0;
	text_add_clean(&out, s);
	for (size_t i = 0; i < out.n; i++)
		characters += ((unsigned char)out.p[i] & 0xC0) != 0x80;
	buf_addf(&out, "%*s", characters < width ? (int)(width - characters) + 1 : 1, "");
	fwrite(out.p, 1, out.n, f);
	buf_free(&out);
}

const char *text_time(int64_t wall_ns, char out[TEXT_TIME_SIZE])
{
	char iso[CLOCK_ISO_SIZE];
	clock_format_iso(wall_ns - wall_ns % NS_PER_S, iso);
	snprintf(out, TEXT_TIME_SIZE, "%.19s.%03dZ", iso, (int)(wall_ns % NS_PER_S / NS_PER_MS));
	return out;
}

bool text_is_json(patchbay_str s)
{
	patchbay_call call;
	call_init(&call, 0);
	call_begin(&call, 0);
	bool is = json_parse(&call, s) != NULL;
	call_fini(&call);
	return is;
}

static void new_line(struct buf *out, size_t indent)
{
	buf_addf(out, "\n%*s", (int)indent, "");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the string that begins at i. */
static size_t string_end(patchbay_str s, size_t i)
{
	for (i++; i < s.n && s.p[i] != '"'; i++)
		i += s.p[i] == '\\';
	return i < s.n ? i + 1 : s.n;
}

static void add_indented(struct buf *out, patchbay_str s, size_t indent)
{
	size_t depth = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (is_space(c))
			continue;
		if (c == '"') {
			size_t end = string_end(s, i);
			text_add_clean(out, (patchbay_str){ s.p + i, end - i });
			i = end - 1;
		} else if (c == '{' || c == '[') {
			size_t next = i + 1;
			while (next < s.n && is_space(s.p[next]))
				next++;
			buf_add(out, &c, 1);
			if (next < s.n && (s.p[next] == '}' || s.p[next] == ']')) {
				buf_add(out, &s.p[next], 1);
				i = next;
			} else {
				new_line(out, indent + 2 * ++depth);
			}
		} else if (c == '}' || c == ']') {
			new_line(out, indent + 2 * --depth);
			buf_add(out, &c, 1);
		} else if (c == ',') {
			buf_add(out, ",", 1);
			new_line(out, indent + 2 * depth);
		} else {
			buf_add(out, c == ':' ? ": " : &c, c == ':' ? 2 : 1);
		}
	}
}

void text_print_json(FILE *f, patchbay_str s, int indent)
{
	struct buf out = { 0 };
	buf_addf(&out, "%*s", indent, "");
	if (text_is_json(s))
		add_indented(&out, s, (size_t)indent);
	else
		text_add_clean(&out, s);
	buf_add(&out, "\n", 1);
	fwrite(out.p, 1, out.n, f);
	buf_free(&out);
}
