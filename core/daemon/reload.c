/* reload.c - see reload.h. First everything that may fail, then what cannot: the sinks before the intake, so that no
 * event of a new source is looked at by old routes. */
#include "daemon/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "guard/guard.h"
#include "plugin/load.h"

#include <inttypes.h>
#include <string.h>

struct change { /* all that is made beside what is at work */
	struct generation *generation;
	struct live_set *sources;
	struct enricher_change *enricher;
	struct dispatcher_change *dispatcher;
	struct poller_change *poller;
};

/* ---- Telling */

static void tell(const struct reload *r, struct buf *line)
{
	r->say(r->ctx, buf_str(line));
	buf_free(line);
}

static void tell_faults(const struct reload *r, const struct config_faults *faults)
{
	for (size_t i = 0; i < faults->n; i++) {
		const struct config_fault *f = &faults->v[i];
		struct buf line = { 0 };
		log_line(f->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "reload: %s", f->text);
		buf_addf(&line, "{\"result\":\"%s\",\"text\":", f->warning ? "warning" : "fault");
		buf_add_json_string(&line, str_c(f->text));
		buf_addf(&line, "}");
		tell(r, &line);
	}
}

static void add_counts(struct buf *line, const char *what, const struct reload_counts *c)
{
	buf_addf(line, ",\"%s\":{\"kept\":%u,\"replaced\":%u,\"added\":%u,\"removed\":%u}", what, c->kept, c->replaced,
		 c->added, c->removed);
}

static void tell_end(const struct reload *r, bool reloaded, const struct reload_counts *sources,
		     const struct reload_counts *sinks, size_t loaded)
{
	uint64_t generation = atomic_load(&r->parts->reloads.generation);
	struct buf line = { 0 };
	if (reloaded)
		log_info("reloaded %s: generation %" PRIu64 "; sources: %u kept, %u replaced, %u added, %u removed; "
			 "sinks: %u kept, %u replaced, %u added, %u removed; %zu plugins loaded anew",
			 r->parts->path, generation, sources->kept, sources->replaced, sources->added, sources->removed,
			 sinks->kept, sinks->replaced, sinks->added, sinks->removed, loaded);
	else
		log_error("reload refused; all goes on with the configuration that is at work, generation %" PRIu64,
			  generation);
	buf_addf(&line, "{\"result\":\"end\",\"reloaded\":%s,\"file\":", reloaded ? "true" : "false");
	buf_add_json_string(&line, str_c(r->parts->path));
	buf_addf(&line, ",\"generation\":%" PRIu64 ",\"plugins_loaded\":%zu", generation, loaded);
	add_counts(&line, "sources", sources);
	add_counts(&line, "sinks", sinks);
	buf_addf(&line, "}");
	tell(r, &line);
}

/* ---- What cannot change while it runs */

static bool same_address(const struct config_address *a, const struct config_address *b)
{
	return a && b ? strcmp(a->text, b->text) == 0 && a->tls == b->tls : a == b;
}

static void warn_of_restart(const struct config *was, const struct config *is, struct faults *faults)
{
#define LATER "counts only when patchbay is started again; until then the old value holds"
	bool same = was->n_listen == is->n_listen;
	for (size_t i = 0; same && i < is->n_listen; i++)
		same = same_address(&was->listen[i], &is->listen[i]);
	if (!same)
		fault_warning(faults, is->listen[0].line, is->listen[0].column, "'listen' has changed, which " LATER);
	if (!same_address(was->admin, is->admin))
		fault_warning(faults, is->admin ? is->admin->line : 0, is->admin ? is->admin->column : 0,
			      "'admin' has changed, which " LATER);
	if (strcmp(was->journal, is->journal) != 0)
		fault_warning(faults, is->journal_line, is->journal_column, "'journal' has changed, which " LATER);
	if (was->limits.connections != is->limits.connections ||
	    was->limits.connections_per_address != is->limits.connections_per_address)
		fault_warning(faults, is->limits_line, is->limits_column,
			      "'connections' or 'connections_per_address' has changed, which " LATER);
#undef LATER
}

/* ---- The change */

static void abandon(const struct reload *r, struct change *c)
{
	poller_abandon(c->poller);
	dispatcher_abandon(r->parts->dispatcher, c->dispatcher);
	enricher_abandon(c->enricher);
	live_set_destroy(c->sources);
	generation_unref(c->generation);
}

