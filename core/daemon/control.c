/* control.c - see control.h. */
#include "daemon/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/control_socket.h"
#include "daemon/reload.h"
#include "source/reverify.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256u
#define ASK_SECONDS 2   /* for a client to say what it wants */
#define TAKE_SECONDS 10 /* for a client to take what it is sent */
#define TIDY_MS 100     /* how often it is looked for what has ended since a reload */

struct control {
	struct parts *parts;
	int listen_fd, bell;
	atomic_bool stopping;
	atomic_bool reload_wanted;
	pthread_t thread;
	bool started;
};

struct client {
	struct control *control;
	int fd;
	bool gone;
};

/* ---- Talking */

static bool send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool say(void *ctx, patchbay_str json)
{
	const struct client *client = ctx;
	return send_all(client->fd, json.p, json.n) && send_all(client->fd, "\n", 1);
}

static void say_error(struct client *client, const char *why)
{
	struct buf line = { 0 };
	buf_addf(&line, "{\"result\":\"error\",\"why\":");
	buf_add_json_string(&line, str_c(why));
	buf_addf(&line, "}");
	say(client, buf_str(&line));
	buf_free(&line);
}

/* One line, without its end. False: it did not come, or is too long. */
static bool read_line(int fd, char line[LINE_MAX_BYTES + 1])
{
	size_t n = 0;
	while (n < LINE_MAX_BYTES) {
		ssize_t got = recv(fd, line + n, LINE_MAX_BYTES - n, 0);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		char *end = memchr(line + n, '\n', (size_t)got);
		n += (size_t)got;
		line[n] = '\0';
		if (end) {
			*end = '\0';
			return true;
		}
	}
	return false;
}

/* ---- reverify */

/* The configuration as it is now: what was mended counts, and the daemon need not be started anew for that. */
static void reverify(struct client *client, const char *name, bool dry_run)
{
	struct control *control = client->control;
	const struct live *live = live_set_find(control->parts->sources, name);
	struct registry *registry = registry_create();
	struct config_plugins plugins = registry_for_config(registry);
	struct config_faults faults = { 0 };
	struct config *now = config_load(control->parts->path, &plugins, &faults);
	struct err err = { "" };
	for (size_t i = faults.n; !now && i-- > 0;)
		if (!faults.v[i].warning)
			err_set(&err, "%s", faults.v[i].text);
	const struct config_source *source = now ? config_find_source(now, name) : NULL;
	if (now && !source)
		err_set(&err, "there is no source '%s' in %s", name, now->path);
	else if (now && !live)
		err_set(&err, "the running daemon does not know the source '%s' yet; run `patchbay reload` first",
			name);
	if (source && live) {
		struct reverify_counts n = { 0 };
		struct reverify r = { .journal = control->parts->journal,
				      .source = source,
				      .live_source = live->source,
				      .live = live->instance,
				      .dry_run = dry_run,
				      .stopping = &control->stopping,
				      .say = say,
				      .ctx = client,
				      .ret_counts = &n };
		if (reverify_run(&r, &err) == 0) {
			if (!dry_run && !n.live_refuses) /* what is admitted was genuine: that it was refused is over */
				atomic_fetch_add(&live->pulse->genuine, n.admitted + n.here + n.nothing);
			log_about(LOG_LEVEL_INFO, &(struct log_about){ .source = name },
				  "reverify %s%s, as an operator asked: %" PRIu64 " admitted, %" PRIu64
				  " already here, %" PRIu64 " without an event, %" PRIu64 " still fail",
				  name, dry_run ? " (dry run)" : "", n.admitted, n.here, n.nothing, n.fails);
		}
	}
	if (err.text[0])
		say_error(client, err.text);
	config_faults_free(&faults);
	config_free(now);
	registry_destroy(registry);
}

/* ---- prune */

/* "prune older MS" or "prune size BYTES", and then "quarantine", "dry-run". False: it is none of these. */
static bool prune(struct client *client, const char *by, const char *number, char **rest)
{
	struct journal_prune_order order = { .older_than_ms = INT64_MIN, .down_to_bytes = UINT64_MAX };
	struct journal_pruned done;
	struct err err;
	struct buf line = { 0 };
	char *end = NULL;
	long long n = number ? strtoll(number, &end, 10) : -1;
	if (n < 0 || *end)
		return false;
	if (strcmp(by, "older") == 0)
		order.older_than_ms = clock_wall_ns() / NS_PER_MS - n;
	else if (strcmp(by, "size") == 0)
		order.down_to_bytes = (uint64_t)n;
	else
		return false;
	for (const char *word; (word = strtok_r(NULL, " ", rest));)
		if (strcmp(word, "quarantine") == 0)
			order.quarantine = true;
		else if (strcmp(word, "dry-run") == 0)
			order.dry_run = true;
		else
			return false;
	if (journal_prune(client->control->parts->journal, &order, &done, &err) != 0) {
		say_error(client, err.text);
		return true;
	}
	if (done.segments && !order.dry_run)
		log_info("prune: %llu segments given up, as an operator asked", (unsigned long long)done.segments);
	buf_addf(&line, "{\"result\":\"end\",\"segments\":%llu,\"bytes\":%llu,\"left_bytes\":%llu,\"held\":%s}",
		 (unsigned long long)done.segments, (unsigned long long)done.bytes, (unsigned long long)done.left_bytes,
		 done.held ? "true" : "false");
	say(client, buf_str(&line));
	buf_free(&line);
	return true;
}

