/* A mail, byte by byte. */
#include "../../plugins/smtp/address.c"
#include "../../plugins/smtp/buffer.c"
#include "../../plugins/smtp/encode.c"
#undef LINE
#include "../../plugins/smtp/message.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOON_NS (INT64_C(1763812800) * 1000000000) /* Sat, 22 Nov 2025 12:00:00 */

static const char *text_of(struct buffer *b)
{
	buffer_add(b, "", 1);
	assert_false(b->failed);
	return b->p;
}

static void assert_header(const char *text, const char *expected)
{
	struct buffer b = { 0 };
	encode_header(&b, patchbay_cstr(text), strlen("Subject: "));
	assert_string_equal(text_of(&b), expected);
	buffer_free(&b);
}

static void assert_body(const char *text, enum encoding encoding, const char *expected)
{
	struct buffer lines = { 0 }, b = { 0 };
	encode_lines(&lines, patchbay_cstr(text));
	assert_int_equal(encode_choose(buffer_str(&lines)), encoding);
	encode_body(&b, buffer_str(&lines), encoding);
	assert_string_equal(text_of(&b), expected);
	buffer_free(&b);
	buffer_free(&lines);
}

/* What every mail must be, whatever is in it: seven bits, CRLF only, short lines, nothing on them that ends the mail.
 */
static void assert_fit(patchbay_str mail, size_t longest)
{
	size_t start = 0;
	for (size_t i = 0; i < mail.n; i++) {
		unsigned char c = (unsigned char)mail.p[i];
		assert_true(c < 0x80 && c != 0);
		if (c == '\r')
			assert_true(i + 1 < mail.n && mail.p[i + 1] == '\n');
		if (c != '\n')
			continue;
		assert_true(i > 0 && mail.p[i - 1] == '\r');
		assert_true(i - 1 - start <= longest);
		assert_true(mail.p[start] != '.');
		start = i + 1;
	}
	assert_int_equal(start, mail.n);
}

static void plain_subjects_stand_as_they_are(void **state)
{
	(void)state;
	assert_header("", "");
	assert_header("Hard brake: vehicle T123", "Hard brake: vehicle T123");
	assert_header("a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 again",
		      "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7\r\n 8 9 again");
}

static void other_subjects_become_encoded_words(void **state)
{
	(void)state;
	assert_header("h\xc3\xa9llo w\xc3\xb6rld, said Ann", "=?utf-8?Q?h=C3=A9llo_w=C3=B6rld=2C_said_Ann?=");
	assert_header("\xe4\xbd\xa0\xe5\xa5\xbd", "=?utf-8?B?5L2g5aW9?=");
	/* what looks encoded would be decoded */
	assert_header("=?utf-8?Q?free_money?=", "=?utf-8?Q?=3D=3Futf-8=3FQ=3Ffree=5Fmoney=3F=3D?=");
	assert_header(" a", "=?utf-8?Q?_a?=");
	assert_header("a\tb", "=?utf-8?Q?a=09b?=");
	assert_header("\x1b[31m", "=?utf-8?Q?=1B=5B31m?=");
}

static void encoded_words_are_short_and_whole(void **state)
{
	(void)state;
	static const char *const points[] = { "x", "\xc3\xa9", "\xe4\xbd\xa0", "\xf0\x9f\x9a\x9a", " " };
	unsigned seed = 7;
	for (size_t n = 1; n < 300; n++) {
		struct buffer text = { 0 }, b = { 0 };
		for (size_t i = 0; i < n; i++, seed = seed * 1103515245 + 12345)
			buffer_add_text(&text, points[(seed >> 16) % (n % 2 ? 5 : 2)]);
		buffer_add_text(&text, "\xc3\xa9");
		encode_header(&b, buffer_str(&text), strlen("Subject: "));
		size_t column = strlen("Subject: ");
		for (char *word = b.p; *word;) {
			char *end = memmem(word, b.n - (size_t)(word - b.p), "?=\r\n ", 5);
			size_t length = end ? (size_t)(end - word) + 2 : b.n - (size_t)(word - b.p);
			assert_memory_equal(word, "=?utf-8?", 8);
			assert_true(length <= 75 && column + length <= 76);
			/* no word begins in the middle of a character */
			if (word[8] == 'Q' && word[10] == '=')
				assert_true((strtoul((char[]){ word[11], word[12], 0 }, NULL, 16) & 0xc0) != 0x80);
			if (!end)
				break;
			word = end + 5;
			column = 1;
		}
		buffer_free(&text);
		buffer_free(&b);
	}
}

