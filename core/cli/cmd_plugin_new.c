/* cmd_plugin_new.c - `patchbay plugin new`: a folder with a plugin that builds, is tested, and does something. It is
 * made of the files of template.h: in their texts @NAME@ and the like are replaced, in their paths NAME, and `dot_` by
 * a dot. */
#include "cli/cli.h"

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/args.h"
#include "cli/template.h"
#include "plugin/table.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: patchbay plugin new NAME --source|--sink [--dir DIR]\n"
	"Makes a folder NAME with a small plugin that works: its code, tests, samples, and a README.md that says\n"
	"how to build, try and install it.\n\n"
	"      --source    it verifies what a provider posts, and makes events of it\n"
	"      --sink      it does something with events\n"
	"      --dir DIR   where to make the folder (here)\n"
	"  -h, --help      this text\n\n"
	"Exit status: 0 done, 1 the folder could not be made, 2 wrong usage.\n";

struct plan {
	const char *name, *side;
	char *secret; /* the variable that its secret may come from: "ACME_SECRET" */
	char abi[16]; /* "1.0" */
	char *folder;
};

/* What stands for `s`, or for its beginning, and how much of it; 0: it stands for itself. */
static size_t placeholder(const struct plan *plan, patchbay_str s, const char **ret_value)
{
	const struct {
		patchbay_str word;
		const char *value;
	} words[] = { { STR("@NAME@"), plan->name }, { STR("@SECRET@"), plan->secret }, { STR("@ABI@"), plan->abi } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!str_starts(s, words[i].word))
			continue;
		*ret_value = words[i].value;
		return words[i].word.n;
	}
	return 0;
}

static void fill(const struct plan *plan, patchbay_str text, struct buf *out)
{
	for (size_t i = 0, n; i < text.n; i += n) {
		const char *value;
		n = placeholder(plan, (patchbay_str){ text.p + i, text.n - i }, &value);
		if (n) {
			buf_add_str(out, str_c(value));
			continue;
		}
		n = 1;
		while (i + n < text.n && text.p[i + n] != '@')
			n++;
		buf_add(out, text.p + i, n);
	}
}

/* The path of a file in the new folder. The caller frees. */
static char *path_of(const struct plan *plan, const struct template_file *file)
{
	const char *s = file->path;
	struct buf out = { 0 };

	buf_addf(&out, "%s/", plan->folder);
	while (*s) {
		bool begins = s == file->path || s[-1] == '/';
		if (begins && strncmp(s, "dot_", 4) == 0) {
			buf_add_str(&out, STR("."));
			s += 4;
		} else if (begins && strncmp(s, "NAME", 4) == 0) {
			buf_add_str(&out, str_c(plan->name));
			s += 4;
		} else {
			buf_add(&out, s++, 1);
		}
	}
	char *path = xstrdup(buf_cstr(&out));
	buf_free(&out);
	return path;
}

static int make_folders_above(const char *path, const struct plan *plan, struct err *err)
{
	char *copy = xstrdup(path);
	int r = 0;

	for (char *slash = copy + strlen(plan->folder) + 1; r == 0 && (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			r = err_set(err, "%s: this folder cannot be made: %s", copy, strerror(errno));
	}
	free(copy);
	return r;
}

static int write_file(const char *path, patchbay_str text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), problem = 0;

	if (fd == -1)
		return err_set(err, "%s: cannot be made: %s", path, strerror(errno));
	if (io_write_all(fd, text.p, text.n) != 0)
		problem = errno;
	if (close(fd) != 0 && !problem)
		problem = errno;
	return problem ? err_set(err, "%s: cannot be written: %s", path, strerror(problem)) : 0;
}

static int make_file(const struct plan *plan, const struct template_file *file, struct err *err)
{
	char *path = path_of(plan, file);
	struct buf text = { 0 };
	int r = make_folders_above(path, plan, err);

	fill(plan, file->text, &text);
	if (r == 0 && (r = write_file(path, buf_str(&text), err)) == 0)
		printf("  %s\n", path);
	buf_free(&text);
	free(path);
	return r;
}

static int make_folder(const struct plan *plan, struct err *err)
{
	if (mkdir(plan->folder, 0777) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(err, "%s is already there; nothing was changed; choose another name, or another --dir",
			       plan->folder);
	if (errno == ENOENT)
		return err_set(err, "%s: there is no folder to make it in; make that first, or name another --dir",
			       plan->folder);
	return err_set(err, "%s: this folder cannot be made: %s; name another --dir", plan->folder, strerror(errno));
}

static int make(const struct plan *plan)
{
	struct err err;

	if (make_folder(plan, &err) != 0) {
		fprintf(stderr, "patchbay plugin new: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < template_n_files; i++) {
		const struct template_file *file = &template_files[i];
		if (strcmp(file->side, "both") != 0 && strcmp(file->side, plan->side) != 0)
			continue;
		if (make_file(plan, file, &err) != 0) {
			fprintf(stderr, "patchbay plugin new: %s; remove %s before you try again\n", err.text,
				plan->folder);
			return 1;
		}
	}
	printf("\nBuild and test it:\n\n"
	       "  cd %s && cmake -B build -G Ninja && cmake --build build && ctest --test-dir build\n\n"
	       "README.md there says how to go on.\n",
	       plan->folder);
	return 0;
}

static char *secret_of(const char *name)
{
	char *variable = xasprintf("%s_SECRET", name);

	for (char *c = variable; *c; c++)
		*c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return variable;
}

int cmd_plugin_new(int argc, char **argv)
{
	bool source = false, sink = false;
	const char *dir = NULL;
	const struct arg v[] = {
		{ "source", 0, ARG_FLAG, &source },
		{ "sink", 0, ARG_FLAG, &sink },
		{ "dir", 0, ARG_TEXT, &dir },
	};
	const struct args args = {
		"plugin new", help, v, sizeof(v) / sizeof(v[0]), 1, 1, "one NAME for the plugin, please"
	};
	int status = args_parse(&args, argc, argv);
	if (status >= 0)
		return status;

	struct plan plan = { .name = argv[optind], .side = source ? "source" : "sink" };
	if (!table_name_ok(plan.name))
		return args_wrong(&args,
				  "'%s' cannot name a plugin; use lower-case letters, digits and '-', a letter first, "
				  "%d at most",
				  plan.name, TABLE_NAME_MAX);
	if (source == sink)
		return args_wrong(&args, "is '%s' to be a source or a sink? say --source, or --sink%s", plan.name,
				  source ? ", not both; the other side can be added to the code" : "");
	if (dir && !*dir)
		return args_wrong(&args, "--dir names no folder");
	plan.secret = secret_of(plan.name);
	plan.folder = dir ? xasprintf("%s/%s", dir, plan.name) : xstrdup(plan.name);
	snprintf(plan.abi, sizeof(plan.abi), "%u.%u", PATCHBAY_ABI_MAJOR, PATCHBAY_ABI_MINOR);
	status = make(&plan);
	free(plan.folder);
	free(plan.secret);
	return status;
}
