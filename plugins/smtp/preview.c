/* preview.c - a mail as JSON. */
#include "preview.h"

#include "buffer.h"

#include <patchbay/sugar.h>

patchbay_str preview_json(const patchbay_host *host, patchbay_call *call, const struct composition *mail)
{
	struct buffer out = { 0 };
	for (size_t i = 0; i < mail->n_to; i++) {
		buffer_add_text(&out, i ? "," : "{\"to\":[");
		buffer_add_json(&out, mail->to[i]);
	}
	buffer_add_text(&out, "],\"subject\":");
	buffer_add_json(&out, mail->subject);
	buffer_add_text(&out, ",\"text\":");
	buffer_add_json(&out, mail->text);
	if (mail->html.n) {
		buffer_add_text(&out, ",\"html\":");
		buffer_add_json(&out, mail->html);
	}
	buffer_add_text(&out, "}");
	patchbay_str json = buffer_str(&out);
	json = out.failed ? (patchbay_str){ "", 0 } : patchbay_join(host, call, &json, 1);
	buffer_free(&out);
	return json;
}
