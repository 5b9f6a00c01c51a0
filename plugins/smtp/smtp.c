/* smtp.c - a sink that sends each event as a mail. What it says is made in compose.h, how it goes over the wire in
 * message.h, the talk with the server is session.h. A mail goes to each recipient in a transaction of its own, so that
 * it is known who has it. */
#include "compose.h"
#include "delivered.h"
#include "message.h"
#include "preview.h"
#include "session.h"

#include <patchbay/idle.h>
#include <patchbay/preview.h>
#include <patchbay/sugar.h>

#include <stdlib.h>

#define LEAST_MS 1000   /* no transaction is begun with less time left */
#define LIST_MAX 300    /* bytes of a list of addresses in a reason */
#define REASONS_MAX 600 /* of the reasons themselves */

struct smtp {
	const patchbay_host *host;
	const struct options *options;
	const patchbay_crypto_service *crypto;
	struct composer composer;
	struct mailbox from;
	struct session *session;
	struct buffer mail;
};

/* ---- Life */

static void smtp_destroy(void *self)
{
	struct smtp *smtp = self;
	if (!smtp)
		return;
	session_destroy(smtp->session);
	buffer_free(&smtp->mail);
	free(smtp);
}

static patchbay_status smtp_create(const patchbay_host *host, patchbay_call *call, const void *options, void **self)
{
	struct smtp *smtp = calloc(1, sizeof(*smtp));
	patchbay_status status = PATCHBAY_ENOMEM;
	if (!smtp)
		return status;
	smtp->host = host;
	smtp->options = options;
	smtp->crypto = host->service(host, PATCHBAY_CRYPTO);
	smtp->composer = (struct composer){ .host = host,
					    .expr = host->service(host, PATCHBAY_EXPR),
					    .json = host->service(host, PATCHBAY_JSON),
					    .time = host->service(host, PATCHBAY_TIME),
					    .crypto = smtp->crypto,
					    .options = options };
	if (!smtp->crypto || !smtp->composer.expr || !smtp->composer.json || !smtp->composer.time) {
		host->explain(call, PATCHBAY_S("this host lacks a service that mail needs; use a newer one"));
		status = PATCHBAY_ECONFIG;
		goto failed;
	}
	if (mailbox_parse(smtp->options->from, &smtp->from)) {
		status = PATCHBAY_ECONFIG; /* options_check() has said why */
		goto failed;
	}
	smtp->session = session_create(host, options);
	if (!smtp->session) {
		host->explain(call, PATCHBAY_S("no memory for a mail session"));
		goto failed;
	}
	*self = smtp;
	return PATCHBAY_OK;
failed:
	smtp_destroy(smtp);
	return status;
}

/* ---- One mail */

/* The same at every attempt, and another one for another sink. Of a digest: as long as it is of the same events. */
static patchbay_str message_id(const struct smtp *smtp, patchbay_call *call, const patchbay_str *events, size_t n)
{
	const patchbay_host *host = smtp->host;
	patchbay_str sink = PATCHBAY_HAS(host, instance) ? host->instance : PATCHBAY_S("patchbay");
	patchbay_str domain = address_domain(smtp->from.address);
	if (n == 1)
		return patchbay_fmt(host, call, "%.*s.%.*s@%.*s", (int)events[0].n, events[0].p, (int)sink.n, sink.p,
				    (int)domain.n, domain.p);
	patchbay_str hash = smtp->crypto->sha256_hex(call, patchbay_join(host, call, events, n));
	if (hash.n < 32)
		return (patchbay_str){ "", 0 };
	return patchbay_fmt(host, call, "digest-%.32s.%.*s@%.*s", hash.p, (int)sink.n, sink.p, (int)domain.n, domain.p);
}

/* The bytes of the mail into smtp->mail. False: out of memory. */
static bool write_mail(struct smtp *smtp, patchbay_call *call, const struct composition *mail,
		       const patchbay_str *events, size_t n, patchbay_str id)
{
	struct message message = { .from = smtp->from,
				   .to = mail->to,
				   .n_to = mail->n_to,
				   .subject = mail->subject,
				   .text = mail->text,
				   .html = mail->html,
				   .id = id,
				   .events = events,
				   .n_events = n,
				   .date_ns = smtp->host->now_ns(smtp->host) };
	patchbay_str hash = smtp->crypto->sha256_hex(call, id);
	if (hash.n < sizeof(message.boundary))
		return false;
	memcpy(message.boundary, hash.p, sizeof(message.boundary) - 1);
	buffer_clear(&smtp->mail);
	message_write(&smtp->mail, &message);
	return !smtp->mail.failed;
}

