/* crash.c - what a thread does when it crashes: it writes down where, keeps the request that it was at, and lets the
 * process end as it would have. Everything here that a signal may interrupt is async-signal-safe, but for the walk up
 * the stack, which comes last; should it hang, the supervisor ends the process. */
#include "guard/internal.h"

#include "base/clock.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAMES_MAX 48
#define DYING_NS NS_PER_S
#define STACK_BYTES ((size_t)64 << 10)

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };
#define N_DEADLY (sizeof deadly / sizeof *deadly)

static struct sigaction before[N_DEADLY];
static guard_find_code find_code;
static pid_t worker; /* a child that a plugin has forked has our memory and handlers, and does as it likes */

bool guard_is_deadly(int number)
{
	for (size_t i = 0; i < N_DEADLY; i++)
		if (deadly[i] == number)
			return true;
	return false;
}

/* ---- Text, without the C library's help */

static size_t add_text(char *out, size_t n, size_t size, const char *text)
{
	while (*text && n + 1 < size)
		out[n++] = *text++;
	out[n] = '\0';
	return n;
}

static size_t add_hex(char *out, size_t n, size_t size, uintptr_t value)
{
	char digits[2 * sizeof value + 1];
	size_t at = sizeof digits - 1;
	digits[at] = '\0';
	do
		digits[--at] = "0123456789abcdef"[value & 15];
	while ((value >>= 4));
	return add_text(out, add_text(out, n, size, "0x"), size, digits + at);
}

/* "acme.so+0x1139" */
static bool name_code(uintptr_t pc, struct guard_crash *crash)
{
	struct guard_code code;
	size_t size = sizeof crash->where, n;
	if (!find_code || !find_code(pc, &code))
		return false;
	const char *slash = strrchr(code.path, '/');
	n = add_text(crash->where, 0, size, slash ? slash + 1 : code.path);
	add_hex(crash->where, add_text(crash->where, n, size, "+"), size, code.offset);
	add_text(crash->plugin, 0, sizeof crash->plugin, code.plugin ? code.plugin : "");
	return true;
}

static uintptr_t pc_of(const void *context)
{
#if defined(__x86_64__)
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
	(void)context;
	return 0;
#endif
}

/* ---- Crashing */

/* The first thread that crashes is the one. */
static struct guard_crash *claim(void)
{
	struct guard_crash *crash = &guard_board->crash;
	int32_t none = 0;
	if (!atomic_compare_exchange_strong(&crash->tid, &none, (int32_t)syscall(SYS_gettid)))
		return NULL;
	atomic_store(&crash->fatal_ns, clock_steady_ns() + DYING_NS);
	return crash;
}

static void note_call(struct guard_crash *crash)
{
	struct guard_slot *slot = guard_own_slot();
	crash->slot = slot && atomic_load(&slot->call) != GUARD_NOTHING ? (int32_t)(slot - guard_board->slots) : -1;
	if (crash->slot == -1)
		return;
	if (slot->request)
		crash->has_request = guard_request_write(slot->request);
}

/* The first frame that is a plugin's: it may have called strlen(NULL). */
static void note_caller(struct guard_crash *crash)
{
	void *frames[FRAMES_MAX];
	int n = backtrace(frames, FRAMES_MAX);
	for (int i = 0; i < n; i++)
		if (name_code((uintptr_t)frames[i], crash))
			return;
}

static void on_deadly(int number, siginfo_t *info, void *context)
{
	bool ours = getpid() == worker;
	struct guard_crash *crash = ours ? claim() : NULL;
	bool sent = info->si_code <= 0; /* by abort(), or by the supervisor */
	if (crash) {
		crash->signal = number;
		crash->has_address = !sent && (number == SIGSEGV || number == SIGBUS);
		crash->address = (uint64_t)(uintptr_t)info->si_addr;
		crash->slot = -1;
		if (info->si_code != SI_USER) { /* else it came from outside, and hit whichever thread */
			note_call(crash);
			if (!name_code(pc_of(context), crash))
				note_caller(crash);
		}
	} else if (ours && atomic_load(&guard_board->crash.tid) != (int32_t)syscall(SYS_gettid)) {
		for (;;) /* another thread is dying already; it must not be interrupted while it writes things down */
			pause();
	}
	for (size_t i = 0; i < N_DEADLY; i++)
		if (deadly[i] == number)
			sigaction(number, &before[i], NULL);
	if (sent) {
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
		return; /* and it is delivered, to whoever was there before us */
	}
	/* else the instruction is run once more, with the same result */
}

/* A plugin must not call exit(). */
static void on_exit_called(int status, void *unused)
{
	(void)unused;
	if (getpid() != worker || atomic_load(&guard_board->ending))
		return;
	struct guard_crash *crash = claim();
	if (!crash)
		return;
	crash->status = status;
	note_call(crash);
	note_caller(crash);
	_exit(status ? status : 1); /* the other threads are at work: no destructors now */
}

void guard_descriptor_lost(void)
{
	if (!guard_board || getpid() != worker)
		return;
	struct guard_crash *crash = claim();
	if (crash) {
		crash->closed = true;
		note_call(crash);
	}
	_exit(1);
}

/* A stack that has overflowed cannot be the handler's, too. The sanitizers bring one along. */
static void give_stack(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	stack_t now;
	if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
		return;
	void *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (p == MAP_FAILED)
		return;
	stack_t own = { .ss_sp = p, .ss_size = STACK_BYTES };
	if (sigaltstack(&own, NULL) != 0)
		munmap(p, STACK_BYTES);
#endif
}

void guard_thread_begins(void)
{
	give_stack();
}

void guard_thread_ends(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	stack_t own, none = { .ss_flags = SS_DISABLE };
	if (sigaltstack(NULL, &own) == 0 && !(own.ss_flags & SS_DISABLE) && own.ss_size == STACK_BYTES &&
	    sigaltstack(&none, NULL) == 0)
		munmap(own.ss_sp, STACK_BYTES);
#endif
}

void guard_arm(guard_find_code find)
{
	struct sigaction action = { .sa_sigaction = on_deadly, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	void *frame;
	if (!guard_board)
		return;
	find_code = find;
	worker = getpid();
	backtrace(&frame, 1); /* loads what it needs now, rather than in the handler */
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < N_DEADLY; i++)
		sigaction(deadly[i], &action, &before[i]);
	on_exit(on_exit_called, NULL);
}
