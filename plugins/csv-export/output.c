/* output.c - resuming, appending, handing over. */
#include "output.h"

#include "file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Telling */

bool output_failed(struct output *out, const char *what, const char *path)
{
	int reason = errno;
	const char *advice = "tried again later";
	out->status = PATCHBAY_RETRY;
	switch (reason) {
	case EWOULDBLOCK:
		out->status = PATCHBAY_EBADSINK;
		snprintf(out->why, sizeof(out->why),
			 "%s %s: another sink or process is writing it; give each sink a path of its own", what, path);
		return false;
	case EACCES:
	case EPERM:
		out->status = PATCHBAY_EBADSINK;
		advice = "let the user that Patchbay runs as write there";
		break;
	case EROFS: /* so it looks from within a sandbox, too */
		out->status = PATCHBAY_EBADSINK;
		advice = "mount it for writing; as a systemd service, name the folder in ReadWritePaths=";
		break;
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ENAMETOOLONG:
	case ELOOP:
	case EINVAL:
	case EEXIST:
		out->status = PATCHBAY_EBADSINK;
		advice = "mend the folder, or `path`";
		break;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		advice = "make room; no row is lost, it is tried again later";
		break;
	default:
		break;
	}
	snprintf(out->why, sizeof(out->why), "%s %s: %s; %s", what, path, strerror(reason), advice);
	return false;
}

void output_log(struct output *out, int32_t level, const char *fmt, ...)
{
	char line[PLACE_NAME_MAX + 300];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		out->host->log(out->host, level,
			       (patchbay_str){ line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1 });
}

/* ---- Letting go */

void output_close(struct output *out)
{
	/* A claimed scratch file stays: as long as it does, no other file can have its inode. */
	if (out->fd >= 0)
		close(out->fd);
	out->fd = -1;
}

/* Closes, removes an unused claim; out->at is none then. */
static void let_go(struct output *out)
{
	char scratch[PLACE_NAME_MAX];
	if (out->at.state == PLACE_NEW) {
		place_name(&out->at, ".tmp", scratch);
		if (out->fd >= 0 && file_is_at(out->fd, scratch))
			unlink(scratch);
	}
	output_close(out);
	memset(&out->at, 0, sizeof(out->at));
	out->changed = true;
}

/* Gives `name.part` its name, or that of the next free number. */
static bool hand_over(struct output *out)
{
	char part[PLACE_NAME_MAX], final[PLACE_NAME_MAX];
	struct place to = out->at;
	place_current_name(&out->at, part);
	if (out->fd >= 0 && fsync(out->fd) != 0)
		return output_failed(out, "cannot finish", part);
	for (;; to.number++) {
		place_name(&to, "", final);
		if (file_rename_new(part, final) == 0)
			break;
		if (errno == ENOENT) {
			output_log(out, PATCHBAY_LOG_WARNING, "%s was moved away before it was finished", part);
			return true;
		}
		if (errno != EEXIST)
			return output_failed(out, "cannot finish", part);
	}
	return file_sync_folder(final) == 0 || output_failed(out, "cannot sync the folder of", final);
}

bool output_finish(struct output *out)
{
	if (out->at.state == PLACE_OPEN && out->at.part && !hand_over(out))
		return false;
	let_go(out);
	return true;
}

/* ---- Resuming */

/* The file must be as long as the checkpoint says. */
static bool fit_length(struct output *out, const char *name)
{
	struct stat st;
	if (fstat(out->fd, &st) != 0)
		return output_failed(out, "cannot look at", name);
	if (st.st_size > out->at.offset) {
		if (ftruncate(out->fd, out->at.offset) != 0 || fdatasync(out->fd) != 0)
			return output_failed(out, "cannot cut back", name);
		output_log(out, PATCHBAY_LOG_INFO,
			   "cut %s from %lld to %lld bytes: the rows behind were not settled and come again", name,
			   (long long)st.st_size, (long long)out->at.offset);
	} else if (st.st_size < out->at.offset) {
		output_log(out, PATCHBAY_LOG_WARNING,
			   "%s has %lld bytes, but %lld were written: somebody shortened it, rows are missing; going "
			   "on at its end",
			   name, (long long)st.st_size, (long long)out->at.offset);
		out->at.offset = st.st_size;
		out->changed = true;
	}
	return true;
}

/* A file that got its name, but whose rows were not settled: all of them come again. */
static bool resume_new(struct output *out)
{
	static const char *const suffixes[] = { "", ".part", ".tmp" };
	char name[PLACE_NAME_MAX];
	struct stat st;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		place_name(&out->at, suffixes[i], name);
		if (lstat(name, &st) != 0 || st.st_ino != out->at.inode)
			continue;
		int fd = file_open(name);
		if (fd < 0 || file_lock(fd) != 0 || unlink(name) != 0 || file_sync_folder(name) != 0) {
			output_failed(out, "cannot remove the unsettled", name);
			if (fd >= 0)
				close(fd);
			return false;
		}
		close(fd);
		output_log(out, PATCHBAY_LOG_INFO, "removed %s: its rows were not settled and come again", name);
	}
	out->at.state = PLACE_NONE;
	return true;
}

static bool resume_open(struct output *out)
{
	char name[PLACE_NAME_MAX], final[PLACE_NAME_MAX];
	struct stat st;
	place_current_name(&out->at, name);
	place_name(&out->at, "", final);
	out->fd = file_open(name);
	if (out->fd < 0 && errno == ENOENT) {
		bool handed_over = out->at.part && lstat(final, &st) == 0 && st.st_size == out->at.offset;
		if (!handed_over && out->at.offset > 0)
			output_log(out, PATCHBAY_LOG_WARNING, "%s was moved away; rows go to a new file", name);
		out->at.state = PLACE_NONE;
		return true;
	}
	if (out->fd < 0 || file_lock(out->fd) != 0)
		return output_failed(out, "cannot go on with", name);
	return fit_length(out, name);
}

