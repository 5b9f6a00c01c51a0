/* events.c - what an authentic request of Motive's says: 0..n events, each with its identity, time and
 * subject. The table below is the knowledge; actions that it lacks are carried all the same, under
 * their own name. Identities are taken as they stand in the text: they are numbers, UUIDs or strings
 * of 19 digits, and the same member may be a number today and a string tomorrow. */
#include "motive.h"

#include <inttypes.h>

#define BATCH_MAX 1000 /* elements of an array; Motive is not known to send arrays at all */
#define KEY_PARTS_MAX 5

/* What stands between the parts of a key. JSON's source text has no control characters, so no part has it. */
#define SEPARATOR PATCHBAY_S("\x1f")

struct about { /* whom or what an event is about; members that may name it, the best first */
	const char *noun;
	const char *const paths[6];
};

static const struct about vehicle = { "vehicle", { "vehicle_id", "vehicle.id", "current_vehicle.id" } };
static const struct about vehicle_itself = { "vehicle", { "id" } };
static const struct about asset = { "asset", { "asset_details.asset_id", "asset_id", "asset.id" } };
static const struct about user = { "user", { "driver_id", "driver.id", "current_driver.id", "user_id", "user.id" } };
static const struct about user_itself = { "user", { "id" } };

struct rule {
	const char *action;
	const char *key[3];        /* members that tell events of this action apart; "#": the SHA-256 of the data */
	const char *time[3];       /* when it happened: the first of these that is a time; none: Motive does not say */
	const char *exit_time;     /* the same for "event_type": "geofence_exit" */
	const struct about *about; /* tried before vehicle, asset, user */
	uint32_t dedupe;
};

static const struct rule rules[] = {
	/* the same location object comes as received and as updated */
	{ "vehicle_location_updated", .key = { "id" }, .time = { "located_at" } },
	{ "vehicle_location_received", .key = { "id" }, .time = { "located_at" } },
	/* snapshots: no version, no time, and back to an older state is a change */
	{ "vehicle_upserted", .key = { "id" }, .about = &vehicle_itself, .dedupe = PATCHBAY_DEDUPE_LATEST },
	{ "user_upserted", .key = { "id" }, .about = &user_itself, .dedupe = PATCHBAY_DEDUPE_LATEST },
	/* a fault can be opened again; nothing says when it was closed */
	{ "fault_code_opened", .key = { "id", "last_observed_at" },
	  .time = { "last_observed_at", "first_observed_at" } },
	{ "fault_code_closed", .key = { "id", "last_observed_at" } },
	/* "date" and "time" have no zone; the signatures have, and come in this order from the last */
	{ "inspection_report_upserted", .key = { "id", "trigger", "#" },
	  .time = { "reviewer_signed_at", "mechanic_signed_at", "driver_signed_at" } },
	{ "hos_violation_upserted", .key = { "id", "trigger", "#" }, .time = { "start_time" }, .about = &user },
	/* entry and exit may share the id of the visit */
	{ "vehicle_geofence_event", .key = { "id", "event_type" }, .time = { "start_time" }, .exit_time = "end_time" },
	{ "asset_geofence_event", .key = { "id", "event_type" }, .time = { "start_time" }, .exit_time = "end_time",
	  .about = &asset },
	/* neither id nor time: two of them may be equal to the byte, and so is a retry */
	{ "engine_toggle_event", .dedupe = PATCHBAY_DEDUPE_UNANSWERED },
	{ "driver_performance_event_created", .key = { "id" }, .time = { "start_time" } },
	{ "driver_performance_event_updated", .key = { "id", "#" }, .time = { "start_time" } },
	{ "speeding_event_created", .key = { "id" }, .time = { "start_time" } },
	{ "speeding_event_updated", .key = { "id", "#" }, .time = { "start_time" } },
	{ "user_duty_status_updated", .key = { "id", "updated_at" }, .time = { "updated_at" }, .about = &user_itself },
	{ "form_entry_upserted", .key = { "id", "trigger", "#" }, .time = { "entered_at", "created_at" } },
};
static const struct rule unknown = { .key = { "id", "#" } };

static const struct rule *rule_of(patchbay_str action)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (patchbay_eq(action, patchbay_cstr(rules[i].action)))
			return &rules[i];
	return NULL;
}

static patchbay_str trim(patchbay_str s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) && s.p[0])
		s.p++, s.n--;
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

static bool is_word(patchbay_str s)
{
	if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9')) /* [123] is JSON */
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return !patchbay_eq(s, PATCHBAY_S("null")) && !patchbay_eq(s, PATCHBAY_S("true")) &&
	       !patchbay_eq(s, PATCHBAY_S("false"));
}

static bool is_bare_ping(patchbay_str body)
{
	patchbay_str s = trim(body);

	return s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' && is_word(trim((patchbay_str){ s.p + 1, s.n - 2 }));
}

/* Are all elements of this type? Looks no further than at as many as are taken. */
static bool all_are(const struct motive *m, patchbay_call *call, const patchbay_json *array, int32_t type)
{
	uint32_t n = m->json->count(array);

	for (uint32_t i = 0; i < n && i < BATCH_MAX; i++)
		if (m->json->type(m->json->at(call, array, i)) != type)
			return false;
	return n > 0 && n <= BATCH_MAX;
}

