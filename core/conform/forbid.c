/* forbid.c - ends the process when the plugin asks the kernel for what it must not, and says for what. Only the calling
 * thread is watched. */
#include "conform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define CALL(group_, name_)                                                                                            \
	{                                                                                                              \
		group_, __NR_##name_, #name_                                                                           \
	}

static const struct forbidden {
	unsigned group;
	int number;
	const char *name;
} calls[] = {
	CALL(FORBID_NETWORK, connect),
	CALL(FORBID_NETWORK, sendto),
	CALL(FORBID_NETWORK, sendmsg),
	CALL(FORBID_NETWORK, bind),
	CALL(FORBID_NETWORK, listen),
	CALL(FORBID_CHANGES, mkdirat),
	CALL(FORBID_CHANGES, unlinkat),
	CALL(FORBID_CHANGES, symlinkat),
	CALL(FORBID_CHANGES, linkat),
	CALL(FORBID_CHANGES, ftruncate),
	CALL(FORBID_CHANGES, fchmod),
	CALL(FORBID_CHANGES, fchmodat),
	CALL(FORBID_CHANGES, execve),
	CALL(FORBID_CHANGES, kill),
	CALL(FORBID_FILES, openat),
	CALL(FORBID_FILES, socket),
	CALL(FORBID_FILES, write),
	CALL(FORBID_FILES, writev),
	CALL(FORBID_FILES, pwrite64),
	CALL(FORBID_FILES, read),
	CALL(FORBID_FILES, pread64),
	CALL(FORBID_FILES, fsync),
	CALL(FORBID_FILES, fdatasync),
	CALL(FORBID_WAITING, nanosleep),
	CALL(FORBID_WAITING, clock_nanosleep),
	CALL(FORBID_WAITING, ppoll),
	CALL(FORBID_WAITING, pselect6),
	CALL(FORBID_WAITING, epoll_pwait),
#ifdef __NR_open
	CALL(FORBID_FILES, open),
	CALL(FORBID_CHANGES, creat),
	CALL(FORBID_CHANGES, mkdir),
	CALL(FORBID_CHANGES, unlink),
	CALL(FORBID_CHANGES, rename),
	CALL(FORBID_CHANGES, renameat),
	CALL(FORBID_WAITING, poll),
	CALL(FORBID_WAITING, select),
	CALL(FORBID_WAITING, epoll_wait),
	CALL(FORBID_WAITING, pause),
	CALL(FORBID_CHANGES, fork),
	CALL(FORBID_CHANGES, vfork),
#endif
	CALL(FORBID_CHANGES, renameat2),
	CALL(FORBID_CHANGES, clone),
	CALL(FORBID_CHANGES, clone3),
};

static char *told_to;
static size_t told_size;
static int end_with;

static void on_forbidden(int signal, siginfo_t *info, void *context)
{
	const char *name = "?";
	(void)signal, (void)context;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == info->si_syscall)
			name = calls[i].name;
	if (info->si_syscall == __NR_socket)
		name = "socket";
	snprintf(told_to, told_size, "%s", name);
	_exit(end_with);
}

static size_t add(struct sock_filter *program, size_t n, struct sock_filter line)
{
	program[n] = line;
	return n + 1;
}

#define LOAD(offset) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define IF_IS(value, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define IF_BITS(value, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(value), yes, no)
#define ANSWER(value) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, value)
#define ARGUMENT(i) (offsetof(struct seccomp_data, args) + (i)*8)

bool process_forbid(unsigned what, int exit_status, char *told, size_t size)
{
#ifdef ARCH
	struct sock_filter program[2 * sizeof(calls) / sizeof(calls[0]) + 32];
	struct sigaction action = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };
	size_t n = 0;

	told_to = told;
	told_size = size;
	end_with = exit_status;
	n = add(program, n, LOAD(offsetof(struct seccomp_data, arch)));
	n = add(program, n, IF_IS(ARCH, 1, 0));
	n = add(program, n, ANSWER(SECCOMP_RET_ALLOW));
	n = add(program, n, LOAD(offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!(calls[i].group & what))
			continue;
		n = add(program, n, IF_IS(calls[i].number, 0, 1));
		n = add(program, n, ANSWER(SECCOMP_RET_TRAP));
	}
	if (what & FORBID_NETWORK) { /* sockets of the internet */
		n = add(program, n, IF_IS(__NR_socket, 0, 4));
		n = add(program, n, LOAD(ARGUMENT(0)));
		n = add(program, n, IF_IS(AF_INET, 1, 0));
		n = add(program, n, IF_IS(AF_INET6, 0, 1));
		n = add(program, n, ANSWER(SECCOMP_RET_TRAP));
		n = add(program, n, LOAD(offsetof(struct seccomp_data, nr)));
	}
	if (what & FORBID_CHANGES) { /* files that are opened to be written */
		n = add(program, n, IF_IS(__NR_openat, 0, 3));
		n = add(program, n, LOAD(ARGUMENT(2)));
		n = add(program, n, IF_BITS(O_WRONLY | O_RDWR | O_CREAT, 0, 1));
		n = add(program, n, ANSWER(SECCOMP_RET_TRAP));
	}
	n = add(program, n, ANSWER(SECCOMP_RET_ALLOW));
	struct sock_fprog filter = { .len = (unsigned short)n, .filter = program };
	return sigaction(SIGSYS, &action, NULL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
#else
	(void)what, (void)exit_status, (void)told, (void)size, (void)add, (void)on_forbidden;
	return false;
#endif
}
