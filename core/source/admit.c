/* admit.c - see admit.h. */
#include "source/admit.h"

#include "plugin/services.h"
#include "source/quarantine.h"

static enum admitted failed(patchbay_call *call, enum admitted how)
{
	if (call->why.n == 0)
		call->why = STR("the plugin gave no reason");
	return how;
}

enum admitted admit_by_plugin(struct emission *e, const struct instance *instance, const patchbay_request *in,
			      patchbay_reply *reply)
{
	const patchbay_source *side = e->source->plugin->source;
	const patchbay_emitter emitter = emission_emitter(e);
	patchbay_call *call = e->call;
	patchbay_status status = side->verify(instance_self(instance), call, in, reply);
	if (status == PATCHBAY_REPLY)
		return ADMITTED_REPLY;
	if (status != PATCHBAY_OK)
		return failed(call, ADMITTED_REFUSED);
	if (call->why.n == 0)
		call->why = STR("verified by the plugin");
	e->received_ns = in->received_ns;
	e->client = in->client;
	e->note = call->why; /* what proved it authentic */
	status = side->parse(instance_self(instance), call, in, &emitter);
	if (e->fault) {
		call->why = str_c(e->fault);
		return ADMITTED_MALFORMED;
	}
	if (status != PATCHBAY_OK) {
		if (call->why.p == e->note.p)
			call->why = STR("");
		return failed(call, ADMITTED_MALFORMED);
	}
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
