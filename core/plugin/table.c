/* table.c - checks a plugin's table before anything in it is called. Sizes come first: a field is read only
 * where the plugin has it. */
#include "plugin/table.h"

#include "base/mem.h"
#include "base/sized.h"
#include "base/str.h"
#include "plugin/option_check.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 256

/* What version 1.0 of the interface has, up to the last member of that time; no plugin has less. */
enum {
	PLUGIN_1_0 = SIZED_END(patchbay_plugin, sink),
	SOURCE_1_0 = SIZED_END(patchbay_source, extension),
	SINK_1_0 = SIZED_END(patchbay_sink, extension),
	PROVIDER_1_0 = SIZED_END(patchbay_provider, docs_url),
};

/* A struct of ours with what theirs has of it. Every struct begins with its size. */
static int copy_struct(const char *what, const void *theirs, size_t at_least, void *ours, size_t ours_size,
		       struct err *err)
{
	uint32_t size;

	memcpy(&size, theirs, sizeof(size));
	if (size < at_least)
		return err_set(err,
			       "its %s says that it is %u bytes long, but version 1.0 has %zu; set .size = sizeof(...)",
			       what, size, at_least);
	sized_read(ours, ours_size, theirs);
	return 0;
}

static int require_slot(bool there, const char *side, const char *slot, struct err *err)
{
	if (there)
		return 0;
	return err_set(err, "its %s lacks %s(), which every %s must have", side, slot, side);
}

static bool text_ok(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return n <= max;
}

bool table_name_ok(const char *s)
{
	size_t n = strnlen(s, TABLE_NAME_MAX + 1);

	if (n == 0 || n > TABLE_NAME_MAX || s[0] < 'a' || s[0] > 'z')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

static int copy_provider(const patchbay_provider *theirs, patchbay_provider *provider, struct err *err)
{
	provider->size = sizeof(*provider);
	if (!theirs)
		return 0;
	if (copy_struct("provider", theirs, PROVIDER_1_0, provider, sizeof(*provider), err) != 0)
		return -1;
	if ((provider->n_retry && !provider->retry_s) || (provider->n_ok && !provider->ok))
		return err_set(err, "its provider counts retry delays or status codes but does not list them");
	return 0;
}

static int copy_source(const patchbay_source *theirs, struct table *t, struct err *err)
{
	patchbay_source *source = &t->source;

	if (copy_struct("source", theirs, SOURCE_1_0, source, sizeof(*source), err) != 0 ||
	    require_slot(source->create, "source", "create", err) != 0 ||
	    require_slot(source->destroy, "source", "destroy", err) != 0 ||
	    require_slot(source->verify, "source", "verify", err) != 0 ||
	    require_slot(source->parse, "source", "parse", err) != 0 ||
	    copy_provider(source->provider, &t->provider, err) != 0 ||
	    options_copy("source", source->options, source->n_options, source->options_size, &t->source_options, err) !=
		    0)
		return -1;
	source->provider = &t->provider;
	source->options = t->source_options;
	return 0;
}

static int copy_sink(const patchbay_sink *theirs, struct table *t, struct err *err)
{
	patchbay_sink *sink = &t->sink;

	if (copy_struct("sink", theirs, SINK_1_0, sink, sizeof(*sink), err) != 0 ||
	    require_slot(sink->create, "sink", "create", err) != 0 ||
	    require_slot(sink->destroy, "sink", "destroy", err) != 0 ||
	    require_slot(sink->act, "sink", "act", err) != 0 ||
	    options_copy("sink", sink->options, sink->n_options, sink->options_size, &t->sink_options, err) != 0)
		return -1;
	if (sink->rate && !text_ok(sink->rate, TEXT_MAX))
		return err_set(err, "the default rate of its sink is longer than one line");
	sink->options = t->sink_options;
	return 0;
}

static int check_head(patchbay_plugin *plugin, struct err *err)
{
	if (plugin->abi_minor_need > PATCHBAY_ABI_MINOR)
		return err_set(err,
			       "it needs version %u.%u of the plugin interface, this patchbay offers %u.%u; "
			       "install a newer patchbay or an older plugin",
			       PATCHBAY_ABI_MAJOR, plugin->abi_minor_need, PATCHBAY_ABI_MAJOR, PATCHBAY_ABI_MINOR);
	if (!plugin->name || !table_name_ok(plugin->name))
		return err_set(err, "its name must be lower-case letters, digits and '-', a letter first, %d at most",
			       TABLE_NAME_MAX);
	plugin->version = plugin->version ? plugin->version : "";
	plugin->license = plugin->license ? plugin->license : "";
	plugin->summary = plugin->summary ? plugin->summary : "";
	if (!text_ok(plugin->version, 64) || !text_ok(plugin->license, TEXT_MAX) || !text_ok(plugin->summary, TEXT_MAX))
		return err_set(err, "its version, license or summary is longer than one line");
	if (!plugin->source && !plugin->sink)
		return err_set(err, "it has neither a source nor a sink");
	return 0;
}

struct table *table_create(const patchbay_plugin *theirs, size_t available, struct err *err)
{
	if (available < PLUGIN_1_0) {
		err_set(err, "its patchbay_plugin_v1 is %zu bytes long, but version 1.0 has %d", available, PLUGIN_1_0);
		return NULL;
	}
	if (theirs->size > available) {
		err_set(err, "its patchbay_plugin_v1 says that it is %u bytes long, but is %zu", theirs->size,
			available);
		return NULL;
	}
	struct table *t = xcalloc(1, sizeof(*t));
	patchbay_plugin *plugin = &t->plugin;
	if (copy_struct("patchbay_plugin_v1", theirs, PLUGIN_1_0, plugin, sizeof(*plugin), err) != 0 ||
	    check_head(plugin, err) != 0 || (plugin->source && copy_source(plugin->source, t, err) != 0) ||
	    (plugin->sink && copy_sink(plugin->sink, t, err) != 0)) {
		table_destroy(t);
		return NULL;
	}
	plugin->source = plugin->source ? &t->source : NULL;
	plugin->sink = plugin->sink ? &t->sink : NULL;
	return t;
}

void table_destroy(struct table *t)
{
	if (!t)
		return;
	options_copy_free(t->source_options, t->source.n_options);
	options_copy_free(t->sink_options, t->sink.n_options);
	free(t);
}
