/* verify_state.c - state.db: is it sound, and does it fit the events? */
#include "journal/verify_internal.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Who is owed what stood in a place */

void verify_add_owed(struct verify *v, uint64_t number, uint64_t from, uint64_t to)
{
	const struct state_survey *state = &v->state;
	unsigned n = 0;
	for (size_t i = 0; i < state->n_sinks; i++) {
		const struct state_survey_sink *s = &state->sinks[i];
		bool details =
			strcmp(s->name, JOURNAL_SINK_ENRICH) == 0; /* whose cursor lags behind what it has done */
		bool owed = !details && (s->cursor.hi < number || (s->cursor.hi == number && s->cursor.lo < to));
		for (size_t k = 0; k < state->n_parked && !owed; k++)
			owed = state->parked[k].sink == i && state->parked[k].at.hi == number &&
			       state->parked[k].at.lo >= from && state->parked[k].at.lo < to;
		if (owed && s->kept)
			buf_addf(&v->means, "%s%s",
				 n++ ? ", " : "; still owed to: ", details ? "the fetching of details" : s->name);
	}
	if (!n)
		buf_addf(&v->means, v->has_state ? "; nothing there was still owed"
						 : "; whether it was still owed is not known, without state.db");
}

/* ---- Does it fit? */

static struct journal_pos end_of(struct inspect_log *log)
{
	struct journal_pos end = { 0, 0 };
	for (size_t i = 0; i < log->n; i++)
		if (log->v[i].readable)
			end = (struct journal_pos){ log->v[i].number, log->v[i].end };
	return end;
}

/* A daemon that runs may have delivered it meanwhile, and pruned it. */
static bool still_parked(const struct state_survey *later, const char *sink, struct journal_pos at)
{
	for (size_t i = 0; i < later->n_parked; i++)
		if (journal_pos_cmp(later->parked[i].at, at) == 0 &&
		    strcmp(later->sinks[later->parked[i].sink].name, sink) == 0)
			return true;
	return false;
}

static void check_parked(struct verify *v, const struct state_survey *later)
{
	for (size_t i = 0; i < v->state.n_sinks; i++) {
		const char *sink = v->state.sinks[i].name;
		uint64_t missing = 0;
		char first[ID_TEXT_SIZE] = "";
		for (size_t k = 0; k < v->state.n_parked; k++) {
			const struct state_survey_parked *p = &v->state.parked[k];
			if (p->sink != i || inspect_has(&v->events, p->at, &p->id) ||
			    (later && !still_parked(later, sink, p->at)))
				continue;
			if (!missing++)
				id_format(&p->id, first);
		}
		if (!missing)
			continue;
		buf_addf(&v->what,
			 "%" PRIu64 " deliver%s to '%s' wait%s for another attempt, but the event is not there: %s%s",
			 missing, missing == 1 ? "y" : "ies", sink, missing == 1 ? "s" : "", first,
			 missing > 1 ? ", …" : "");
		buf_addf(&v->means, "what is not there cannot be delivered");
		verify_tell(v, true, "state.db", 0, 0, REPAIR ", makes them dead letters");
	}
}

static void check_parked_now(struct verify *v)
{
	char *name = xasprintf("%s/state.db", v->path);
	struct state_survey later;
	struct err ignored;
	bool there = v->sums->running && state_survey(name, false, &later, &ignored) == 0;
	check_parked(v, there ? &later : NULL);
	if (there)
		state_survey_free(&later);
	free(name);
}

void verify_state(struct verify *v)
{
	struct journal_pos end = end_of(&v->events);
	if (!v->has_state && v->state.readable) {
		buf_addf(&v->what, "is missing, or empty");
		buf_addf(&v->means,
			 "how far each sink had come is not known: a daemon would begin at the newest event");
		verify_tell(v, true, "state.db", 0, 0,
			    "put a backup of it back; or " REPAIR ", has everything that is kept delivered");
		return;
	}
	v->sums->state_version = v->state.version;
	v->sums->sinks = v->state.n_sinks;
	v->sums->parked = v->state.n_parked;
	for (size_t i = 0; i < v->state.n_sinks; i++)
		v->sums->dead += v->state.sinks[i].dead;
	if (!v->state.readable) {
		buf_addf(&v->what, "is damaged: %s", buf_cstr(&v->state.trouble));
		buf_addf(&v->means, "what became of deliveries may be lost in part; the events are not hit");
		verify_tell(v, true, "state.db", 0, 0, REPAIR ", saves what can be read; or put a backup back");
		return;
	}
	if (v->state.version > state_version_known()) {
		buf_addf(&v->what, "has version %d, this program knows %d", v->state.version, state_version_known());
		buf_addf(&v->means, "nothing is known to be wrong with it");
		verify_tell(v, true, "state.db", 0, 0, "use the release that wrote it, or a later one");
		return;
	}
	/* A daemon that runs has settled more meanwhile; it looks after its cursors itself. */
	for (size_t i = 0; i < v->state.n_sinks; i++) {
		const struct state_survey_sink *s = &v->state.sinks[i];
		if (journal_pos_cmp(s->cursor, end) <= 0)
			continue;
		buf_addf(&v->what,
			 "the sink '%s' has seen events up to %" PRIx64 ":%" PRIx64 ", but they end at %" PRIx64
			 ":%" PRIx64,
			 s->name, s->cursor.hi, s->cursor.lo, end.hi, end.lo);
		buf_addf(&v->means, "the newest events are lost, or an older copy of them was put back");
		verify_tell(v, true, "state.db", 0, 0, "nothing: the next start goes on behind that; or " REPAIR);
	}
	check_parked_now(v);
}

int verify_survey(struct verify *v, struct err *err)
{
	char *name = xasprintf("%s/state.db", v->path);
	int result = 0;
	v->state.readable = true;
	if (access(name, F_OK) == 0)
		result = state_survey(name, true, &v->state, err);
	v->has_state = v->state.version > 0;
	free(name);
	return result;
}
