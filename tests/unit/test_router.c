/* Which events the routes lead to which sinks. */
#include "deliver/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { FLEET, CAMPUS, LEARNING };
enum { AUDIT, SAFETY, REGISTRAR };

static char names[][16] = { "fleet", "campus", "learning", "audit", "safety", "registrar" };
static struct config_source sources[] = { { .name = names[0] }, { .name = names[1] }, { .name = names[2] } };
static struct config_sink sinks[] = { { .name = names[3] }, { .name = names[4] }, { .name = names[5] } };
static size_t only_fleet[] = { FLEET }, both_schools[] = { CAMPUS, LEARNING };
static size_t to_audit[] = { AUDIT }, to_both[] = { AUDIT, SAFETY }, to_registrar[] = { REGISTRAR };
static const patchbay_str driver_types[] = { { "driver_performance_event_created", 32 }, { "fault_code_*", 12 } };
static const patchbay_str completions[] = { { "course_completed", 16 } };

static struct config_route routes[] = {
	{ .sources = only_fleet,
	  .n_sources = 1,
	  .types = { driver_types, 2 },
	  .when = { ".data.type == \"hard_brake\"", 26 },
	  .sinks = to_both,
	  .n_sinks = 2,
	  .line = 10 },
	{ .sinks = to_audit, .n_sinks = 1, .test = true, .when = { ".test", 5 }, .line = 20 },
	{ .sources = both_schools,
	  .n_sources = 2,
	  .types = { completions, 1 },
	  .sinks = to_registrar,
	  .n_sinks = 1,
	  .line = 30 },
	{ .sources = only_fleet,
	  .n_sources = 1,
	  .when = { ".data.speed + 1 > 10", 20 },
	  .sinks = to_audit,
	  .n_sinks = 1,
	  .line = 40 },
};
static const struct config config = {
	.sources = sources,
	.n_sources = 3,
	.sinks = sinks,
	.n_sinks = 3,
	.routes = routes,
	.n_routes = 4,
};

static struct router *routers[3];
static patchbay_call call;

static patchbay_delivery event(const char *source, const char *type, const char *kind, const char *data)
{
	return (patchbay_delivery){ .size = sizeof(patchbay_delivery),
				    .id = STR("0193500a-0000-7000-8000-000000000001"),
				    .source = str_c(source),
				    .plugin = STR("any"),
				    .type = str_c(type),
				    .kind = str_c(kind),
				    .subject = STR("vehicle 1"),
				    .data = str_c(data) };
}

static enum router_outcome match(size_t sink, const patchbay_delivery *delivery, patchbay_str *ret_why)
{
	patchbay_str why = { "", 0 };
	call_begin(&call, 0);
	enum router_outcome outcome = router_match(routers[sink], &call, delivery, NULL, &why);
	if (ret_why)
		*ret_why = why;
	return outcome;
}

static void source_type_and_when_must_match(void **state)
{
	(void)state;
	const char *brake = "{\"type\":\"hard_brake\",\"speed\":5}", *corner = "{\"type\":\"hard_corner\",\"speed\":5}";
	patchbay_delivery ev = event("fleet", "driver_performance_event_created", "", brake);
	assert_int_equal(match(SAFETY, &ev, NULL), ROUTER_MATCHED);
	assert_int_equal(match(REGISTRAR, &ev, NULL), ROUTER_NOT_ROUTED);
	ev = event("fleet", "driver_performance_event_created", "", corner);
	assert_int_equal(match(SAFETY, &ev, NULL), ROUTER_NOT_ROUTED);
	ev = event("campus", "driver_performance_event_created", "", brake);
	assert_int_equal(match(SAFETY, &ev, NULL), ROUTER_NOT_ROUTED);
	ev = event("fleet", "vehicle_upserted", "", brake);
	assert_int_equal(match(SAFETY, &ev, NULL), ROUTER_NOT_ROUTED);
	ev = event("fleet", "fault_code_opened", "", brake);
	assert_int_equal(match(SAFETY, &ev, NULL), ROUTER_MATCHED);
}

static void type_matches_name_or_kind(void **state)
{
	(void)state;
	patchbay_delivery ev = event("campus", "status_change", "course_completed", "{}");
	assert_int_equal(match(REGISTRAR, &ev, NULL), ROUTER_MATCHED);
	ev = event("learning", "course_completed", "unknown", "{}");
	assert_int_equal(match(REGISTRAR, &ev, NULL), ROUTER_MATCHED);
	ev = event("learning", "course_completed_again", "unknown", "{}");
	assert_int_equal(match(REGISTRAR, &ev, NULL), ROUTER_NOT_ROUTED);
}

static void sources_no_longer_configured_match_only_all(void **state)
{
	(void)state;
	patchbay_delivery ev = event("gone", "course_completed", "course_completed", "{}");
	assert_int_equal(match(REGISTRAR, &ev, NULL), ROUTER_NOT_ROUTED);
	ev.test = 1;
	assert_int_equal(match(AUDIT, &ev, NULL), ROUTER_MATCHED);
}

static void test_events_only_where_asked_for(void **state)
{
	(void)state;
	patchbay_delivery ev = event("campus", "course_completed", "course_completed", "{}");
	ev.test = 1;
	assert_int_equal(match(REGISTRAR, &ev, NULL), ROUTER_NOT_ROUTED);
	assert_int_equal(match(AUDIT, &ev, NULL), ROUTER_MATCHED);
}

