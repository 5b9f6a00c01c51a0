/* ledger.c - see guard.h. Written by the supervisor between two workers, read by the worker; which itself only says
 * what works, and forgives. */
#include "guard/internal.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define IN_ROW_MAX 9u /* crashes of an instance with no call that worked in between, each with another event */
/* GUARD_RECENT crashes of a source in this time: somebody sends one request after the other. */
#define RECENT_NS (600 * NS_PER_S)
#define PARK_FIRST_NS (60 * NS_PER_S)
#define PARK_LONGEST_NS (1800 * NS_PER_S)

const char *guard_call_name(enum guard_call call)
{
	static const char *const names[] = {
		[GUARD_NOTHING] = "in no call",
		[GUARD_CHECK] = "when it checked its options",
		[GUARD_CREATE] = "when it was made",
		[GUARD_DESTROY] = "when it was destroyed",
		[GUARD_VERIFY] = "when it verified a request",
		[GUARD_PARSE] = "when it parsed a request",
		[GUARD_POLL] = "when it polled",
		[GUARD_ENRICH] = "when it fetched details of",
		[GUARD_ROUTE] = "when a route was matched with",
		[GUARD_RESUME] = "when it resumed",
		[GUARD_ACT] = "when it acted on",
		[GUARD_IDLE] = "when it was idle",
		[GUARD_LOAD] = "when it was loaded",
		[GUARD_THREAD] = "in a thread of its own",
	};
	return call <= GUARD_THREAD ? names[call] : "";
}

const char *guard_side_name(enum guard_side side)
{
	return side == GUARD_SINK ? "sink" : side == GUARD_PLUGIN ? "plugin" : "source";
}

static bool same_name(const char *a, const char *b)
{
	return strncmp(a, b, GUARD_NAME_SIZE - 1) == 0;
}

/* ---- Instances */

static struct guard_instance *find_instance(uint32_t side, const char *instance)
{
	for (size_t i = 0; guard_board && i < GUARD_INSTANCES; i++) {
		struct guard_instance *known = &guard_board->instances[i];
		if (!atomic_load_explicit(&known->used, memory_order_relaxed))
			break; /* none is ever taken out */
		if (known->side == side && same_name(known->instance, instance))
			return known;
	}
	return NULL;
}

static struct guard_instance *add_instance(const struct guard_slot *slot)
{
	struct guard_instance *found = find_instance(slot->side, slot->instance);
	for (size_t i = 0; !found && i < GUARD_INSTANCES; i++) {
		if (atomic_load(&guard_board->instances[i].used))
			continue;
		found = &guard_board->instances[i];
		found->side = slot->side;
		memcpy(found->instance, slot->instance, GUARD_NAME_SIZE);
		atomic_store(&found->used, true);
	}
	if (found)
		memcpy(found->plugin, slot->plugin, GUARD_NAME_SIZE);
	return found;
}

/* It may be about events, and those are parked one by one. */
static bool is_about_events(enum guard_call call)
{
	return call == GUARD_ROUTE || call == GUARD_ACT || call == GUARD_ENRICH || call == GUARD_VERIFY ||
	       call == GUARD_PARSE;
}

/* Notes the time. GUARD_RECENT crashes, this one included, within RECENT_NS? */
static bool is_flood(struct guard_instance *instance, int64_t now)
{
	uint32_t next = instance->next_recent % GUARD_RECENT, after = (next + 1) % GUARD_RECENT;
	int64_t oldest = instance->recent_ns[after];
	instance->recent_ns[next] = now;
	instance->next_recent = after;
	return oldest && now - oldest < RECENT_NS;
}

/* The same of calls about no event, and of GUARD_CRASHES_MAX: such a call may work well again and again, and crash when
 * there is something to do. */
static bool is_third(struct guard_instance *instance, int64_t now)
{
	size_t n = sizeof instance->quiet_ns / sizeof *instance->quiet_ns;
	int64_t oldest = instance->quiet_ns[0];
	memmove(instance->quiet_ns, instance->quiet_ns + 1, (n - 1) * sizeof *instance->quiet_ns);
	instance->quiet_ns[n - 1] = now;
	return oldest && now - oldest < RECENT_NS;
}