struct round { /* one mail to all of its recipients */
	patchbay_status status;
	size_t sent;
	struct buffer has_it, reasons; /* who has it; why the others have not */
};

static void add_reason(struct round *round, patchbay_str address, struct outcome outcome)
{
	bool all = outcome.status != PATCHBAY_RETRY && outcome.status != PATCHBAY_EBADEVENT;
	if (round->status == PATCHBAY_OK || all || outcome.status == PATCHBAY_RETRY)
		round->status = outcome.status;
	if (round->reasons.n > REASONS_MAX)
		return;
	if (round->reasons.n)
		buffer_add_text(&round->reasons, "; ");
	if (!all)
		buffer_addf(&round->reasons, "%.*s: ", (int)address.n, address.p);
	buffer_add_str(&round->reasons, outcome.why);
}

static void add_holder(struct round *round, patchbay_str address)
{
	round->sent++;
	if (round->has_it.n < LIST_MAX)
		buffer_addf(&round->has_it, "%s%.*s", round->has_it.n ? ", " : "", (int)address.n, address.p);
}

/* sent[i]: did recipient i get it just now? */
static void send_to_all(struct smtp *smtp, patchbay_call *call, const struct composition *mail, struct round *round,
			bool *sent)
{
	bool reachable = true;
	for (size_t i = 0; i < mail->n_to && reachable; i++) {
		struct outcome outcome = { PATCHBAY_RETRY, PATCHBAY_S("no time was left") };
		if (!mail->owed[i]) {
			add_holder(round, mail->to[i]);
			continue;
		}
		if (i == 0 || smtp->host->left_ms(call) >= LEAST_MS)
			outcome = session_send(smtp->session, call, smtp->from.address, mail->to[i],
					       buffer_str(&smtp->mail));
		sent[i] = outcome.status == PATCHBAY_OK;
		reachable = sent[i] || outcome.status == PATCHBAY_RETRY || outcome.status == PATCHBAY_EBADEVENT;
		if (sent[i])
			add_holder(round, mail->to[i]);
		else
			add_reason(round, mail->to[i], outcome);
	}
}

/* While anybody has to wait for these events, remembers who need not. */
static void remember(const struct smtp *smtp, patchbay_call *call, const struct composition *mail,
		     const patchbay_str *events, size_t n, const struct round *round, const bool *sent)
{
	for (size_t i = 0; i < mail->n_to; i++) {
		for (size_t k = 0; k < n && (sent[i] || !mail->owed[i]); k++) {
			patchbay_str name = compose_name(&smtp->composer, call, events[k], mail->to[i]);
			if (round->status == PATCHBAY_OK && !mail->owed[i])
				delivered_forget(smtp->crypto, call, name);
			else if (round->status != PATCHBAY_OK && sent[i])
				delivered_add(smtp->crypto, call, name);
		}
	}
}

static patchbay_str explain_round(const struct smtp *smtp, patchbay_call *call, const struct composition *mail,
				  const struct round *round)
{
	patchbay_str reasons = buffer_str(&round->reasons), has_it = buffer_str(&round->has_it);
	if (round->status == PATCHBAY_OK)
		return (patchbay_str){ "", 0 };
	if (mail->n_to == 1 || round->sent == 0)
		return patchbay_fmt(smtp->host, call, "%.*s", (int)reasons.n, reasons.p);
	return patchbay_fmt(smtp->host, call, "%zu of %zu have it (%.*s); %.*s", round->sent, mail->n_to, (int)has_it.n,
			    has_it.p, (int)reasons.n, reasons.p);
}

/* The ids of the members go into headers. */
static bool ids_are_plain(const patchbay_str *events, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (events[i].n == 0 || events[i].n > 64)
			return false;
		for (size_t k = 0; k < events[i].n; k++)
			if (events[i].p[k] != '-' && !(events[i].p[k] >= '0' && events[i].p[k] <= '9') &&
			    !((events[i].p[k] | 0x20) >= 'a' && (events[i].p[k] | 0x20) <= 'z'))
				return false;
	}
	return true;
}