static void a_failing_when_skips_unless_another_route_matches(void **state)
{
	(void)state;
	patchbay_str why;
	patchbay_delivery ev = event("fleet", "vehicle_upserted", "", "{\"speed\":\"fast\"}");
	assert_int_equal(match(AUDIT, &ev, &why), ROUTER_WHEN_FAILED);
	assert_non_null(strstr(why.p, "line 40"));
	assert_non_null(strstr(why.p, "cannot be added"));
	ev = event("fleet", "fault_code_opened", "", "{\"speed\":\"fast\",\"type\":\"hard_brake\"}");
	assert_int_equal(match(AUDIT, &ev, &why), ROUTER_MATCHED);
	assert_int_equal(why.n, 0);
}

static void every_route_tells_its_reason(void **state)
{
	(void)state;
	static const enum router_reason expected[] = { ROUTER_OTHER_TYPE, ROUTER_WHEN_FALSE, ROUTER_OTHER_SOURCE,
						       ROUTER_WHEN_ERROR };
	struct router *all = router_create(&config, ROUTER_ALL_SINKS);
	patchbay_delivery ev = event("fleet", "vehicle_upserted", "", "{\"speed\":\"fast\"}");
	assert_int_equal(router_count(all), 4);
	call_begin(&call, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_ptr_equal(router_route(all, i), &routes[i]);
		assert_int_equal(router_check(all, i, &call, &ev), expected[i]);
	}
	assert_true(call.why.n > 0);
	ev.test = 1;
	call_begin(&call, 0);
	assert_int_equal(router_check(all, 3, &call, &ev), ROUTER_TEST_EVENT);
	assert_int_equal(router_check(all, 1, &call, &ev), ROUTER_OK);
	router_destroy(all);
}

/* No '*' takes them: only who asks for them. */
static void patchbays_own_events_only_where_asked_for(void **state)
{
	(void)state;
	static struct config_route own[] = {
		{ .own = true, .sinks = to_registrar, .n_sinks = 1, .types = { completions, 1 }, .line = 1 },
		{ .own = true, .sources = only_fleet, .n_sources = 1, .sinks = to_audit, .n_sinks = 1, .line = 2 },
		{ .sinks = to_audit, .n_sinks = 1, .line = 3 },
	};
	static const enum router_reason of_own[] = { ROUTER_OTHER_TYPE, ROUTER_OK, ROUTER_OTHER_SOURCE };
	static const enum router_reason of_fleet[] = { ROUTER_OTHER_SOURCE, ROUTER_OK, ROUTER_OK };
	static const enum router_reason of_gone[] = { ROUTER_OTHER_SOURCE, ROUTER_OTHER_SOURCE, ROUTER_OK };
	struct config with = { .sources = sources, .n_sources = 3, .routes = own, .n_routes = 3 };
	struct router *router = router_create(&with, ROUTER_ALL_SINKS);
	patchbay_delivery ev = event("patchbay", "sink_stopped", "sink_stopped", "{}");
	patchbay_delivery fleet = event("fleet", "x", "x", "{}"), gone = event("gone", "x", "x", "{}");
	call_begin(&call, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(router_check(router, i, &call, &ev), of_own[i]);
		assert_int_equal(router_check(router, i, &call, &fleet), of_fleet[i]);
		assert_int_equal(router_check(router, i, &call, &gone), of_gone[i]);
	}
	router_destroy(router);
}

static void a_when_that_does_not_compile_fails_every_time(void **state)
{
	(void)state;
	struct config_route route = { .when = STR(".data ||"), .sinks = to_audit, .n_sinks = 1, .line = 7 };
	struct config broken = { .sources = sources, .n_sources = 3, .routes = &route, .n_routes = 1 };
	struct router *router = router_create(&broken, AUDIT);
	patchbay_delivery ev = event("fleet", "x", "", "{}");
	for (int i = 0; i < 2; i++) {
		patchbay_str why = { "", 0 };
		call_begin(&call, 0);
		assert_int_equal(router_match(router, &call, &ev, NULL, &why), ROUTER_WHEN_FAILED);
		assert_non_null(strstr(why.p, "line 7"));
	}
	router_destroy(router);
}

static void the_first_route_that_matches_is_named(void **state)
{
	(void)state;
	const struct config_route *route = NULL;
	patchbay_str why;
	patchbay_delivery ev = event("fleet", "fault_code_opened", "", "{\"speed\":\"fast\",\"type\":\"hard_brake\"}");
	call_begin(&call, 0);
	assert_int_equal(router_match(routers[AUDIT], &call, &ev, &route, &why), ROUTER_MATCHED);
	size_t first = 0;
	while (first < config.n_routes && router_check(routers[AUDIT], first, &call, &ev) != ROUTER_OK)
		first++;
	assert_ptr_equal(route, router_route(routers[AUDIT], first));
	route = NULL;
	ev = event("fleet", "vehicle_upserted", "", "{\"speed\":\"fast\"}");
	call_begin(&call, 0);
	assert_int_equal(router_match(routers[AUDIT], &call, &ev, &route, &why), ROUTER_WHEN_FAILED);
	assert_null(route);
}

static int setup(void **state)
{
	(void)state;
	call_init(&call, 16 << 20);
	for (size_t i = 0; i < 3; i++)
		routers[i] = router_create(&config, i);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		router_destroy(routers[i]);
	call_fini(&call);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_type_and_when_must_match),
		cmocka_unit_test(type_matches_name_or_kind),
		cmocka_unit_test(sources_no_longer_configured_match_only_all),
		cmocka_unit_test(test_events_only_where_asked_for),
		cmocka_unit_test(a_failing_when_skips_unless_another_route_matches),
		cmocka_unit_test(every_route_tells_its_reason),
		cmocka_unit_test(patchbays_own_events_only_where_asked_for),
		cmocka_unit_test(a_when_that_does_not_compile_fails_every_time),
		cmocka_unit_test(the_first_route_that_matches_is_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