/* again: with the same event or request as before, which tells nothing new about the instance. */
static void hold_against(struct guard_instance *instance, const struct guard_slot *slot, const char *what, bool again)
{
	enum guard_call call = (enum guard_call)atomic_load(&slot->call);
	int64_t now = clock_steady_ns();
	bool for_ever = call == GUARD_CREATE || call == GUARD_CHECK || call == GUARD_LOAD || call == GUARD_THREAD;
	bool about_events = is_about_events(call);
	uint32_t max = about_events           ? IN_ROW_MAX
		       : call == GUARD_THREAD ? UINT32_MAX
					      : /* nothing tells when it works */
			       GUARD_CRASHES_MAX;
	bool flood = is_flood(instance, now) && slot->side == GUARD_SOURCE;

	if (!about_events && is_third(instance, now))
		flood = true;
	if (atomic_load(&instance->in_row[about_events]) == 0)
		instance->parks = 0;
	atomic_fetch_add(&instance->crashes, 1);
	if (slot->own) { /* each is parked by itself; more would make more of them */
		atomic_fetch_add(&instance->own, 1);
		return;
	}
	if (again && !flood)
		return;
	if (atomic_fetch_add(&instance->in_row[about_events], 1) + 1 < max && !flood)
		return;
	int64_t pause = PARK_FIRST_NS << (instance->parks < 5 ? instance->parks : 5);
	instance->parks++;
	snprintf(instance->why, sizeof instance->why, "its plugin crashed %s, again and again: %.100s",
		 call == GUARD_ACT ? "when it acted on events" : guard_call_name(call), what);
	atomic_store(&instance->parked_ns,
		     for_ever ? INT64_MAX : now + (pause < PARK_LONGEST_NS ? pause : PARK_LONGEST_NS));
}

bool guard_parked(enum guard_side side, const char *name, char *ret_why)
{
	const struct guard_instance *instance = find_instance(side, name);
	int64_t until = instance ? atomic_load(&instance->parked_ns) : 0;
	if (until == 0)
		return false;
	int64_t left = until - clock_steady_ns();
	if (left <= 0)
		return false;
	if (ret_why && until == INT64_MAX)
		snprintf(ret_why, GUARD_WHY_SIZE, "%s; it is left out until patchbay is reloaded or restarted",
			 instance->why);
	else if (ret_why)
		snprintf(ret_why, GUARD_WHY_SIZE, "%s; it is left alone for another %lld s", instance->why,
			 (long long)(left / NS_PER_S + 1));
	return true;
}

bool guard_left_out(enum guard_side side, const char *name, char *ret_why)
{
	const struct guard_instance *instance = find_instance(side, name);
	return instance && atomic_load(&instance->parked_ns) == INT64_MAX && guard_parked(side, name, ret_why);
}

void guard_works(enum guard_side side, const char *name, enum guard_call call)
{
	struct guard_instance *instance = find_instance(side, name);
	bool about_events = is_about_events(call);
	if (instance && atomic_load_explicit(&instance->in_row[about_events], memory_order_relaxed))
		atomic_store(&instance->in_row[about_events], 0);
}

/* ---- Who may have been it */

void guard_suspect(const struct guard_slot *slot)
{
	struct guard_instance *instance = add_instance(slot);
	if (!instance)
		return;
	atomic_store(&instance->suspect, true);
	atomic_store(&guard_board->suspects, 1);
}

bool guard_is_suspect(enum guard_side side, const char *name)
{
	if (atomic_load_explicit(&guard_board->suspects, memory_order_relaxed) == 0)
		return false;
	const struct guard_instance *instance = find_instance(side, name);
	return instance && atomic_load(&instance->suspect);
}

void guard_trust(enum guard_side side, const char *name)
{
	struct guard_instance *instance = find_instance(side, name);
	if (instance)
		atomic_store(&instance->suspect, false);
}

size_t guard_instances(struct guard_instance_stats *ret, size_t max)
{
	size_t n = 0;
	for (; guard_board && n < GUARD_INSTANCES; n++) {
		const struct guard_instance *instance = &guard_board->instances[n];
		if (!atomic_load(&instance->used))
			break;
		if (n >= max)
			continue;
		ret[n] = (struct guard_instance_stats){ .side = (enum guard_side)instance->side,
							.crashes = atomic_load(&instance->crashes),
							.own = atomic_load(&instance->own) };
		memcpy(ret[n].instance, instance->instance, sizeof ret[n].instance);
		memcpy(ret[n].plugin, instance->plugin, sizeof ret[n].plugin);
		ret[n].parked = guard_parked(ret[n].side, ret[n].instance, ret[n].why);
	}
	return n;
}

/* ---- Events and requests */

static int compare(const struct guard_event *a, const struct guard_event *b)
{
	if (a->pos[0] != b->pos[0])
		return a->pos[0] < b->pos[0] ? -1 : 1;
	return a->pos[1] < b->pos[1] ? -1 : a->pos[1] > b->pos[1];
}

static bool is_of(const struct guard_entry *entry, uint32_t side, const char *instance)
{
	return atomic_load(&entry->used) && entry->side == side && same_name(entry->instance, instance);
}

static bool is_range_with(const struct guard_entry *entry, const struct guard_event *event)
{
	return entry->n > 1 && compare(&entry->first, event) <= 0 && compare(event, &entry->last) <= 0;
}

static struct guard_entry *find_event(uint32_t side, const char *instance, const struct guard_event *event)
{
	for (size_t i = 0; i < GUARD_ENTRIES; i++) {
		struct guard_entry *entry = &guard_board->entries[i];
		if (is_of(entry, side, instance) && entry->n == 1 &&
		    memcmp(&entry->first.id, &event->id, sizeof event->id) == 0)
			return entry;
	}
	return NULL;
}

