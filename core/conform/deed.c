/* deed.c - see deed.h. */
#include "conform/deed.h"

#include "base/utf8.h"
#include "conform/taken.h"
#include "plugin/ability.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000
#define AGAIN_MAX 8
#define CHECKPOINT_MAX 4096

/* Whatever the plugin reads in it: an "ok", a token, an id. */
#define RICH                                                                                                           \
	"{\"ok\":true,\"success\":true,\"status\":\"ok\",\"id\":\"1\",\"access_token\":\"t0ken\",\"token\":\"t0ken\"," \
	"\"token_type\":\"bearer\",\"expires_in\":3600,\"data\":{}}"

const struct http_answer_fake deed_good[] = {
	{ "200 with JSON", PATCHBAY_OK, 200, false, RICH, 0 },  { "200 with \"ok\"", PATCHBAY_OK, 200, false, "ok", 0 },
	{ "201 with JSON", PATCHBAY_OK, 201, false, RICH, 0 },  { "202 with JSON", PATCHBAY_OK, 202, false, RICH, 0 },
	{ "204 with nothing", PATCHBAY_OK, 204, false, "", 0 }, { "200 with nothing", PATCHBAY_OK, 200, false, "", 0 },
};
const size_t deed_n_good = sizeof(deed_good) / sizeof(deed_good[0]);

const struct http_answer_fake deed_bad[] = {
	{ "no answer (DOWN)", PATCHBAY_DOWN, 0, false, "", 0 },
	{ "an answer that breaks off (DOWN)", PATCHBAY_DOWN, 0, true, "", 0 },
	{ "a wrong certificate (EBADSINK)", PATCHBAY_EBADSINK, 0, false, "", 0 },
	{ "500 with \"ok\"", PATCHBAY_OK, 500, false, "ok", 0 },
	{ "500 with JSON", PATCHBAY_OK, 500, false, RICH, 0 },
	{ "503 with nothing", PATCHBAY_OK, 503, false, "", 0 },
	{ "429 with nothing", PATCHBAY_OK, 429, false, "", 0 },
	{ "404 with \"ok\"", PATCHBAY_OK, 404, false, "ok", 0 },
	{ "403 with JSON", PATCHBAY_OK, 403, false, RICH, 0 },
	{ "401 with JSON", PATCHBAY_OK, 401, false, RICH, 0 },
	{ "400 with JSON", PATCHBAY_OK, 400, false, RICH, 0 },
	{ "301 with nothing", PATCHBAY_OK, 301, false, "", 0 },
	{ "302 with nothing", PATCHBAY_OK, 302, false, "", 0 },
	{ "410 with nothing", PATCHBAY_OK, 410, false, "", 0 },
	{ "422 with JSON", PATCHBAY_OK, 422, false, RICH, 0 },
	{ "429 that asks for 7000 ms", PATCHBAY_OK, 429, false, "", 7000 },
	{ "503 that asks for 7000 ms", PATCHBAY_OK, 503, false, "", 7000 },
};
const size_t deed_n_bad = sizeof(deed_bad) / sizeof(deed_bad[0]);

static const char untouched[] = ""; /* known by its address */

static void fill_one(struct deed *deed, size_t i)
{
	static const char *const types[] = { "thing_opened", "thing_closed", "moved", "user.created" };
	struct kit *kit = deed->kit;
	uint64_t n = deed->serial++;

	deed->events[i] = (patchbay_delivery){
		.size = sizeof(patchbay_delivery),
		.attempt = 1,
		.id = kit_format(kit, "019abcde-0000-7000-8000-%012" PRIx64, n),
		.source = STR("tried"),
		.plugin = str_c(kit->plugin->name),
		.type = str_c(types[n % 4]),
		.kind = str_c(types[n % 4]),
		.subject = kit_format(kit, "thing %" PRIu64, n),
		.data = kit_format(kit,
				   "{\"id\":%" PRIu64 ",\"name\":\"x\",\"thing_id\":%" PRIu64
				   ",\"title\":\"A title\",\"user\":\"u%" PRIu64 "\",\"email\":\"u@example.org\"}",
				   n, n, n),
		.time_ns = GUEST_NOON_NS,
		.received_ns = GUEST_NOON_NS + 1000000,
		.route = STR("routes.yaml:41"),
		.details = STR(""),
		.details_error = STR(""),
	};
	deed->batch[i] = &deed->events[i];
}

void deed_fill(struct deed *deed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fill_one(deed, i);
}

patchbay_status deed_resume(struct deed *deed, patchbay_str checkpoint)
{
	struct kit *kit = deed->kit;

	guest_begin(&deed->guest, TIMEOUT_MS);
	kit_enter(kit, "resume()");
	patchbay_status status = deed->checkpoint.resume(deed->guest.self, &deed->guest.call, checkpoint);
	kit_leave(kit, "resume()");
	if (status > 0 || status < PATCHBAY_EUNSUPPORTED)
		kit_fail(kit, "resume() answers with status %s (%d)%s%s; it may answer OK, ELIMIT or EBADSINK",
			 kit_status_name(status), (int)status, kit->what[0] ? ", with " : "", kit->what);
	kit_look_for_secrets(kit, SIDE_SINK, "resume()", guest_why(&deed->guest));
	return status;
}