/* All parts, whatever is wrong with one: so that everything is said in one go. */
static bool prepare(const struct reload *r, struct change *c, struct config_faults *list)
{
	struct parts *p = r->parts;
	struct faults faults = { .path = p->path, .list = list };
	struct err err;
	c->generation = generation_load(p->path, list);
	if (!c->generation)
		return false;
	c->sources = live_set_create(c->generation, p->sources, &faults);
	c->enricher = enricher_prepare(p->enricher, c->generation, &faults);
	c->dispatcher = dispatcher_prepare(p->dispatcher, c->generation, &faults);
	c->poller = poller_prepare(p->poller, c->generation, &faults);
	if (faults.errors == 0 && atomic_load(r->stopping))
		fault_error(&faults, 0, 0, "patchbay is being stopped");
	if (faults.errors == 0 && (enricher_open(p->enricher, c->enricher, &err) != 0 ||
				   dispatcher_open(p->dispatcher, c->dispatcher, &err) != 0))
		fault_error(&faults, 0, 0, "%s", err.text);
	if (faults.errors)
		return false;
	warn_of_restart(p->first->config, c->generation->config, &faults);
	return true;
}

static void count_sources(const struct live_set *was, const struct live_set *is, struct reload_counts *ret)
{
	*ret = (struct reload_counts){ 0 };
	for (size_t i = 0; i < is->n; i++) {
		const struct live *had = live_set_find(was, is->v[i]->source->name);
		ret->kept += had == is->v[i];
		ret->replaced += had && had != is->v[i];
		ret->added += !had;
	}
	for (size_t i = 0; i < was->n; i++)
		ret->removed += !live_set_find(is, was->v[i]->source->name);
}

static void commit(const struct reload *r, struct change *c, struct reload_counts *sources, struct reload_counts *sinks)
{
	struct parts *p = r->parts;
	struct live_set *before = p->sources;
	const struct config *config = c->generation->config;
	const struct journal_options options = daemon_journal_options(c->generation->config, NULL);
	log_configure(&c->generation->config->log);
	count_sources(before, c->sources, sources);
	journal_limit(p->journal, &options);
	dispatcher_commit(p->dispatcher, c->dispatcher, sinks);
	enricher_commit(p->enricher, c->enricher);
	intake_reload(p->intake, c->sources);
	poller_commit(p->poller, c->poller);
	p->sources = c->sources;
	alarms_reloaded(p->alarms, c->sources, NULL);
	generation_keep(c->generation);
	guard_tell_size(config->n_sources, config->n_sinks, config->n_routes);
	live_set_destroy(before);
	generation_unref(c->generation);
	atomic_fetch_add(&p->reloads.generation, 1);
	atomic_store(&p->reloads.last_ms, clock_wall_ns() / NS_PER_MS);
}

static void refuse(const struct reload *r, struct change *c, const struct config_faults *faults)
{
	const char *why = "";
	for (size_t i = faults->n; i-- > 0;)
		why = faults->v[i].warning ? why : faults->v[i].text;
	abandon(r, c);
	alarms_reloaded(r->parts->alarms, NULL, why);
}

void reload_run(const struct reload *r)
{
	struct change change = { 0 };
	struct config_faults faults = { 0 };
	struct reload_counts sources = { 0 }, sinks = { 0 };
	size_t loaded_before = load_count();
	guard_reload_begins();
	reload_tidy(r->parts);
	guard_forgive(NULL); /* whoever asks for this may have mended what crashed */
	bool good = prepare(r, &change, &faults);
	faults_sort(&faults);
	if (good)
		commit(r, &change, &sources, &sinks);
	else
		refuse(r, &change, &faults);
	atomic_fetch_add(good ? &r->parts->reloads.ok : &r->parts->reloads.refused, 1);
	tell_faults(r, &faults);
	tell_end(r, good, &sources, &sinks, load_count() - loaded_before);
	config_faults_free(&faults);
	guard_reload_ends(good);
}

bool reload_tidy(struct parts *p)
{
	bool sinks = dispatcher_tidy(p->dispatcher), polled = poller_tidy(p->poller);
	return sinks || polled;
}
