/* events.c - what a live event says: one JSON object, one event. The platform names events in three
 * ways, and quiz attempts in none: `type` is what the payload says of itself, `kind` is our name. */
#include "lms.h"

static patchbay_str text_at(const struct lms *lms, patchbay_call *call, const patchbay_json *object, const char *path)
{
	const patchbay_json *value = lms->json->find(call, object, path, false);

	return lms->json->text(call, value);
}

/* A number's or string's source text, without the quotes; "" for all else. */
static patchbay_str word(const struct lms *lms, patchbay_call *call, const patchbay_json *object, const char *name)
{
	const patchbay_json *value = lms->json->find(call, object, name, false);
	int32_t type = lms->json->type(value);
	patchbay_str raw = lms->json->raw(value);

	if (type == PATCHBAY_JSON_STRING)
		return (patchbay_str){ raw.p + 1, raw.n - 2 };
	return type == PATCHBAY_JSON_NUMBER ? raw : (patchbay_str){ "", 0 };
}

static void classify(const struct lms *lms, patchbay_call *call, const patchbay_json *object, patchbay_event *event)
{
	patchbay_str source = text_at(lms, call, object, "source");
	patchbay_str name = text_at(lms, call, object, "event");
	patchbay_str topic_type = text_at(lms, call, object, "topicType");

	event->kind = PATCHBAY_S("unknown");
	if (patchbay_eq(source, PATCHBAY_S("course_completed")) || patchbay_eq(name, PATCHBAY_S("courseCompletion")))
		event->kind = PATCHBAY_S("course_completed");
	else if (patchbay_eq(source, PATCHBAY_S("learning_path_completed")))
		event->kind = PATCHBAY_S("learning_path_completed");
	else if (lms->json->get(call, object, PATCHBAY_S("learningPathTitle")))
		event->kind = PATCHBAY_S("learning_path_other");
	else if (source.n == 0 && name.n == 0 && topic_type.n > 0 &&
		 lms->json->get(call, object, PATCHBAY_S("topic")) &&
		 lms->json->get(call, object, PATCHBAY_S("questions")))
		event->kind = PATCHBAY_S("quiz_attempt");

	if (source.n == 0 && name.n == 0)
		event->flags |= PATCHBAY_EVENT_TYPE_GUESSED;
	if (source.n > 0)
		event->type = source;
	else if (name.n > 0)
		event->type = name;
	else if (topic_type.n > 0)
		event->type = topic_type;
	else
		event->type = PATCHBAY_S("unknown");
}

/* (id, timestamp): a retry repeats both, and completing a course again changes one of them even if ids
 * should be made from learner and course. Source text has no control characters, hence the separator. */
static patchbay_status identify(const struct lms *lms, patchbay_call *call, const patchbay_json *object,
				patchbay_event *event)
{
	patchbay_str parts[] = { word(lms, call, object, "id"), PATCHBAY_S("\x1f"),
				 word(lms, call, object, "timestamp") };

	if (parts[0].n == 0)
		return PATCHBAY_OK; /* the host takes the SHA-256 of the data */
	if (parts[2].n == 0)
		parts[2] = lms->crypto->sha256_hex(call, event->data);
	event->key = patchbay_join(lms->host, call, parts, 3);
	return parts[2].n > 0 && event->key.n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

patchbay_status lms_parse(const void *self, patchbay_call *call, const patchbay_request *r,
			  const patchbay_emitter *emitter)
{
	const struct lms *lms = self;
	patchbay_event event = { .size = sizeof(event), .data = r->body };
	const patchbay_json *root = lms->json->parse(call, r->body);
	patchbay_str learner;
	patchbay_status status;

	if (!root)
		return PATCHBAY_EMALFORMED; /* explained, with the offset */
	if (lms->json->type(root) != PATCHBAY_JSON_OBJECT) {
		lms->host->explain(call, PATCHBAY_S("the body is JSON, but not an object"));
		return PATCHBAY_EMALFORMED;
	}
	classify(lms, call, root, &event);
	status = identify(lms, call, root, &event);
	if (status != PATCHBAY_OK)
		return status;
	learner = text_at(lms, call, root, "userDetail.id|user");
	if (learner.n > 0) {
		patchbay_str parts[] = { PATCHBAY_S("user "), learner };
		event.subject = patchbay_join(lms->host, call, parts, 2);
	}
	if (!lms->time->parse(text_at(lms, call, root, "timestamp"), &event.time_ns))
		event.time_ns = 0;
	return emitter->emit(emitter->ctx, &event);
}
