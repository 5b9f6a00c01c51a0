/* @NAME@.c - a source: webhooks of @NAME@, one event in each, signed with an HMAC-SHA256 in X-@NAME@-Signature. */
#include "@NAME@.h"

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct options *o = options;

	return patchbay_keys_check(host, call, "secret", o->secret);
}

static void destroy(void *self)
{
	struct source *s = self;

	if (s)
		patchbay_keys_fini(&s->keys);
	free(s);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	const struct options *o = options;
	struct source *s = *self = calloc(1, sizeof(*s)); /* when this fails, the host calls destroy() */

	if (!s)
		return PATCHBAY_ENOMEM;
	s->host = host;
	if (!(s->json = patchbay_service(host, call, PATCHBAY_JSON)) ||
	    !(s->crypto = patchbay_service(host, call, PATCHBAY_CRYPTO)) ||
	    !(s->time = patchbay_service(host, call, PATCHBAY_TIME)))
		return PATCHBAY_ECONFIG;
	return patchbay_keys_init(&s->keys, host, call, s->crypto, PATCHBAY_SHA256, "secret", o->secret);
}

static patchbay_status verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct source *s = self;

	(void)reply; /* it stays as it comes: 200 */
	return patchbay_keys_verify(&s->keys, call, r, SIGNATURE, &r->body, 1);
}

static patchbay_str text(const struct source *s, patchbay_call *call, const patchbay_json *object, const char *path)
{
	return s->json->text(call, s->json->find(call, object, path, false));
}

static patchbay_status parse(const void *self, patchbay_call *call, const patchbay_request *r,
			     const patchbay_emitter *to)
{
	const struct source *s = self;
	const patchbay_json *root = s->json->parse(call, r->body);
	patchbay_event event = { .size = sizeof(event), .dedupe = PATCHBAY_DEDUPE_KEY, .data = r->body };

	if (!root)
		return PATCHBAY_EMALFORMED; /* explained by the service */
	event.type = text(s, call, root, "event");
	event.key = text(s, call, root, "id"); /* the same in a retry, and in no other event */
	event.subject = text(s, call, root, "order.number");
	if (event.type.n == 0 || event.type.n > 255 || event.key.n == 0) {
		s->host->explain(call, PATCHBAY_S("the body has no 'event' and 'id' of its own"));
		return PATCHBAY_EMALFORMED;
	}
	if (!s->time->parse(text(s, call, root, "created_at"), &event.time_ns))
		event.time_ns = 0; /* when it came, then */
	return to->emit(to->ctx, &event);
}

static const void *extension(const char *id)
{
	return strcmp(id, PATCHBAY_SIMULATE) == 0 ? &simulate : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct options, PATCHBAY_T_STRS, secret, .flags = PATCHBAY_F_REQUIRED | PATCHBAY_F_SECRET,
			.min = 1, .max = PATCHBAY_KEYS_MAX, .help = "The secret of @NAME@; a list while it changes."),
};

static const patchbay_source source = {
	.size = sizeof(source),
	PATCHBAY_OPTIONS(options, struct options),
	.check = check,
	.create = create,
	.destroy = destroy,
	.verify = verify,
	.parse = parse,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "@NAME@",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "webhooks of @NAME@",
	.source = &source,
};