bool motive_is_ping(const struct motive *m, patchbay_call *call, patchbay_str body)
{
	const patchbay_json *root;

	if (is_bare_ping(body))
		return true;
	if (trim(body).n == 0 || trim(body).p[0] != '[')
		return false;
	root = m->json->parse(call, body);
	return m->json->type(root) == PATCHBAY_JSON_ARRAY && all_are(m, call, root, PATCHBAY_JSON_STRING);
}

/* A number's or string's source text, without the quotes; "" for all else, and for "nil", which is how
 * Motive spells null in places. Letter case of names varies in production ("ID", "FirstName"). */
static patchbay_str word(const struct motive *m, patchbay_call *call, const patchbay_json *object, const char *path)
{
	const patchbay_json *value = m->json->find(call, object, path, true);
	int32_t type = m->json->type(value);
	patchbay_str raw = m->json->raw(value);

	if (type == PATCHBAY_JSON_NUMBER)
		return raw;
	if (type != PATCHBAY_JSON_STRING || patchbay_eq(raw, PATCHBAY_S("\"nil\"")))
		return (patchbay_str){ "", 0 };
	return (patchbay_str){ raw.p + 1, raw.n - 2 };
}

/* "vehicle 123", or "" where nothing of the kind is named. */
static patchbay_str name_of(const struct motive *m, patchbay_call *call, const patchbay_json *object,
			    const struct about *about)
{
	for (size_t i = 0; i < sizeof(about->paths) / sizeof(about->paths[0]) && about->paths[i]; i++) {
		patchbay_str id = word(m, call, object, about->paths[i]);
		patchbay_str parts[] = { patchbay_cstr(about->noun), PATCHBAY_S(" "), id };
		if (id.n > 0)
			return patchbay_join(m->host, call, parts, 3);
	}
	return (patchbay_str){ "", 0 };
}

static patchbay_str subject_of(const struct motive *m, patchbay_call *call, const patchbay_json *object,
			       const struct rule *rule)
{
	const struct about *const general[] = { &vehicle, &asset, &user };
	patchbay_str subject = { "", 0 };

	if (rule->about)
		subject = name_of(m, call, object, rule->about);
	for (size_t i = 0; subject.n == 0 && i < sizeof(general) / sizeof(general[0]); i++)
		subject = name_of(m, call, object, general[i]);
	return subject;
}

static int64_t time_at(const struct motive *m, patchbay_call *call, const patchbay_json *object, const char *path)
{
	const patchbay_json *value = m->json->find(call, object, path, true);
	int64_t ns;

	if (m->json->type(value) == PATCHBAY_JSON_STRING && m->time->parse(m->json->text(call, value), &ns))
		return ns;
	return 0;
}

static int64_t time_of(const struct motive *m, patchbay_call *call, const patchbay_json *object,
		       const struct rule *rule)
{
	int64_t ns = 0;

	if (rule->exit_time && patchbay_eq(word(m, call, object, "event_type"), PATCHBAY_S("geofence_exit")))
		return time_at(m, call, object, rule->exit_time);
	/* when something was deleted is not said */
	if (rule->time[0] && patchbay_eq(word(m, call, object, "trigger"), PATCHBAY_S("deleted")))
		return 0;
	for (size_t i = 0; ns == 0 && i < sizeof(rule->time) / sizeof(rule->time[0]) && rule->time[i]; i++)
		ns = time_at(m, call, object, rule->time[i]);
	return ns;
}

struct key {
	patchbay_str parts[2 * KEY_PARTS_MAX];
	size_t n;
};

static void key_add(struct key *key, patchbay_str part)
{
	if (key->n > 0)
		key->parts[key->n++] = SEPARATOR;
	key->parts[key->n++] = part;
}

