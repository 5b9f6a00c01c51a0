/* preview.c - a mail as JSON. */
#include "preview.h"

#include "buffer.h"

#include <patchbay/quote.h>
#include <patchbay/sugar.h>

struct json {
	const patchbay_host *host;
	patchbay_call *call;
	struct buffer out;
};

static void add(struct json *json, const char *before, patchbay_str text)
{
	patchbay_str quoted = patchbay_json_quote(json->host, json->call, text);
	buffer_add_text(&json->out, before);
	buffer_add(&json->out, quoted.p, quoted.n);
	json->out.failed |= quoted.n == 0;
}

patchbay_str preview_json(const patchbay_host *host, patchbay_call *call, const struct composition *mail)
{
	struct json json = { .host = host, .call = call };
	for (size_t i = 0; i < mail->n_to; i++)
		add(&json, i ? "," : "{\"to\":[", mail->to[i]);
	add(&json, "],\"subject\":", mail->subject);
	add(&json, ",\"text\":", mail->text);
	if (mail->html.n)
		add(&json, ",\"html\":", mail->html);
	buffer_add_text(&json.out, "}");
	patchbay_str whole = buffer_str(&json.out);
	whole = json.out.failed ? (patchbay_str){ "", 0 } : patchbay_join(host, call, &whole, 1);
	buffer_free(&json.out);
	return whole;
}
