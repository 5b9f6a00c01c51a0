/* same.c - does a source or sink of one configuration do the same as that of another? Compared is what its plugin is
 * given, value by value, not how it is written: so a secret whose file has a new content is a change, a comment or a
 * default that is spelled out is none. */
#include "config/config.h"

#include "expr/expr.h"

#include <string.h>

static bool same_options(const patchbay_option *table, size_t n, const void *a, const void *b);

static bool same_str(patchbay_str a, patchbay_str b)
{
	return str_eq(a, b);
}

static bool same_strs(const patchbay_strs *a, const patchbay_strs *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = same_str(a->v[i], b->v[i]);
	return same;
}

static bool same_expr(const patchbay_expr *a, const patchbay_expr *b)
{
	return a && b ? same_str(expr_source(a), expr_source(b)) : a == b;
}

static bool same_cidrs(const patchbay_cidrs *a, const patchbay_cidrs *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = a->v[i].bits == b->v[i].bits && memcmp(a->v[i].addr, b->v[i].addr, sizeof a->v[i].addr) == 0;
	return same;
}

static bool same_fields(const patchbay_fields *a, const patchbay_fields *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = same_str(a->v[i].name, b->v[i].name) && same_expr(a->v[i].expr, b->v[i].expr);
	return same;
}

static bool same_list(const patchbay_option *option, const patchbay_list *a, const patchbay_list *b)
{
	const char *in_a = a->v, *in_b = b->v;
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = same_options(option->fields, option->n_fields, in_a + i * option->fields_size,
				    in_b + i * option->fields_size);
	return same;
}

static bool same_value(const patchbay_option *option, const void *a, const void *b)
{
	switch (option->type) {
	case PATCHBAY_T_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case PATCHBAY_T_INT:
	case PATCHBAY_T_ENUM:
	case PATCHBAY_T_MS:
	case PATCHBAY_T_BYTES:
		return *(const int64_t *)a == *(const int64_t *)b;
	case PATCHBAY_T_REAL:
		return memcmp(a, b, sizeof(double)) == 0;
	case PATCHBAY_T_STR:
		return same_str(*(const patchbay_str *)a, *(const patchbay_str *)b);
	case PATCHBAY_T_STRS:
		return same_strs(a, b);
	case PATCHBAY_T_CIDRS:
		return same_cidrs(a, b);
	case PATCHBAY_T_EXPR:
	case PATCHBAY_T_TEXT:
		return same_expr(*(const patchbay_expr *const *)a, *(const patchbay_expr *const *)b);
	case PATCHBAY_T_FIELDS:
		return same_fields(a, b);
	case PATCHBAY_T_MAP: {
		const void *in_a = *(const void *const *)a, *in_b = *(const void *const *)b;
		return in_a && in_b ? same_options(option->fields, option->n_fields, in_a, in_b) : in_a == in_b;
	}
	case PATCHBAY_T_LIST:
		return same_list(option, a, b);
	case PATCHBAY_T_STRS_EXPR: {
		const patchbay_strs_expr *in_a = a, *in_b = b;
		return same_strs(&in_a->strs, &in_b->strs) && same_expr(in_a->expr, in_b->expr);
	}
	default:
		return false; /* not known to be the same */
	}
}

static bool same_options(const patchbay_option *table, size_t n, const void *a, const void *b)
{
	bool same = true;
	for (size_t i = 0; same && i < n; i++)
		same = same_value(&table[i], (const char *)a + table[i].offset, (const char *)b + table[i].offset);
	return same;
}

/* Their values are options; here it is what a person calls them. */
static bool same_secrets(const struct config_secrets *a, const struct config_secrets *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = a->v[i].index == b->v[i].index && strcmp(a->v[i].option, b->v[i].option) == 0 &&
		       strcmp(a->v[i].name, b->v[i].name) == 0;
	return same;
}

static bool same_retry(const struct config_retry *a, const struct config_retry *b)
{
	bool same = a->n_delays == b->n_delays && a->initial_ms == b->initial_ms && a->max_ms == b->max_ms &&
		    a->give_up_ms == b->give_up_ms && memcmp(&a->factor, &b->factor, sizeof a->factor) == 0;
	for (size_t i = 0; same && i < a->n_delays; i++)
		same = a->delays_ms[i] == b->delays_ms[i];
	return same;
}

bool config_source_same(const struct config_source *a, const struct config_source *b)
{
	const patchbay_source *side = a->plugin->source;
	return strcmp(a->name, b->name) == 0 && a->plugin == b->plugin && same_secrets(&a->secrets, &b->secrets) &&
	       same_strs(&a->path_secret, &b->path_secret) &&
	       same_options(side->options, side->n_options, a->options, b->options);
}

bool config_sink_same(const struct config_sink *a, const struct config_sink *b)
{
	const patchbay_sink *side = a->plugin->sink;
	return strcmp(a->name, b->name) == 0 && a->plugin == b->plugin && same_secrets(&a->secrets, &b->secrets) &&
	       same_retry(&a->retry, &b->retry) && a->timeout_ms == b->timeout_ms &&
	       a->batch_events == b->batch_events && a->batch_bytes == b->batch_bytes &&
	       a->batch_linger_ms == b->batch_linger_ms && a->rate_count == b->rate_count && a->rate_ms == b->rate_ms &&
	       a->concurrency == b->concurrency && a->order_subject == b->order_subject &&
	       same_options(side->options, side->n_options, a->options, b->options);
}
