/* envelope.c - the fields of a delivery, as JSON values. */
#include "expr/envelope.h"

#include "base/clock.h"
#include "base/json.h"
#include "expr/expr.h"
#include "expr/lex.h"

enum field {
	ID,
	SOURCE,
	PLUGIN,
	TYPE,
	KIND,
	SUBJECT,
	TIME,
	TIME_SOURCE,
	RECEIVED,
	TEST,
	DEDUPE,
	DATA,
	DETAILS,
	DETAILS_ERROR,
	N_FIELDS
};

const char *const expr_envelope_fields[] = {
	"id",       "source", "plugin", "type", "kind",    "subject",       "time", "time_source",
	"received", "test",   "dedupe", "data", "details", "details_error", NULL,
};

static enum field find_field(patchbay_str name)
{
	enum field f = ID;
	while (f < N_FIELDS && !str_is(name, expr_envelope_fields[f]))
		f++;
	return f;
}

static bool is_json(enum field f)
{
	return f == DATA || f == DETAILS;
}

bool envelope_is_json(patchbay_str name)
{
	return is_json(find_field(name));
}

static patchbay_str iso(patchbay_call *call, int64_t ns)
{
	char text[CLOCK_ISO_SIZE];
	size_t n = clock_format_iso(ns, text);
	return arena_copy(&call->arena, (patchbay_str){ text, n });
}

/* Sources are plugins: what they hand over need not be UTF-8. */
static patchbay_str clean(patchbay_call *call, patchbay_str s)
{
	if (lex_is_utf8(s))
		return s;
	struct buf quoted = { 0 };
	buf_add_json_string(&quoted, s);
	patchbay_str text = arena_copy(&call->arena, buf_str(&quoted));
	buf_free(&quoted);
	return json_text(call, json_parse(call, text));
}

static patchbay_str dedupe_name(uint32_t dedupe)
{
	return dedupe == PATCHBAY_STRONG ? STR("strong") : dedupe == PATCHBAY_WEAK ? STR("weak") : STR("none");
}

static int32_t field_value(patchbay_call *call, const patchbay_delivery *d, enum field f, patchbay_str *ret)
{
	switch (f) {
	case ID:
		*ret = clean(call, d->id);
		break;
	case SOURCE:
		*ret = clean(call, d->source);
		break;
	case PLUGIN:
		*ret = clean(call, d->plugin);
		break;
	case TYPE:
		*ret = clean(call, d->type);
		break;
	case KIND:
		*ret = clean(call, d->kind);
		break;
	case SUBJECT:
		*ret = clean(call, d->subject);
		return ret->n ? PATCHBAY_JSON_STRING : PATCHBAY_JSON_NULL;
	case TIME:
		*ret = iso(call, d->time_ns);
		break;
	case TIME_SOURCE:
		*ret = d->time_source == PATCHBAY_TIME_PROVIDER ? STR("provider") : STR("received");
		break;
	case RECEIVED:
		*ret = iso(call, d->received_ns);
		break;
	case TEST:
		*ret = d->test ? STR("true") : STR("false");
		return d->test ? PATCHBAY_JSON_TRUE : PATCHBAY_JSON_FALSE;
	case DEDUPE:
		*ret = dedupe_name(d->dedupe);
		break;
	case DETAILS_ERROR:
		*ret = clean(call, d->details_error);
		return ret->n ? PATCHBAY_JSON_STRING : PATCHBAY_JSON_NULL;
	default:
		return 0;
	}
	return PATCHBAY_JSON_STRING;
}

int32_t envelope_field(patchbay_call *call, const patchbay_delivery *d, patchbay_str name, patchbay_str *ret)
{
	return field_value(call, d, find_field(name), ret);
}

static const patchbay_json *json_field(patchbay_call *call, const patchbay_delivery *d, enum field f)
{
	patchbay_str why = call->why; /* data that is no JSON is null, not a failure to be told */
	patchbay_str text = f == DATA ? d->data : d->details;
	const patchbay_json *json = text.n ? json_parse(call, text) : NULL;
	call->why = why;
	return json;
}

const patchbay_json *envelope_json_field(patchbay_call *call, const patchbay_delivery *d, patchbay_str name)
{
	return json_field(call, d, find_field(name));
}

void envelope_json(patchbay_call *call, const patchbay_delivery *d, struct buf *out)
{
	for (enum field f = ID; f < N_FIELDS; f++) {
		patchbay_str text = { "", 0 };
		buf_addf(out, "%s\"%s\":", f == ID ? "{" : ",", expr_envelope_fields[f]);
		if (is_json(f)) {
			const patchbay_json *json = json_field(call, d, f);
			buf_add_str(out, json ? json_raw(json) : STR("null"));
			continue;
		}
		int32_t type = field_value(call, d, f, &text);
		if (type == PATCHBAY_JSON_STRING)
			buf_add_json_string(out, text);
		else
			buf_add_str(out, type == PATCHBAY_JSON_NULL ? STR("null") : text);
	}
	buf_add_str(out, STR("}"));
}
