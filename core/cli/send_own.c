/* send_own.c - `patchbay send patchbay ALARM`: no provider is played, but the running daemon is asked to make an event
 * of its own. */
#include "cli/send.h"

#include "alarm/alarm.h"
#include "base/mem.h"
#include "cli/ask.h"
#include "config/config.h"
#include "daemon/control.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	char *id, *error;
};

static void take_line(void *ctx, patchbay_str text)
{
	struct answer *answer = ctx;
	json_t *line = json_loadb(text.p, text.n, 0, NULL);
	const char *id = ask_text(line, "id"), *why = ask_text(line, "why");
	if (*id && !answer->id)
		answer->id = xstrdup(id);
	if (*why && !answer->error)
		answer->error = xstrdup(why);
	json_decref(line);
}

static int ask(const char *path, const char *alarm, bool json)
{
	struct answer answer = { 0 };
	struct err err = { "" };
	char *folder = config_journal_folder(path, &err);
	int fd = folder ? control_connect(folder, &err) : -1;
	free(folder);
	if (fd == -1) {
		fprintf(stderr,
			"patchbay send: %s; its own events are made by the daemon that runs with this journal\n",
			err.text);
		return 1;
	}
	char *request = xasprintf("alarm %s\n", alarm);
	ask_daemon(fd, str_c(request), take_line, &answer);
	free(request);
	if (!answer.id)
		fprintf(stderr, "patchbay send: %s\n",
			answer.error ? answer.error : "the daemon went away before it was done; send it again");
	else if (json)
		printf("{\"id\":\"%s\"}\n", answer.id);
	else
		printf("%s\n", answer.id);
	int status = answer.id ? 0 : 1;
	free(answer.id);
	free(answer.error);
	return status;
}

int send_own(const char *path, const char *alarm, bool json)
{
	const char *names[ALARM_TYPES];
	for (size_t i = 0; i < ALARM_TYPES; i++)
		names[i] = alarm_types[i].name;
	if (alarm_find(str_c(alarm)) < ALARM_TYPES)
		return ask(path, alarm, json);
	const char *nearest = str_nearest(str_c(alarm), names, ALARM_TYPES);
	fprintf(stderr, "patchbay send: there is no alarm '%s'; ", alarm);
	if (nearest)
		fprintf(stderr, "did you mean '%s'?\n", nearest);
	else
		fprintf(stderr, "`patchbay send --list " CONFIG_OWN_SOURCE "` shows them\n");
	return 2;
}

void send_list_own(bool json)
{
	if (!json)
		printf(CONFIG_OWN_SOURCE " itself\n");
	for (size_t i = 0; i < ALARM_TYPES; i++) {
		json_t *line = json_pack("{s:s, s:s, s:s}", "source", CONFIG_OWN_SOURCE, "name", alarm_types[i].name,
					 "about", alarm_types[i].example.text);
		if (json)
			json_dumpf(line, stdout, JSON_COMPACT);
		else
			printf("  %-36s %s", alarm_types[i].name, alarm_types[i].example.text);
		putchar('\n');
		json_decref(line);
	}
}
