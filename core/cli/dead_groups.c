/* dead_groups.c - see dead_groups.h. */
#include "cli/dead_groups.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '@';
}

/* The length of the word that begins at s.p[i]: with the dots inside of it, so that addresses and versions are one. */
static size_t word_length(patchbay_str s, size_t i)
{
	size_t n = 0;
	while (i + n < s.n &&
	       (is_word(s.p[i + n]) || (n > 0 && s.p[i + n] == '.' && i + n + 1 < s.n && is_word(s.p[i + n + 1]))))
		n++;
	return n;
}

static bool is_answer_code(patchbay_str word)
{
	return word.n == 3 && (word.p[0] == '4' || word.p[0] == '5') && is_digit(word.p[1]) && is_digit(word.p[2]);
}

static bool varies(patchbay_str word)
{
	if (is_answer_code(word))
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (is_digit(word.p[i]) || word.p[i] == '@')
			return true;
	return false;
}

void dead_generalise(patchbay_str why, struct buf *out)
{
	for (size_t i = 0; i < why.n;) {
		patchbay_str word = { why.p + i, word_length(why, i) };
		if (!word.n)
			word.n = 1;
		buf_add_str(out, varies(word) ? STR("#") : word);
		i += word.n;
	}
}

static const char *text(const char *s)
{
	return s ? s : "";
}

static struct dead_group *find(struct dead_groups *groups, const struct journal_dead *dead, const char *pattern)
{
	for (size_t i = 0; i < groups->n; i++) {
		struct dead_group *group = &groups->v[i];
		if (strcmp(group->pattern, pattern) == 0 && strcmp(group->sink, dead->sink) == 0 &&
		    strcmp(group->class_, text(dead->class_)) == 0)
			return group;
	}
	if (groups->n == DEAD_GROUPS_MAX)
		return NULL;
	groups->v = xrealloc(groups->v, (groups->n + 1) * sizeof(*groups->v));
	struct dead_group *group = &groups->v[groups->n++];
	*group = (struct dead_group){
		.sink = xstrdup(dead->sink),
		.class_ = xstrdup(text(dead->class_)),
		.pattern = xstrdup(pattern),
		.why = xstrdup(text(dead->why)),
		.alike = true,
		.first_ms = dead->at_ms,
	};
	return group;
}

void dead_groups_add(struct dead_groups *groups, const struct journal_dead *dead)
{
	struct buf pattern = { 0 };
	dead_generalise(str_c(text(dead->why)), &pattern);
	struct dead_group *group = find(groups, dead, buf_cstr(&pattern));
	buf_free(&pattern);
	if (!group) {
		groups->others++;
		return;
	}
	group->count++;
	group->last_ms = dead->at_ms;
	group->newest = dead->id;
	if (strcmp(group->why, text(dead->why)) != 0) {
		group->alike = false;
		free(group->why);
		group->why = xstrdup(text(dead->why));
	}
}

static int compare(const void *a, const void *b)
{
	const struct dead_group *x = a, *y = b;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->last_ms != y->last_ms ? (x->last_ms > y->last_ms ? -1 : 1) : strcmp(x->pattern, y->pattern);
}

void dead_groups_sort(struct dead_groups *groups)
{
	if (groups->n)
		qsort(groups->v, groups->n, sizeof(*groups->v), compare);
}

void dead_groups_free(struct dead_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		free(groups->v[i].sink);
		free(groups->v[i].class_);
		free(groups->v[i].pattern);
		free(groups->v[i].why);
	}
	free(groups->v);
	*groups = (struct dead_groups){ 0 };
}
