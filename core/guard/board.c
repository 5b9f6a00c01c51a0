/* board.c - see guard.h. A thread claims a slot of the shared memory with its first call, and has it until it ends. */
#include "guard/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_MS 500

struct guard_board *guard_board;

static _Thread_local struct guard_slot *own;
static pthread_key_t at_thread_end;

static void give_back(void *slot)
{
	struct guard_slot *mine = slot;
	own = NULL;
	guard_thread_ends();
	atomic_store(&mine->call, GUARD_NOTHING);
	atomic_store(&mine->tid, 0);
}

int guard_open(struct err *err)
{
	void *p = mmap(NULL, sizeof(struct guard_board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_set(err, "cannot get shared memory: %s", strerror(errno));
	if (pthread_key_create(&at_thread_end, give_back) != 0) {
		munmap(p, sizeof(struct guard_board));
		return err_set(err, "cannot get a thread-specific key");
	}
	guard_board = p;
	guard_request_open();
	return 0;
}

bool guard_is_on(void)
{
	return guard_board != NULL;
}

void guard_ready(void)
{
	if (guard_board)
		atomic_store(&guard_board->ready, true);
}

void guard_ending(void)
{
	if (guard_board)
		atomic_store(&guard_board->ending, true);
}

uint64_t guard_restarts(void)
{
	return guard_board ? atomic_load(&guard_board->restarts) : 0;
}

struct guard_slot *guard_own_slot(void)
{
	return own;
}

static struct guard_slot *claim(void)
{
	int32_t tid = (int32_t)syscall(SYS_gettid);
	for (size_t i = 0; i < GUARD_SLOTS; i++) {
		int32_t none = 0;
		struct guard_slot *slot = &guard_board->slots[i];
		if (atomic_load_explicit(&slot->tid, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong(&slot->tid, &none, tid)) {
			pthread_setspecific(at_thread_end, slot);
			guard_thread_begins();
			return own = slot;
		}
	}
	return NULL;
}

void guard_copy_text(char *out, size_t size, const char *text)
{
	size_t n = text ? strnlen(text, size - 1) : 0;
	if (n)
		memcpy(out, text, n);
	out[n] = '\0';
}

/* ---- One at a time, while it is not known who ended the last worker */

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* Those of which there are many in a millisecond. */
static bool is_short(uint32_t call)
{
	return call == GUARD_VERIFY || call == GUARD_PARSE || call == GUARD_ROUTE;
}

/* The intake waits for nobody. Others wait for so long only: whoever has the turn may take its time. */
static uint32_t take_turn(const struct guard_note *note)
{
	if (!guard_is_suspect(note->side, note->instance))
		return GUARD_NO_TURN;
	bool has_turn = false;
	int64_t until_ns = is_short(note->call) ? 0 : clock_steady_ns() + TURN_MS * NS_PER_MS;
	while (until_ns && !(has_turn = pthread_mutex_trylock(&turn) == 0) && clock_steady_ns() < until_ns)
		nanosleep(&(struct timespec){ .tv_nsec = NS_PER_MS }, NULL);
	while (atomic_load(&guard_board->crash.tid) != 0) /* who has it, or had it, is crashing */
		pause();
	return has_turn ? GUARD_HAS_TURN : GUARD_OUT_OF_TURN;
}

static void end_turn(struct guard_slot *slot)
{
	guard_trust((enum guard_side)slot->side, slot->instance);
	if (slot->turn == GUARD_HAS_TURN)
		pthread_mutex_unlock(&turn);
	slot->turn = GUARD_NO_TURN;
}

/* ---- Calls */

uint64_t guard_enter(const struct guard_note *note)
{
	struct guard_slot *slot = own;
	if (!guard_board || (!slot && !(slot = claim())))
		return 0;
	slot->turn = take_turn(note);
	slot->side = note->side;
	slot->n = note->n;
	slot->first = note->first;
	slot->last = note->last;
	slot->request = note->request;
	slot->is_kept = note->is_kept;
	slot->own = note->own;
	guard_copy_text(slot->plugin, sizeof slot->plugin, note->plugin);
	guard_copy_text(slot->instance, sizeof slot->instance, note->instance);
	uint32_t number = atomic_fetch_add(&slot->number, 1) + 1;
	atomic_store(&slot->fatal_ns, note->limit_ms ? clock_steady_ns() + note->limit_ms * NS_PER_MS : 0);
	atomic_store(&slot->call, (uint32_t)note->call);
	return (uint64_t)(slot - guard_board->slots) << 32 | number;
}

void guard_leave(void)
{
	if (!own)
		return;
	if (!is_short(atomic_load(&own->call)) && guard_keep_is_lost())
		guard_descriptor_lost();
	atomic_store(&own->call, GUARD_NOTHING);
	if (own->turn)
		end_turn(own);
}

bool guard_event_at_hand(struct id *ret)
{
	if (!own || atomic_load(&own->call) == GUARD_NOTHING || own->n != 1)
		return false;
	*ret = own->first.id;
	return true;
}

void guard_condemn(uint64_t call)
{
	if (!guard_board || !call)
		return;
	struct guard_slot *slot = &guard_board->slots[call >> 32];
	if (atomic_load(&slot->number) == (uint32_t)call)
		atomic_store(&slot->fatal_ns, clock_steady_ns());
}

int guard_hung(int64_t now_ns)
{
	for (int i = 0; i < GUARD_SLOTS; i++) {
		struct guard_slot *slot = &guard_board->slots[i];
		int64_t fatal_ns = atomic_load_explicit(&slot->fatal_ns, memory_order_relaxed);
		if (atomic_load_explicit(&slot->call, memory_order_relaxed) != GUARD_NOTHING && fatal_ns &&
		    now_ns >= fatal_ns)
			return i;
	}
	return -1;
}

bool guard_is_stuck(int64_t now_ns)
{
	int64_t fatal_ns = atomic_load(&guard_board->crash.fatal_ns);
	return fatal_ns && now_ns >= fatal_ns;
}

/* ---- After the end of a worker */

#define NOBODY (-1)
#define SEVERAL (-2)

static const char *signal_name(int number)
{
	const char *name = sigabbrev_np(number);
	return name ? name : "?";
}

/* "SIGSEGV at address 0x0 in acme.so+0x1139" */
static void describe(const struct guard_crash *crash, bool crashed, int status, bool hung, bool in_call, char *out,
		     size_t size)
{
	char address[40] = "";
	if (hung) {
		snprintf(out, size, "it did not return%s%s", crashed && crash->where[0] ? ", and was in " : "",
			 crashed ? crash->where : "");
	} else if (crashed && crash->closed) {
		snprintf(out, size, "a descriptor was closed that is patchbay's own");
	} else if (crashed && crash->signal == 0) {
		snprintf(out, size, "it called exit(%d)%s", crash->status,
			 in_call && crash->slot == -1 ? ", in a thread of its own" : "");
	} else if (crashed || WIFSIGNALED(status)) {
		if (crashed && crash->has_address)
			snprintf(address, sizeof address, " at address 0x%llx", (unsigned long long)crash->address);
		snprintf(out, size, "SIG%s%s%s%s%s", signal_name(crashed ? crash->signal : WTERMSIG(status)), address,
			 crashed && crash->where[0] ? " in " : "", crashed ? crash->where : "",
			 crashed && in_call && crash->slot == -1 ? ", in a thread of its own" : "");
	} else {
		snprintf(out, size, "the process ended with exit status %d", WEXITSTATUS(status));
	}
}

/* Of a route's `when`, which runs no plugin's code, it would be known. */
static bool is_active(const struct guard_slot *slot, const char *plugin)
{
	uint32_t call = atomic_load(&slot->call);
	return call != GUARD_NOTHING && call != GUARD_ROUTE && (!plugin[0] || strcmp(slot->plugin, plugin) == 0);
}

/* Nobody said so (_exit(), a crash within the crash), or it was a thread that this plugin has begun: if just one call
 * of its was under way, it was that one. If there were several, that is found out with the next ones. */
static int only_one(const char *plugin)
{
	int active = -1, suspect = -1, n = 0, n_suspects = 0;
	for (int i = 0; i < GUARD_SLOTS; i++) {
		const struct guard_slot *slot = &guard_board->slots[i];
		if (!is_active(slot, plugin))
			continue;
		active = i;
		n++;
		if (slot->turn == GUARD_NO_TURN)
			continue;
		suspect = i;
		n_suspects++;
	}
	if (n <= 1)
		return active;
	if (n_suspects == 1)
		return suspect;
	for (int i = 0; i < GUARD_SLOTS; i++)
		if (is_active(&guard_board->slots[i], plugin))
			guard_suspect(&guard_board->slots[i]);
	return SEVERAL;
}

/* A slot; NOBODY, SEVERAL. */
static int culprit(const struct guard_crash *crash, bool crashed, int status, int hung)
{
	if (hung != -1)
		return hung;
	if (crashed && crash->slot != -1)
		return crash->slot;
	if (crashed) /* a thread in no call: of a plugin, or of ours, or whichever took a signal from outside */
		return crash->plugin[0] ? only_one(crash->plugin) : NOBODY;
	if (atomic_load(&guard_board->ending) || (WIFSIGNALED(status) && !guard_is_deadly(WTERMSIG(status))))
		return NOBODY; /* it was killed from outside */
	return only_one("");
}

/* What a plugin has written over must not end the supervisor, too. */
static void make_sane(struct guard_board *b)
{
	if (b->crash.slot < -1 || b->crash.slot >= GUARD_SLOTS)
		b->crash.slot = -1;
	b->crash.where[sizeof b->crash.where - 1] = '\0';
	b->crash.plugin[sizeof b->crash.plugin - 1] = '\0';
	for (size_t i = 0; i < GUARD_SLOTS; i++) {
		b->slots[i].plugin[GUARD_NAME_SIZE - 1] = '\0';
		b->slots[i].instance[GUARD_NAME_SIZE - 1] = '\0';
	}
}

static void say(const struct guard_slot *slot, const char *what, uint32_t count, struct guard_obituary *ret)
{
	char id[ID_TEXT_SIZE], about[96] = "", of[GUARD_NAME_SIZE + 16] = "";
	ret->side = (enum guard_side)slot->side;
	memcpy(ret->plugin, slot->plugin, GUARD_NAME_SIZE);
	memcpy(ret->instance, slot->instance, GUARD_NAME_SIZE);
	ret->has_event = slot->n == 1;
	ret->event = slot->first.id;
	id_format(&slot->first.id, id);
	if (slot->n == 1)
		snprintf(about, sizeof about, " event %s", id);
	else if (slot->n > 1)
		snprintf(about, sizeof about, " %u events, from %s on", slot->n, id);
	if (slot->side != GUARD_PLUGIN)
		snprintf(of, sizeof of, " (plugin %s)", slot->plugin);
	snprintf(ret->sentence, sizeof ret->sentence, "%s %s%s crashed the worker: %s%s: %s%s",
		 guard_side_name((enum guard_side)slot->side), slot->instance, of,
		 guard_call_name(atomic_load(&slot->call)), about, what,
		 count >= GUARD_CRASHES_MAX ? "; it is not tried again" : "");
}

static void blame(const struct guard_slot *slot, const struct guard_crash *crash, const char *what,
		  struct guard_obituary *ret)
{
	uint64_t request[2] = { 0, 0 };
	bool has_request = crash->has_request && guard_request_peek((enum guard_call)atomic_load(&slot->call), request);
	const struct guard_entry *entry = guard_note_crash(slot, request, what);
	uint32_t count = entry ? entry->count : 0;
	if (has_request)
		guard_request_label(slot, what, count);
	say(slot, what, count, ret);
}

bool guard_bury(int status, int hung, struct guard_obituary *ret)
{
	char *sentence = ret->sentence;
	size_t size = sizeof ret->sentence;
	struct guard_board *b = guard_board;
	const struct guard_crash *crash = &b->crash;
	bool crashed = atomic_load(&crash->tid) != 0;
	char what[GUARD_WHAT_SIZE];
	*ret = (struct guard_obituary){ 0 };
	make_sane(b);
	int at = culprit(crash, crashed, status, hung);
	struct guard_slot thread = { .side = GUARD_PLUGIN, .call = GUARD_THREAD };
	const struct guard_slot *slot = at >= 0 ? &b->slots[at] : NULL;

	describe(crash, crashed, status, hung != -1, slot != NULL, what, sizeof what);
	if (at == NOBODY && crashed && crash->plugin[0]) {
		memcpy(thread.plugin, crash->plugin, GUARD_NAME_SIZE);
		memcpy(thread.instance, crash->plugin, GUARD_NAME_SIZE);
		slot = &thread;
	}
	bool blamed = slot && atomic_load(&slot->call) != GUARD_NOTHING;
	if (blamed)
		blame(slot, crash, what, ret);
	else
		guard_request_clear();
	if (!blamed && at == SEVERAL)
		snprintf(sentence, size,
			 "the worker ended, and it is not known yet because of which of the plugins' calls that were "
			 "under way: %s",
			 what);
	else if (!blamed && atomic_load(&b->ending))
		snprintf(sentence, size, "the worker could not start, for the reason above");
	else if (!blamed)
		snprintf(sentence, size, "the worker ended outside of any plugin's call: %s", what);
	memset(b->slots, 0, sizeof b->slots);
	memset(&b->crash, 0, sizeof b->crash);
	return blamed;
}
