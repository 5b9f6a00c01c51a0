/* secret.c - secrets of routes.yaml, from where they are kept. */
#include "config/secret.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = { "env", "file", "credential" };
#define WAYS "{file: /path}, {env: NAME} or {credential: NAME}"
#define HOW "write " WAYS

void secret_free(patchbay_str *secret)
{
	void *p = (void *)(uintptr_t)secret->p;
	if (p)
		explicit_bzero(p, secret->n);
	free(p);
	*secret = (patchbay_str){ NULL, 0 };
}

static void keep(const char *p, size_t n, patchbay_str *ret)
{
	char *copy = xmalloc(n + 1);
	memcpy(copy, p, n);
	copy[n] = '\0';
	*ret = (patchbay_str){ copy, n };
}

static int read_all(int fd, char *p, size_t room, size_t *ret)
{
	size_t n = 0;
	while (n < room) {
		ssize_t got = read(fd, p + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret = n;
	return 0;
}

/* Root may read everything. Who runs the daemon, and has the journal, may be somebody else. */
static bool owner_may_read(const struct loader *l, const struct stat *file)
{
	struct stat journal;
	if (geteuid() != 0 || !l->config || !l->config->journal || stat(l->config->journal, &journal) == -1 ||
	    journal.st_uid == 0)
		return true;
	if (file->st_uid == journal.st_uid)
		return file->st_mode & S_IRUSR;
	return file->st_mode & (file->st_gid == journal.st_gid ? S_IRGRP : S_IROTH);
}

static void warn_of_readers(struct loader *l, const struct node *at, const char *name, const char *path,
			    const struct stat *file, bool is_secret)
{
	if (is_secret && file->st_mode & S_IROTH)
		fault_warning(&l->faults, at->line, at->column,
			      "'%s': every user of this machine can read %s; chmod o-r %s", name, path, path);
	else if (!owner_may_read(l, file))
		fault_warning(&l->faults, at->line, at->column,
			      "'%s': you can read %s, but the user that %s belongs to cannot; if patchbay runs as that "
			      "user: chgrp --reference=%s %s; chmod 640 %s",
			      name, path, l->config->journal, l->config->journal, path, path);
}

static int read_file(struct loader *l, const struct node *at, const char *name, const char *path, bool is_secret,
		     patchbay_str *ret)
{
	struct faults *f = &l->faults;
	char *text = xmalloc(SECRET_FILE_MAX + 1);
	struct stat st;
	size_t n = 0;
	int r = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* does not wait for a pipe's other end */

	if (fd == -1 || fstat(fd, &st) == -1) {
		fault_error(f, at->line, at->column, "'%s': cannot open %s: %s; %s", name, path, strerror(errno),
			    errno != ENOENT ? "let the user that runs patchbay read it"
			    : is_secret     ? "put the secret into it"
					    : "write where it is");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		fault_error(f, at->line, at->column, "'%s': %s is not a file", name, path);
		goto out;
	}
	if (read_all(fd, text, SECRET_FILE_MAX + 1, &n) < 0) {
		fault_error(f, at->line, at->column, "'%s': cannot read %s: %s", name, path, strerror(errno));
		goto out;
	}
	if (n > SECRET_FILE_MAX) {
		fault_error(f, at->line, at->column, "'%s': %s is larger than 64 KiB; this is hardly a %s", name, path,
			    is_secret ? "secret" : "certificate");
		goto out;
	}
	size_t length = n;
	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length < n && length > 0 && text[length - 1] == '\r')
		length--;
	if (length == 0) {
		fault_error(f, at->line, at->column, "'%s': %s is empty; put the %s into it", name, path,
			    is_secret ? "secret" : "certificate");
		goto out;
	}
	warn_of_readers(l, at, name, path, &st, is_secret);
	keep(text, length, ret);
	r = 0;
out:
	if (fd != -1)
		close(fd);
	explicit_bzero(text, n);
	free(text);
	return r;
}

static int read_env(struct loader *l, const struct node *at, const char *name, patchbay_str *ret)
{
	const char *value = getenv(at->text.p);
	if (!value || !*value) {
		fault_error(&l->faults, at->line, at->column,
			    "'%s': environment variable %.*s is %s; set it where patchbay is started", name,
			    SHOWN(at->text), value ? "empty" : "not set");
		return -1;
	}
	keep(value, strlen(value), ret);
	return 0;
}

static int read_credential(struct loader *l, const struct node *at, const char *name, bool is_secret, patchbay_str *ret)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (memchr(at->text.p, '/', at->text.n) || at->text.p[0] == '.') {
		fault_error(&l->faults, at->line, at->column,
			    "'%s': a credential has a plain name, without '/'; for a path write {file: /path}", name);
		return -1;
	}
	if (!dir || !*dir) {
		fault_error(&l->faults, at->line, at->column,
			    "'%s': no $CREDENTIALS_DIRECTORY, so there is no credential %.*s; run as a systemd service "
			    "with LoadCredential=%.*s:/path",
			    name, SHOWN(at->text), SHOWN(at->text));
		return -1;
	}
	char *path = xasprintf("%s/%.*s", dir, STR_ARG(at->text));
	int r = read_file(l, at, name, path, is_secret, ret);
	free(path);
	return r;
}