void deed_open(struct deed *deed, struct kit *kit)
{
	memset(deed, 0, sizeof(*deed));
	deed->kit = kit;
	deed->kept = STR("");
	guest_open(&deed->guest, kit, SIDE_SINK, 0);
	const patchbay_sink *sink = kit->plugin->sink;
	deed->has_checkpoint = ABILITY_GET(sink, PATCHBAY_CHECKPOINT, &deed->checkpoint, resume);
	deed->has_idle = ABILITY_GET(sink, PATCHBAY_IDLE, &deed->idle, idle);
	deed->has_preview = ABILITY_GET(sink, PATCHBAY_PREVIEW, &deed->preview, preview);
	if (deed->has_checkpoint && deed_resume(deed, STR("")) != PATCHBAY_OK)
		kit_skip(kit, "it does not resume as a new sink: %.*s", STR_ARG(guest_why(&deed->guest)));
}

void deed_close(struct deed *deed)
{
	guest_close(&deed->guest);
}

static bool is_result(patchbay_status status)
{
	return (status >= PATCHBAY_OK && status <= PATCHBAY_UNTOUCHED && status != PATCHBAY_REPLY) ||
	       status == PATCHBAY_EBADEVENT || status == PATCHBAY_EBADSINK || status == PATCHBAY_ECONFIG;
}

bool deed_forgot(const struct deed *deed, size_t i)
{
	const patchbay_result *r = &deed->results[i];

	return r->status == PATCHBAY_RETRY && r->after_ms == 0 && r->why.n == 0 && r->why.p == untouched;
}

static void judge(struct deed *deed, size_t n, patchbay_str checkpoint)
{
	struct kit *kit = deed->kit;

	for (size_t i = 0; i < n; i++) {
		patchbay_result *r = &deed->results[i];
		if (!is_result(r->status))
			kit_fail(kit,
				 "act() gives event %zu of %zu the status %s (%d)%s%s; it may be OK, RETRY, AGAIN, "
				 "DOWN, UNTOUCHED, EBADEVENT, ECONFIG or EBADSINK",
				 i + 1, n, kit_status_name(r->status), (int)r->status, kit->what[0] ? ", with " : "",
				 kit->what);
		kit_enter(kit, "reading the reason that act() gave");
		patchbay_str why = r->why.n ? kit_copy(kit, r->why) : STR("");
		kit->shared->calling[0] = '\0';
		kit_look_for_secrets(kit, SIDE_SINK, "act()", why);
		for (size_t k = 0, m = 1; k < why.n && kit->judges_reply; k += m)
			if ((m = utf8_sequence((const unsigned char *)why.p + k, why.n - k)) == 0)
				kit_fail(kit,
					 "the reason that act() gives for event %zu of %zu is no text; does it point "
					 "to memory that is gone when act() returns?",
					 i + 1, n);
		if (r->why.p != untouched)
			r->why = why;
	}
	kit_look_for_secrets(kit, SIDE_SINK, "act()", guest_why(&deed->guest));
	if (checkpoint.n > CHECKPOINT_MAX)
		kit_fail(kit, "act() hands back a checkpoint of %zu bytes; 4096 are the limit", checkpoint.n);
	if (checkpoint.n && deed->has_checkpoint)
		deed->kept = kit_copy(kit, checkpoint);
}

size_t deed_act_again(struct deed *deed, size_t n)
{
	struct kit *kit = deed->kit;
	size_t ok = 0, again = n;

	for (int times = 0; again == n && times <= AGAIN_MAX; times++) {
		patchbay_str checkpoint = STR("");
		for (size_t i = 0; i <= n; i++)
			deed->results[i] = (patchbay_result){ PATCHBAY_RETRY, 0, { untouched, 0 } };
		guest_begin(&deed->guest, TIMEOUT_MS);
		kit_enter(kit, "act()");
		kit->plugin->sink->act(deed->guest.self, &deed->guest.call, deed->batch, n, deed->results, &checkpoint);
		kit_leave(kit, "act()");
		taken_scribble();
		if (!deed_forgot(deed, n) && kit->judges_reply)
			kit_fail(kit, "act() writes to results[%zu], but there are only %zu events%s%s", n, n,
				 kit->what[0] ? ", with " : "", kit->what);
		judge(deed, n, checkpoint);
		again = 0;
		for (size_t i = 0; i < n; i++)
			again += deed->results[i].status == PATCHBAY_AGAIN;
		if (again == n && times == AGAIN_MAX)
			kit_fail(kit, "act() answers AGAIN more than %d times in a row, and never does anything",
				 AGAIN_MAX);
		if (again == n && checkpoint.n == 0)
			kit_fail(kit,
				 "act() answers AGAIN without a checkpoint, so nothing will be different next time");
	}
	for (size_t i = 0; i < n; i++)
		ok += deed->results[i].status == PATCHBAY_OK;
	return ok;
}

size_t deed_act(struct deed *deed, size_t n)
{
	deed_fill(deed, n);
	return deed_act_again(deed, n);
}

const struct http_answer_fake *deed_find_good(struct deed *deed, bool *ret_uses_http)
{
	*ret_uses_http = false;
	for (size_t i = 0; i < deed_n_good; i++) {
		http_fake_set(&deed_good[i], NULL, 0);
		kit_what(deed->kit, "every request answered %s", deed_good[i].name);
		bool done = deed_act(deed, 1) > 0;
		*ret_uses_http |= http_fake_requests() > 0;
		if (done && http_fake_requests() > 0)
			return &deed_good[i];
		if (done)
			return NULL;
	}
	return NULL;
}
