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

uint64_t guard_enter(const struct guard_note *note)
{
	struct guard_slot *slot = own;
	if (!guard_board || (!slot && !(slot = claim())))
		return 0;
	slot->side = note->side;
	slot->n = note->n;
	slot->first = note->first;
	slot->last = note->last;
	slot->request = note->request;
	slot->is_kept = note->is_kept;
	guard_copy_text(slot->plugin, sizeof slot->plugin, note->plugin);
	guard_copy_text(slot->instance, sizeof slot->instance, note->instance);
	uint32_t number = atomic_fetch_add(&slot->number, 1) + 1;
	atomic_store(&slot->fatal_ns, note->limit_ms ? clock_steady_ns() + note->limit_ms * NS_PER_MS : 0);
	atomic_store(&slot->call, (uint32_t)note->call);
	return (uint64_t)(slot - guard_board->slots) << 32 | number;
}

void guard_leave(void)
{
	if (own)
		atomic_store(&own->call, GUARD_NOTHING);
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

/* ---- After the end of a worker */

static const char *signal_name(int number)
{
	const char *name = sigabbrev_np(number);
	return name ? name : "?";
}

/* "SIGSEGV at address 0x0 in acme.so+0x1139" */
static void describe(const struct guard_crash *crash, bool crashed, int status, bool hung, char *out, size_t size)
{
	char address[40] = "";
	if (hung) {
		snprintf(out, size, "it did not return%s%s", crashed && crash->where[0] ? ", and was in " : "",
			 crashed ? crash->where : "");
	} else if (crashed && crash->signal == 0) {
		snprintf(out, size, "it called exit(%d)", crash->status);
	} else if (crashed || WIFSIGNALED(status)) {
		if (crashed && crash->has_address)
			snprintf(address, sizeof address, " at address 0x%llx", (unsigned long long)crash->address);
		snprintf(out, size, "SIG%s%s%s%s", signal_name(crashed ? crash->signal : WTERMSIG(status)), address,
			 crashed && crash->where[0] ? " in " : "", crashed ? crash->where : "");
	} else {
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
	}
}

/* Nobody said so (_exit(), or a crash within the crash): if just one thread was in a call, it was that one. Who was
 * killed from outside is to blame for nothing. */
static int only_slot(int status)
{
	int found = -1;
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM))
		return -1;
	for (int i = 0; i < GUARD_SLOTS; i++) {
		if (atomic_load(&guard_board->slots[i].call) == GUARD_NOTHING)
			continue;
		if (found != -1)
			return -1;
		found = i;
	}
	return found;
}

static void say(const struct guard_slot *slot, const char *what, uint32_t count, char *out, size_t size)
{
	char id[ID_TEXT_SIZE], about[96] = "";
	id_format(&slot->first.id, id);
	if (slot->n == 1)
		snprintf(about, sizeof about, " event %s", id);
	else if (slot->n > 1)
		snprintf(about, sizeof about, " %u events, from %s on", slot->n, id);
	snprintf(out, size, "%s %s (plugin %s) crashed the worker: %s%s: %s%s",
		 slot->side == GUARD_SINK ? "sink" : "source", slot->instance, slot->plugin,
		 guard_call_name(atomic_load(&slot->call)), about, what,
		 count >= GUARD_CRASHES_MAX ? "; it is not tried again" : "");
}

bool guard_bury(int status, int hung, char *ret_sentence, size_t size)
{
	struct guard_board *b = guard_board;
	const struct guard_crash *crash = &b->crash;
	bool crashed = atomic_load(&crash->tid) != 0, blamed;
	int at = hung != -1 ? hung : crashed ? crash->slot : only_slot(status);
	char what[GUARD_WHAT_SIZE];
	uint64_t request[2] = { 0, 0 };
	uint32_t count = 0;

	describe(crash, crashed, status, hung != -1, what, sizeof what);
	blamed = at != -1 && atomic_load(&b->slots[at].call) != GUARD_NOTHING;
	if (blamed) {
		const struct guard_slot *slot = &b->slots[at];
		bool has_request =
			crash->has_request && guard_request_peek((enum guard_call)atomic_load(&slot->call), request);
		const struct guard_entry *entry = guard_note_crash(slot, request, what);
		count = entry ? entry->count : 0;
		if (has_request)
			guard_request_label(slot, what, count);
		say(slot, what, count, ret_sentence, size);
	} else {
		guard_request_clear();
		snprintf(ret_sentence, size, "the worker ended outside of any plugin's call: %s", what);
	}
	memset(b->slots, 0, sizeof b->slots);
	memset(&b->crash, 0, sizeof b->crash);
	atomic_store(&b->condemned, false);
	return blamed;
}
