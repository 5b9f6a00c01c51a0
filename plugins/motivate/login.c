/* login.c - the token: OAuth2's password flow, in which the password is the user's secret key, or the password, a '|',
 * and the secret key. A token is good for two hours; it is renewed a little before, and on a 401. */
#include "api_private.h"

#include "text.h"

#include <patchbay/keys.h>

#include <inttypes.h>
#include <stdlib.h>

#define GOOD_FOR_S INT64_C(7200)
#define TOKEN_MAX 8192

void api_logout(struct api *api)
{
	if (api->token)
		patchbay_wipe((patchbay_str){ api->token, api->token_n });
	free(api->token);
	api->token = NULL;
	api->token_n = 0;
}

static void add_field(const struct api *api, struct text *t, const char *name, patchbay_str value)
{
	bool form = api->options->login == API_LOGIN_FORM;
	patchbay_str encoded;

	text_add_c(t, t->n == 0 ? (form ? "" : "{") : (form ? "&" : ","));
	if (form) {
		text_add_c(t, name);
		text_add_c(t, "=");
		encoded = api->http->encode(t->call, value);
		text_add(t, encoded);
		t->failed |= encoded.n == 0;
		if (encoded.p != value.p)
			patchbay_wipe(encoded);
	} else {
		text_add_string(t, patchbay_cstr(name));
		text_add_c(t, ":");
		text_add_string(t, value);
	}
}

/* The contents of the login; "" when the call has no memory left. */
static patchbay_str credentials(const struct api *api, patchbay_call *call)
{
	const struct api_options *o = api->options;
	const patchbay_str both[] = { o->password, PATCHBAY_S("|"), o->secret_key };
	patchbay_str password = patchbay_join(api->host, call, o->password.n ? both : both + 2, o->password.n ? 3 : 1);
	struct text t = { .host = api->host, .call = call };

	text_reserve(&t, 6 * (o->client_id.n + o->username.n + password.n) + 128);
	add_field(api, &t, "grant_type", PATCHBAY_S("password"));
	add_field(api, &t, "client_id", o->client_id);
	add_field(api, &t, "username", o->username);
	add_field(api, &t, "password", password);
	if (o->login == API_LOGIN_JSON)
		text_add_c(&t, "}");
	patchbay_wipe(password);
	return password.n > 0 ? text_str(&t) : (patchbay_str){ "", 0 };
}

/* Letters, digits and punctuation: fit to stand in a header. */
static bool is_token(patchbay_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= TOKEN_MAX;
}

/* Two hours, or less if the answer says so, and a little less than that: requests take their time. */
static int64_t good_for_s(const struct api *api, patchbay_call *call, const patchbay_json *root)
{
	patchbay_str text = api->json->text(call, api->json->get(call, root, PATCHBAY_S("expires_in")));
	const char *digits = text_c(api->host, call, text);
	int64_t s = digits ? strtoll(digits, NULL, 10) : 0;

	if (s <= 0 || s > GOOD_FOR_S)
		s = GOOD_FOR_S;
	return s - s / 24;
}

static bool keep_token(struct api *api, patchbay_call *call, patchbay_str body)
{
	const patchbay_json *root = api->json->parse(call, body);
	const patchbay_json *member = api->json->get(call, root, PATCHBAY_S("access_token"));
	patchbay_str token = api->json->text(call, member);

	if (api->json->type(member) != PATCHBAY_JSON_STRING || !is_token(token) || !(api->token = malloc(token.n)))
		return false;
	memcpy(api->token, token.p, token.n);
	api->token_n = token.n;
	api->token_until_ns = api->host->now_ns(api->host) + good_for_s(api, call, root) * INT64_C(1000000000);
	patchbay_wipe(token);
	return true;
}

/* What a login that was answered, but gave no token, means. */
static void judge(struct api *api, patchbay_call *call, const patchbay_http_answer *answer, struct api_answer *ret)
{
	static const char compare[] =
		"compare client_id, username and secret_key with Settings, Developer and the user's permission "
		"'Access API'; where the application requires the password as well, set password, too";
	bool refused = answer->status == 400 || answer->status == 401 || answer->status == 403;
	patchbay_str said;

	api_judge(api, call, answer, ret);
	said = ret->status == PATCHBAY_OK
		       ? patchbay_fmt(api->host, call, "Motivate Cloud answered %" PRId32 ", but gave no token",
				      answer->status)
		       : api_said(api, call, answer);
	if (ret->status == PATCHBAY_OK || ret->status == PATCHBAY_DOWN)
		ret->status = PATCHBAY_DOWN;
	else
		ret->status = PATCHBAY_EBADSINK;
	ret->http_status = 0;
	ret->why = patchbay_fmt(api->host, call, "the login failed: %.*s%s%s", (int)said.n, said.p,
				ret->status == PATCHBAY_DOWN ? "" : "; ",
				ret->status == PATCHBAY_DOWN ? ""
				: refused                    ? compare
							     : "is api_url the address of the API?");
}

bool api_login(struct api *api, patchbay_call *call, struct api_answer *ret)
{
	const patchbay_kv headers[] = {
		{ PATCHBAY_S("Accept"), PATCHBAY_S("application/json") },
		{ PATCHBAY_S("Content-Type"), api->options->login == API_LOGIN_FORM
						      ? PATCHBAY_S("application/x-www-form-urlencoded")
						      : PATCHBAY_S("application/json") },
	};
	const patchbay_str url[] = { api->origin, api->base, PATCHBAY_S("/oauth2/authorize") };
	patchbay_http_request request = {
		.size = sizeof(request), .n_headers = 2, .headers = headers, .method = PATCHBAY_S("POST")
	};
	patchbay_http_answer answer;
	bool answered;

	if (api->token && api->host->now_ns(api->host) < api->token_until_ns)
		return true;
	api_logout(api);
	request.url = patchbay_join(api->host, call, url, 3);
	request.body = credentials(api, call);
	if (request.url.n == 0 || request.body.n == 0) {
		*ret = (struct api_answer){ .status = PATCHBAY_DOWN,
					    .why = PATCHBAY_S("this call has no memory left") };
		return false;
	}
	answered = api_exchange(api, call, &request, &answer, ret);
	patchbay_wipe(request.body);
	if (!answered)
		return false;
	if (answer.status == 200 && keep_token(api, call, answer.body)) {
		patchbay_wipe(answer.body);
		return true;
	}
	judge(api, call, &answer, ret);
	return false;
}