/* Fills in key and dedupe. action: its source text; index: of the element in an array, -1 when it is none. */
static patchbay_status identify(const struct motive *m, patchbay_call *call, const patchbay_json *object,
				const struct rule *rule, patchbay_str action, int64_t index, patchbay_event *event)
{
	struct key key = { .n = 0 };
	bool named = false, hash = false;

	event->dedupe = rule->dedupe;
	key_add(&key, action);
	for (size_t i = 0; i < sizeof(rule->key) / sizeof(rule->key[0]) && rule->key[i]; i++) {
		patchbay_str part;
		if (strcmp(rule->key[i], "#") == 0) {
			hash = true;
			continue;
		}
		part = word(m, call, object, rule->key[i]);
		if (i == 0) {
			named = part.n > 0;
			if (!named)
				break;
		}
		hash |= part.n == 0; /* a part is missing that tells events of one id apart */
		key_add(&key, part);
	}
	if (!named) {
		/* Only its subject tells it from others; elements of one request are told apart by their place. */
		event->dedupe = PATCHBAY_DEDUPE_UNANSWERED;
		key_add(&key, event->subject);
		if (index >= 0)
			key_add(&key, patchbay_fmt(m->host, call, "[%" PRId64 "]", index));
	} else if (hash) {
		key_add(&key, m->crypto->sha256_hex(call, event->data));
		if (key.parts[key.n - 1].n == 0)
			return PATCHBAY_ENOMEM;
	}
	event->key = patchbay_join(m->host, call, key.parts, key.n);
	return event->key.n > 0 ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

/* {"driver_performance_event": {...}}: the inner object, and the only member's name. NULL: not such a thing. */
static const patchbay_json *unwrap(const struct motive *m, patchbay_call *call, const patchbay_json *object,
				   patchbay_str *name)
{
	const patchbay_json *inner;
	patchbay_str raw = m->json->raw(object);
	const char *quote, *end;

	if (m->json->count(object) != 1)
		return NULL;
	/* The text was checked: the first string in it is the name. */
	quote = memchr(raw.p, '"', raw.n);
	end = quote ? memchr(quote + 1, '"', raw.n - (size_t)(quote + 1 - raw.p)) : NULL;
	if (!end)
		return NULL;
	*name = (patchbay_str){ quote + 1, (size_t)(end - quote - 1) };
	inner = m->json->get(call, object, *name); /* none, if the name has escapes */
	return name->n > 0 && m->json->type(inner) == PATCHBAY_JSON_OBJECT ? inner : NULL;
}

/* Fills in the type. Returns what names the event, as it stands in the text; "": there is no action. */
static patchbay_str take_action(const struct motive *m, patchbay_call *call, const patchbay_json *object,
				patchbay_event *event)
{
	const patchbay_json *action = m->json->find(call, object, "action", true);

	if (m->json->type(action) != PATCHBAY_JSON_STRING)
		return (patchbay_str){ "", 0 };
	event->type = m->json->text(call, action);
	return event->type.n > 0 ? word(m, call, object, "action") : event->type;
}

static patchbay_status emit_object(const struct motive *m, patchbay_call *call, const patchbay_json *object,
				   patchbay_str data, int64_t index, const patchbay_emitter *emitter)
{
	patchbay_event event = { .size = sizeof(event), .data = data };
	const patchbay_json *inner = NULL;
	patchbay_str name, wrapper = { "", 0 };
	const struct rule *rule;
	patchbay_status status;

	if (m->json->count(object) == 0)
		return PATCHBAY_OK; /* {} says nothing */
	name = take_action(m, call, object, &event);
	if (name.n == 0 && !m->json->find(call, object, "action", true))
		inner = unwrap(m, call, object, &wrapper);
	if (inner) {
		object = inner;
		name = take_action(m, call, object, &event);
		if (name.n == 0) {
			name = event.type = wrapper;
			event.flags |= rule_of(wrapper) ? 0 : PATCHBAY_EVENT_TYPE_GUESSED;
		}
	}
	if (name.n == 0) {
		name = event.type = PATCHBAY_S("unknown");
		event.flags |= PATCHBAY_EVENT_TYPE_GUESSED;
	}
	rule = rule_of(event.type);
	if (!rule)
		rule = &unknown;
	event.subject = subject_of(m, call, object, rule);
	event.time_ns = time_of(m, call, object, rule);
	status = identify(m, call, object, rule, name, index, &event);
	return status == PATCHBAY_OK ? emitter->emit(emitter->ctx, &event) : status;
}

patchbay_status motive_parse(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct motive *m = self;
	const patchbay_json *root;
	patchbay_status status = PATCHBAY_OK;

	if (trim(r->body).n == 0)
		return PATCHBAY_OK;
	if (motive_is_ping(m, call, r->body)) {
		patchbay_event event = { .size = sizeof(event),
					 .dedupe = PATCHBAY_DEDUPE_NONE,
					 .flags = PATCHBAY_EVENT_TEST | PATCHBAY_EVENT_TYPE_GUESSED,
					 .type = PATCHBAY_S("ping"),
					 .data = r->body };
		return emitter->emit(emitter->ctx, &event);
	}
	root = m->json->parse(call, r->body);
	if (!root)
		return PATCHBAY_EMALFORMED; /* explained, with the offset */
	if (m->json->type(root) == PATCHBAY_JSON_OBJECT)
		return emit_object(m, call, root, r->body, -1, emitter);
	if (m->json->type(root) != PATCHBAY_JSON_ARRAY) {
		m->host->explain(call, PATCHBAY_S("the body is JSON, but neither an object nor an array"));
		return PATCHBAY_EMALFORMED;
	}
	if (m->json->count(root) > 0 && !all_are(m, call, root, PATCHBAY_JSON_OBJECT)) {
		m->host->explain(call,
				 patchbay_fmt(m->host, call,
					      "the body is an array of %" PRIu32 " elements, but not of at most %d "
					      "objects (events) or strings (a test request)",
					      m->json->count(root), BATCH_MAX));
		return PATCHBAY_EMALFORMED;
	}
	for (uint32_t i = 0; status == PATCHBAY_OK && i < m->json->count(root); i++) {
		const patchbay_json *element = m->json->at(call, root, i);
		status = emit_object(m, call, element, m->json->raw(element), i, emitter);
	}
	return status;
}
