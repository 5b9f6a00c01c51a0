#include "plugin/host.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <patchbay/services.h>
#include <patchbay/sugar.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A plugin whose functions are told by its options what to do. */
struct options {
	patchbay_status status;
	const char *sentence;
	bool half_made;
};

static int destroyed, made;

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const struct options *o = options;

	if (o->sentence)
		host->explain(call, patchbay_cstr(o->sentence));
	if (o->status == PATCHBAY_OK || o->half_made)
		*self = &made;
	assert_true(host->left_ms(call) > 0);
	return o->status;
}

static void destroy(void *self)
{
	assert_ptr_equal(self, &made);
	destroyed++;
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct options *o = options;

	if (o->sentence)
		host->explain(call, patchbay_cstr(o->sentence));
	return o->status;
}

static const patchbay_source source = { .size = sizeof(source), .create = create, .destroy = destroy, .check = check };
static const patchbay_sink sink = { .size = sizeof(sink), .create = create, .destroy = destroy };
static const patchbay_plugin plugin = { .size = sizeof(plugin), .name = "test", .source = &source, .sink = &sink };

static int setup(void **state)
{
	(void)state;
	destroyed = 0;
	return 0;
}

static void test_lives_from_create_to_destroy(void **state)
{
	struct options options = { .status = PATCHBAY_OK };
	struct err err;
	(void)state;

	for (int side = 0; side < 2; side++) {
		struct instance *instance = instance_create(&plugin, side, "fleet", &options, NULL, &err);
		assert_ptr_equal(instance_self(instance), &made);
		assert_int_equal(destroyed, side);
		instance_destroy(instance);
		assert_int_equal(destroyed, side + 1);
	}
	instance_destroy(NULL);
}

static void test_a_refused_start_says_who_and_why(void **state)
{
	struct options options = { .status = PATCHBAY_ECONFIG, .sentence = "the folder is gone" };
	struct err err;
	(void)state;

	assert_null(instance_create(&plugin, true, "audit", &options, NULL, &err));
	assert_string_equal(err.text, "sink 'audit' (plugin test) cannot start: the folder is gone");
	assert_int_equal(destroyed, 0);
	options.half_made = true;
	options.sentence = NULL;
	assert_null(instance_create(&plugin, false, "fleet", &options, NULL, &err));
	assert_string_equal(err.text,
			    "source 'fleet' (plugin test) cannot start: its options are wrong (the plugin does "
			    "not say more)");
	assert_int_equal(destroyed, 1);
	options.status = -99;
	assert_null(instance_create(&plugin, false, "fleet", &options, NULL, &err));
	assert_non_null(strstr(err.text, "status -99"));
}

static void test_check_tells_errors_from_warnings(void **state)
{
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct options options = { .status = PATCHBAY_OK };
	struct err err = { "left over" };
	(void)state;

	assert_int_equal(plugins.check(plugins.ctx, &plugin, false, &options, &err), 0);
	assert_string_equal(err.text, "");
	options.sentence = "a short secret";
	assert_int_equal(plugins.check(plugins.ctx, &plugin, false, &options, &err), 0);
	assert_string_equal(err.text, "a short secret");
	options.status = PATCHBAY_ECONFIG;
	assert_int_not_equal(plugins.check(plugins.ctx, &plugin, false, &options, &err), 0);
	assert_string_equal(err.text, "a short secret");
	/* the sink has no check() */
	assert_int_equal(plugins.check(plugins.ctx, &plugin, true, &options, &err), 0);
	assert_string_equal(err.text, "");
	assert_null(plugins.find(plugins.ctx, "test", &err));
	registry_destroy(registry);
}

static void test_the_host_that_a_plugin_sees(void **state)
{
	struct options options = { .status = PATCHBAY_OK };
	struct patchbay_call call;
	struct err err;
	struct instance *instance = instance_create(&plugin, false, "fleet", &options, NULL, &err);
	const patchbay_host *host = instance_host(instance);
	(void)state;

	assert_int_equal(host->size, sizeof(*host));
	assert_int_equal(host->abi_minor, PATCHBAY_ABI_MINOR);
	assert_non_null(host->service(host, PATCHBAY_JSON));
	assert_null(host->service(host, "patchbay.unheard-of/1"));
	assert_true(clock_wall_ns() - host->now_ns(host) < 60 * NS_PER_S);
	call_init(&call, 64);
	call_begin(&call, 0);
	assert_true(host->left_ms(&call) > 3600000);
	call.deadline_ns = 1;
	assert_int_equal(host->left_ms(&call), 0);
	call_begin(&call, 500);
	assert_in_range(host->left_ms(&call), 1, 500);
	assert_null(host->alloc(&call, 65));
	char *p = host->alloc(&call, 32);
	assert_non_null(p);
	assert_int_equal(p[31], 0);
	host->explain(&call, PATCHBAY_S("why\0not"));
	assert_true(str_is(call.why, "why"));
	call_fini(&call);
	instance_destroy(instance);
}

