/* process.c - the process's own state, by /proc and the calls that ask for it. */
#include "conform/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern size_t __sanitizer_get_current_allocated_bytes(void);
#endif

extern char **environ;

static uint64_t hash(uint64_t h, const char *s) /* FNV-1a */
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h * 31 + 1;
}

void process_look(struct process_state *state)
{
	const char *locale = setlocale(LC_ALL, NULL);

	memset(state, 0, sizeof(*state));
	if (!getcwd(state->folder, sizeof(state->folder)))
		state->folder[0] = '\0';
	snprintf(state->locale, sizeof(state->locale), "%s", locale ? locale : "");
	state->umask = umask(0);
	umask(state->umask);
	for (char **e = environ; e && *e; e++)
		state->environment = hash(state->environment, *e);
	struct itimerval timer = { 0 };
	struct rlimit files = { 0 };
	sigset_t blocked;
	getrlimit(RLIMIT_NOFILE, &files);
	state->files = files.rlim_cur;
	getitimer(ITIMER_REAL, &timer);
	state->timer = timer.it_value.tv_sec || timer.it_value.tv_usec;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	for (int fd = 0; fd < 3; fd++)
		state->standard[fd] = fcntl(fd, F_GETFD) != -1;
	for (int s = 1; s < PROCESS_SIGNALS; s++) {
		struct sigaction now = { 0 };
		if (sigismember(&blocked, s) == 1)
			state->blocked |= UINT64_C(1) << (s - 1);
		if (sigaction(s, NULL, &now) != 0)
			continue;
		state->signals[s].flags = now.sa_flags;
		state->signals[s].handler =
			now.sa_flags & SA_SIGINFO ? (uintptr_t)now.sa_sigaction : (uintptr_t)now.sa_handler;
	}
}

const char *process_change(const struct process_state *before, struct buf *text)
{
	struct process_state now;

	process_look(&now);
	text->n = 0;
	if (strcmp(before->folder, now.folder) != 0)
		buf_addf(text, "the working directory (it is %s now)", now.folder);
	else if (strcmp(before->locale, now.locale) != 0)
		buf_addf(text, "the locale (it is %s now)", now.locale);
	else if (before->umask != now.umask)
		buf_addf(text, "the umask (it is %03o now)", (unsigned)now.umask);
	else if (before->environment != now.environment)
		buf_addf(text, "the environment");
	else if (before->blocked != now.blocked)
		buf_addf(text, "which signals are blocked");
	else if (before->files != now.files)
		buf_addf(text, "how many files may be open (it is %llu now)", (unsigned long long)now.files);
	else if (before->timer != now.timer)
		buf_addf(text, "the process's alarm");
	for (int fd = 0; fd < 3; fd++)
		if (before->standard[fd] && !now.standard[fd] && text->n == 0)
			buf_addf(text, "descriptor %d (it is closed now; was that an fd that was never opened?)", fd);
	for (int s = 1; s < PROCESS_SIGNALS && text->n == 0; s++)
		if (before->signals[s].handler != now.signals[s].handler ||
		    before->signals[s].flags != now.signals[s].flags)
			buf_addf(text, "what happens on signal %d (SIG%s)", s, sigabbrev_np(s) ? sigabbrev_np(s) : "?");
	return text->n ? buf_cstr(text) : NULL;
}

static size_t count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	if (!dir)
		return 0;
	for (const struct dirent *d; (d = readdir(dir));)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	size_t all = 0, pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%zu %zu", &all, &pages) != 2)
		pages = 0;
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

void process_measure(struct process_size *size)
{
	size->descriptors = count_entries("/proc/self/fd");
	size->threads = count_entries("/proc/self/task");
	size->resident = resident();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	size->heap = __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();
	size->heap = info.uordblks + info.hblkhd;
#endif
}

void process_list_descriptors(struct buf *list, int first)
{
	for (int fd = first; fd < 1024 && list->n < 300; fd++) {
		char name[64], target[256];
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		buf_addf(list, "%s%d -> %.*s", list->n ? ", " : "", fd, (int)n, target);
	}
}

bool process_isolate_network(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	(void)ioctl(fd, SIOCSIFFLAGS, &loopback); /* else connections fail in another way, but fail */
	close(fd);
	return true;
}
