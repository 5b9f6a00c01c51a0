/* message.c - headers and parts of a mail. */
#include "message.h"

#include "encode.h"

#include <string.h>
#include <time.h>

#define LINE 76

/* strftime would follow the locale. */
static void add_date(struct buffer *out, int64_t ns)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(ns / INT64_C(1000000000));
	struct tm tm = { 0 };
	gmtime_r(&seconds, &tm);
	buffer_addf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d +0000\r\n", days + 3 * tm.tm_wday, tm.tm_mday,
		    months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_from(struct buffer *out, const struct mailbox *from)
{
	buffer_add_text(out, "From: ");
	if (from->name.n) {
		size_t start = out->n;
		encode_display_name(out, from->name, strlen("From: "));
		bool long_line = out->n - start + from->address.n + strlen("From:  <>") > LINE;
		buffer_add_text(out, long_line ? "\r\n " : " ");
	}
	buffer_addf(out, "<%.*s>\r\n", (int)from->address.n, from->address.p);
}

/* An address outside of ASCII would make the whole mail an internationalised one, also for those who can have no such
 * mail. It stands as the name of an empty group instead (RFC 6857). */
static void add_to(struct buffer *out, const patchbay_str *to, size_t n)
{
	size_t column = strlen("To:");
	buffer_add_text(out, "To:");
	for (size_t i = 0; i < n; i++) {
		bool ascii = address_is_ascii(to[i]);
		if (i > 0)
			buffer_add_text(out, ",");
		if (i > 0 && (!ascii || column + to[i].n + 2 > LINE)) {
			buffer_add_text(out, "\r\n");
			column = 0;
		}
		buffer_add_text(out, " ");
		if (ascii) {
			buffer_add_str(out, to[i]);
			column += to[i].n + 2;
			continue;
		}
		encode_words(out, to[i], column + 1);
		buffer_add_text(out, " :;");
		column = LINE;
	}
	buffer_add_text(out, "\r\n");
}

static void add_part(struct buffer *out, const char *type, patchbay_str text)
{
	struct buffer lines = { 0 };
	encode_lines(&lines, text);
	enum encoding encoding = encode_choose(buffer_str(&lines));
	buffer_addf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n", type,
		    encode_name(encoding));
	encode_body(out, buffer_str(&lines), encoding);
	out->failed = out->failed || lines.failed;
	buffer_free(&lines);
}

void message_write(struct buffer *out, const struct message *message)
{
	add_date(out, message->date_ns);
	add_from(out, &message->from);
	add_to(out, message->to, message->n_to);
	buffer_add_text(out, "Subject: ");
	encode_header(out, message->subject, strlen("Subject: "));
	buffer_addf(out, "\r\nMessage-ID: <%.*s>\r\n", (int)message->id.n, message->id.p);
	buffer_add_text(out, "Auto-Submitted: auto-generated\r\n");
	for (size_t i = 0; i < message->n_events; i++)
		buffer_addf(out, "X-Patchbay-Event-Id: %.*s\r\n", (int)message->events[i].n, message->events[i].p);
	buffer_add_text(out, "MIME-Version: 1.0\r\n");
	if (message->html.n == 0) {
		add_part(out, "text/plain", message->text);
		return;
	}
	/* No line of a part begins with "--": encode.h sees to it. */
	const char *boundary = message->boundary;
	buffer_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n", boundary, boundary);
	add_part(out, "text/plain", message->text);
	buffer_addf(out, "\r\n--%s\r\n", boundary); /* the first line break is the boundary's own */
	add_part(out, "text/html", message->html);
	buffer_addf(out, "\r\n--%s--\r\n", boundary);
}
