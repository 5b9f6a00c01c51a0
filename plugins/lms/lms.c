/* lms.c - live events of the Innovative Educators LMS, which runs on Thought Industries: options, and
 * the proof that a request comes from there. The platform signs nothing; what it offers is the list of
 * addresses that it posts from. A signature that other customers of Thought Industries have is checked
 * in addition, where a secret is configured. */
#include "lms.h"

#include <stdlib.h>

#define SHA256_HEX 64

static bool is_ipv4(const uint8_t addr[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(addr, prefix, sizeof(prefix)) == 0;
}

static bool covers_everything(const patchbay_cidr *net)
{
	return net->bits == 0 || (net->bits <= 96 && is_ipv4(net->addr));
}

static patchbay_status check(const patchbay_host *host, patchbay_call *call, const void *options)
{
	const struct lms_options *o = options;

	if (o->allow_from.n == 0) {
		host->explain(call,
			      PATCHBAY_S("'allow_from' is empty: nobody could post; leave it out for the platform's "
					 "own addresses"));
		return PATCHBAY_ECONFIG;
	}
	if (o->require_signature && o->signing_secret.n == 0) {
		host->explain(call,
			      PATCHBAY_S("'require_signature' needs a 'signing_secret' to check signatures with"));
		return PATCHBAY_ECONFIG;
	}
	for (size_t i = 0; i < o->allow_from.n && !o->require_signature; i++)
		if (covers_everything(&o->allow_from.v[i]))
			host->explain(call,
				      PATCHBAY_S("'allow_from' admits every address: whoever knows the URL can post "
						 "events; use 'path_secret', or leave 'allow_from' out"));
	return patchbay_keys_check(host, call, "signing_secret", o->signing_secret);
}

static void destroy(void *self)
{
	struct lms *lms = self;

	if (!lms)
		return;
	patchbay_keys_fini(&lms->keys);
	free(lms);
}

static patchbay_status create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	patchbay_status status = check(host, call, options);
	struct lms *lms;

	if (status != PATCHBAY_OK)
		return status;
	lms = calloc(1, sizeof(*lms));
	if (!lms)
		return PATCHBAY_ENOMEM;
	lms->host = host;
	lms->options = options;
	lms->json = host->service(host, PATCHBAY_JSON);
	lms->crypto = host->service(host, PATCHBAY_CRYPTO);
	lms->time = host->service(host, PATCHBAY_TIME);
	if (!lms->json || !lms->crypto || !lms->time) {
		host->explain(call, PATCHBAY_S("this host lacks the JSON, crypto or time service; use a newer one"));
		status = PATCHBAY_ECONFIG;
	} else {
		status = patchbay_keys_init(&lms->keys, host, call, lms->crypto, PATCHBAY_SHA256, "signing_secret",
					    lms->options->signing_secret);
	}
	if (status != PATCHBAY_OK) {
		destroy(lms);
		return status;
	}
	*self = lms;
	return PATCHBAY_OK;
}

static patchbay_status refuse(const struct lms *lms, patchbay_call *call, patchbay_str why)
{
	lms->host->explain(call, why);
	return PATCHBAY_EDENIED;
}

static bool is_allowed(const struct lms *lms, const uint8_t addr[16])
{
	for (size_t i = 0; i < lms->options->allow_from.n; i++)
		if (patchbay_cidr_has(&lms->options->allow_from.v[i], addr))
			return true;
	return false;
}

static patchbay_status refuse_address(const struct lms *lms, patchbay_call *call, patchbay_str client)
{
	if (client.n == 0)
		return refuse(
			lms, call,
			PATCHBAY_S("came over a unix socket, without an address to compare with 'allow_from': let "
				   "the proxy in front send X-Forwarded-For, and name it in 'trusted_proxies'"));
	return refuse(lms, call,
		      patchbay_fmt(lms->host, call,
				   "address %.*s is not in 'allow_from'; if it is that of a proxy of yours, name it in "
				   "'trusted_proxies', so that the sender's own is seen",
				   (int)client.n, client.p));
}

