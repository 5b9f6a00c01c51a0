/* send_play.c - sends events as their provider does: its bodies, its signatures, its time limit, its retries. */
#include "cli/send.h"

#include "base/call.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "plugin/host.h"
#include "plugin/simulate.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#define TIMEOUT_DEFAULT_MS 10000 /* where the provider's is not known */
#define CALL_MEMORY (64u << 20)

struct play {
	const struct send_order *order;
	const patchbay_provider *provider;
	struct instance *instance;
	struct post *post;
	patchbay_call call;
	uint64_t sent, as_wanted;
	uint64_t answers[1000]; /* by status */
	json_t *events;
};

/* The first that speaks plainly, or else the first. */
const struct config_address *send_default_address(const struct config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (!config->listen[i].tls)
			return &config->listen[i];
	return &config->listen[0];
}

char *send_default_url(const struct config *config, const struct config_source *source)
{
	const struct config_address *listen = send_default_address(config);
	char address[INET6_ADDRSTRLEN], *where;
	if (listen->addr.ss_family == AF_UNIX) {
		where = xasprintf("unix:%s:", ((const struct sockaddr_un *)&listen->addr)->sun_path);
	} else if (listen->addr.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&listen->addr;
		struct in6_addr to = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) ? in6addr_loopback : in6->sin6_addr;
		inet_ntop(AF_INET6, &to, address, sizeof(address));
		where = xasprintf("[%s]:%u", address, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&listen->addr;
		struct in_addr to = { in->sin_addr.s_addr ? in->sin_addr.s_addr : htonl(INADDR_LOOPBACK) };
		inet_ntop(AF_INET, &to, address, sizeof(address));
		where = xasprintf("%s:%u", address, ntohs(in->sin_port));
	}
	const char *scheme = listen->tls ? "https" : "http";
	char *url = source->path_secret.n ? xasprintf("%s://%s/in/%s/%.*s", scheme, where, source->name,
						      STR_ARG(source->path_secret.v[0]))
					  : xasprintf("%s://%s/in/%s", scheme, where, source->name);
	free(where);
	return url;
}

static bool provider_is_content(const patchbay_provider *provider, int status)
{
	if (!provider || !provider->n_ok)
		return status >= 200 && status < 300;
	for (uint32_t i = 0; i < provider->n_ok; i++)
		if (status >= provider->ok[2 * i] && status <= provider->ok[2 * i + 1])
			return true;
	return false;
}

/* Makes the request of one try. In the memory of the call, which it begins. */
static int prepare(struct play *play, uint64_t serial, uint32_t try, patchbay_request *ret, struct err *err)
{
	const struct send_order *order = play->order;
	const void *self = instance_self(play->instance);
	patchbay_str body = { NULL, 0 };
	call_begin(&play->call, 0);
	patchbay_status status = order->simulate.body(self, &play->call, order->sample, serial, &body);
	*ret = (patchbay_request){
		.size = sizeof(*ret),
		.method = STR("POST"),
		.path = str_c(order->url.path),
		.body = body,
		.received_ns = clock_wall_ns(),
	};
	if (status == PATCHBAY_OK)
		status = order->simulate.sign(self, &play->call, order->bad_signature ? PATCHBAY_SIGN_WRONG : 0, try,
					      ret);
	if (status == PATCHBAY_OK)
		return 0;
	patchbay_str why = play->call.why.n ? play->call.why : STR("its plugin does not say why");
	return err_set(err, "cannot play the provider of '%s': %.*s", order->source->name, STR_ARG(why));
}

static void print_answer(struct play *play, const struct post_answer *answer)
{
	if (play->order->json) {
		json_t *event = json_object();
		json_object_set_new(event, "status", json_integer(answer->status));
		json_object_set_new(event, "id", *answer->event_id ? json_string(answer->event_id) : json_null());
		json_object_set_new(event, "ms", json_integer(answer->took_ms));
		json_array_append_new(play->events, event);
	} else if (play->order->count == 1) {
		printf("%d %s (%lld ms)\n", answer->status, *answer->event_id ? answer->event_id : "-",
		       (long long)answer->took_ms);
	}
}

/* Waits as long as the provider waits before that retry. False: it does not try again. */
static bool wait_for_retry(const struct play *play, uint32_t try, int status)
{
	const patchbay_provider *provider = play->provider;
	if (!play->order->retry || !provider)
		return false;
	if (provider->final_refusal && status == provider->final_refusal) {
		fprintf(stderr, "after %d this provider does not try again\n", status);
		return false;
	}
	if (try >= provider->n_retry) {
		fprintf(stderr, "this provider gives up after %u tries\n", provider->n_retry + 1);
		return false;
	}
	struct timespec delay = { .tv_sec = provider->retry_s[try] };
	fprintf(stderr, "try %u of %u in %u s, as this provider does\n", try + 2, provider->n_retry + 1,
		provider->retry_s[try]);
	fflush(stdout);
	while (nanosleep(&delay, &delay) != 0)
		;
	return true;
}

