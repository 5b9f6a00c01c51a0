/* Plugins of version 1.0, and of a version that does not exist yet, in this host; and, compiled once more against
 * headers in which every struct has grown (PATCHBAY_GROWN), in a host of tomorrow. */
#include "base/call.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/ability.h"
#include "plugin/host.h"
#include "plugin/simulate.h"

#include <patchbay/checkpoint.h>
#include <patchbay/fetch.h>
#include <patchbay/idle.h>
#include <patchbay/preview.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int frozen_v1_0_strings(void);

/* What a struct has that this host knows and that plugin does not is zero; where both know it, it is the plugin's. */
#ifdef PATCHBAY_GROWN
#define assert_grown(p, plugin)                                                                                        \
	do {                                                                                                           \
		for (uint64_t i_ = 0; i_ < 3; i_++)                                                                    \
			assert_int_equal((p)->grown[i_], (plugin)->abi_minor == 0 ? 0 : i_ + 1);                       \
	} while (0)
#else
#define assert_grown(p, plugin) assert_int_equal((p)->size, sizeof(*(p)))
#endif

static const struct build {
	const char *folder;
	uint32_t minor;
} builds[] = { { ABI_DIR "/1.0", 0 }, { ABI_DIR "/newer", 7 } };

struct rig {
	const struct build *build;
	struct registry *registry;
	const patchbay_plugin *source, *sink;
};

static const patchbay_plugin *find(struct registry *registry, const char *name)
{
	struct err err = { "" };
	const patchbay_plugin *plugin = registry_find(registry, name, &err);

	if (!plugin)
		fail_msg("%s", err.text);
	return plugin;
}

static void open_rig(struct rig *rig, size_t i)
{
	patchbay_str dir = str_c(builds[i].folder);

	rig->build = &builds[i];
	rig->registry = registry_create();
	registry_search(rig->registry, (patchbay_strs){ &dir, 1 });
	rig->source = find(rig->registry, "abi-source");
	rig->sink = find(rig->registry, "abi-sink");
}

#define FOR_EACH_BUILD(rig)                                                                                            \
	for (size_t build_ = 0; build_ < sizeof(builds) / sizeof(builds[0]) && (open_rig(&(rig), build_), true);       \
	     registry_destroy((rig).registry), build_++)

static void assert_options(const patchbay_option *v, uint32_t n, const patchbay_plugin *plugin)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(v[i].size, sizeof(v[i]));
		assert_grown(&v[i], plugin);
		assert_options(v[i].fields, v[i].n_fields, plugin);
	}
}

static void test_tables_are_those_of_this_host(void **state)
{
	struct rig r;
	(void)state;

	FOR_EACH_BUILD(r)
	{
		const patchbay_source *source = r.source->source;
		const patchbay_sink *sink = r.sink->sink;
		assert_int_equal(r.source->abi_minor, r.build->minor);
		assert_int_equal(r.source->size, sizeof(patchbay_plugin));
		assert_grown(r.source, r.source);
		assert_int_equal(source->size, sizeof(patchbay_source));
		assert_grown(source, r.source);
		assert_int_equal(source->provider->size, sizeof(patchbay_provider));
		assert_grown(source->provider, r.source);
		assert_string_equal(source->provider->docs_url, "https://example.org/abi");
		assert_int_equal(source->provider->final_refusal, 410);
		assert_int_equal(source->n_options, 12);
		assert_options(source->options, source->n_options, r.source);
		assert_string_equal(source->options[11].name, "polled");
		assert_string_equal(source->options[10].fields[1].fields[1].name, "weight");
		assert_int_equal(source->options[10].fields[1].fields[1].max, 100);
		assert_int_equal(sink->size, sizeof(patchbay_sink));
		assert_grown(sink, r.sink);
		assert_options(sink->options, sink->n_options, r.sink);
		assert_string_equal(sink->options[4].def, "nobody");
		assert_int_equal(sink->batch_bytes, 4096);
		assert_string_equal(sink->rate, "1000/s");
	}
}

static void test_abilities_are_those_of_this_host(void **state)
{
	struct rig r;
	(void)state;

	FOR_EACH_BUILD(r)
	{
		const patchbay_source *source = r.source->source;
		const patchbay_sink *sink = r.sink->sink;
		patchbay_simulate simulate;
		patchbay_poll poll;
		patchbay_enrich enrich;
		patchbay_checkpoint checkpoint;
		patchbay_idle idle;
		patchbay_preview preview;
		assert_true(simulate_get(r.source, &simulate));
		assert_true(ABILITY_GET(source, PATCHBAY_POLL, &poll, poll));
		assert_true(ABILITY_GET(source, PATCHBAY_ENRICH, &enrich, enrich));
		assert_true(ABILITY_GET(sink, PATCHBAY_CHECKPOINT, &checkpoint, resume));
		assert_true(ABILITY_GET(sink, PATCHBAY_IDLE, &idle, idle));
		assert_true(ABILITY_GET(sink, PATCHBAY_PREVIEW, &preview, preview));
		assert_grown(&simulate, r.source);
		assert_grown(&poll, r.source);
		assert_grown(&enrich, r.source);
		assert_grown(&checkpoint, r.sink);
		assert_grown(&idle, r.sink);
		assert_grown(&preview, r.sink);
		assert_int_equal(idle.every_ms, 50);
		assert_int_equal(simulate.n_samples, 2);
		patchbay_sample sample = simulate_sample(&simulate, 1);
		assert_string_equal(sample.name, "pair");
		assert_grown(&sample, r.source);
		assert_non_null(source->extension("x.acme.tomorrow/1")); /* for whoever knows it */
		assert_null(source->extension("x.acme.yesterday/1"));
	}
}

