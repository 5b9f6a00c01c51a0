/* err.h - a sentence for a person: what, where, why, what to do. Functions that can fail return
 * negative or false and fill in the struct err that is their last argument. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char text[768];
};

/* Sets the sentence. Always returns -1, so that `return err_set(err, ...)` reads well. err may be NULL. */
int err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
