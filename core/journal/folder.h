/* folder.h - a journal's folder as a whole: who has it, which formats stand in it, what belongs there. */
#ifndef JOURNAL_FOLDER_H
#define JOURNAL_FOLDER_H

#include "base/err.h"

#include <stdbool.h>

/* Takes the lock that a daemon holds; waits a moment for one that was just killed. Returns its descriptor, or -1: err.
 * A child of this process does not inherit it. */
int folder_lock(const char *path, struct err *err);
void folder_unlock(int fd); /* -1 is fine */
/* Does a daemon, or a command that changes things, have it right now? */
bool folder_in_use(const char *path);

/* Not 0: something in it is of a format that this program does not know; err says which. Changes nothing. */
int folder_known(const char *path, struct err *err);

/* Removes what SQLite may have left beside a database. */
void folder_drop_beside(const char *database);

/* Is it one of the names that a journal's folder has? */
bool folder_has_name(const char *name);
bool folder_log_has_name(const char *name); /* in events/ and quarantine/ */

#endif
