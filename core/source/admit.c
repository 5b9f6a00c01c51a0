/* admit.c - see admit.h. */
#include "source/admit.h"

#include "guard/guard.h"
#include "plugin/services.h"
#include "source/quarantine.h"

#define LIMIT_MS 2000 /* for what is to take 1 ms, and is told that it has a second */

static void enter(const struct emission *e, const patchbay_request *in, enum guard_call call)
{
	guard_enter(&(struct guard_note){ .call = call,
					  .side = GUARD_SOURCE,
					  .plugin = e->source->plugin->name,
					  .instance = e->source->name,
					  .request = in,
					  .is_kept = e->take != NULL,
					  .limit_ms = LIMIT_MS });
}

static enum admitted failed(patchbay_call *call, enum admitted how)
{
	if (call->why.n == 0)
		call->why = STR("the plugin gave no reason");
	return how;
}

/* The plugin has crashed with this request before, and often enough. */
static bool is_poison(const struct emission *e, const patchbay_request *in, enum guard_call call)
{
	struct guard_blame blame;
	if (!guard_request_blame(e->source->name, in, call, &blame) || blame.count < GUARD_CRASHES_MAX)
		return false;
	call_explain(e->call, "the plugin crashed %s, %u times: %s", guard_call_name(call), blame.count, blame.what);
	return true;
}

static patchbay_status verify(const struct emission *e, const struct instance *instance, const patchbay_request *in,
			      patchbay_reply *reply)
{
	if (is_poison(e, in, GUARD_VERIFY))
		return PATCHBAY_EDENIED;
	enter(e, in, GUARD_VERIFY);
	patchbay_status status = e->source->plugin->source->verify(instance_self(instance), e->call, in, reply);
	guard_leave();
	return status;
}

static patchbay_status parse(struct emission *e, const struct instance *instance, const patchbay_request *in)
{
	const patchbay_emitter emitter = emission_emitter(e);
	if (is_poison(e, in, GUARD_PARSE))
		return PATCHBAY_EMALFORMED;
	enter(e, in, GUARD_PARSE);
	patchbay_status status = e->source->plugin->source->parse(instance_self(instance), e->call, in, &emitter);
	guard_leave();
	return status;
}

enum admitted admit_by_plugin(struct emission *e, const struct instance *instance, const patchbay_request *in,
			      patchbay_reply *reply)
{
	patchbay_call *call = e->call;
	char parked[GUARD_WHY_SIZE];
	if (instance_is_parked(instance, parked)) {
		call_explain(call, "%s", parked);
		return ADMITTED_NOT_NOW;
	}
	patchbay_status status = verify(e, instance, in, reply);
	if (status == PATCHBAY_REPLY)
		return ADMITTED_REPLY;
	if (status != PATCHBAY_OK)
		return failed(call, ADMITTED_REFUSED);
	if (call->why.n == 0)
		call->why = STR("verified by the plugin");
	e->received_ns = in->received_ns;
	e->client = in->client;
	e->note = call->why; /* what proved it authentic */
	status = parse(e, instance, in);
	if (e->fault) {
		call->why = str_c(e->fault);
		return ADMITTED_MALFORMED;
	}
	if (status != PATCHBAY_OK) {
		if (call->why.p == e->note.p)
			call->why = STR("");
		return failed(call, ADMITTED_MALFORMED);
	}
	guard_works(GUARD_SOURCE, e->source->name);
	return e->n ? ADMITTED_EVENTS : ADMITTED_NOTHING;
}

static bool path_secret_is_right(const patchbay_strs *secrets, patchbay_str presented)
{
	bool right = secrets->n == 0 && presented.n == 0;
	for (size_t i = 0; i < secrets->n; i++)
		right |= crypto_service.equal(secrets->v[i], presented);
	return right;
}

enum admitted admit_request(struct emission *e, const struct instance *instance, const patchbay_request *in,
			    patchbay_str path_secret, patchbay_reply *reply)
{
	struct quarantine q = { .check = QUARANTINE_PATH_SECRET, .request = in, .path_secret = path_secret };
	enum admitted how = ADMITTED_REFUSED;
	if (!path_secret_is_right(&e->source->path_secret, path_secret)) {
		q.why = STR("the secret part of the URL (path_secret) is missing or wrong");
	} else {
		how = admit_by_plugin(e, instance, in, reply);
		if (how != ADMITTED_REFUSED && how != ADMITTED_MALFORMED)
			return how;
		q.check = how == ADMITTED_REFUSED ? QUARANTINE_VERIFY : QUARANTINE_PARSE;
		q.why = e->call->why;
	}
	quarantine_put(e->ticket, e->source, e->call, &q);
	return how;
}
