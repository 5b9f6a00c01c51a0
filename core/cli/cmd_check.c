/* cmd_check.c - `patchbay check`: everything that `serve` would object to and that can be known without
 * doing anything: nothing is bound, created or sent. */
#include "cli/cli.h"

#include "base/log.h"
#include "base/mem.h"
#include "cli/args.h"
#include "cli/load.h"
#include "config/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char help[] =
	"usage: patchbay check [-c FILE] [--json]\n"
	"\n"
	"Checks a configuration: every fault, with its line and column, and what to do about it.\n"
	"What `patchbay serve` would refuse is refused here. Nothing is started or changed.\n"
	"\n"
	"  -c, --config FILE  the configuration (" CLI_CONFIG_PATH ")\n"
	"      --json         {\"ok\", \"faults\": [{\"line\", \"column\", \"severity\", \"message\"}]} on stdout\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 the configuration is right (there may be warnings), 1 it is not, 2 wrong usage.\n";

/* May files be made in this folder? 0: yes; else errno. */
static int try_folder(const char *path)
{
	struct stat st;
	if (stat(path, &st) == -1)
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* The folder that `path` is in. The caller frees. */
static char *parent_of(const char *path)
{
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n ? xstrndup(path, n) : xstrdup(".");
}

static void check_journal(const struct config *config, struct faults *faults)
{
	int problem = try_folder(config->journal);
	if (problem == ENOENT) { /* serve makes the folder, but not the ones above it */
		char *parent = parent_of(config->journal);
		problem = try_folder(parent);
		if (problem)
			fault_error(faults, config->journal_line, config->journal_column,
				    "'journal': %s does not exist, and cannot be made in %s: %s; make it, and let the "
				    "user that "
				    "runs patchbay write there",
				    config->journal, parent, strerror(problem));
		free(parent);
	} else if (problem) {
		fault_error(faults, config->journal_line, config->journal_column,
			    "'journal': cannot write in %s: %s; let the user that runs patchbay write there",
			    config->journal, strerror(problem));
	}
}

static void check_address(const struct config_address *address, const char *key, struct faults *faults)
{
	const char *path = ((const struct sockaddr_un *)&address->addr)->sun_path;
	struct stat st;
	if (address->addr.ss_family != AF_UNIX)
		return;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) /* it may be a socket unit's, in a folder of root's */
		return;
	char *parent = parent_of(path);
	int problem = try_folder(parent);
	if (problem)
		fault_error(faults, address->line, address->column,
			    "'%s': no socket can be made in %s: %s; make the folder, and let the user that runs "
			    "patchbay write there",
			    key, parent, strerror(problem));
	free(parent);
}

static void check_surroundings(const struct config *config, struct faults *faults)
{
	check_journal(config, faults);
	for (size_t i = 0; i < config->n_listen; i++)
		check_address(&config->listen[i], "listen", faults);
	if (config->admin)
		check_address(config->admin, "admin", faults);
	faults_sort(faults->list);
}

static void print_json(const struct config_faults *faults, bool ok)
{
	struct buf out = { 0 };
	buf_addf(&out, "{\"ok\":%s,\"faults\":[", ok ? "true" : "false");
	for (size_t i = 0; i < faults->n; i++) {
		const struct config_fault *f = &faults->v[i];
		buf_addf(&out, "%s\n{\"line\":%d,\"column\":%d,\"severity\":\"%s\",\"message\":", i ? "," : "", f->line,
			 f->column, f->warning ? "warning" : "error");
		buf_add_json_string(&out, str_c(f->message));
		buf_addf(&out, "}");
	}
	buf_addf(&out, "]}");
	puts(buf_cstr(&out));
	buf_free(&out);
}

static void print_count(size_t n, const char *what, const char *end)
{
	printf("%zu %s%s%s", n, what, n == 1 ? "" : "s", end);
}

static int check(const char *path, bool json)
{
	struct config_faults found = { 0 };
	struct registry *registry = NULL;
	struct config *config = cli_load_faults(path, &registry, &found);
	struct faults faults = { path, &found, !config };

	if (config)
		check_surroundings(config, &faults);
	bool ok = faults.errors == 0;
	if (json)
		print_json(&found, ok);
	for (size_t i = 0; !json && i < found.n; i++)
		fprintf(stderr, "%s%s\n", log_priority(found.v[i].warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR),
			found.v[i].text);
	if (ok && !json) {
		printf("%s: ", path);
		print_count(config->n_sources, "source", ", ");
		print_count(config->n_sinks, "sink", ", ");
		print_count(config->n_routes, "route", ": ok\n");
	}
	config_free(config);
	registry_destroy(registry);
	config_faults_free(&found);
	return ok ? 0 : 1;
}

int cmd_check(int argc, char **argv)
{
	const char *path = CLI_CONFIG_PATH;
	bool json = false;
	const struct arg v[] = { ARG_CONFIG(&path), ARG_JSON(&json) };
	const struct args args = { "check", help, v, sizeof(v) / sizeof(v[0]), 0, 0, "name the file with -c FILE" };
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;
	return check(path, json);
}
