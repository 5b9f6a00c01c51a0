/* test_abilities.c - what a sink is able to do besides. */
#include "conform/tests.h"

#include "base/json.h"
#include "conform/deed.h"

#include <string.h>

void test_sink_checkpoint(struct kit *kit)
{
	struct deed deed, second;
	patchbay_str kept;

	process_isolate_network();
	deed_open(&deed, kit);
	if (!deed.has_checkpoint)
		kit_skip(kit, "it keeps no checkpoint");
	http_fake_set(&deed_good[0], NULL, 0);
	for (int i = 0; i < 3; i++)
		deed_act(&deed, 3);
	kept = deed.kept;
	deed_close(&deed);
	if (kept.n == 0)
		kit_fail(kit, "it has " PATCHBAY_CHECKPOINT ", but hands back no checkpoint with what it did");

	kit_what(kit, "its own last checkpoint");
	deed_open(&second, kit); /* which resumes as a new sink does; so another instance is resumed here */
	deed_close(&second);
	guest_open(&second.guest, kit, SIDE_SINK, 0);
	if (deed_resume(&second, kept) != PATCHBAY_OK)
		kit_fail(kit, "resume() refuses the checkpoint that act() handed back: %.*s",
			 STR_ARG(guest_why(&second.guest)));
	if (deed_act(&second, 2) == 0)
		kit_fail(kit, "after resume() with its own checkpoint act() does nothing: %.*s",
			 STR_ARG(second.results[0].why));
	deed_close(&second);

	for (int i = 0; i < 60; i++) { /* whatever it is, it must not be believed */
		char *p = kit_alloc(kit, 4096);
		size_t n = kept.n < 4000 ? kept.n : 4000;
		memcpy(p, kept.p, n);
		if (i % 3 == 0)
			n = kit_below(kit, n);
		else if (i % 3 == 1)
			p[kit_below(kit, n)] = (char)kit_random(kit);
		else
			for (n = 0; n < kit_below(kit, 4096); n++)
				p[n] = (char)kit_random(kit);
		kit_what(kit, "a checkpoint that is garbage, number %d", i);
		guest_open(&second.guest, kit, SIDE_SINK, 0);
		if (deed_resume(&second, (patchbay_str){ p, n }) == PATCHBAY_OK)
			deed_act(&second, 1);
		deed_close(&second);
	}
	kit_info(kit, "%zu bytes", kept.n);
}

static void be_idle(struct deed *deed)
{
	struct kit *kit = deed->kit;
	patchbay_str checkpoint = STR("");

	guest_begin(&deed->guest, 5000);
	kit_enter(kit, "idle()");
	patchbay_status status = deed->idle.idle(deed->guest.self, &deed->guest.call, &checkpoint);
	kit_leave(kit, "idle()");
	if (status == PATCHBAY_REPLY || status > PATCHBAY_UNTOUCHED || status < PATCHBAY_EUNSUPPORTED)
		kit_fail(kit, "idle() answers with status %s (%d), which it must not", kit_status_name(status),
			 (int)status);
	if (checkpoint.n > 4096)
		kit_fail(kit, "idle() hands back a checkpoint of %zu bytes; 4096 are the limit", checkpoint.n);
	(void)kit_copy(kit, checkpoint);
}

void test_sink_idle(struct kit *kit)
{
	struct deed deed;

	process_isolate_network();
	deed_open(&deed, kit);
	if (!deed.has_idle)
		kit_skip(kit, "it does nothing while it is idle");
	kit_what(kit, "before anything was done");
	be_idle(&deed);
	http_fake_set(&deed_good[0], NULL, 0);
	deed_act(&deed, 2);
	kit_what(kit, "after something was done");
	be_idle(&deed);
	be_idle(&deed);
	kit->clock_ns += INT64_C(90000) * 1000000000;
	kit_what(kit, "a day later");
	be_idle(&deed);
	kit_what(kit, "after it was idle");
	deed_act(&deed, 2);
	deed_close(&deed);
}

void test_sink_preview(struct kit *kit)
{
	struct deed deed;
	size_t shown = 0;

	deed_open(&deed, kit);
	if (!deed.has_preview)
		kit_skip(kit, "it offers no preview");
	for (size_t round = 0; round < 6; round++) {
		size_t n = round % 3 == 2 ? 30 : round % 3 + 1;
		patchbay_str out = STR("");
		deed_fill(&deed, n);
		if (round == 3) /* the first ones may load things for the host */
			kit_forbid(kit, FORBID_NETWORK | FORBID_CHANGES | FORBID_FILES | FORBID_WAITING);
		guest_begin(&deed.guest, 5000);
		kit_what(kit, "%zu events", n);
		kit_enter(kit, "preview()");
		patchbay_status status = deed.preview.preview(deed.guest.self, &deed.guest.call, deed.batch, n, &out);
		kit_leave(kit, "preview()");
		if (status > 0 || status < PATCHBAY_EUNSUPPORTED)
			kit_fail(kit, "preview() answers with status %s (%d); it may answer OK, EBADEVENT or ECONFIG",
				 kit_status_name(status), (int)status);
		if (status != PATCHBAY_OK)
			continue;
		patchbay_call call;
		call_init(&call, 0);
		bool object = json_type(json_parse(&call, out)) == PATCHBAY_JSON_OBJECT;
		call_fini(&call);
		if (!object)
			kit_fail(kit, "preview() of %zu events gives no JSON object but '%.*s'", n,
				 STR_ARG(kit_show(kit, out)));
		kit_look_for_secrets(kit, SIDE_SINK, "preview()", out);
		shown++;
	}
	kit_info(kit, "%zu shown", shown);
}