/* ---- reload */

/* A client that takes nothing is waited for once. */
static bool say_if_there(void *ctx, patchbay_str json)
{
	struct client *client = ctx;
	if (client && !client->gone)
		client->gone = !say(client, json);
	return client && !client->gone;
}

/* client NULL: nobody is told but the log. */
static void reload(struct control *control, struct client *client)
{
	const struct reload r = {
		.parts = control->parts, .stopping = &control->stopping, .say = say_if_there, .ctx = client
	};
	reload_run(&r);
}

void control_reload(struct control *control)
{
	atomic_store(&control->reload_wanted, true);
	eventfd_write(control->bell, 1);
}

/* ---- alarm */

static void try_alarm(struct client *client, const char *name)
{
	enum alarm_id alarm = alarm_find(str_c(name));
	char text[ID_TEXT_SIZE];
	struct buf line = { 0 };
	struct err err;
	struct id id;
	if (alarm == ALARM_TYPES) {
		err_set(&err, "this daemon knows no such alarm; is it of the same version as the command?");
		say_error(client, err.text);
	} else if (alarms_try(client->control->parts->alarms, alarm, &id, &err) != 0) {
		say_error(client, err.text);
	} else {
		id_format(&id, text);
		buf_addf(&line, "{\"result\":\"end\",\"id\":\"%s\"}", text);
		say(client, buf_str(&line));
	}
	buf_free(&line);
}

/* ---- The thread */

static void serve(struct control *control, int fd)
{
	struct client client = { .control = control, .fd = fd };
	struct timeval ask = { .tv_sec = ASK_SECONDS }, take = { .tv_sec = TAKE_SECONDS };
	char line[LINE_MAX_BYTES + 1], *rest = NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ask, sizeof ask);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &take, sizeof take);
	if (!read_line(fd, line))
		return;
	const char *verb = strtok_r(line, " ", &rest), *name = strtok_r(NULL, " ", &rest),
		   *how = strtok_r(NULL, " ", &rest);
	if (verb && !name && strcmp(verb, "reload") == 0)
		reload(control, &client);
	else if (verb && name && strcmp(verb, "prune") == 0 && prune(&client, name, how, &rest))
		return;
	else if (verb && name && !how && strcmp(verb, "alarm") == 0)
		try_alarm(&client, name);
	else if (!verb || !name || strcmp(verb, "reverify") != 0 || (how && strcmp(how, "dry-run") != 0) ||
		 strtok_r(NULL, " ", &rest))
		say_error(&client,
			  "this daemon does not understand the request; is it of the same version as the command?");
	else
		reverify(&client, name, how != NULL);
}

static void *control_main(void *ctx)
{
	struct control *control = ctx;
	while (!atomic_load(&control->stopping)) {
		eventfd_t rung;
		struct pollfd fds[] = { { .fd = control->listen_fd, .events = POLLIN },
					{ .fd = control->bell, .events = POLLIN } };
		int n = poll(fds, 2, reload_tidy(control->parts) ? TIDY_MS : -1);
		if (n > 0 && fds[1].revents)
			eventfd_read(control->bell, &rung);
		if (atomic_exchange(&control->reload_wanted, false) && !atomic_load(&control->stopping))
			reload(control, NULL);
		if (n <= 0 || !fds[0].revents)
			continue;
		int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd == -1 && atomic_load(&control->stopping))
			break;
		if (fd == -1) {
			static struct log_limit limit;
			log_limited(&limit, LOG_LEVEL_ERROR, "control: %s", strerror(errno));
			poll(&fds[1], 1, 100); /* out of descriptors, say */
			continue;
		}
		serve(control, fd);
		close(fd);
	}
	return NULL;
}

/* ---- Life */

struct control *control_create(struct parts *parts, struct err *err)
{
	struct control *control = xcalloc(1, sizeof *control);
	struct err why;
	control->parts = parts;
	control->listen_fd = -1;
	control->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control->bell == -1) {
		err_set(err, "cannot make an eventfd: %s", strerror(errno));
		control_stop(control);
		return NULL;
	}
	control->listen_fd = control_socket_listen(parts->first->config->journal, &why);
	if (control->listen_fd == -1)
		log_warning("no control socket, so `patchbay reload` does not work, and `patchbay reverify` only while "
			    "the daemon is stopped: %s",
			    why.text);
	return control;
}

int control_start(struct control *control, struct err *err)
{
	if (pthread_create(&control->thread, NULL, control_main, control) != 0)
		return err_set(err, "cannot start the thread of the control socket");
	control->started = true;
	pthread_setname_np(control->thread, "control");
	return 0;
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	if (control->started) {
		atomic_store(&control->stopping, true);
		eventfd_write(control->bell, 1);
		if (control->listen_fd != -1)
			shutdown(control->listen_fd, SHUT_RDWR);
		pthread_join(control->thread, NULL);
	}
	if (control->listen_fd != -1) {
		control_socket_remove(control->parts->first->config->journal);
		close(control->listen_fd);
	}
	if (control->bell != -1)
		close(control->bell);
	free(control);
}

int control_connect(const char *journal_folder, struct err *err)
{
	return control_socket_connect(journal_folder, err);
}