static patchbay_status emit(void *ctx, const patchbay_event *event)
{
	unsigned *n = ctx;

	assert_true(event->size >= 120); /* what it was in 1.0 */
	*n += str_is(event->type, "ping") || str_is(event->type, "pong");
	return PATCHBAY_OK;
}

static void test_a_source_works(void **state)
{
	struct rig r;
	(void)state;

	FOR_EACH_BUILD(r)
	{
		const patchbay_source *source = r.source->source;
		patchbay_str *options = xcalloc(1, source->options_size), secret = STR("s3cret");
		patchbay_request request = { .size = sizeof(request), .method = STR("POST") };
		patchbay_reply reply = { .size = sizeof(reply) };
		patchbay_simulate simulate;
		struct patchbay_call call;
		struct err err = { "" };
		unsigned n = 0;
		memcpy(options, &(patchbay_strs){ &secret, 1 }, sizeof(patchbay_strs)); /* its first member */
		struct instance *instance = instance_create(r.source, false, "it", options, NULL, &err);
		if (!instance)
			fail_msg("%s", err.text);
		const void *self = instance_self(instance);
		call_init(&call, 1 << 20);
		call_begin(&call, 0);
		assert_true(simulate_get(r.source, &simulate));
		assert_int_equal(simulate.body(self, &call, 1, 5, &request.body), PATCHBAY_OK);
		assert_int_equal(source->verify(self, &call, &request, &reply), PATCHBAY_EDENIED);
		assert_int_equal(simulate.sign(self, &call, PATCHBAY_SIGN_WRONG, 0, &request), PATCHBAY_OK);
		assert_int_equal(source->verify(self, &call, &request, &reply), PATCHBAY_EDENIED);
		assert_int_equal(simulate.sign(self, &call, 0, 0, &request), PATCHBAY_OK);
		assert_int_equal(source->verify(self, &call, &request, &reply), PATCHBAY_OK);
		const patchbay_emitter emitter = { &n, emit };
		assert_int_equal(source->parse(self, &call, &request, &emitter), PATCHBAY_OK);
		assert_int_equal(n, 2);
		request.query = STR("challenge=1");
		assert_int_equal(source->verify(self, &call, &request, &reply), PATCHBAY_REPLY);
		assert_int_equal(reply.http_status, 202);
		assert_int_equal(reply.size, sizeof(reply));
		call_fini(&call);
		instance_destroy(instance);
		free(options);
	}
}

static void test_a_sink_works(void **state)
{
	struct rig r;
	(void)state;

	FOR_EACH_BUILD(r)
	{
		const patchbay_sink *sink = r.sink->sink;
		void *options = xcalloc(1, sink->options_size);
		const patchbay_delivery event = { .size = sizeof(event), .attempt = 2, .type = STR("pong") };
		const patchbay_delivery *events[] = { &event };
		patchbay_result result = { .status = PATCHBAY_RETRY };
		patchbay_str checkpoint = STR(""), path = STR("/dev/null"), shown = STR("");
		patchbay_checkpoint resumes;
		patchbay_preview previews;
		struct patchbay_call call;
		struct err err = { "" };
		memcpy(options, &path, sizeof(path)); /* its first member */
		struct instance *instance = instance_create(r.sink, true, "it", options, NULL, &err);
		if (!instance)
			fail_msg("%s", err.text);
		void *self = instance_self(instance);
		call_init(&call, 1 << 20);
		call_begin(&call, 5000);
		assert_true(ABILITY_GET(sink, PATCHBAY_CHECKPOINT, &resumes, resume));
		assert_true(ABILITY_GET(sink, PATCHBAY_PREVIEW, &previews, preview));
		assert_int_equal(resumes.resume(self, &call, STR("41")), PATCHBAY_OK);
		sink->act(self, &call, events, 1, &result, &checkpoint);
		if (result.status != PATCHBAY_OK)
			fail_msg("%.*s %.*s", STR_ARG(result.why), STR_ARG(call.why));
		assert_true(str_is(checkpoint, "42"));
		assert_int_equal(previews.preview(self, &call, events, 1, &shown), PATCHBAY_OK);
		assert_true(str_is(shown, "{\"text\":\"-\"}"));
		call_fini(&call);
		instance_destroy(instance);
		free(options);
	}
}

static void test_ids_are_what_they_were(void **state)
{
	(void)state;
	assert_int_equal(frozen_v1_0_strings(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_are_those_of_this_host),
		cmocka_unit_test(test_abilities_are_those_of_this_host),
		cmocka_unit_test(test_a_source_works),
		cmocka_unit_test(test_a_sink_works),
		cmocka_unit_test(test_ids_are_what_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