static patchbay_status verify(const void *self, patchbay_call *call, const patchbay_request *r, patchbay_reply *reply)
{
	const struct lms *lms = self;
	const patchbay_host *host = lms->host;
	patchbay_str who = r->client.n > 0 ? r->client : PATCHBAY_S("(unix socket)");
	patchbay_str hex = { NULL, 0 };
	uint32_t found;
	size_t match;

	(void)reply;
	if (!is_allowed(lms, r->client_addr))
		return refuse_address(lms, call, r->client);
	found = lms->keys.n > 0 ? patchbay_headers(r, PATCHBAY_S(LMS_SIGNATURE), &hex) : 0;
	if (found == 0 && lms->options->require_signature)
		return refuse(lms, call, PATCHBAY_S("no X-TI-Signature header, and 'require_signature' is set"));
	if (found == 0) {
		host->explain(call, patchbay_fmt(host, call, "address %.*s", (int)who.n, who.p));
		return PATCHBAY_OK;
	}
	if (found > 1)
		return refuse(lms, call,
			      patchbay_fmt(host, call, "X-TI-Signature came %u times, it must come once", found));
	if (hex.n != SHA256_HEX || !patchbay_is_hex(hex))
		return refuse(lms, call, PATCHBAY_S("X-TI-Signature is not the 64 hex digits of an HMAC-SHA256"));
	match = patchbay_keys_match(&lms->keys, &r->body, 1, hex);
	if (match == 0)
		return patchbay_keys_refuse(&lms->keys, call, "X-TI-Signature", "the platform's");
	patchbay_str secret = patchbay_keys_name(&lms->keys, call, match);
	host->explain(call, patchbay_fmt(host, call, "address %.*s, HMAC-SHA256, %.*s", (int)who.n, who.p,
					 (int)secret.n, secret.p));
	return PATCHBAY_OK;
}

static const void *extension(const char *id)
{
	return strcmp(id, PATCHBAY_SIMULATE) == 0 ? &lms_simulate : NULL;
}

static const patchbay_option options[] = {
	PATCHBAY_OPTION(struct lms_options, PATCHBAY_T_CIDRS, allow_from, .def = "[54.243.7.71, 3.83.213.76]",
			.help = "Addresses and networks that may post; the platform's own when left out."),
	PATCHBAY_OPTION(struct lms_options, PATCHBAY_T_STRS, signing_secret, .flags = PATCHBAY_F_SECRET,
			.help = "Checks X-TI-Signature where it comes; a list while the secret is being changed.",
			.max = PATCHBAY_KEYS_MAX),
	PATCHBAY_OPTION(struct lms_options, PATCHBAY_T_BOOL, require_signature, .def = "false",
			.help = "Refuse requests without X-TI-Signature; needs signing_secret."),
};

static const uint32_t retry_s[] = { 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600 };
static const uint16_t ok[] = { 200, 308 };

static const patchbay_provider provider = {
	.size = sizeof(provider),
	.answer_ms = 15000,
	.retry_s = retry_s,
	.n_retry = sizeof(retry_s) / sizeof(retry_s[0]),
	.retry_horizon_s = 12600,
	.ok = ok,
	.n_ok = 1,
	.authentication = "The sender's address; X-TI-Signature (HMAC-SHA256 of the body, in hex) in addition, where "
			  "signing_secret is set.",
	.notes = "kind is course_completed, learning_path_completed, learning_path_other, quiz_attempt or unknown;\n"
		 "quiz attempts name no type of their own, learning paths send more than completions.\n"
		 "Behind a proxy, trusted_proxies must name it, or every request is refused by its address.",
	.docs_url = "https://techdocs.innovativeeducators.org/data-integrations/webhooks",
};

static const patchbay_source source = {
	.size = sizeof(source),
	.n_options = sizeof(options) / sizeof(options[0]),
	.options = options,
	.options_size = sizeof(struct lms_options),
	.provider = &provider,
	.check = check,
	.create = create,
	.destroy = destroy,
	.verify = verify,
	.parse = lms_parse,
	.extension = extension,
};

const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.name = "lms",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "Innovative Educators LMS (Thought Industries) live events",
	.source = &source,
};
