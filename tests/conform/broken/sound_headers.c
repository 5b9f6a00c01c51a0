/* sound_headers.c - nothing wrong with it: the event's type and id are in headers, which no signature covers; "sha256="
 * is in front of the signature.
 * Caught by: nothing. */
#define VERIFY broken_verify
#define PARSE broken_parse
#define SIGN broken_sign
#include "source.h"

static patchbay_status SIGN(const void *self, patchbay_call *call, uint32_t flags, uint32_t try_, patchbay_request *r)
{
	const struct sound *s = self;
	patchbay_str hex = s->crypto->hmac_hex(call, s->keys.v[0], &r->body, 1);
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_str type = s->json->text(call, s->json->find(call, root, "type|0.type", false));
	patchbay_status status;
	(void)try_;

	if (flags & PATCHBAY_SIGN_WRONG)
		hex = patchbay_wrong_hex(s->host, call, hex);
	status = patchbay_set_header(s->host, call, r, HEADER,
				     patchbay_fmt(s->host, call, "sha256=%.*s", (int)hex.n, hex.p));
	if (status == PATCHBAY_OK)
		status = patchbay_set_header(s->host, call, r, PATCHBAY_S("x-event"),
					     type.n ? type : PATCHBAY_S("ping"));
	if (status == PATCHBAY_OK)
		status = patchbay_set_header(s->host, call, r, PATCHBAY_S("x-delivery"),
					     s->crypto->sha256_hex(call, r->body));
	return status;
}

static patchbay_status VERIFY(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct sound *s = self;
	patchbay_str hex;
	(void)reply;

	if (!patchbay_after(patchbay_header(r, HEADER), "sha256=", &hex))
		return refuse(s, call, "X-Signature is missing, comes several times, or has no sha256= in front");
	return patchbay_keys_judge(&s->keys, call, patchbay_keys_match(&s->keys, &r->body, 1, hex), "X-Signature",
				   "the provider's");
}

static patchbay_status PARSE(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *emitter)
{
	const struct sound *s = self;
	patchbay_event event = { .size = sizeof(event),
				 .type = patchbay_header(r, PATCHBAY_S("x-event")),
				 .key = patchbay_header(r, PATCHBAY_S("x-delivery")),
				 .data = r->body };

	if (!s->json->parse(call, r->body))
		return PATCHBAY_EMALFORMED;
	if (event.type.n > 0 && event.type.n <= 255)
		return emitter->emit(emitter->ctx, &event);
	s->host->explain(call, PATCHBAY_S("X-Event is missing, or too long for a type"));
	return PATCHBAY_EMALFORMED;
}

SOURCE_PLUGIN("sound-headers");
