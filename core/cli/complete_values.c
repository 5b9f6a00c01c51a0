/* complete_values.c - names and ids that a command line may go on with. */
#include "cli/complete.h"

#include "cli/attempts.h"
#include "cli/view.h"
#include "config/yaml.h"
#include "plugin/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 30 /* as many as a person looks through */

static struct node *read_config(const char *path)
{
	struct config_faults found = { 0 };
	struct faults quiet = { path, &found, 0 };
	struct node *root = yaml_load(path, &quiet);
	config_faults_free(&found);
	return root;
}

/* The plugin that a source or sink names. NULL: none. */
static const char *plugin_of(const struct node *instance)
{
	const struct node *plugin = node_get(instance, "plugin");
	return plugin && plugin->kind == NODE_SCALAR ? plugin->text.p : NULL;
}

static void offer_instances(const char *section, const char *typed, const char *config)
{
	struct node *root = read_config(config);
	const struct node *all = root ? node_get(root, section) : NULL;
	for (size_t i = 0; all && all->kind == NODE_MAP && i < all->n; i++)
		complete_offer(typed, all->items[i].key.p, plugin_of(&all->items[i]));
	node_free(root);
}

static struct registry *find_plugins(const char *config)
{
	patchbay_strs dirs = { 0 };
	struct err err;
	struct registry *registry = registry_create();
	config_plugin_dirs(config, &dirs, &err); /* without the file: the folders that are always searched */
	registry_search(registry, dirs);
	config_plugin_dirs_free(&dirs);
	return registry;
}

static void offer_plugins(const char *typed, const char *config)
{
	struct registry *registry = find_plugins(config);
	for (size_t i = 0; i < registry_count(registry); i++) {
		const patchbay_plugin *plugin = registry_at(registry, i)->plugin;
		if (plugin)
			complete_offer(typed, plugin->name, plugin->summary);
	}
	registry_destroy(registry);
}

static void offer_samples(const char *typed, const char *config, const char *source)
{
	struct node *root = read_config(config);
	const char *name = root ? plugin_of(node_get(node_get(root, "sources"), source)) : NULL;
	struct registry *registry = find_plugins(config);
	struct err err;
	const patchbay_plugin *plugin = name ? registry_find(registry, name, &err) : NULL;
	patchbay_simulate simulate;

	bool plays = plugin && simulate_get(plugin, &simulate);
	for (uint32_t i = 0; plays && i < simulate.n_samples; i++) {
		patchbay_sample sample = simulate_sample(&simulate, i);
		complete_offer(typed, sample.name ? sample.name : "", sample.about);
	}
	registry_destroy(registry);
	node_free(root);
}

static void offer_id(const char *typed, const struct id *id, patchbay_str about)
{
	char word[ID_TEXT_SIZE];
	struct buf text = { 0 };
	id_format(id, word);
	buf_add_str(&text, about);
	complete_offer(typed, word, buf_cstr(&text));
	buf_free(&text);
}

static void offer_newest(const char *typed, struct journal *journal)
{
	struct journal_reader *reader = journal_reader_open(journal);
	struct journal_pos pos = journal_end(journal);
	struct journal_record record;
	struct err err;
	for (int n = 0; n < IDS_MAX && journal_read_before(reader, &pos, &record, &err) > 0; n++)
		if (view_is_entry(&record))
			offer_id(typed, &record.id, record.type);
	journal_reader_close(reader);
}

struct dead_ids {
	const char *typed;
	int n;
};

static bool offer_dead(void *ctx, const struct journal_dead *dead)
{
	struct dead_ids *ids = ctx;
	offer_id(ids->typed, &dead->id, str_c(dead->sink));
	return ++ids->n < IDS_MAX;
}

static void offer_ids(enum complete_kind kind, const char *typed, const char *config)
{
	struct err err;
	struct journal_dead_filter all = { 0 };
	struct dead_ids ids = { typed, 0 };
	char *folder = config_journal_folder(config, &err);
	struct journal *journal = folder ? journal_open_reader(folder, &err) : NULL;
	if (journal && kind == COMPLETE_ID)
		offer_newest(typed, journal);
	else if (journal)
		journal_dead(journal, &all, offer_dead, &ids, &err);
	journal_close(journal);
	free(folder);
}

void complete_value(enum complete_kind kind, const char *typed, const char *config, const char *before)
{
	switch (kind) {
	case COMPLETE_FILE:
		puts(":files");
		break;
	case COMPLETE_FOLDER:
		puts(":folders");
		break;
	case COMPLETE_NOTHING:
		break;
	case COMPLETE_SOURCE:
		offer_instances("sources", typed, config);
		break;
	case COMPLETE_SINK:
		offer_instances("sinks", typed, config);
		break;
	case COMPLETE_PLUGIN:
		offer_plugins(typed, config);
		break;
	case COMPLETE_EVENT:
		offer_samples(typed, config, before);
		break;
	case COMPLETE_ID:
	case COMPLETE_DEAD_ID:
		offer_ids(kind, typed, config);
		break;
	case COMPLETE_CLASS:
		for (size_t i = 0; attempts_class(i); i++)
			complete_offer(typed, attempts_class(i), NULL);
		break;
	}
}