static bool is_suspect(uint32_t side, const char *instance, const struct guard_event *event)
{
	for (size_t i = 0; i < GUARD_ENTRIES; i++)
		if (is_of(&guard_board->entries[i], side, instance) && is_range_with(&guard_board->entries[i], event))
			return true;
	return false;
}

static struct guard_entry *find_request(const char *source, const uint64_t request[2])
{
	for (size_t i = 0; i < GUARD_ENTRIES; i++) {
		struct guard_entry *entry = &guard_board->entries[i];
		if (is_of(entry, GUARD_SOURCE, source) && entry->request[0] == request[0] &&
		    entry->request[1] == request[1])
			return entry;
	}
	return NULL;
}

static struct guard_entry *add_entry(const struct guard_slot *slot)
{
	struct guard_entry *entry = &guard_board->entries[0];
	for (size_t i = 0; i < GUARD_ENTRIES && atomic_load(&entry->used); i++) {
		struct guard_entry *other = &guard_board->entries[i];
		if (!atomic_load(&other->used) || other->age < entry->age)
			entry = other;
	}
	if (!atomic_load(&entry->used))
		atomic_fetch_add(&guard_board->n_entries, 1);
	memset(entry, 0, sizeof *entry);
	entry->side = slot->side;
	entry->n = slot->n;
	entry->first = slot->first;
	entry->last = slot->last;
	memcpy(entry->instance, slot->instance, GUARD_NAME_SIZE);
	atomic_store(&entry->used, true);
	return entry;
}

const struct guard_entry *guard_note_crash(const struct guard_slot *slot, const uint64_t request[2], const char *what)
{
	struct guard_instance *instance = add_instance(slot);
	struct guard_entry *entry = NULL;
	bool has_request = request[0] || request[1];
	if (has_request)
		entry = find_request(slot->instance, request);
	else if (slot->n == 1)
		entry = find_event(slot->side, slot->instance, &slot->first);
	if (instance)
		hold_against(instance, slot, what, entry != NULL);
	if (!slot->n && !has_request)
		return NULL;
	if (!entry) {
		bool suspect = slot->n == 1 && is_suspect(slot->side, slot->instance, &slot->first);
		entry = add_entry(slot);
		entry->count = suspect;
		if (has_request)
			memcpy(entry->request, request, sizeof entry->request);
	}
	entry->count++;
	entry->call = atomic_load(&slot->call);
	entry->age = ++guard_board->ages;
	memcpy(entry->plugin, slot->plugin, GUARD_NAME_SIZE);
	snprintf(entry->what, sizeof entry->what, "%s", what);
	return entry;
}

static void tell(const struct guard_entry *entry, struct guard_blame *ret)
{
	*ret = (struct guard_blame){ .count = entry->count, .call = (enum guard_call)entry->call };
	memcpy(ret->what, entry->what, sizeof ret->what);
}

static bool nothing_is_known(void)
{
	return !guard_board || atomic_load_explicit(&guard_board->n_entries, memory_order_relaxed) == 0;
}

bool guard_has_events(enum guard_side side, const char *instance)
{
	if (nothing_is_known())
		return false;
	for (size_t i = 0; i < GUARD_ENTRIES; i++)
		if (is_of(&guard_board->entries[i], side, instance) && guard_board->entries[i].n)
			return true;
	return false;
}

bool guard_event_blame(enum guard_side side, const char *instance, const struct guard_event *event,
		       struct guard_blame *ret)
{
	if (nothing_is_known())
		return false;
	const struct guard_entry *entry = find_event(side, instance, event);
	if (entry) {
		tell(entry, ret);
		return true;
	}
	*ret = (struct guard_blame){ .suspect = is_suspect(side, instance, event) };
	return ret->suspect;
}

bool guard_request_blame(const char *source, const patchbay_request *request, enum guard_call call,
			 struct guard_blame *ret)
{
	uint64_t fingerprint[2];
	if (nothing_is_known() || !find_instance(GUARD_SOURCE, source))
		return false;
	guard_fingerprint(request, call, fingerprint);
	const struct guard_entry *entry = find_request(source, fingerprint);
	if (entry)
		tell(entry, ret);
	return entry != NULL;
}

void guard_forgive(const char *plugin)
{
	for (size_t i = 0; guard_board && i < GUARD_ENTRIES; i++) {
		struct guard_entry *entry = &guard_board->entries[i];
		bool used = true;
		if ((!plugin || same_name(entry->plugin, plugin)) &&
		    atomic_compare_exchange_strong(&entry->used, &used, false))
			atomic_fetch_sub(&guard_board->n_entries, 1);
	}
	for (size_t i = 0; guard_board && i < GUARD_INSTANCES; i++) {
		struct guard_instance *instance = &guard_board->instances[i];
		if (!atomic_load(&instance->used) || (plugin && !same_name(instance->plugin, plugin)))
			continue;
		atomic_store(&instance->parked_ns, 0);
		atomic_store(&instance->in_row[0], 0);
		atomic_store(&instance->in_row[1], 0);
		memset(instance->recent_ns, 0, sizeof instance->recent_ns);
		memset(instance->quiet_ns, 0, sizeof instance->quiet_ns);
	}
}
