/* test_csv_export.c - the real plugin, under a journal that forgets and a clock that jumps. */
#include "csv_rig.h"

#include <patchbay/preview.h>

#include <signal.h>

static int setup(void **state)
{
	*state = rig_open();
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

static void start(struct rig *rig)
{
	assert_int_equal(rig_start(rig), PATCHBAY_OK);
}

static void write_one(struct rig *rig, const char *id)
{
	patchbay_delivery e = event(id, "{\"n\":1,\"text\":\"x\"}");
	assert_int_equal(rig_write(rig, &e, 1), PATCHBAY_OK);
}

/* ---- Rows */

static void rows_are_rfc_4180(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery events[] = {
		event("1", "{\"n\":1744302113019687286,\"text\":\"plain\"}"),
		event("2", "{\"n\":-15.715800000000002,\"text\":\"a,b \\\"c\\\"\\r\\nd\"}"),
		event("3", "{\"n\":null,\"text\":\"\"}"),
		event("4", "{\"n\":{\"a\":[1, \"x\"]},\"text\":\" led\"}"),
		event("5", "{\"n\":true,\"text\":\"nul\\u0000\\u0001\\u007f\"}"),
		event("6", "no json"),
	};
	start(rig);
	assert_int_equal(rig_act(rig, events, 6, true), PATCHBAY_AGAIN);
	assert_false(rig_has(rig, "out.csv")); /* the name comes with the rows */
	assert_int_equal(rig_act(rig, events, 6, true), PATCHBAY_OK);
	assert_file(rig, "out.csv",
		    HEADER "1,1744302113019687286,plain\r\n"
			   "2,-15.715800000000002,\"a,b \"\"c\"\"\r\nd\"\r\n"
			   "3,,\"\"\r\n"
			   "4,\"{\"\"a\"\":[1,\"\"x\"\"]}\",\" led\"\r\n"
			   "5,true,\"nul\xef\xbf\xbd\x01\x7f\"\r\n"
			   "6,,\r\n");
	assert_false(rig_has(rig, "out.csv.tmp"));
	struct stat st;
	assert_int_equal(stat(rig_file(rig, "out.csv"), &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

static void the_excel_profile_has_a_mark_and_line_feeds(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("1", "{\"n\":1,\"text\":\"a\\r\\nb\\rc\\nd\"}");
	rig_enum(rig, "profile", 1);
	start(rig);
	assert_int_equal(rig_write(rig, &e, 1), PATCHBAY_OK);
	assert_file(rig, "out.csv", "\xef\xbb\xbf" HEADER "1,1,\"a\nb\nc\nd\"\r\n");
}

static void formulas_are_guarded_and_numbers_are_not(void **state)
{
	static const struct {
		const char *json, *quote, *tab;
	} table[] = {
		{ "\"=1+1\"", "\"'=1+1\"", "\"\t=1+1\"" },
		{ "\"-7.1 mph/s\"", "\"'-7.1 mph/s\"", "\"\t-7.1 mph/s\"" },
		{ "\"+1 650 555\"", "\"'+1 650 555\"", "\"\t+1 650 555\"" },
		{ "\"@SUM(A1)\"", "\"'@SUM(A1)\"", "\"\t@SUM(A1)\"" },
		{ "\"=cmd|'/C calc'!\\\"A0\\\"\"", "\"'=cmd|'/C calc'!\"\"A0\"\"\"",
		  "\"\t=cmd|'/C calc'!\"\"A0\"\"\"" },
		{ "\"\\t=1\"", "\"'\t=1\"", "\"\t\t=1\"" },
		{ "\"\\r=1\"", "\"'\r=1\"", "\"\t\r=1\"" },
		{ "\"\\n=1\"", "\"'\n=1\"", "\"\t\n=1\"" },
		{ "\"\\u0000=1\"", "\"'\xef\xbf\xbd=1\"", "\"\t\xef\xbf\xbd=1\"" },
		{ "\"\\uff1d1\"",
		  "\"'\xef\xbc\x9d"
		  "1\"",
		  "\"\t\xef\xbc\x9d"
		  "1\"" },
		{ "\"\\uff0b1\"",
		  "\"'\xef\xbc\x8b"
		  "1\"",
		  "\"\t\xef\xbc\x8b"
		  "1\"" },
		{ "\"\\uff0d1\"",
		  "\"'\xef\xbc\x8d"
		  "1\"",
		  "\"\t\xef\xbc\x8d"
		  "1\"" },
		{ "\"\\uff20a\"",
		  "\"'\xef\xbc\xa0"
		  "a\"",
		  "\"\t\xef\xbc\xa0"
		  "a\"" },
		{ "\"-\"", "\"'-\"", "\"\t-\"" },
		{ "\"-5e\"", "\"'-5e\"", "\"\t-5e\"" },
		{ "\"-5.\"", "\"'-5.\"", "\"\t-5.\"" },
		{ "-121.92", "-121.92", "-121.92" },
		{ "\"-121.92\"", "-121.92", "-121.92" },
		{ "\"+4\"", "+4", "+4" },
		{ "\"-1.5E-7\"", "-1.5E-7", "-1.5E-7" },
		{ "\"a=b\"", "a=b", "a=b" },
		{ "\"\"", "\"\"", "\"\"" },
	};
	struct rig *rig = *state;
	static const char *const columns[] = { "v", ".data", NULL };
	rig_columns(rig, columns);
	for (int64_t guard = 0; guard < 3; guard++) {
		rig_enum(rig, "formula_guard", guard);
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			char expected[200];
			patchbay_delivery e = event("1", table[i].json);
			rig_empty_folder(rig);
			rig->checkpoint_n = 0;
			start(rig);
			assert_int_equal(rig_write(rig, &e, 1), PATCHBAY_OK);
			rig_stop(rig);
			snprintf(expected, sizeof(expected), "v\r\n%s\r\n", guard == 0 ? table[i].quote : table[i].tab);
			char *text = rig_read(rig, "out.csv", NULL);
			if (guard < 2 && strcmp(text, expected) != 0 && table[i].json[1] != '\\')
				fail_msg("%s: %s", table[i].json, text);
			if (guard < 2)
				assert_string_equal(text, expected);
			else
				assert_null(strstr(text, "'="));
			free(text);
		}
	}
}

static void an_expression_that_fails_leaves_its_cell_empty(void **state)
{
	struct rig *rig = *state;
	static const char *const columns[] = { "id", ".id", "broken", ".data.text.x", "sum", ".data.text + 1", NULL };
	patchbay_delivery events[12];
	rig_columns(rig, columns);
	for (size_t i = 0; i < 12; i++)
		events[i] = event("e", "{\"text\":\"s\"}");
	start(rig);
	assert_int_equal(rig_write(rig, events, 12), PATCHBAY_OK);
	char *text = rig_read(rig, "out.csv", NULL);
	assert_memory_equal(text, "id,broken,sum\r\ne,,\r\ne,,\r\n", 25);
	free(text);
	size_t warnings = 0;
	for (const char *p = rig->log; (p = strstr(p, "4 column '")); p++)
		warnings++;
	assert_int_equal(warnings, 4); /* the first and the tenth of each */
	assert_non_null(strstr(rig->log, "(10 since the start)"));
}

static void one_empty_column_is_no_empty_line(void **state)
{
	struct rig *rig = *state;
	static const char *const columns[] = { "v", ".data.v", NULL };
	patchbay_delivery e = event("1", "{}");
	rig_columns(rig, columns);
	start(rig);
	assert_int_equal(rig_write(rig, &e, 1), PATCHBAY_OK);
	assert_file(rig, "out.csv", "v\r\n\"\"\r\n");
}

static void without_header_nothing_goes_before_the_rows(void **state)
{
	struct rig *rig = *state;
	*(bool *)rig_option(rig, "header") = false;
	start(rig);
	write_one(rig, "1");
	rig_stop(rig);
	start(rig);
	write_one(rig, "2");
	assert_file(rig, "out.csv", "1,1,x\r\n2,1,x\r\n");
}

/* ---- Files */

static void a_period_ends_even_without_events(void **state)
{
	struct rig *rig = *state;
	rig_path(rig, "a/b/%H%M.csv"); /* folders are made */
	start(rig);
	write_one(rig, "1");
	assert_true(rig_has(rig, "a/b/1200.csv"));
	rig->now_ns += INT64_C(60000000000);
	write_one(rig, "2");
	assert_file(rig, "a/b/1200.csv", HEADER "1,1,x\r\n");
	assert_file(rig, "a/b/1201.csv", HEADER "2,1,x\r\n");
	rig->now_ns -= INT64_C(60000000000); /* the clock went back */
	write_one(rig, "3");
	assert_file(rig, "a/b/1200.csv", HEADER "1,1,x\r\n3,1,x\r\n");
	remove(rig_file(rig, "a/b/1200.csv"));
	remove(rig_file(rig, "a/b/1201.csv"));
	rmdir(rig_file(rig, "a/b"));
	rmdir(rig_file(rig, "a"));
}

static void closed_files_get_their_name_when_they_are_complete(void **state)
{
	struct rig *rig = *state;
	rig_enum(rig, "handover", 1);
	rig_path(rig, "%H%M.csv");
	start(rig);
	write_one(rig, "1");
	assert_false(rig_has(rig, "1200.csv"));
	assert_true(rig_has(rig, "1200.csv.part"));
	rig_idle(rig, true);
	assert_false(rig_has(rig, "1200.csv")); /* not over yet */
	rig_stop(rig);
	start(rig);
	write_one(rig, "2");
	rig->now_ns += INT64_C(60000000000);
	rig_idle(rig, true);
	assert_file(rig, "1200.csv", HEADER "1,1,x\r\n2,1,x\r\n");
	assert_false(rig_has(rig, "1200.csv.part"));
	rig->now_ns -= INT64_C(60000000000);
	write_one(rig, "3"); /* what was handed over is not touched */
	assert_true(rig_has(rig, "1200-2.csv.part"));
	rig->now_ns += INT64_C(60000000000);
	write_one(rig, "4");
	assert_file(rig, "1200-2.csv", HEADER "3,1,x\r\n");
	assert_file(rig, "1201.csv.part", HEADER "4,1,x\r\n");
	rig_put(rig, "1201.csv", "w", "mine", 4); /* the name is taken in the meantime */
	rig->now_ns += INT64_C(60000000000);
	rig_idle(rig, true);
	assert_file(rig, "1201.csv", "mine");
	assert_file(rig, "1201-2.csv", HEADER "4,1,x\r\n");
}

static void what_is_not_ours_is_left_alone(void **state)
{
	struct rig *rig = *state;
	rig_put(rig, "out.csv", "w", "id,name\r\n", 9);
	rig_put(rig, "out-2.csv", "w", "", 0);
	rig_put(rig, "out-3.csv", "w", HEADER "1,1,half", sizeof(HEADER) + 7);
	assert_int_equal(symlink("/etc/passwd", rig_file(rig, "out-4.csv")), 0);
	assert_int_equal(mkfifo(rig_file(rig, "out-5.csv"), 0600), 0);
	start(rig);
	write_one(rig, "1");
	assert_file(rig, "out.csv", "id,name\r\n");
	assert_file(rig, "out-2.csv", "");
	assert_file(rig, "out-6.csv", HEADER "1,1,x\r\n");
	assert_non_null(strstr(rig->log, "out.csv is there already and is not a file of this sink"));
}

static void other_columns_start_another_file(void **state)
{
	struct rig *rig = *state;
	static const char *const columns[] = { "id", ".id", "extra", ".type", NULL };
	start(rig);
	write_one(rig, "1");
	rig_stop(rig);
	rig_columns(rig, columns);
	start(rig);
	write_one(rig, "2");
	assert_file(rig, "out.csv", HEADER "1,1,x\r\n");
	assert_file(rig, "out-2.csv", "id,extra\r\n2,t\r\n");
}

static void a_lost_checkpoint_appends_to_the_file_that_is_there(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("2", "{}");
	start(rig);
	write_one(rig, "1");
	rig_stop(rig);
	rig->checkpoint_n = 0;
	start(rig);
	assert_int_equal(rig_act(rig, &e, 1, true), PATCHBAY_AGAIN);
	assert_int_equal(rig_act(rig, &e, 1, false), PATCHBAY_OK); /* not settled */
	rig_stop(rig);
	start(rig);
	assert_file(rig, "out.csv", HEADER "1,1,x\r\n");
	write_one(rig, "2");
	assert_file(rig, "out.csv", HEADER "1,1,x\r\n2,1,x\r\n");
}

static void moved_away_files_are_begun_anew(void **state)
{
	struct rig *rig = *state;
	char moved[600];
	start(rig);
	write_one(rig, "1");
	snprintf(moved, sizeof(moved), "%s", rig_file(rig, "kept.csv"));
	assert_int_equal(rename(rig_file(rig, "out.csv"), moved), 0);
	write_one(rig, "2");
	assert_file(rig, "kept.csv", HEADER "1,1,x\r\n");
	assert_file(rig, "out.csv", HEADER "2,1,x\r\n");
	assert_non_null(strstr(rig->log, "was moved away"));
	rig_stop(rig);
	snprintf(moved, sizeof(moved), "%s", rig_file(rig, "kept2.csv"));
	assert_int_equal(rename(rig_file(rig, "out.csv"), moved), 0);
	start(rig);
	write_one(rig, "3");
	assert_file(rig, "out.csv", HEADER "3,1,x\r\n");
}

static void shortened_files_go_on_at_their_end(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("2", "{}");
	start(rig);
	write_one(rig, "1");
	rig_stop(rig);
	assert_int_equal(truncate(rig_file(rig, "out.csv"), 14), 0);
	start(rig);
	assert_non_null(strstr(rig->log, "has 14 bytes, but 18 were written"));
	assert_int_equal(rig_act(rig, &e, 1, true), PATCHBAY_AGAIN); /* another offset: durable first */
	assert_int_equal(rig_act(rig, &e, 1, false), PATCHBAY_OK);
	rig_stop(rig);
	start(rig);
	write_one(rig, "2");
	assert_file(rig, "out.csv", HEADER "1,1\r\n2,1,x\r\n");
	assert_int_equal(truncate(rig_file(rig, "out.csv"), 0), 0);
	write_one(rig, "3"); /* emptied while running */
	assert_file(rig, "out.csv", HEADER "3,1,x\r\n");
}

static void two_sinks_never_share_a_file(void **state)
{
	struct rig *a = *state, *b = rig_open();
	patchbay_delivery e = event("2", "{}");
	*(patchbay_str *)rig_option(b, "path") = str_c(a->path);
	start(a);
	start(b);
	assert_int_equal(rig_act(a, &e, 1, true), PATCHBAY_AGAIN);
	assert_int_equal(rig_act(b, &e, 1, true), PATCHBAY_EBADSINK); /* over the name already */
	assert_non_null(strstr(b->why, "another sink or process is writing it"));
	assert_int_equal(rig_act(a, &e, 1, true), PATCHBAY_OK);
	assert_int_equal(rig_act(b, &e, 1, true), PATCHBAY_EBADSINK);
	rig_stop(b);
	memcpy(b->checkpoint, a->checkpoint, a->checkpoint_n);
	b->checkpoint_n = a->checkpoint_n;
	assert_int_equal(rig_start(b), PATCHBAY_ELIMIT); /* taken over from a process that still lives */
	rig_stop(a);
	assert_int_equal(rig_resume(b), PATCHBAY_OK);
	write_one(b, "3");
	rig_close(b);
}

static void what_a_person_must_mend_is_said(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery e = event("1", "{}");
	rig_put(rig, "file", "w", "", 0);
	rig_path(rig, "file/below/out.csv");
	start(rig);
	assert_int_equal(rig_write(rig, &e, 1), PATCHBAY_EBADSINK);
	assert_non_null(strstr(rig->why, "cannot make the folder of "));
	assert_non_null(strstr(rig->why, "Not a directory"));
	rig_stop(rig);
	rig->checkpoint_n = (size_t)snprintf(rig->checkpoint, sizeof(rig->checkpoint), "v2 something new");
	assert_int_equal(rig_start(rig), PATCHBAY_ELIMIT);
	assert_non_null(strstr(rig->why, "run the version that wrote it"));
}

static patchbay_status check(struct rig *rig)
{
	call_begin(&rig->call, 0);
	patchbay_status status = rig->plugin->sink->check(&rig->host, &rig->call, rig->options);
	rig_keep_why(rig, rig->call.why);
	return status;
}

static void options_are_checked(void **state)
{
	static const char *const twice[] = { "id", ".id", "id", ".type", NULL };
	struct rig *rig = *state;
	char longest[4000];
	assert_int_equal(check(rig), PATCHBAY_OK);
	assert_string_equal(rig->why, "");
	rig_enum(rig, "handover", 1);
	assert_int_equal(check(rig), PATCHBAY_ECONFIG);
	assert_non_null(strstr(rig->why, "put a date"));
	rig_path(rig, "%Y.csv");
	assert_int_equal(check(rig), PATCHBAY_OK);
	rig_path(rig, "folder/");
	assert_int_equal(check(rig), PATCHBAY_ECONFIG);
	memset(longest, 'x', sizeof(longest));
	*(patchbay_str *)rig_option(rig, "path") = (patchbay_str){ longest, sizeof(longest) };
	assert_int_equal(check(rig), PATCHBAY_ECONFIG);
	rig_path(rig, "here-%Y.csv");
	rig_columns(rig, twice);
	assert_int_equal(check(rig), PATCHBAY_ECONFIG);
	assert_non_null(strstr(rig->why, "two are called 'id'"));
}

/* ---- A full disk */

static void a_full_disk_leaves_no_half_row(void **state)
{
	struct rig *rig = *state;
	patchbay_delivery events[] = { event("2", "{\"n\":2,\"text\":\"long enough\"}"),
				       event("3", "{\"n\":3,\"text\":\"x\"}") };
	signal(SIGXFSZ, SIG_IGN);
	start(rig);
	limit_file_size(5);
	assert_int_equal(rig_write(rig, events, 1), PATCHBAY_RETRY);
	assert_non_null(strstr(rig->why, "no row is lost"));
	assert_false(rig_has(rig, "out.csv"));
	limit_file_size(RLIM_INFINITY);
	write_one(rig, "1");
	for (rlim_t room = 18; room < 18 + 20; room++) {
		limit_file_size(room);
		assert_int_equal(rig_act(rig, events, 2, true), PATCHBAY_RETRY);
		limit_file_size(RLIM_INFINITY);
		assert_file(rig, "out.csv", HEADER "1,1,x\r\n");
	}
	assert_int_equal(rig_act(rig, events, 2, true), PATCHBAY_OK);
	assert_file(rig, "out.csv", HEADER "1,1,x\r\n2,2,long enough\r\n3,3,x\r\n");
	signal(SIGXFSZ, SIG_DFL);
}

static void a_preview_is_the_row_with_nothing_written(void **state)
{
	static const char *const columns[] = { "id",      ".id", "v \"1\"",       ".data.v", "w",
					       ".data.w", "bad", ".data | error", NULL };
	struct rig *rig = *state;
	patchbay_delivery e = event("1", "{\"v\":\"=1,\\\"\\n\u00e4\",\"w\":12345678901234567890}");
	const patchbay_delivery *events[] = { &e };
	char names[4][256];
	patchbay_str out;
	rig_columns(rig, columns);
	start(rig);
	const patchbay_preview *preview = rig->plugin->sink->extension(PATCHBAY_PREVIEW);
	assert_null(rig->plugin->sink->extension("patchbay.other/1"));
	call_begin(&rig->call, 0);
	assert_int_equal(preview->preview(rig->self, &rig->call, events, 1, &out), PATCHBAY_OK);
	if (!str_is(out, "{\"columns\":{\"id\":\"1\",\"v \\\"1\\\"\":\"=1,\\\"\\u000a\u00e4\",\"w\":"
			 "\"12345678901234567890\",\"bad\":\"\"},\"row\":\"1,\\\"'=1,\\\"\\\"\\u000a\u00e4\\\","
			 "12345678901234567890,\"}"))
		fail_msg("%.*s", STR_ARG(out));
	assert_int_equal(rig_list(rig, names, 4), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(rows_are_rfc_4180),
		T(the_excel_profile_has_a_mark_and_line_feeds),
		T(formulas_are_guarded_and_numbers_are_not),
		T(a_preview_is_the_row_with_nothing_written),
		T(an_expression_that_fails_leaves_its_cell_empty),
		T(one_empty_column_is_no_empty_line),
		T(without_header_nothing_goes_before_the_rows),
		T(a_period_ends_even_without_events),
		T(closed_files_get_their_name_when_they_are_complete),
		T(what_is_not_ours_is_left_alone),
		T(other_columns_start_another_file),
		T(a_lost_checkpoint_appends_to_the_file_that_is_there),
		T(moved_away_files_are_begun_anew),
		T(shortened_files_go_on_at_their_end),
		T(two_sinks_never_share_a_file),
		T(what_a_person_must_mend_is_said),
		T(options_are_checked),
		T(a_full_disk_leaves_no_half_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