static patchbay_result send_mail(struct smtp *smtp, patchbay_call *call, const struct composition *mail,
				 const patchbay_str *events, size_t n)
{
	patchbay_str odd = PATCHBAY_S("the event's id is not one that may stand in a header; nothing was sent");
	if (!ids_are_plain(events, n))
		return (patchbay_result){ PATCHBAY_EBADEVENT, 0, odd };
	patchbay_str id = message_id(smtp, call, events, n);
	bool *sent = smtp->host->alloc(call, mail->n_to * sizeof(*sent));
	if (!id.n || !sent || !write_mail(smtp, call, mail, events, n, id))
		return (patchbay_result){ PATCHBAY_RETRY, 0, PATCHBAY_S("no memory was left for the mail") };
	struct round round = { .status = PATCHBAY_OK };
	send_to_all(smtp, call, mail, &round, sent);
	remember(smtp, call, mail, events, n, &round, sent);
	patchbay_result result = { round.status, 0, explain_round(smtp, call, mail, &round) };
	buffer_free(&round.has_it);
	buffer_free(&round.reasons);
	return result;
}

/* One mail. members: which events it is about; *ret_n: how many; ids: room for them. */
static patchbay_result send_some(struct smtp *smtp, patchbay_call *call, const patchbay_delivery *const *events,
				 size_t n, bool *members, patchbay_str *ids, size_t *ret_n)
{
	struct composition mail;
	/* What was explained goes with EBADEVENT and ECONFIG. */
	patchbay_result result = { compose(&smtp->composer, call, events, n, members, &mail), 0, { "", 0 } };
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (members[i])
			ids[(*ret_n)++] = events[i]->id;
	return result.status == PATCHBAY_OK ? send_mail(smtp, call, &mail, ids, *ret_n) : result;
}

static void smtp_act(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
		     patchbay_result *results, patchbay_str *checkpoint)
{
	struct smtp *smtp = self;
	(void)checkpoint;
	bool *members = smtp->host->alloc(call, n);
	patchbay_str *ids = smtp->host->alloc(call, n * sizeof(*ids));
	if (!members || !ids)
		return; /* they are retried */
	size_t sent = 0;
	patchbay_result result = send_some(smtp, call, events, n, members, ids, &sent);
	if (result.status == PATCHBAY_EBADEVENT && sent > 1) /* it may be the fault of one of them */
		result = send_some(smtp, call, events, 1, members, ids, &sent);
	for (size_t i = sent > 1 ? n : 1; i < n; i++)
		members[i] = false;
	for (size_t i = 0; i < n; i++)
		results[i] = members[i] ? result : (patchbay_result){ PATCHBAY_UNTOUCHED, 0, { "", 0 } };
}

/* A server has better uses for a connection than to hold it for a sink that has nothing to send. */
static patchbay_status smtp_idle(void *self, patchbay_call *call, patchbay_str *checkpoint)
{
	struct smtp *smtp = self;
	(void)call, (void)checkpoint;
	session_hang_up(smtp->session);
	return PATCHBAY_OK;
}

/* ---- Preview */

static patchbay_status smtp_preview(void *self, patchbay_call *call, const patchbay_delivery *const *events, size_t n,
				    patchbay_str *out)
{
	struct smtp *smtp = self;
	struct composition mail;
	bool *members = smtp->host->alloc(call, n);
	if (!members)
		return PATCHBAY_ENOMEM;
	patchbay_status status = compose(&smtp->composer, call, events, n, members, &mail);
	if (status != PATCHBAY_OK)
		return status;
	*out = preview_json(smtp->host, call, &mail);
	return out->n ? PATCHBAY_OK : PATCHBAY_ENOMEM;
}

static const patchbay_preview preview = { .size = sizeof(preview), .preview = smtp_preview };

static const patchbay_idle idle = { .size = sizeof(idle), .every_ms = 15000, .idle = smtp_idle };

static const void *smtp_extension(const char *id)
{
	if (strcmp(id, PATCHBAY_IDLE) == 0)
		return &idle;
	return strcmp(id, PATCHBAY_PREVIEW) == 0 ? &preview : NULL;
}

/* ---- The plugin */

static const patchbay_sink sink = {
	.size = sizeof(sink),
	.n_options = OPTIONS_COUNT,
	.options = options_table,
	.options_size = sizeof(struct options),
	.batch_events = 50,
	.timeout_ms = 60000,
	.check = options_check,
	.create = smtp_create,
	.destroy = smtp_destroy,
	.act = smtp_act,
	.extension = smtp_extension,
	.concurrency_max = 4,
};

PATCHBAY_EXPORT const patchbay_plugin patchbay_plugin_v1 = {
	.size = sizeof(patchbay_plugin_v1),
	.abi_minor = PATCHBAY_ABI_MINOR,
	.abi_minor_need = 0,
	.name = "smtp",
	.version = "0.1.0",
	.license = "Apache-2.0",
	.summary = "sends events as mail",
	.sink = &sink,
};
