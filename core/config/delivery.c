/* delivery.c - the options that every sink has: how often, how fast and in what order it is called. */
#include "config/loader.h"

#include "base/mem.h"
#include "config/options.h"
#include "config/scalar.h"

#define DAY_MS INT64_C(86400000)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define HOW_RATE "write it as 50/s, 20/min or 500/h (1 to 1000000), or off"

static const patchbay_option retry_options[] = {
	OPTION_OF(PATCHBAY_T_MS, struct config_retry, initial_ms, "initial", .def = "1s", .min = 1, .max = DAY_MS,
		  .help = "the first delay"),
	OPTION_OF(PATCHBAY_T_REAL, struct config_retry, factor, "factor", .def = "2", .min = 1, .max = 100,
		  .help = "each delay is so many times the last one"),
	OPTION_OF(PATCHBAY_T_MS, struct config_retry, max_ms, "max", .def = "1h", .min = 1, .max = 30 * DAY_MS,
		  .help = "the longest delay"),
	OPTION_OF(PATCHBAY_T_MS, struct config_retry, give_up_ms, "give_up", .def = "72h", .min = 1,
		  .max = 365 * DAY_MS, .help = "what has failed for so long is a dead letter"),
};
static const patchbay_option delay_option = OPTION_BY_HAND(PATCHBAY_T_MS, "retry", .min = 1, .max = 30 * DAY_MS);

static const patchbay_option batch_options[] = {
	OPTION_OF(PATCHBAY_T_INT, struct config_sink, batch_events, "events", .min = 1, .max = 100000,
		  .help = "at most so many events"),
	OPTION_OF(PATCHBAY_T_BYTES, struct config_sink, batch_bytes, "bytes", .min = 0, .max = INT64_C(1) << 30,
		  .help = "at most so many bytes; 0: no limit"),
	OPTION_OF(PATCHBAY_T_MS, struct config_sink, batch_linger_ms, "linger", .min = 0, .max = 3600000,
		  .help = "how long to wait for more events"),
};

static const char *const orders[] = { "none", "subject", NULL };

enum { PLUGIN, RETRY, TIMEOUT, BATCH, RATE, CONCURRENCY, ORDER };

const patchbay_option config_sink_options[] = {
	[PLUGIN] = OPTION_BY_HAND(PATCHBAY_T_STR, "plugin", .flags = PATCHBAY_F_REQUIRED,
				  .help = "which plugin this sink uses"),
	[RETRY] = OPTION_BY_HAND(PATCHBAY_T_MAP, "retry", .fields = retry_options, .n_fields = COUNT(retry_options),
				 .help = "when what failed is tried again: growing delays as below, or a list of them: "
					 "[1m, 10m, 1h]"),
	[TIMEOUT] = OPTION_OF(PATCHBAY_T_MS, struct config_sink, timeout_ms, "timeout", .min = 100, .max = 3600000,
			      .help = "how long one call of the sink may take; the default is the plugin's, or 30s"),
	[BATCH] = OPTION_BY_HAND(PATCHBAY_T_MAP, "batch", .fields = batch_options, .n_fields = COUNT(batch_options),
				 .help = "what is handed over in one call; the defaults are the plugin's"),
	[RATE] = OPTION_BY_HAND(PATCHBAY_T_STR, "rate",
				.help = "so many calls of the sink: 50/s, 20/min, 500/h, or off; the default is the "
					"plugin's"),
	[CONCURRENCY] = OPTION_OF(PATCHBAY_T_INT, struct config_sink, concurrency, "concurrency", .def = "1", .min = 1,
				  .max = 256, .help = "so many calls at once, if the plugin can"),
	[ORDER] =
		OPTION_BY_HAND(PATCHBAY_T_ENUM, "order", .def = "none", .one_of = orders,
			       .help = "subject: later events about the same thing wait while an earlier one is owed"),
};
const size_t config_n_sink_options = COUNT(config_sink_options);

static int fill_table(struct loader *l, const patchbay_option *v, size_t n, const char *who, const struct node *map,
		      void *out)
{
	struct option_table table = { .v = v, .n = n, .who = who, .line = map->line, .column = map->column };
	return options_fill(l, &table, map, out);
}

static void read_retry_delays(struct loader *l, const struct node *node, struct config_retry *retry)
{
	retry->delays_ms = xcalloc(node->n + 1, sizeof(*retry->delays_ms));
	for (size_t i = 0; i < node->n; i++)
		if (option_read(l, &delay_option, &node->items[i], &retry->delays_ms[retry->n_delays]) == 0)
			retry->n_delays++;
}