static void test_secrets_are_called_by_their_names(void **state)
{
	char one[] = "env ONE", two[] = "file /two";
	struct config_secret names[] = { { .option = "key", .name = one },
					 { .option = "key", .index = 1, .name = two } };
	struct config_secrets secrets = { names, 2 };
	struct options options = { .status = PATCHBAY_OK };
	struct err err;
	struct instance *instance = instance_create(&plugin, false, "fleet", &options, &secrets, &err);
	const patchbay_host *host = instance_host(instance);
	(void)state;

	assert_true(str_is(host->secret_name(host, "key", 1), "file /two"));
	assert_true(str_is(host->secret_name(host, "key", 0), "env ONE"));
	assert_true(str_is(host->secret_name(host, "key", 2), ""));
	assert_true(str_is(host->secret_name(host, "other", 0), ""));
	instance_destroy(instance);
	instance = instance_create(&plugin, false, "fleet", &options, NULL, &err);
	host = instance_host(instance);
	assert_true(str_is(host->secret_name(host, "key", 0), ""));
	instance_destroy(instance);
}

static void test_log_lines_name_instance_and_plugin(void **state)
{
	struct options options = { .status = PATCHBAY_OK };
	struct err err;
	struct instance *instance = instance_create(&plugin, true, "audit", &options, NULL, &err);
	char text[8192] = "";
	int fds[2], saved = dup(STDERR_FILENO);
	(void)state;

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	instance_host(instance)->log(instance_host(instance), PATCHBAY_LOG_WARNING, PATCHBAY_S("slow\n\0disk"));
	instance_host(instance)->log(instance_host(instance), PATCHBAY_LOG_DEBUG, PATCHBAY_S("not shown"));
	dup2(saved, STDERR_FILENO);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(strstr(text, " level="), " level=warning msg=\"sink audit (test): slow\\n\xef\xbf\xbd"
						     "disk\" "
						     "sink=audit plugin=test\n");
	close(saved);
	close(fds[0]);
	close(fds[1]);
	instance_destroy(instance);
}

/* Whoever can make it say something could fill the disk with that. */
static void test_a_plugin_that_talks_too_much_is_held_back(void **state)
{
	struct options options = { .status = PATCHBAY_OK };
	struct log_plugin_level level = { "test", LOG_LEVEL_DEBUG };
	struct err err;
	struct instance *one = instance_create(&plugin, true, "audit", &options, NULL, &err),
			*other = instance_create(&plugin, true, "desk", &options, NULL, &err);
	char text[65536] = "";
	int fds[2], saved = dup(STDERR_FILENO), lines = 0;
	(void)state;

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	for (int i = 0; i < 100; i++)
		instance_host(one)->log(instance_host(one), PATCHBAY_LOG_WARNING, PATCHBAY_S("again"));
	instance_host(other)->log(instance_host(other), PATCHBAY_LOG_WARNING, PATCHBAY_S("first"));
	log_configure(&(struct log_settings){ .level = LOG_LEVEL_ERROR, .plugins = &level, .n_plugins = 1 });
	for (int i = 0; i < 30; i++)
		instance_host(one)->log(instance_host(one), PATCHBAY_LOG_DEBUG, PATCHBAY_S("asked for"));
	log_configure(&(struct log_settings){ .level = LOG_LEVEL_INFO });
	dup2(saved, STDERR_FILENO);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 20 + 1 + 30);
	assert_non_null(strstr(text, "sink desk (test): first"));
	close(saved);
	close(fds[0]);
	close(fds[1]);
	instance_destroy(one);
	instance_destroy(other);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lives_from_create_to_destroy),
		TEST(test_a_refused_start_says_who_and_why),
		TEST(test_check_tells_errors_from_warnings),
		TEST(test_the_host_that_a_plugin_sees),
		TEST(test_log_lines_name_instance_and_plugin),
		TEST(test_secrets_are_called_by_their_names),
		TEST(test_a_plugin_that_talks_too_much_is_held_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
