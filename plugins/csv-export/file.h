/* file.h - the system calls behind the export, each done to the end. Failing functions return -1 and
 * leave the reason in errno. */
#ifndef CSV_EXPORT_FILE_H
#define CSV_EXPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

int file_make_folders(const char *path); /* those above it, 0750 */
bool file_exists(const char *path);      /* anything at all, a dangling link too */
int file_open(const char *path);         /* for reading and writing; no links; -1: errno */
int file_open_new(const char *path);     /* a fresh or left-over scratch file, emptied; EWOULDBLOCK: another's */
int file_lock(int fd);                   /* EWOULDBLOCK: somebody else holds it */
bool file_is_at(int fd, const char *path); /* is this open file the one with that name? */
int file_read_at(int fd, void *p, size_t n, int64_t offset);  /* all n bytes, or -1 */
int file_write_at(int fd, const void *p, size_t n, int64_t offset);
int file_rename_new(const char *from, const char *to); /* EEXIST: never replaces */
int file_sync_folder(const char *path); /* the one that holds it */

#endif
