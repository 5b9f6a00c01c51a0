/* answer.c - what Slack's answers mean: for the message, for the destination, or only for now. A webhook answers with a
 * status and one word; a method of the API with 200 and {"ok":false,"error":"word"}. The word decides, then the status.
 */
#include "slack.h"

#define WORD_MAX 64

static const struct meaning {
	const char *word;
	patchbay_status status;
	const char *advice;
} meanings[] = {
#define MESSAGE PATCHBAY_EBADEVENT, "Slack does not take this message"
#define OURS PATCHBAY_EBADEVENT, "Slack does not understand the request, which is a fault of this plugin"
#define DESTINATION PATCHBAY_EBADSINK
#define NEW_WEBHOOK "make a new webhook in Slack and put its URL into webhook_url"
#define NEW_TOKEN "make a new token in Slack and put it into 'token'"
#define LATER PATCHBAY_DOWN, "it cannot do it now"
	{ "invalid_payload", MESSAGE },
	{ "no_text", MESSAGE },
	{ "missing_text_or_fallback_or_attachments", MESSAGE },
	{ "invalid_blocks", PATCHBAY_EBADEVENT,
	  "Slack does not take these blocks; try 'blocks' in its Block Kit Builder" },
	{ "invalid_blocks_format", PATCHBAY_EBADEVENT,
	  "Slack does not take these blocks; try 'blocks' in its Block Kit Builder" },
	{ "too_many_attachments", MESSAGE },
	{ "msg_too_long", MESSAGE },
	{ "msg_blocks_too_long", PATCHBAY_EBADEVENT,
	  "these blocks are longer than Slack takes; make 'blocks' shorter" },
	{ "metadata_too_large", MESSAGE },

	{ "user_not_found", PATCHBAY_ECONFIG,
	  "the message is for a user whom Slack does not know; see 'channel' and the text" },

	{ "action_prohibited", DESTINATION, "an administrator of the workspace forbids it; ask there" },
	{ "posting_to_general_channel_denied", DESTINATION, "this channel is for a few only; choose another one" },
	{ "invalid_token", DESTINATION, NEW_WEBHOOK },
	{ "team_disabled", DESTINATION, "the workspace is disabled; ask its administrator" },
	{ "no_service", DESTINATION, "the webhook was removed; " NEW_WEBHOOK },
	{ "no_service_id", DESTINATION, "the webhook's URL is not complete; copy it again into webhook_url" },
	{ "no_team", DESTINATION, "the workspace is gone, or the URL is wrong; copy it again into webhook_url" },
	{ "no_active_hooks", DESTINATION, "the webhook was switched off; " NEW_WEBHOOK },
	{ "channel_is_archived", DESTINATION, "the channel is archived; restore it or choose another one" },
	{ "is_archived", DESTINATION, "the channel is archived; restore it or choose another one" },
	{ "channel_not_found", DESTINATION,
	  "the channel is gone, or hidden from the app; see 'channel', or invite the app to it" },
	{ "not_in_channel", DESTINATION, "invite the app to the channel" },
	{ "restricted_action*", DESTINATION, "an administrator of the workspace forbids it; ask there" },
	{ "ekm_access_denied", DESTINATION, "an administrator has suspended posting; ask there" },
	{ "not_authed", DESTINATION, NEW_TOKEN },
	{ "invalid_auth", DESTINATION, "the token is wrong; " NEW_TOKEN },
	{ "token_revoked", DESTINATION, "the token was revoked; " NEW_TOKEN },
	{ "token_expired", DESTINATION, "the token has expired; " NEW_TOKEN },
	{ "account_inactive", DESTINATION, "the token's account is gone; " NEW_TOKEN },
	{ "missing_scope", DESTINATION, "the app needs the scope chat:write; add it and install the app again" },
	{ "team_access_not_granted", DESTINATION, "the app may not use this workspace; ask its administrator" },
	{ "access_denied", DESTINATION, "the app may not do this; ask the workspace's administrator" },
	{ "enterprise_is_restricted", DESTINATION,
	  "the app may not be used in this enterprise; ask its administrator" },
	{ "deprecated_endpoint", DESTINATION, "Slack has withdrawn this method; see api_url, or use a newer Patchbay" },

	{ "org_login_required", LATER },
	{ "rate_limited", LATER },
	{ "ratelimited", LATER },
	{ "rollup_error", LATER },
	{ "internal_error", LATER },
	{ "fatal_error", LATER },
	{ "service_unavailable", LATER },
	{ "request_timeout", LATER },

	{ "invalid_arg_name", OURS },
	{ "invalid_array_arg", OURS },
	{ "invalid_charset", OURS },
	{ "invalid_form_data", OURS },
	{ "invalid_post_type", OURS },
	{ "missing_post_type", OURS },
	{ "invalid_json", OURS },
	{ "json_not_object", OURS },
};

