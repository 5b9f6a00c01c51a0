/* What a session may do next, and what an answer means. */
#include "../../plugins/smtp/reply.c"
#include "../../plugins/smtp/watch.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* "C: ..." a command, "S: ..." a line of the server, "P:" the mail is about to begin. False: it hung up. */
static bool play(struct watch *w, const char *const *lines)
{
	for (; *lines; lines++) {
		char line[200];
		int n = snprintf(line, sizeof(line), "%s\r\n", *lines + 3);
		if ((*lines)[0] == 'C')
			watch_sent(w, line, (size_t)n);
		else if ((*lines)[0] == 'S' && !watch_line(w, line, (size_t)n))
			return false;
		else if ((*lines)[0] == 'P' && !watch_may_mail(w))
			return false;
	}
	return true;
}

#define PLAY(w, ...) play(w, (const char *const[]){ __VA_ARGS__, NULL })

static struct watch with_login(bool tls)
{
	struct watch w = { .need_tls = true, .need_login = true, .mechanisms = "PLAIN LOGIN" };
	watch_connected(&w, tls);
	watch_begin(&w);
	return w;
}

static void lets_a_good_session_pass(void **state)
{
	struct watch w = with_login(false);
	(void)state;
	assert_true(PLAY(&w, "S: 220 mx ESMTP", "C: EHLO me", "S: 250-mx", "S: 250 STARTTLS", "C: STARTTLS",
			 "S: 220 go", "C: EHLO me", "S: 250-mx", "S: 250-SIZE 10", "S: 250 AUTH LOGIN PLAIN",
			 "C: AUTH PLAIN", "S: 334 ", "C: AGEAYg==", "S: 235 ok", "P: ", "C: MAIL FROM:<a@b>",
			 "S: 250 ok", "C: RCPT TO:<c@d>", "S: 250 ok", "C: DATA", "S: 354 go"));
	assert_int_equal(w.stage, STAGE_BODY);
	assert_true(PLAY(&w, "S: 250 2.0.0 queued"));
	watch_begin(&w); /* the next mail, on the same connection */
	assert_true(PLAY(&w, "P: ", "C: MAIL FROM:<a@b>"));
}

static void hangs_up_without_starttls(void **state)
{
	struct watch w = with_login(false);
	(void)state;
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-mx", "S: 250 AUTH PLAIN"));
	assert_int_equal(w.objection, OBJECTION_NO_STARTTLS);
}

static void an_offer_from_before_tls_does_not_count(void **state)
{
	struct watch w = with_login(false);
	(void)state;
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-mx", "S: 250-AUTH PLAIN", "S: 250 STARTTLS",
			  "C: STARTTLS", "S: 220 go", "C: EHLO me", "S: 250 mx"));
	assert_int_equal(w.objection, OBJECTION_NO_AUTH);
}

static void hangs_up_without_a_known_way_to_log_in(void **state)
{
	(void)state;
	struct watch w = with_login(true);
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-mx", "S: 250 AUTH GSSAPI NTLM XPLAIN"));
	assert_int_equal(w.objection, OBJECTION_NO_AUTH);
	w = with_login(true);
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-PLAIN", "S: 250 SIZE PLAIN"));
	w = with_login(true); /* the server's name is no offer */
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-AUTH PLAIN", "S: 250 HELP"));
	w = with_login(true); /* the old greeting offers nothing */
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 502 what?", "C: HELO me", "S: 250 mx"));
	assert_int_equal(w.objection, OBJECTION_NO_AUTH);
}

static void no_mail_without_having_logged_in(void **state)
{
	struct watch w = with_login(true);
	(void)state;
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-mx", "S: 250 AUTH PLAIN", "P: "));
	assert_int_equal(w.objection, OBJECTION_NO_LOGIN);
	watch_connected(&w, true); /* nor does a login count for another connection */
	w.login = true;
	watch_connected(&w, true);
	assert_false(PLAY(&w, "P: "));
}

static void smtputf8_is_asked_of_those_who_need_it(void **state)
{
	struct watch w = { .need_utf8 = true, .mechanisms = "" };
	(void)state;
	watch_connected(&w, true);
	assert_false(PLAY(&w, "S: 220 mx", "C: EHLO me", "S: 250-mx", "S: 250 SIZE", "P: "));
	assert_int_equal(w.objection, OBJECTION_NO_SMTPUTF8);
	watch_begin(&w);
	assert_true(PLAY(&w, "C: EHLO me", "S: 250-mx", "S: 250 smtputf8", "P: "));
}