static void read_retry(struct loader *l, const struct node *node, struct config_retry *retry)
{
	*retry = (struct config_retry){ .initial_ms = 1000, .factor = 2, .max_ms = 3600000, .give_up_ms = 3 * DAY_MS };
	if (!node || node->kind == NODE_BAD)
		return;
	if (node->kind == NODE_LIST) {
		read_retry_delays(l, node, retry);
	} else if (node->kind != NODE_MAP) {
		fault_error(&l->faults, node->line, node->column,
			    "'retry' must be a list of delays such as [1m, 10m, 1h], or "
			    "{initial: 1s, factor: 2, max: 1h, give_up: 72h}");
	} else if (fill_table(l, retry_options, COUNT(retry_options), "'retry'", node, retry) == 0 &&
		   retry->max_ms < retry->initial_ms) {
		fault_error(&l->faults, node->line, node->column,
			    "'retry': 'max' is shorter than 'initial'; make it at least as long");
	}
}

static void read_batch(struct loader *l, const struct node *node, const patchbay_sink *side, struct config_sink *sink)
{
	sink->batch_events = side && side->batch_events ? side->batch_events : 1;
	sink->batch_bytes = side ? side->batch_bytes : 0;
	sink->batch_linger_ms = side ? side->batch_linger_ms : 0;
	if (node && node->kind != NODE_MAP)
		loader_wrong_kind(l, node, "'batch'", "{events: N, bytes: SIZE, linger: DURATION}");
	else if (node)
		fill_table(l, batch_options, COUNT(batch_options), "'batch'", node, sink);
}

static void read_rate(struct loader *l, const struct node *node, const struct node *at, struct config_sink *sink)
{
	const char *def = sink->plugin ? sink->plugin->sink->rate : NULL;
	patchbay_str text = { NULL, 0 };

	if (!at && def && !scalar_rate(str_c(def), &sink->rate_count, &sink->rate_ms))
		fault_error(&l->faults, node->key_line, node->key_column,
			    "plugin %s declares a wrong default for 'rate': '%.*s' is not a rate; " HOW_RATE,
			    sink->plugin->name, SHOWN(str_c(def)));
	if (!at || option_read(l, &config_sink_options[RATE], at, &text) < 0)
		return;
	if (!scalar_rate(text, &sink->rate_count, &sink->rate_ms))
		fault_error(&l->faults, at->line, at->column, "'rate': '%.*s' is not a rate; " HOW_RATE, SHOWN(text));
	option_free(&config_sink_options[RATE], &text);
}

static void read_concurrency(struct loader *l, const struct node *node, struct config_sink *sink)
{
	int64_t most = sink->plugin && sink->plugin->sink->concurrency_max ? sink->plugin->sink->concurrency_max : 1;

	sink->concurrency = 1;
	if (!node || option_read(l, &config_sink_options[CONCURRENCY], node, &sink->concurrency) < 0 || !sink->plugin)
		return;
	if (sink->concurrency > most && most == 1)
		fault_error(&l->faults, node->line, node->column,
			    "'concurrency': plugin %s takes one call at a time; remove 'concurrency'",
			    sink->plugin->name);
	else if (sink->concurrency > most)
		fault_error(&l->faults, node->line, node->column,
			    "'concurrency': plugin %s takes at most %d calls at a time; write 1 to %d",
			    sink->plugin->name, (int)most, (int)most);
}

void load_delivery(struct loader *l, const struct node *node, struct config_sink *sink)
{
	const struct node *timeout = node_get(node, "timeout"), *order = node_get(node, "order");
	const patchbay_sink *side = sink->plugin ? sink->plugin->sink : NULL;
	int64_t which = 0;

	read_retry(l, node_get(node, "retry"), &sink->retry);
	sink->timeout_ms = side && side->timeout_ms ? side->timeout_ms : CONFIG_TIMEOUT_MS;
	if (timeout)
		option_read(l, &config_sink_options[TIMEOUT], timeout, &sink->timeout_ms);
	read_batch(l, node_get(node, "batch"), side, sink);
	read_rate(l, node, node_get(node, "rate"), sink);
	read_concurrency(l, node_get(node, "concurrency"), sink);
	if (order && option_read(l, &config_sink_options[ORDER], order, &which) == 0)
		sink->order_subject = which == 1;
}