static const struct meaning *find(patchbay_str word)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		patchbay_str known = patchbay_cstr(meanings[i].word);
		bool prefix = known.n && known.p[known.n - 1] == '*';
		if (prefix ? word.n + 1 >= known.n && memcmp(word.p, known.p, known.n - 1) == 0
			   : patchbay_eq(word, known))
			return &meanings[i];
	}
	return NULL;
}

/* What might be one of Slack's words, "" otherwise: anything else is not repeated to people, since nobody knows what
 * whoever answered has put into it. */
static patchbay_str as_word(patchbay_str s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == ' '))
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_'))
			return PATCHBAY_S("");
	return s.n <= WORD_MAX ? s : PATCHBAY_S("");
}

/* Slack's word, and whether it says that all is well. */
static patchbay_str read_answer(const struct slack *s, patchbay_call *call, const patchbay_http_answer *a, bool *ret_ok)
{
	const patchbay_json *root = a->body.n && a->body.p[0] == '{' ? s->json->parse(call, a->body) : NULL;

	if (root) {
		*ret_ok = s->json->type(s->json->get(call, root, PATCHBAY_S("ok"))) == PATCHBAY_JSON_TRUE;
		return as_word(s->json->text(call, s->json->get(call, root, PATCHBAY_S("error"))));
	}
	patchbay_str word = as_word(a->body);
	*ret_ok = !s->authorization && patchbay_eq(word, PATCHBAY_S("ok"));
	return word;
}

/* As Slack's table of its statuses has it. */
static patchbay_status by_status(int32_t status)
{
	if (status >= 500 || status == 429 || status == 408)
		return PATCHBAY_DOWN;
	if (status < 400 || status == 403 || status == 404 || status == 410)
		return PATCHBAY_EBADSINK;
	return PATCHBAY_RETRY;
}

static const char *advice_for(int32_t status, patchbay_status meant)
{
	if (status == 429)
		return "too many messages for it; a lower 'rate' for this sink avoids that";
	if (meant == PATCHBAY_DOWN)
		return "it cannot do it now";
	if (meant == PATCHBAY_RETRY)
		return "the reason is not known here";
	if (status < 400)
		return "that is not how Slack answers; check the URL, and what stands between here and Slack";
	return "the webhook or channel cannot be used; check it in Slack";
}

static patchbay_result no_answer(const struct slack *s, patchbay_call *call, patchbay_status sent,
				 const patchbay_http_answer *a)
{
	const char *twice =
		a->maybe_sent ? "; the message may have been posted all the same, and then comes a second time" : "";

	return (patchbay_result){ sent == PATCHBAY_EBADSINK ? PATCHBAY_EBADSINK : PATCHBAY_DOWN, 0,
				  patchbay_fmt(s->host, call, "%.*s%s", (int)a->why.n, a->why.p, twice) };
}

patchbay_result slack_judge(const struct slack *s, patchbay_call *call, patchbay_status sent,
			    const patchbay_http_answer *a)
{
	bool ok = false;

	if (sent != PATCHBAY_OK)
		return no_answer(s, call, sent, a);
	patchbay_str word = read_answer(s, call, a, &ok);
	if (ok && a->status >= 200 && a->status < 300)
		return (patchbay_result){ PATCHBAY_OK, 0, PATCHBAY_S("") };
	const struct meaning *meaning = a->status == 429 ? NULL : find(word);
	patchbay_result result = { by_status(a->status), 0, PATCHBAY_S("") };
	if (meaning)
		result.status = meaning->status;
	else if (a->status == 200 && s->authorization && word.n)
		result.status = PATCHBAY_RETRY; /* a reason that is not known: perhaps it passes */
	if (result.status == PATCHBAY_DOWN && a->retry_after_ms > 0)
		result.after_ms = a->retry_after_ms < UINT32_MAX ? (uint32_t)a->retry_after_ms : UINT32_MAX;
	result.why = patchbay_fmt(s->host, call, "Slack answered %d%s%.*s: %s", (int)a->status, word.n ? " " : "",
				  (int)word.n, word.p ? word.p : "",
				  meaning ? meaning->advice : advice_for(a->status, result.status));
	return result;
}