static void keeps_the_last_answer(void **state)
{
	struct watch w = { .mechanisms = "" };
	(void)state;
	watch_connected(&w, true);
	PLAY(&w, "S: 220 mx", "C: RCPT TO:<a@b>", "S: 550-5.1.1 no", "S: 550 such\x07 user \xc3\xa9", "C: QUIT",
	     "S: 221 bye");
	assert_int_equal(w.stage, STAGE_RCPT);
	assert_int_equal(w.code, 550);
	assert_string_equal(w.text, "5.1.1 no such? user ??");
	assert_false(w.in_reply);
	watch_begin(&w);
	PLAY(&w, "C: MAIL FROM:<a@b>", "S: 550-half of an answer");
	assert_true(w.in_reply);
	for (int i = 0; i < 100; i++)
		PLAY(&w, "S: 550-a server that does not know when to stop talking");
	assert_int_equal(strlen(w.text), WATCH_TEXT_MAX);
	assert_true(PLAY(&w, "S: x", "S: ", "S: abc def"));
}

static void answers_mean(void **state)
{
	(void)state;
	static const struct {
		enum stage stage;
		int code;
		patchbay_status status;
	} cases[] = {
		{ STAGE_GREETING, 421, PATCHBAY_DOWN },     { STAGE_GREETING, 450, PATCHBAY_DOWN },
		{ STAGE_GREETING, 554, PATCHBAY_EBADSINK }, { STAGE_EHLO, 421, PATCHBAY_DOWN },
		{ STAGE_EHLO, 501, PATCHBAY_EBADSINK },     { STAGE_STARTTLS, 454, PATCHBAY_DOWN },
		{ STAGE_AUTH, 454, PATCHBAY_DOWN },         { STAGE_AUTH, 535, PATCHBAY_EBADSINK },
		{ STAGE_AUTH, 534, PATCHBAY_EBADSINK },     { STAGE_MAIL, 530, PATCHBAY_EBADSINK },
		{ STAGE_MAIL, 451, PATCHBAY_DOWN },         { STAGE_MAIL, 552, PATCHBAY_EBADEVENT },
		{ STAGE_MAIL, 550, PATCHBAY_EBADSINK },     { STAGE_RCPT, 421, PATCHBAY_DOWN },
		{ STAGE_RCPT, 450, PATCHBAY_RETRY },        { STAGE_RCPT, 451, PATCHBAY_RETRY },
		{ STAGE_RCPT, 452, PATCHBAY_RETRY },        { STAGE_RCPT, 552, PATCHBAY_RETRY },
		{ STAGE_RCPT, 550, PATCHBAY_EBADEVENT },    { STAGE_RCPT, 551, PATCHBAY_EBADEVENT },
		{ STAGE_RCPT, 553, PATCHBAY_EBADEVENT },    { STAGE_RCPT, 504, PATCHBAY_EBADEVENT },
		{ STAGE_RCPT, 530, PATCHBAY_EBADSINK },     { STAGE_DATA, 451, PATCHBAY_RETRY },
		{ STAGE_DATA, 503, PATCHBAY_EBADSINK },     { STAGE_DATA, 554, PATCHBAY_EBADEVENT },
		{ STAGE_BODY, 421, PATCHBAY_DOWN },         { STAGE_BODY, 451, PATCHBAY_RETRY },
		{ STAGE_BODY, 452, PATCHBAY_RETRY },        { STAGE_BODY, 552, PATCHBAY_EBADEVENT },
		{ STAGE_BODY, 554, PATCHBAY_EBADEVENT },    { STAGE_BODY, 550, PATCHBAY_EBADEVENT },
		{ STAGE_BODY, 251, PATCHBAY_OK },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (reply_status(cases[i].stage, cases[i].code) != cases[i].status)
			fail_msg("%d to %s", cases[i].code, reply_stage_name(cases[i].stage));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_a_good_session_pass),
		cmocka_unit_test(hangs_up_without_starttls),
		cmocka_unit_test(an_offer_from_before_tls_does_not_count),
		cmocka_unit_test(hangs_up_without_a_known_way_to_log_in),
		cmocka_unit_test(no_mail_without_having_logged_in),
		cmocka_unit_test(smtputf8_is_asked_of_those_who_need_it),
		cmocka_unit_test(keeps_the_last_answer),
		cmocka_unit_test(answers_mean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