/* One event, with its retries. -1: it cannot be made, or nobody answers. */
static int send_one(struct play *play, uint64_t serial)
{
	const patchbay_provider *provider = play->provider;
	int64_t timeout_ms = provider && provider->answer_ms ? provider->answer_ms : TIMEOUT_DEFAULT_MS;
	int wanted = play->order->bad_signature ? 403 : 0;
	for (uint32_t try = 0;; try++) {
		patchbay_request request;
		struct post_answer answer = { 0 };
		struct err err = { 0 };
		if (prepare(play, serial, try, &request, &err) < 0) {
			fprintf(stderr, "patchbay send: %s\n", err.text);
			return -1;
		}
		bool answered = post_send(play->post, &request, timeout_ms, &answer, &err) == 0;
		play->sent++;
		if (answered) {
			play->answers[answer.status]++;
			print_answer(play, &answer);
		} else {
			fprintf(stderr, "patchbay send: %s\n", err.text);
		}
		bool good =
			answered && (wanted ? answer.status == wanted : provider_is_content(provider, answer.status));
		if (good) {
			play->as_wanted++;
			return 0;
		}
		if (!wait_for_retry(play, try, answered ? answer.status : 0))
			return answered ? 0 : -1;
	}
}

static void print_sum(const struct play *play, bool ok)
{
	const struct send_order *order = play->order;
	json_t *answers = json_object();
	if (!order->json && order->count > 1)
		printf("%llu sent:", (unsigned long long)play->sent);
	uint64_t answered = 0;
	for (int status = 0; status < 1000; status++) {
		char text[8];
		if (!play->answers[status])
			continue;
		snprintf(text, sizeof(text), "%d", status);
		json_object_set_new(answers, text, json_integer((json_int_t)play->answers[status]));
		if (!order->json && order->count > 1)
			printf("%s %llu x %d", answered ? "," : "", (unsigned long long)play->answers[status], status);
		answered += play->answers[status];
	}
	if (!order->json && order->count > 1) {
		if (answered < play->sent)
			printf("%s %llu x no answer", answered ? "," : "", (unsigned long long)(play->sent - answered));
		putchar('\n');
	}
	if (order->json) {
		json_t *sum = json_object();
		json_object_set_new(sum, "source", json_string(order->source->name));
		json_object_set_new(sum, "event", json_string(simulate_sample(&order->simulate, order->sample).name));
		json_object_set_new(sum, "ok", json_boolean(ok));
		json_object_set_new(sum, "sent", json_integer((json_int_t)play->sent));
		json_object_set(sum, "answers", answers);
		json_object_set(sum, "events", play->events);
		json_dumpf(sum, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(sum);
	}
	json_decref(answers);
}

/* What a provider is answered does not say why: it may be a stranger. */
static void print_why(const struct play *play)
{
	if (play->order->bad_signature)
		return;
	if (play->answers[403])
		fprintf(stderr, "patchbay send: 403: the daemon does not take it for the provider's; "
				"`patchbay events --quarantine` says why. After a change of routes.yaml or a secret: "
				"`patchbay reload`\n");
	if (play->answers[404])
		fprintf(stderr,
			"patchbay send: 404: the daemon that answered does not know source '%s', or its path_secret; "
			"after a change of routes.yaml: `patchbay reload`\n",
			play->order->source->name);
	if (play->answers[503])
		fprintf(stderr, "patchbay send: 503: the daemon takes nothing now; its log and `/health` say why\n");
}

int send_play(const struct send_order *order)
{
	struct play play = { .order = order, .provider = order->source->plugin->source->provider };
	struct err err = { 0 };
	uint64_t done = 0;
	call_init(&play.call, CALL_MEMORY);
	play.instance = instance_create(order->source->plugin, false, order->source->name, order->source->options,
					&order->source->secrets, &err);
	if (!play.instance) {
		fprintf(stderr, "patchbay send: %s\n", err.text);
		call_fini(&play.call);
		return 1;
	}
	play.post = post_open(&order->url);
	play.events = json_array();
	while (done < order->count && send_one(&play, order->serial + done) == 0)
		done++;
	bool ok = play.as_wanted == order->count;
	print_sum(&play, ok);
	if (!ok)
		print_why(&play);
	json_decref(play.events);
	post_close(play.post);
	instance_destroy(play.instance);
	call_fini(&play.call);
	return ok ? 0 : 1;
}
