/* complete.c - see complete.h. */
#include "cli/complete.h"

#include "cli/load.h"
#include "cli/text.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool begun;

void complete_begin(void)
{
	begun = freopen("/dev/null", "w", stderr) != NULL;
}

bool complete_begun(void)
{
	return begun;
}

void complete_offer(const char *typed, const char *word, const char *about)
{
	struct buf line = { 0 };
	if (strncmp(word, typed, strlen(typed)) == 0) {
		text_add_clean(&line, str_c(word));
		buf_add_str(&line, STR("\t"));
		text_add_clean(&line, (patchbay_str){ about, about ? strcspn(about, "\n") : 0 });
		puts(buf_cstr(&line));
	}
	buf_free(&line);
}

/* What an option's value is. Of others that have a text for one: a file. */
static const struct {
	const char *option;
	enum complete_kind kind;
} values[] = {
	{ "sink", COMPLETE_SINK },    { "source", COMPLETE_SOURCE }, { "class", COMPLETE_CLASS },
	{ "dir", COMPLETE_FOLDER },   { "type", COMPLETE_NOTHING },  { "to", COMPLETE_NOTHING },
	{ "rate", COMPLETE_NOTHING }, { "only", COMPLETE_NOTHING },
};

/* The operands of a command, of which the last may be repeated. Of a command that is not here: files. */
static const struct {
	const char *command;
	enum complete_kind kinds[2];
} operands[] = {
	{ "plugins", { COMPLETE_PLUGIN, COMPLETE_NOTHING } },  { "send", { COMPLETE_SOURCE, COMPLETE_EVENT } },
	{ "reverify", { COMPLETE_SOURCE, COMPLETE_NOTHING } }, { "show", { COMPLETE_ID, COMPLETE_NOTHING } },
	{ "explain", { COMPLETE_ID, COMPLETE_NOTHING } },      { "dead", { COMPLETE_DEAD_ID, COMPLETE_NOTHING } },
	{ "replay", { COMPLETE_DEAD_ID, COMPLETE_DEAD_ID } },  { "plugin new", { COMPLETE_NOTHING, COMPLETE_NOTHING } },
};

static enum complete_kind value_kind(const struct arg *arg)
{
	for (size_t i = 0; i < COUNT(values); i++)
		if (strcmp(values[i].option, arg->name) == 0)
			return values[i].kind;
	return arg->kind == ARG_TEXT ? COMPLETE_FILE : COMPLETE_NOTHING;
}

static enum complete_kind operand_kind(const struct args *args, int given)
{
	if (args->max >= 0 && given >= args->max)
		return COMPLETE_NOTHING;
	for (size_t i = 0; i < COUNT(operands); i++)
		if (strcmp(operands[i].command, args->command) == 0)
			return operands[i].kinds[given > 0];
	return COMPLETE_FILE;
}

/* What the help says of it: behind "--NAME VALUE  ". NULL: nothing. */
static const char *option_help(const char *help, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = help; *line;) {
		size_t length = strcspn(line, "\n");
		const char *option = memmem(line, length, "--", 2);
		if (*line == ' ' && option && strncmp(option + 2, name, n) == 0 && strchr(" \n", option[2 + n])) {
			const char *about = strstr(option, "  ");
			return about && about < line + length ? about + strspn(about, " ") : NULL;
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}

static void offer_options(const struct args *args, const char *typed)
{
	for (size_t i = 0; i <= args->n; i++) {
		const char *name = i < args->n ? args->v[i].name : "help";
		char word[64];
		snprintf(word, sizeof(word), "--%s", name);
		complete_offer(typed, word, option_help(args->help, name));
	}
}

/* The option that this word is, if its value is the next one. */
static const struct arg *wants_value(const struct args *args, const char *word)
{
	for (size_t i = 0; i < args->n && word[0] == '-' && word[1]; i++) {
		const struct arg *arg = &args->v[i];
		bool is = word[1] == '-' ? strcmp(word + 2, arg->name) == 0
					 : arg->letter && word[strlen(word) - 1] == arg->letter;
		if (is && arg->kind != ARG_FLAG)
			return arg;
	}
	return NULL;
}

int complete_args(const struct args *args, int argc, char **argv)
{
	const char *typed = argv[argc - 1], *config = CLI_CONFIG_PATH, *operand = NULL;
	const struct arg *option = NULL; /* whose value is due */
	bool options = true;
	int given = 0;

	if (argc < 2)
		return 0;
	for (int i = 1; i < argc - 1; i++) {
		const char *word = argv[i];
		if (option && strcmp(word, "=") == 0) /* as bash takes --config=FILE apart */
			continue;
		if (option) {
			config = strcmp(option->name, "config") == 0 ? word : config;
			option = NULL;
		} else if (!options || word[0] != '-') {
			operand = word;
			given++;
		} else if (strcmp(word, "--") == 0) {
			options = false;
		} else if (strncmp(word, "--config=", 9) == 0) {
			config = word + 9;
		} else {
			option = wants_value(args, word);
		}
	}
	if (option)
		complete_value(value_kind(option), strcmp(typed, "=") == 0 ? "" : typed, config, NULL);
	else if (options && typed[0] == '-')
		offer_options(args, typed);
	else
		complete_value(operand_kind(args, given), typed, config, operand);
	return 0;
}
