/* guest.c - the host that a plugin sees while it is checked. */
#include "conform/guest.h"

#include "base/clock.h"
#include "plugin/host.h"
#include "plugin/services.h"

#include <stdlib.h>
#include <string.h>

#define CALL_MEMORY ((size_t)34 << 20) /* as the daemon's intake gives, with its limits as they are */
#define CONTROL_MS 10000

static struct kit *kit_of(const patchbay_host *host)
{
	return ((const struct guest *)host)->kit;
}

static const void *give_service(const patchbay_host *host, const char *id)
{
	if (kit_of(host)->no_services || !id)
		return NULL;
	if (strcmp(id, PATCHBAY_HTTP) == 0)
		return &http_fake_service;
	return service_find(id);
}

static void take_line(const patchbay_host *host, int32_t level, patchbay_str message)
{
	struct guest *guest = (struct guest *)(uintptr_t)host;
	(void)level;

	__atomic_add_fetch(&guest->lines, 1, __ATOMIC_RELAXED);
	if (!guest->kit->muted)
		kit_look_for_secrets(guest->kit, guest->side, "log()", message);
}

static int64_t now_ns(const patchbay_host *host)
{
	return kit_now_ns(kit_of(host));
}

static int64_t left_ms(const patchbay_call *call)
{
	if (!call->deadline_ns)
		return INT64_C(86400000);
	int64_t left_ns = call->deadline_ns - clock_steady_ns();
	return left_ns > 0 ? (left_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static patchbay_str secret_name(const patchbay_host *host, const char *option, size_t index)
{
	const struct config_secrets *secrets = ((const struct guest *)host)->secrets;

	for (size_t i = 0; secrets && i < secrets->n; i++)
		if (secrets->v[i].index == index && strcmp(secrets->v[i].option, option) == 0)
			return str_c(secrets->v[i].name);
	return STR("");
}

static void init(struct guest *guest, struct kit *kit, enum side side, const void *options,
		 const struct config_secrets *secrets)
{
	*guest = (struct guest){
		.host = instance_host_table, .kit = kit, .side = side, .options = options, .secrets = secrets
	};
	guest->host.service = give_service;
	guest->host.log = take_line;
	guest->host.now_ns = now_ns;
	guest->host.left_ms = left_ms;
	guest->host.secret_name = secret_name;
	guest->host.instance = STR("tried");
	call_init(&guest->call, CALL_MEMORY);
}

void guest_begin(struct guest *guest, int64_t timeout_ms)
{
	const struct kit *kit = guest->kit;

	call_begin(&guest->call, kit->left_ms >= 0 ? kit->left_ms : timeout_ms);
	if (kit->left_ms == 0)
		guest->call.deadline_ns = 1; /* long ago */
}

patchbay_str guest_why(const struct guest *guest)
{
	return guest->call.why;
}

static void judge_control(struct guest *guest, const char *function, patchbay_status status)
{
	kit_leave(guest->kit, function);
	if (status > 0 || status < PATCHBAY_EUNSUPPORTED)
		kit_fail(guest->kit,
			 "%s answers with status %d; it may answer PATCHBAY_OK, or why not: ECONFIG, ENOMEM", function,
			 (int)status);
	kit_look_for_secrets(guest->kit, guest->side, function, guest->call.why);
}

patchbay_status guest_check(struct kit *kit, enum side side, const void *options, patchbay_str *ret_said)
{
	patchbay_status (*check)(const patchbay_host *, patchbay_call *, const void *) =
		side == SIDE_SOURCE ? kit->plugin->source->check : kit->plugin->sink->check;
	struct guest guest;

	*ret_said = STR("");
	if (!check)
		return PATCHBAY_OK;
	init(&guest, kit, side, options, NULL);
	guest_begin(&guest, CONTROL_MS);
	kit_enter(kit, "check()");
	patchbay_status status = check(&guest.host, &guest.call, options);
	judge_control(&guest, "check()", status);
	*ret_said = kit_copy(kit, guest.call.why);
	call_fini(&guest.call);
	return status;
}

patchbay_status guest_create(struct guest *guest, struct kit *kit, enum side side, const void *options,
			     const struct config_secrets *secrets)
{
	const patchbay_plugin *plugin = kit->plugin;

	init(guest, kit, side, options, secrets);
	guest_begin(guest, CONTROL_MS);
	kit_enter(kit, "create()");
	patchbay_status status = side == SIDE_SOURCE
					 ? plugin->source->create(&guest->host, &guest->call, options, &guest->self)
					 : plugin->sink->create(&guest->host, &guest->call, options, &guest->self);
	judge_control(guest, "create()", status);
	if (status != PATCHBAY_OK && guest->self) {
		void *self = guest->self;
		guest->self = NULL;
		kit_enter(kit, "destroy() of what create() left half-made");
		side == SIDE_SOURCE ? plugin->source->destroy(self) : plugin->sink->destroy(self);
		kit_leave(kit, "destroy()");
	}
	return status;
}

void guest_open(struct guest *guest, struct kit *kit, enum side side, int variant)
{
	const struct config_secrets *secrets;
	const void *options = kit_options(kit, side, variant, &secrets);

	patchbay_status status = guest_create(guest, kit, side, options, secrets);
	if (status != PATCHBAY_OK)
		kit_fail(kit, "create() refuses options that it took before: %s, '%.*s'", kit_status_name(status),
			 STR_ARG(guest_why(guest)));
}

void guest_close(struct guest *guest)
{
	struct kit *kit = guest->kit;

	kit_enter(kit, "destroy()");
	if (guest->self)
		guest->side == SIDE_SOURCE ? kit->plugin->source->destroy(guest->self)
					   : kit->plugin->sink->destroy(guest->self);
	kit_leave(kit, "destroy()");
	guest->self = NULL;
	call_fini(&guest->call);
}

const void *guest_ability(struct kit *kit, enum side side, const char *id)
{
	const void *(*extension)(const char *) =
		side == SIDE_SOURCE ? kit->plugin->source->extension : kit->plugin->sink->extension;

	if (!extension)
		return NULL;
	kit_enter(kit, "extension()");
	const void *table = extension(id);
	kit_leave(kit, "extension()");
	return table;
}
