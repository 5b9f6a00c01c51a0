/* args.c - see args.h. */
#include "cli/args.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/complete.h"
#include "config/scalar.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP (-2)
#define FIRST 256 /* getopt's value of args->v[0]: letters are below */

int args_wrong(const struct args *args, const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "patchbay %s: ", args->command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n`patchbay %s --help` explains\n", args->command);
	return 2;
}

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* "2h", "2h ago", "2026-11-22", "2026-11-22T04:00:00Z" */
static bool parse_time(const char *text, int64_t *ret_ns)
{
	patchbay_str s = str_c(text);
	char full[64];
	int64_t ms, now = clock_wall_ns();
	if (s.n > 4 && strcmp(text + s.n - 4, " ago") == 0)
		s.n -= 4;
	if (scalar_ms(s, &ms)) {
		*ret_ns = ms < now / NS_PER_MS ? now - ms * NS_PER_MS : 0;
		return true;
	}
	snprintf(full, sizeof(full), "%sT00:00:00Z", text);
	return clock_parse_iso(str_c(text), ret_ns) || (strlen(text) == 10 && clock_parse_iso(str_c(full), ret_ns));
}

static void add(struct arg_list *list, const char *text)
{
	list->v = xrealloc(list->v, (list->n + 1) * sizeof(*list->v));
	list->v[list->n++] = text;
}

void arg_list_free(struct arg_list *list)
{
	free(list->v);
	*list = (struct arg_list){ 0 };
}

/* -1: it is taken. */
static int take(const struct args *args, const struct arg *arg, const char *text)
{
	switch (arg->kind) {
	case ARG_FLAG:
		*(bool *)arg->value = true;
		break;
	case ARG_TEXT:
		*(const char **)arg->value = text;
		break;
	case ARG_NUMBER:
		if (!parse_number(text, arg->value))
			return args_wrong(args, "--%s is a number, not '%s'", arg->name, text);
		break;
	case ARG_LIST:
		add(arg->value, text);
		break;
	case ARG_TIME:
		if (!parse_time(text, arg->value))
			return args_wrong(args, "--%s is like 2h or 2026-11-22T04:00:00Z, not '%s'", arg->name, text);
		break;
	}
	return -1;
}

static int unknown(const struct args *args, int letter, const char *word)
{
	if (letter > 0 && letter < FIRST)
		return args_wrong(args, "there is no option -%c", letter);
	const char **names = xcalloc(args->n + 1, sizeof(*names));
	for (size_t i = 0; i < args->n; i++)
		names[i] = args->v[i].name;
	patchbay_str name = str_c(word + strspn(word, "-"));
	name.n = strcspn(name.p, "=");
	const char *nearest = str_nearest(name, names, args->n);
	free(names);
	return nearest ? args_wrong(args, "there is no option '%s'; did you mean --%s?", word, nearest)
		       : args_wrong(args, "there is no option '%s'", word);
}

static int missing(const struct args *args, int value)
{
	for (size_t i = 0; i < args->n; i++)
		if (value == args->v[i].letter || value == FIRST + (int)i)
			return args_wrong(args, "--%s wants a value", args->v[i].name);
	return args_wrong(args, "an option wants a value");
}

/* As args_parse(), but for HELP. */
static int parse(const struct args *args, const struct option *options, const char *letters, int argc, char **argv)
{
	optind = 0; /* begin anew */
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, letters, options, NULL)) != -1;) {
		if (c == 'h')
			return HELP;
		if (c == '?')
			return unknown(args, optopt, argv[optind - 1]);
		if (c == ':')
			return missing(args, optopt);
		for (size_t i = 0; i < args->n; i++) {
			if (c != args->v[i].letter && c != FIRST + (int)i)
				continue;
			int status = take(args, &args->v[i], optarg);
			if (status >= 0)
				return status;
		}
	}
	int given = argc - optind;
	if (args->max >= 0 && given > args->max)
		return args_wrong(args, "'%s' is one argument too many%s%s", argv[optind + args->max],
				  args->what ? "; " : "", args->what ? args->what : "");
	if (given < args->min)
		return args_wrong(args, "%s", args->what);
	return -1;
}

int args_parse(const struct args *args, int argc, char **argv)
{
	if (complete_begun())
		return complete_args(args, argc, argv);
	struct option *options = xcalloc(args->n + 2, sizeof(*options));
	struct buf letters = { 0 };
	buf_add_str(&letters, STR(":h"));
	for (size_t i = 0; i < args->n; i++) {
		const struct arg *arg = &args->v[i];
		int has = arg->kind == ARG_FLAG ? no_argument : required_argument;
		options[i] = (struct option){ arg->name, has, NULL, FIRST + (int)i };
		if (arg->letter)
			buf_addf(&letters, "%c%s", arg->letter, has == no_argument ? "" : ":");
	}
	options[args->n] = (struct option){ "help", no_argument, NULL, 'h' };
	int status = parse(args, options, buf_cstr(&letters), argc, argv);
	if (status == HELP) {
		fputs(args->help, stdout);
		status = 0;
	}
	buf_free(&letters);
	free(options);
	return status;
}
