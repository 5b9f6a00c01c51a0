/* test_gather.c - what is found out about one event: also about one that is held until its details are there, by the
 * beginning of its id, and about a request in the quarantine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "cli/find.h"
#include "cli/show.h"
#include "temp_dir.h"

#include <stdlib.h>

struct rig {
	char *dir;
	struct journal *journal; /* the daemon's */
	int64_t now_ns;
	char routes[300];
};

static void decided(void *ctx, struct journal_ticket *list)
{
	(void)ctx;
	(void)list;
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char journal[280];
	struct err err = { 0 };
	rig->dir = temp_dir_make();
	rig->now_ns = clock_wall_ns();
	snprintf(journal, sizeof(journal), "%s/journal", rig->dir);
	snprintf(rig->routes, sizeof(rig->routes), "%s/routes.yaml", rig->dir);
	FILE *f = fopen(rig->routes, "w");
	fprintf(f,
		"listen: 127.0.0.1:0\njournal: %s\nplugins: [%s]\n"
		"sources: {campus: {plugin: lms}}\n"
		"sinks: {audit: {plugin: csv-export, path: %s/audit.csv, columns: [id]}}\n"
		"routes:\n"
		"  - {when: .details.grade > 3, to: audit}\n",
		journal, PLUGIN_DIR, rig->dir);
	fclose(f);
	struct journal_options options = { .path = journal,
					   .retention_age_ms = 86400000,
					   .retention_bytes = 1 << 30,
					   .quarantine_bytes = 1 << 20,
					   .dedupe_window_ms = 86400000,
					   .decided = decided };
	rig->journal = journal_open(&options, &err);
	if (!rig->journal)
		fail_msg("%s", err.text);
	struct journal_sink sink = { 0 };
	assert_int_equal(journal_sink_open(rig->journal, "audit", &sink, &err), 0);
	free((void *)(uintptr_t)sink.checkpoint.p);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	journal_close(rig->journal);
	temp_dir_remove(rig->dir);
	free(rig);
	return 0;
}

static void append(struct rig *rig, const struct journal_record *record)
{
	struct journal_ticket ticket = { .n = 1 };
	struct err err = { 0 };
	journal_encode(&ticket.records, record);
	if (journal_append_wait(rig->journal, &ticket, &err) != 0)
		fail_msg("%s", err.text);
	buf_free(&ticket.records);
}

static struct journal_record event(struct rig *rig, int flags)
{
	return (struct journal_record){ .id = id_new(rig->now_ns),
					.kind = JOURNAL_EVENT,
					.flags = (uint8_t)flags,
					.received_ns = rig->now_ns,
					.source = STR("campus"),
					.plugin = STR("lms"),
					.type = STR("grade"),
					.subject = STR("student 1"),
					.key = STR("k1"),
					.client = STR("127.0.0.1"),
					.note = STR("address allowed"),
					.data = STR("{\"grade\":0}") };
}

static struct show gather(struct rig *rig, struct view *view, const char *id)
{
	struct show show = { 0 };
	struct err err = { 0 };
	assert_int_equal(view_open(view, "test", rig->routes), 0);
	if (!view->config)
		fail_msg("%s", view->no_config.text);
	if (show_gather(&show, view, id, &err) != 0)
		fail_msg("%s", err.text);
	return show;
}

static void held_until_its_details_are_there(void **state)
{
	struct rig *rig = *state;
	struct journal_record record = event(rig, JOURNAL_FLAG_HELD);
	struct view view;
	char id[ID_TEXT_SIZE];
	append(rig, &record);
	id_format(&record.id, id);
	struct show show = gather(rig, &view, id);
	assert_true(show.deliveries.held);
	assert_int_equal(show.deliveries.n, 0);
	assert_int_equal(show.released.kind, 0);
	show_forget(&show);
	view_close(&view);

	record.flags = JOURNAL_FLAG_RELEASED | JOURNAL_FLAG_LATE;
	record.request = STR("{\"grade\":2}");
	append(rig, &record);
	show = gather(rig, &view, id);
	assert_false(show.deliveries.held);
	assert_true(show.record.flags & JOURNAL_FLAG_HELD); /* as it came */
	assert_true(str_is(show.released.request, "{\"grade\":2}"));
	assert_int_equal(show.deliveries.n, 1);
	assert_int_equal(show.deliveries.v[0].state, JOURNAL_STATE_NOT_ROUTED); /* by its details */
	assert_int_equal(show.n_routes, 1);
	assert_string_equal(show.routes[0].why, "when: `.details.grade > 3` was false, .details.grade is 2");
	show_forget(&show);
	view_close(&view);
}

static void by_the_beginning_of_its_id(void **state)
{
	struct rig *rig = *state;
	struct journal_record record = event(rig, 0), released = event(rig, JOURNAL_FLAG_RELEASED | JOURNAL_FLAG_LATE);
	struct view view;
	struct err err = { 0 };
	struct id found;
	char id[ID_TEXT_SIZE], wanted[ID_TEXT_SIZE];
	rig->now_ns -= 3600 * NS_PER_S;
	struct journal_record late = event(rig, JOURNAL_FLAG_LATE); /* before it, but received much earlier */
	late.key = STR("k2");
	append(rig, &record);
	append(rig, &late);
	released.id = record.id;
	append(rig, &released);
	id_format(&record.id, id);
	snprintf(wanted, sizeof(wanted), "%.20s", id);
	struct show show = gather(rig, &view, wanted);
	assert_string_equal(show.id, id);
	assert_int_equal(show.deliveries.v[0].state, JOURNAL_STATE_NOT_ROUTED);
	show_forget(&show);
	id_format(&late.id, id);
	assert_int_equal(find_id(&view, id, &found, &err), 0);
	assert_int_equal(find_id(&view, "01234567", &found, &err), -1);
	assert_string_equal(err.text, "no event's id begins with '01234567'; `patchbay events` lists them");
	assert_int_equal(find_id(&view, "0123", &found, &err), -1);
	assert_int_equal(find_id(&view, "notanid!", &found, &err), -1);
	view_close(&view);
}

static void quarantined_and_admitted(void **state)
{
	struct rig *rig = *state;
	struct journal_record record = event(rig, 0), admitted = event(rig, 0);
	struct view view;
	struct err err = { 0 };
	struct buf request = { 0 };
	char id[ID_TEXT_SIZE], event_id[ID_TEXT_SIZE];
	record.kind = JOURNAL_REFUSED;
	record.note = STR("no secret fits");
	record.request = STR("POST /in/campus\n:refused-by: verify\nx-a: 1\n");
	append(rig, &record);
	id_format(&record.id, id);
	struct show show = gather(rig, &view, id);
	assert_true(show_is_quarantined(&show));
	assert_string_equal(show.failed_check, "verify");
	assert_string_equal(show.admitted, "");
	show_request(&show, &request);
	assert_string_equal(buf_cstr(&request), "POST /in/campus\nx-a: 1\n");
	buf_free(&request);
	show_forget(&show);
	view_close(&view);

	append(rig, &admitted);
	assert_int_equal(journal_recovered_add(rig->journal, &record.id, &admitted.id, 1000, &err), 0);
	show = gather(rig, &view, id);
	id_format(&admitted.id, event_id);
	assert_string_equal(show.admitted, event_id);
	assert_int_equal(show.admitted_ms, 1000);
	show_forget(&show);
	view_close(&view);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(held_until_its_details_are_there),
		T(by_the_beginning_of_its_id),
		T(quarantined_and_admitted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
