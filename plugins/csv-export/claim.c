/* claim.c - which file comes next. Nothing that is not ours is ever written to: where a name is taken,
 * the next number is. A new file is made as `name.tmp`, empty, and locked. */
#include "file.h"
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MAX 10000

enum adopted { ADOPTED, NOT_OURS, ADOPT_FAILED };

/* A file of ours begins with our header and ends with a whole row. */
static bool is_ours(struct output *out, int fd, int64_t size)
{
	size_t n = out->header.n;
	char end[2];
	if (!out->has_header_row || size < (int64_t)n)
		return false;
	char *begin = malloc(n);
	bool ours = begin && file_read_at(fd, begin, n, 0) == 0 && memcmp(begin, out->header.p, n) == 0 &&
		    file_read_at(fd, end, 2, size - 2) == 0 && end[0] == '\r' && end[1] == '\n';
	free(begin);
	return ours;
}

static enum adopted adopt(struct output *out, const char *name)
{
	struct stat st;
	int fd = file_open(name);
	if (fd < 0)
		return NOT_OURS;
	if (fstat(fd, &st) != 0 || !is_ours(out, fd, st.st_size)) {
		close(fd);
		return NOT_OURS;
	}
	/* Its owner, if there is one, may have written since. */
	if (file_lock(fd) != 0 || fstat(fd, &st) != 0 || !is_ours(out, fd, st.st_size)) {
		output_failed(out, "cannot append to", name);
		close(fd);
		return ADOPT_FAILED;
	}
	output_log(out, PATCHBAY_LOG_INFO, "appending to %s, which is there already with %lld bytes", name,
		   (long long)st.st_size);
	out->fd = fd;
	out->at.state = PLACE_OPEN;
	out->at.offset = st.st_size;
	out->at.inode = st.st_ino;
	return ADOPTED;
}

static bool create(struct output *out)
{
	char scratch[PLACE_NAME_MAX];
	struct stat st;
	place_name(&out->at, ".tmp", scratch);
	out->fd = file_open_new(scratch);
	if (out->fd < 0)
		return output_failed(out, "cannot create", scratch);
	if (fstat(out->fd, &st) != 0) {
		output_failed(out, "cannot look at", scratch);
		close(out->fd);
		out->fd = -1;
		return false;
	}
	out->at.state = PLACE_NEW;
	out->at.offset = 0;
	out->at.inode = st.st_ino;
	return true;
}

static bool try_number(struct output *out, bool *ret_taken)
{
	char name[PLACE_NAME_MAX], final[PLACE_NAME_MAX];
	place_name(&out->at, "", final);
	place_current_name(&out->at, name);
	*ret_taken = false;
	if (out->at.part && file_exists(final)) { /* handed over already */
		*ret_taken = true;
		return true;
	}
	if (!file_exists(name))
		return create(out);
	enum adopted adopted = adopt(out, name);
	*ret_taken = adopted == NOT_OURS;
	if (adopted == NOT_OURS)
		output_log(out, PATCHBAY_LOG_WARNING,
			   "%s is there already and is not a file of this sink and these columns; it is left alone, "
			   "rows go to "
			   "the next free number",
			   name);
	return adopted != ADOPT_FAILED;
}

bool claim_place(struct output *out, const char *base)
{
	bool taken = true;
	if (file_make_folders(base) != 0)
		return output_failed(out, "cannot make the folder of", base);
	memset(&out->at, 0, sizeof(out->at));
	strcpy(out->at.base, base);
	out->at.folder = place_folder(out->pattern);
	out->at.part = out->part;
	out->at.columns = out->columns;
	while (taken && out->at.number < NUMBER_MAX) {
		out->at.number++;
		if (!try_number(out, &taken)) {
			out->at.state = PLACE_NONE;
			return false;
		}
	}
	if (taken) {
		errno = EEXIST;
		return output_failed(out, "no number is left for", base);
	}
	out->changed = true;
	return true;
}