static void bodies_get_the_encoding_that_fits(void **state)
{
	(void)state;
	assert_body("", ENCODING_7BIT, "");
	assert_body("Plain.\nLines", ENCODING_7BIT, "Plain.\r\nLines\r\n");
	assert_body("caf\xc3\xa9 = good \nend", ENCODING_QUOTED_PRINTABLE, "caf=C3=A9 =3D good=20\r\nend\r\n");
	assert_body("\xe4\xbd\xa0\xe5\xa5\xbd", ENCODING_BASE64, "5L2g5aW9DQo=\r\n");
}

static void every_line_break_becomes_crlf(void **state)
{
	(void)state;
	assert_body("a\nb\rc\r\nd\n\re", ENCODING_7BIT, "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n");
}

static void nothing_in_a_body_ends_the_mail_or_a_part(void **state)
{
	(void)state;
	assert_body("a\n.\nQUIT\n", ENCODING_QUOTED_PRINTABLE, "a\r\n=2E\r\nQUIT\r\n");
	assert_body("a\r\n.\r\nMAIL FROM:<x>", ENCODING_QUOTED_PRINTABLE, "a\r\n=2E\r\nMAIL FROM:<x>\r\n");
	assert_body("--abc\n", ENCODING_QUOTED_PRINTABLE, "=2D-abc\r\n");
	assert_body("From here on\n", ENCODING_QUOTED_PRINTABLE, "=46rom here on\r\n");
}

static void long_lines_are_broken_softly(void **state)
{
	char text[2000];
	struct buffer lines = { 0 }, b = { 0 };
	(void)state;
	memset(text, 'x', sizeof(text));
	memset(text + 75, '.', 10); /* where the breaks fall */
	encode_lines(&lines, (patchbay_str){ text, sizeof(text) });
	assert_int_equal(encode_choose(buffer_str(&lines)), ENCODING_QUOTED_PRINTABLE);
	encode_body(&b, buffer_str(&lines), ENCODING_QUOTED_PRINTABLE);
	assert_fit(buffer_str(&b), 76);
	assert_true(b.n >= 2000 + 2000 / 76 * 3);
	buffer_free(&lines);
	buffer_free(&b);
	encode_lines(&lines, (patchbay_str){ text, 75 });
	buffer_add_text(&lines, "");
	assert_int_equal(encode_choose(buffer_str(&lines)), ENCODING_7BIT);
	buffer_free(&lines);
}

static void any_bytes_make_a_fit_body(void **state)
{
	unsigned seed = 11;
	(void)state;
	for (size_t round = 0; round < 500; round++) {
		struct buffer text = { 0 }, lines = { 0 }, b = { 0 };
		unsigned kinds = 1 + round % 6;
		for (size_t i = 0; i < round; i++, seed = seed * 1103515245 + 12345) {
			static const char *const parts[] = { "word ", "\n", ".", "\r", "\xc3\xa9", "=\t" };
			buffer_add_text(&text, parts[(seed >> 16) % kinds]);
		}
		encode_lines(&lines, buffer_str(&text));
		enum encoding encoding = encode_choose(buffer_str(&lines));
		encode_body(&b, buffer_str(&lines), encoding);
		assert_fit(buffer_str(&b), encoding == ENCODING_7BIT ? 998 : 76);
		buffer_free(&text);
		buffer_free(&lines);
		buffer_free(&b);
	}
}

static struct message a_message(void)
{
	static const patchbay_str to[] = { { "desk@example.edu", 16 } }, ids[] = { { "0193-ab", 7 } };
	return (struct message){ .from = { { "", 0 }, PATCHBAY_S("fleet@example.edu") },
				 .to = to,
				 .n_to = 1,
				 .subject = PATCHBAY_S("Hard brake"),
				 .text = PATCHBAY_S("Slow down.\n"),
				 .html = { "", 0 },
				 .id = PATCHBAY_S("0193-ab.77@example.edu"),
				 .events = ids,
				 .n_events = 1,
				 .date_ns = NOON_NS,
				 .boundary = "0123456789abcdef0123456789abcdef" };
}

