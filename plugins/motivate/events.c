/* events.c - what a message says: one JSON object, one event. The manual lost the spellings of
 * event_type, so the kind is told from what event_data holds; event_type is passed on as it comes. */
#include "motivate.h"

#include "enrich.h"

static const struct {
	const char *marker; /* a member of event_data that only this kind has */
	const char *kind;
} kinds[] = {
	{ "ftp_log_id", "ftp_job" },
	{ "reward_id", "reward_redeemed" },
	{ "course_pack_id", "course_pack_completed" },
	{ "course_id", "course_completed" },
	{ "level_id", "level_reached" },
	{ "badge_id", "badge_earned" },
};

static patchbay_str text_at(const struct motivate *m, patchbay_call *call, const patchbay_json *object,
			    const char *path)
{
	const patchbay_json *value = m->json->find(call, object, path, false);

	return m->json->text(call, value);
}

/* A number's or string's source text, without the quotes; "" for all else. */
static patchbay_str word(const struct motivate *m, const patchbay_json *value)
{
	int32_t type = m->json->type(value);
	patchbay_str raw = m->json->raw(value);

	if (type == PATCHBAY_JSON_STRING)
		return (patchbay_str){ raw.p + 1, raw.n - 2 };
	return type == PATCHBAY_JSON_NUMBER ? raw : (patchbay_str){ "", 0 };
}

/* Ten digits, no more and no less: timestamp and token are signed without anything between them, and a
 * digit moved from one to the other would pass for a token that was never seen. */
patchbay_str motivate_timestamp(const struct motivate *m, patchbay_call *call, const patchbay_json *message,
				int64_t *ret_s)
{
	patchbay_str digits = word(m, m->json->get(call, message, PATCHBAY_S("timestamp")));
	int64_t s = 0;

	if (digits.n != 10)
		return (patchbay_str){ "", 0 };
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return (patchbay_str){ "", 0 };
		s = s * 10 + (digits.p[i] - '0');
	}
	*ret_s = s;
	return digits;
}

static const char *kind_of(const struct motivate *m, patchbay_call *call, const patchbay_json *data)
{
	const char *kind = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!m->json->find(call, data, kinds[i].marker, false))
			continue;
		if (kind)
			return "unknown";
		kind = kinds[i].kind;
	}
	return kind ? kind : "unknown";
}

static patchbay_str subject_of(const struct motivate *m, patchbay_call *call, const patchbay_json *root,
			       const patchbay_json *data)
{
	static const char *const people[] = { "employee_id", "login_id" };
	patchbay_str parts[2] = { PATCHBAY_S("ftp "), word(m, m->json->find(call, data, "ftp_log_id", false)) };

	for (size_t i = 0; parts[1].n == 0 && i < sizeof(people) / sizeof(people[0]); i++) {
		parts[0] = PATCHBAY_S("user ");
		parts[1] = text_at(m, call, root, people[i]);
	}
	return parts[1].n > 0 ? patchbay_join(m->host, call, parts, 2) : (patchbay_str){ "", 0 };
}

/* message_id stays the same over all tries, while token, timestamp and so the body's bytes change. The token is taken
 * decoded, as it was signed: spelled with an escape, one that came before would pass for another. */
static patchbay_status identify(const struct motivate *m, patchbay_call *call, const patchbay_json *root,
				patchbay_event *event)
{
	patchbay_str token = text_at(m, call, root, "token");
	patchbay_str parts[] = { token, PATCHBAY_S("\x1f"), { NULL, 0 } };

	event->token = token;
	event->key = word(m, m->json->find(call, root, "message_id", false));
	if (event->key.n > 0 || token.n == 0)
		return PATCHBAY_OK; /* without either the host takes the SHA-256 of the data */
	parts[2] = m->crypto->sha256_hex(call, event->data);
	event->key = patchbay_join(m->host, call, parts, 3);
	return parts[2].n > 0 && event->key.n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

static int64_t time_of(const struct motivate *m, patchbay_call *call, const patchbay_json *root)
{
	int64_t ns, s;

	if (m->time->parse(text_at(m, call, root, "event_time"), &ns))
		return ns;
	if (motivate_timestamp(m, call, root, &s).n == 0 || __builtin_mul_overflow(s, INT64_C(1000000000), &ns))
		return 0;
	return ns;
}

static bool is_test(const struct motivate *m, patchbay_call *call, const patchbay_json *root)
{
	const patchbay_json *flag = m->json->find(call, root, "is_test_message", false);
	patchbay_str text = m->json->text(call, flag);

	return m->json->type(flag) == PATCHBAY_JSON_TRUE || patchbay_eq(text, PATCHBAY_S("true")) ||
	       patchbay_eq(text, PATCHBAY_S("True"));
}

patchbay_status motivate_parse(const void *self, patchbay_call *call, const patchbay_request *r,
			       const patchbay_emitter *emitter)
{
	const struct motivate *m = self;
	patchbay_event event = { .size = sizeof(event), .data = r->body };
	const patchbay_json *root = m->json->parse(call, r->body), *data;
	patchbay_status status;

	if (!root)
		return PATCHBAY_EMALFORMED; /* explained, with the offset */
	if (m->json->type(root) != PATCHBAY_JSON_OBJECT) {
		m->host->explain(call, PATCHBAY_S("the body is JSON, but not an object"));
		return PATCHBAY_EMALFORMED;
	}
	data = m->json->get(call, root, PATCHBAY_S("event_data"));
	event.type = text_at(m, call, root, "event_type");
	if (event.type.n == 0) {
		event.type = PATCHBAY_S("unknown");
		event.flags |= PATCHBAY_EVENT_TYPE_GUESSED;
	}
	event.kind = patchbay_cstr(kind_of(m, call, data));
	event.subject = subject_of(m, call, root, data);
	event.time_ns = time_of(m, call, root);
	if (is_test(m, call, root))
		event.flags |= PATCHBAY_EVENT_TEST;
	else if (m->options->enrich && patchbay_eq(event.kind, PATCHBAY_S("ftp_job")) && enrich_wanted(m, call, data))
		event.flags |= PATCHBAY_EVENT_ENRICH;
	status = identify(m, call, root, &event);
	return status == PATCHBAY_OK ? emitter->emit(emitter->ctx, &event) : status;
}
