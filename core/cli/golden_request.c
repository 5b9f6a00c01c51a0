/* golden_request.c - the request of a test, made as its provider would make it, and what its source makes of it. */
#include "cli/golden.h"

#include "base/mem.h"
#include "deliver/delivery.h"
#include "plugin/simulate.h"
#include "source/admit.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_body_file(patchbay_call *call, const char *path, int64_t limit, patchbay_str *ret, struct err *err)
{
	FILE *f = fopen(path, "re");
	int r = 0;
	if (!f)
		return err_set(err, "'body_file': cannot open %s: %s", path, strerror(errno));
	char *p = arena_alloc(&call->arena, (size_t)limit + 1);
	size_t n = p ? fread(p, 1, (size_t)limit + 1, f) : 0;
	if (!p || ferror(f))
		r = err_set(err, "'body_file': cannot read %s: %s", path, strerror(errno));
	else if (n > (size_t)limit)
		r = err_set(err, "'body_file': %s is larger than a body may be (limits: body)", path);
	fclose(f);
	*ret = (patchbay_str){ p, n };
	return r;
}

static int make_body(struct golden_bench *b, const struct golden_test *t, const struct instance *instance,
		     patchbay_str *ret, struct err *err)
{
	patchbay_call *call = &b->request;
	patchbay_simulate simulate;
	if (t->body_file.n)
		return read_body_file(call, t->body_file.p, b->config->limits.body_bytes, ret, err);
	if (!t->sample.n) {
		*ret = t->body;
		return 0;
	}
	simulate_get(t->source->plugin, &simulate);
	if (simulate.body(instance_self(instance), call, t->sample_index, 0, ret) != PATCHBAY_OK)
		return err_set(err, "sample '%.*s' cannot be made: %.*s", STR_ARG(t->sample), STR_ARG(call->why));
	return 0;
}

int golden_edit(patchbay_call *call, const struct node *set, patchbay_str *body, struct err *err)
{
	for (size_t i = 0; set && i < set->n; i++) {
		struct buf json = { 0 };
		golden_json(&set->items[i], &json);
		int r = golden_set(call, set->items[i].key, buf_str(&json), body, err);
		buf_free(&json);
		if (r < 0)
			return -1;
	}
	return 0;
}

static void add_headers(patchbay_call *call, const struct node *headers, patchbay_request *r)
{
	patchbay_kv *v = headers ? arena_alloc(&call->arena, headers->n * sizeof(*v)) : NULL;
	for (size_t i = 0; v && i < headers->n; i++) {
		patchbay_str name = arena_copy(&call->arena, headers->items[i].key);
		for (size_t k = 0; k < name.n; k++)
			((char *)(uintptr_t)name.p)[k] = (char)tolower((unsigned char)name.p[k]);
		v[r->n_headers++] = (patchbay_kv){ name, headers->items[i].text };
	}
	r->headers = v;
}

static int sign(struct golden_bench *b, const struct golden_test *t, const struct instance *instance,
		patchbay_request *r, struct err *err)
{
	patchbay_call *call = &b->request;
	patchbay_simulate simulate;
	if (t->sign == GOLDEN_SIGNED_NOT)
		return 0;
	if (!simulate_get(t->source->plugin, &simulate))
		return err_set(err, "plugin '%s' cannot sign for its provider; write signed: no, and 'headers'",
			       t->source->plugin->name);
	uint32_t flags = t->sign == GOLDEN_SIGNED_WRONG ? PATCHBAY_SIGN_WRONG : 0;
	if (simulate.sign(instance_self(instance), call, flags, 0, r) == PATCHBAY_OK)
		return 0;
	patchbay_str why = call->why.n ? call->why : STR("its plugin does not say why; signed: no leaves it out");
	return err_set(err, "it cannot be signed: %.*s", STR_ARG(why));
}

/* ---- What becomes of it */

struct taking {
	struct golden_bench *bench;
	struct golden_outcome *outcome;
	int64_t wanted;
	patchbay_str details;
};

static void take(void *ctx, struct journal_record *record)
{
	struct taking *t = ctx;
	char id_text[ID_TEXT_SIZE];
	patchbay_delivery delivery;
	if (++t->outcome->n_events != (size_t)t->wanted)
		return;
	record->id = (struct id){ { [6] = 0x70, [8] = 0x80, [15] = (uint8_t)t->wanted } }; /* the same in every run */
	delivery_from_record(record, id_text, &delivery);
	delivery.details = t->details;
	t->outcome->event = delivery_copy(&t->bench->event.arena, &delivery);
}

static enum golden_verdict verdict_of(enum admitted how)
{
	switch (how) {
	case ADMITTED_EVENTS:
		return GOLDEN_ACCEPTED;
	case ADMITTED_NOTHING:
		return GOLDEN_EMPTY;
	case ADMITTED_REPLY:
		return GOLDEN_ANSWERED;
	case ADMITTED_MALFORMED:
		return GOLDEN_MALFORMED;
	case ADMITTED_REFUSED:
	case ADMITTED_NOT_NOW:
		break;
	}
	return GOLDEN_REFUSED;
}

int golden_admit(struct golden_bench *b, const struct golden_test *t, struct golden_outcome *ret, struct err *err)
{
	struct instance *instance = golden_source(b, t->source, err);
	char *path = xasprintf("/in/%s", t->source->name);
	struct buf details = { 0 };
	struct taking taking = { .bench = b, .outcome = ret, .wanted = t->event };
	struct emission emission = { .source = t->source, .call = &b->request, .take = take, .ctx = &taking };
	patchbay_reply reply = { .size = sizeof(reply) };
	patchbay_request r = { .size = sizeof(r),
			       .method = STR("POST"),
			       .path = str_c(path),
			       .client = t->client,
			       .received_ns = t->received_ns };
	int result = -1;

	*ret = (struct golden_outcome){ 0 };
	call_begin(&b->request, 0);
	call_begin(&b->event, 0);
	memcpy(r.client_addr, t->client_addr.addr, sizeof(r.client_addr));
	if (!instance || make_body(b, t, instance, &r.body, err) < 0 ||
	    golden_edit(&b->request, t->set, &r.body, err) < 0)
		goto out;
	add_headers(&b->request, t->headers, &r);
	if (sign(b, t, instance, &r, err) < 0)
		goto out;
	if (t->details)
		golden_json(t->details, &details);
	taking.details = buf_str(&details);
	b->request.why = STR("");
	ret->verdict = verdict_of(admit_by_plugin(&emission, instance, &r, &reply));
	ret->why = b->request.why;
	if (ret->verdict != GOLDEN_ACCEPTED)
		ret->event = NULL;
	result = 0;
out:
	buf_free(&details);
	free(path);
	return result;
}