/* The node that says where the secret is: the text itself, or the only member of a mapping. */
static const struct node *find_place(struct loader *l, const struct node *node, const char *name)
{
	struct faults *f = &l->faults;
	if (node->kind == NODE_SCALAR && node->text.n > 0 && !node_is_null(node))
		return node;
	if (node->kind != NODE_MAP || node->n != 1) {
		fault_error(f, node->line, node->column, "'%s' must be one secret, not %s; " HOW, name,
			    node->kind == NODE_SCALAR ? "nothing"
			    : node->kind == NODE_LIST ? "a list"
						      : "several keys");
		return NULL;
	}
	const struct node *from = &node->items[0];
	if (from->kind == NODE_BAD)
		return NULL;
	if (!str_is(from->key, "env") && !str_is(from->key, "file") && !str_is(from->key, "credential")) {
		/* The key is not shown: {hunter2} is a mapping, too. */
		char *hint = fault_hint(from->key, kinds, 3, "");
		fault_error(f, from->key_line, from->key_column, "'%s': unknown kind of secret; " HOW "%s", name, hint);
		free(hint);
		return NULL;
	}
	if (from->kind != NODE_SCALAR || from->text.n == 0 || node_is_null(from) ||
	    strlen(from->text.p) != from->text.n) {
		fault_error(f, from->line, from->column, "'%s': '%s' needs a name; " HOW, name, from->key.p);
		return NULL;
	}
	return from;
}

/* Puts down how a person calls it. Returns its index among those of the same option. */
static size_t note_name(struct loader *l, const struct node *node, const struct node *from, const char *option)
{
	struct config_secrets *all = l->secrets;
	size_t index = 0;
	if (!all)
		return 0;
	for (size_t i = 0; i < all->n; i++)
		index += strcmp(all->v[i].option, option) == 0;
	char *name;
	if (from == node) {
		const char *slash = strrchr(l->faults.path, '/');
		name = xasprintf("written in %s", slash ? slash + 1 : l->faults.path);
	} else if (str_is(from->key, "file")) {
		char *path = loader_path(l, from->text);
		name = xasprintf("file %s", path);
		free(path);
	} else {
		name = xasprintf("%s %.*s", from->key.p, STR_ARG(from->text));
	}
	for (char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	all->v = xrealloc(all->v, (all->n + 1) * sizeof(*all->v));
	all->v[all->n++] = (struct config_secret){ .option = option, .index = index, .name = name };
	return index;
}

static int read_place(struct loader *l, const struct node *from, const char *name, bool is_secret, patchbay_str *ret)
{
	if (str_is(from->key, "env"))
		return read_env(l, from, name, ret);
	if (str_is(from->key, "credential"))
		return read_credential(l, from, name, is_secret, ret);
	char *path = loader_path(l, from->text);
	int r = read_file(l, from, name, path, is_secret, ret);
	free(path);
	return r;
}

/* Something that no two secrets share. Letters and digits only, four by four: whatever a plugin wants of a secret, also
 * that it is base64. An option that is called a URL gets one. */
static char *made_up_for(const char *option, size_t index)
{
	size_t n = strlen(option);
	bool url = n >= 3 && strcmp(option + n - 3, "url") == 0;
	char *word = xasprintf("madeXupX%sX%zuXXX", option, index + 1);

	for (char *p = word; *p; p++)
		if (*p == '_')
			*p = 'X';
	word[strlen(word) / 4 * 4] = '\0';
	char *text = xasprintf("%s%s", url ? "https://patchbay.invalid/" : "", word);
	free(word);
	return text;
}

/* For testing: what can be read is taken, the rest is made up. */
static void make_up(struct loader *l, const struct node *from, const char *option, size_t index, patchbay_str *ret)
{
	struct config_faults found = { 0 };
	struct loader quiet = *l;
	quiet.faults = (struct faults){ .path = "", .list = &found };
	if (read_place(&quiet, from, option, true, ret) < 0) {
		*ret = str_c(made_up_for(option, index));
		l->made_up++;
		if (l->secrets)
			l->secrets->v[l->secrets->n - 1].made_up = true;
	}
	config_faults_free(&found);
}

int secret_read(struct loader *l, const struct node *node, const char *option, patchbay_str *ret)
{
	if (node->kind == NODE_BAD)
		return -1;
	const struct node *from = find_place(l, node, option);
	if (!from)
		return -1;
	size_t index = note_name(l, node, from, option);
	if (l->looking) {
		keep("", 0, ret);
		return 0;
	}
	if (from != node && !l->testing)
		return read_place(l, from, option, true, ret);
	if (from != node) {
		make_up(l, from, option, index, ret);
		return 0;
	}
	fault_warning(&l->faults, node->line, node->column,
		      "'%s' stands here for everyone who reads this file; better " WAYS, option);
	keep(node->text.p, node->text.n, ret);
	return 0;
}

int secret_read_public(struct loader *l, const struct node *node, const char *option, patchbay_str *ret)
{
	if (node->kind == NODE_BAD)
		return -1;
	if (node_is_null(node) || node->kind == NODE_LIST || (node->kind == NODE_MAP && node->n != 1)) {
		fault_error(&l->faults, node->line, node->column,
			    "'%s' must be the path of a file, or {credential: NAME}, not %s", option,
			    node_is_null(node) ? "nothing" : node_kind_name(node));
		return -1;
	}
	/* Of a path it is the node itself, and so read as a file. */
	const struct node *from = find_place(l, node, option);
	return from ? read_place(l, from, option, false, ret) : -1;
}
