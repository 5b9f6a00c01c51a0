/* fault.c - collects what is wrong with a configuration file, each with its place. */
#include "config/fault.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((format(printf, 5, 0))) static void fault_add(struct faults *f, int line, int column, bool warning,
							    const char *fmt, va_list ap)
{
	struct config_faults *list = f->list;
	struct buf text = { 0 };
	char *message = NULL;

	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	buf_addf(&text, "%s:", f->path);
	if (line > 0)
		buf_addf(&text, "%d:%d:", line, column);
	buf_addf(&text, " %s", warning ? "warning: " : "");
	size_t sentence = text.n;
	buf_addf(&text, "%s", message);
	free(message);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			text.p[i] = '?';
	if ((list->n & (list->n - 1)) == 0) /* room is the next power of two */
		list->v = xrealloc(list->v, (list->n ? 2 * list->n : 1) * sizeof(*list->v));
	char *copy = xstrndup(text.p, text.n);
	list->v[list->n++] = (struct config_fault){ line, column, warning, copy, copy + sentence };
	f->errors += !warning;
	buf_free(&text);
}

void fault_error(struct faults *f, int line, int column, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fault_add(f, line, column, false, fmt, ap);
	va_end(ap);
}

void fault_warning(struct faults *f, int line, int column, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fault_add(f, line, column, true, fmt, ap);
	va_end(ap);
}

static bool comes_before(const struct config_fault *a, const struct config_fault *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void merge(struct config_fault *v, struct config_fault *room, size_t n)
{
	size_t half = n / 2;
	if (n < 2)
		return;
	merge(v, room, half);
	merge(v + half, room, n - half);
	for (size_t i = 0, a = 0, b = half; i < n; i++)
		room[i] = a < half && (b == n || !comes_before(&v[b], &v[a])) ? v[a++] : v[b++];
	for (size_t i = 0; i < n; i++)
		v[i] = room[i];
}

void faults_sort(struct config_faults *faults)
{
	struct config_fault *room = xcalloc(faults->n + 1, sizeof(*room));
	merge(faults->v, room, faults->n);
	free(room);
}

int fault_shown(patchbay_str s)
{
	if (s.n <= 80)
		return (int)s.n;
	size_t n = 80;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) /* not through the middle of a character */
		n--;
	return (int)n;
}

char *fault_hint(patchbay_str s, const char *const *candidates, size_t n, const char *otherwise)
{
	const char *near = str_nearest(s, candidates, n);
	return near ? xasprintf("; did you mean '%s'?", near) : xstrdup(otherwise);
}

void config_faults_free(struct config_faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		free(faults->v[i].text);
	free(faults->v);
	*faults = (struct config_faults){ 0 };
}