/* The folder may stand elsewhere now: a disk that was mounted in another place, or copied. A file under the same name
 * there is taken for ours only if it has the same inode. */
static void follow_folder(struct output *out)
{
	static const char *const suffixes[] = { "", ".part", ".tmp" };
	struct place moved = out->at;
	char name[PLACE_NAME_MAX];
	struct stat st;
	if (!place_move(&moved, out->pattern))
		return;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		place_name(&moved, suffixes[i], name);
		if (lstat(name, &st) != 0 || st.st_ino != out->at.inode)
			continue;
		output_log(out, PATCHBAY_LOG_INFO, "the file %s is at %s now", out->at.base, name);
		out->at = moved;
		out->changed = true;
		return;
	}
}

bool output_resume(struct output *out, patchbay_str checkpoint)
{
	bool ok = true;
	if (checkpoint.n == 0)
		return true;
	output_close(out);
	out->changed = false;
	if (!place_parse(checkpoint, &out->at)) {
		out->at.state = PLACE_NONE;
		snprintf(out->why, sizeof(out->why),
			 "the checkpoint '%.*s' is none that this version can read; run the version that wrote it",
			 checkpoint.n < 100 ? (int)checkpoint.n : 100, checkpoint.p);
		ok = false;
	} else if (out->at.state != PLACE_NONE) {
		follow_folder(out);
		ok = out->at.state == PLACE_NEW ? resume_new(out) : resume_open(out);
	}
	if (!ok) {
		output_close(out);
		out->at.state = PLACE_NONE;
		out->status = PATCHBAY_ELIMIT;
	}
	return ok;
}

/* ---- Writing */

enum output_ready output_prepare(struct output *out, const char *base)
{
	char name[PLACE_NAME_MAX];
	bool other = strcmp(out->at.base, base) != 0 || out->at.columns != out->columns;
	if (out->at.state != PLACE_NONE && other && !output_finish(out))
		return OUTPUT_FAILED;
	if (out->at.state == PLACE_OPEN) {
		place_current_name(&out->at, name);
		if (!file_is_at(out->fd, name)) {
			output_log(out, PATCHBAY_LOG_WARNING, "%s was moved away; rows go to a new file", name);
			let_go(out);
		} else if (!fit_length(out, name)) {
			return OUTPUT_FAILED;
		}
	}
	if (out->at.state == PLACE_NONE && !claim_place(out, base))
		return OUTPUT_FAILED;
	bool changed = out->changed;
	out->changed = false;
	return changed ? OUTPUT_CHANGED : OUTPUT_READY;
}

/* The claimed file gets header and rows, and only then its name. */
static bool write_new(struct output *out, const struct rows *rows)
{
	char scratch[PLACE_NAME_MAX], name[PLACE_NAME_MAX];
	int64_t header = (int64_t)out->header.n;
	place_name(&out->at, ".tmp", scratch);
	place_current_name(&out->at, name);
	if (file_write_at(out->fd, out->header.p, out->header.n, 0) != 0 ||
	    file_write_at(out->fd, rows->p, rows->n, header) != 0 || fsync(out->fd) != 0) {
		output_failed(out, "cannot write", scratch);
		if (ftruncate(out->fd, 0) != 0)
			let_go(out); /* begin anew rather than go on with what may be in there */
		return false;
	}
	if (file_rename_new(scratch, name) != 0) {
		output_failed(out, "cannot give its name to", name);
		out->status = errno == EEXIST || errno == ENOENT ? PATCHBAY_RETRY : out->status;
		let_go(out);
		return false;
	}
	if (file_sync_folder(name) != 0) {
		output_failed(out, "cannot sync the folder of", name);
		unlink(name);
		let_go(out);
		return false;
	}
	out->at.state = PLACE_OPEN;
	out->at.offset = header + (int64_t)rows->n;
	return true;
}

/* What must stand before rows at this offset: a header in an emptied file, a line end behind half a row. */
static bool lead_in(struct output *out, patchbay_str *ret)
{
	char last;
	*ret = (patchbay_str){ "", 0 };
	if (out->at.offset == 0)
		*ret = (patchbay_str){ out->header.p, out->header.n };
	else if (file_read_at(out->fd, &last, 1, out->at.offset - 1) != 0)
		return false;
	else if (last != '\n')
		*ret = (patchbay_str){ "\r\n", 2 };
	return true;
}

bool output_append(struct output *out, const struct rows *rows)
{
	char name[PLACE_NAME_MAX];
	patchbay_str lead;
	if (out->at.state == PLACE_NEW)
		return write_new(out, rows);
	place_current_name(&out->at, name);
	int64_t offset = out->at.offset;
	if (!lead_in(out, &lead))
		return output_failed(out, "cannot read", name);
	if (file_write_at(out->fd, lead.p, lead.n, offset) != 0 ||
	    file_write_at(out->fd, rows->p, rows->n, offset + (int64_t)lead.n) != 0 || fdatasync(out->fd) != 0) {
		output_failed(out, "cannot write", name);
		if (ftruncate(out->fd, offset) != 0) /* then the next call does it, in fit_length() */
			output_log(out, PATCHBAY_LOG_ERROR, "cannot cut %s back to %lld bytes: %s", name,
				   (long long)offset, strerror(errno));
		return false;
	}
	out->at.offset = offset + (int64_t)(lead.n + rows->n);
	return true;
}