static void a_whole_mail(void **state)
{
	struct message m = a_message();
	struct buffer b = { 0 };
	(void)state;
	message_write(&b, &m);
	assert_string_equal(text_of(&b), "Date: Sat, 22 Nov 2025 12:00:00 +0000\r\n"
					 "From: <fleet@example.edu>\r\n"
					 "To: desk@example.edu\r\n"
					 "Subject: Hard brake\r\n"
					 "Message-ID: <0193-ab.77@example.edu>\r\n"
					 "Auto-Submitted: auto-generated\r\n"
					 "X-Patchbay-Event-Id: 0193-ab\r\n"
					 "MIME-Version: 1.0\r\n"
					 "Content-Type: text/plain; charset=utf-8\r\n"
					 "Content-Transfer-Encoding: 7bit\r\n"
					 "\r\n"
					 "Slow down.\r\n");
	buffer_free(&b);
}

static void with_html_it_has_two_parts(void **state)
{
	struct message m = a_message();
	struct buffer b = { 0 };
	(void)state;
	m.html = PATCHBAY_S("<p>Slow down.</p>\n--0123456789abcdef0123456789abcdef--\n");
	message_write(&b, &m);
	assert_non_null(strstr(text_of(&b), "MIME-Version: 1.0\r\n"
					    "Content-Type: multipart/alternative; "
					    "boundary=\"0123456789abcdef0123456789abcdef\"\r\n"
					    "\r\n"
					    "--0123456789abcdef0123456789abcdef\r\n"
					    "Content-Type: text/plain; charset=utf-8\r\n"
					    "Content-Transfer-Encoding: 7bit\r\n"
					    "\r\n"
					    "Slow down.\r\n\r\n"
					    "--0123456789abcdef0123456789abcdef\r\n"
					    "Content-Type: text/html; charset=utf-8\r\n"
					    "Content-Transfer-Encoding: quoted-printable\r\n"
					    "\r\n"
					    "<p>Slow down.</p>\r\n"
					    "=2D-0123456789abcdef0123456789abcdef--\r\n\r\n"
					    "--0123456789abcdef0123456789abcdef--\r\n"));
	buffer_free(&b);
}

static const char *from_line(const char *name, struct buffer *b)
{
	struct message m = a_message();
	m.from.name = patchbay_cstr(name);
	message_write(b, &m);
	char *line = strstr(b->p, "From: "), *end = strstr(line, "\r\nTo: ");
	*end = '\0';
	return line;
}

static void names_are_quoted_or_encoded(void **state)
{
	struct buffer b = { 0 };
	(void)state;
	assert_string_equal(from_line("Fleet desk", &b), "From: Fleet desk <fleet@example.edu>");
	buffer_clear(&b);
	assert_string_equal(from_line("Desk, Fleet", &b), "From: \"Desk, Fleet\" <fleet@example.edu>");
	buffer_clear(&b);
	assert_string_equal(from_line("Fl\xc3\xb6tte", &b), "From: =?utf-8?Q?Fl=C3=B6tte?= <fleet@example.edu>");
	buffer_free(&b);
}

static void many_recipients_are_folded(void **state)
{
	patchbay_str to[30];
	struct message m = a_message();
	struct buffer b = { 0 };
	(void)state;
	for (size_t i = 0; i < 30; i++)
		to[i] = i == 7 ? PATCHBAY_S("j\xc3\xb6rg@example.edu") : PATCHBAY_S("somebody.else@mail.example.edu");
	m.to = to;
	m.n_to = 30;
	message_write(&b, &m);
	assert_fit(buffer_str(&b), 78);
	/* as the name of an empty group: no address outside of ASCII in a mail of seven bits */
	assert_non_null(memmem(b.p, b.n, "=?utf-8?Q?j=C3=B6rg=40example=2Eedu?= :;", 40));
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_subjects_stand_as_they_are),
		cmocka_unit_test(other_subjects_become_encoded_words),
		cmocka_unit_test(encoded_words_are_short_and_whole),
		cmocka_unit_test(bodies_get_the_encoding_that_fits),
		cmocka_unit_test(every_line_break_becomes_crlf),
		cmocka_unit_test(nothing_in_a_body_ends_the_mail_or_a_part),
		cmocka_unit_test(long_lines_are_broken_softly),
		cmocka_unit_test(any_bytes_make_a_fit_body),
		cmocka_unit_test(a_whole_mail),
		cmocka_unit_test(with_html_it_has_two_parts),
		cmocka_unit_test(names_are_quoted_or_encoded),
		cmocka_unit_test(many_recipients_are_folded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
