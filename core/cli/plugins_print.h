/* plugins_print.h - a plugin described from its own table, for people and for programs. */
#ifndef CLI_PLUGINS_PRINT_H
#define CLI_PLUGINS_PRINT_H

#include "base/str.h"
#include "plugin/host.h"

void plugins_print_text(const struct registry_entry *);
void plugins_print_json(const struct registry_entry *);

/* {"plugins": [...], "refused": [...]} */
void plugins_print_list_json(const struct registry *);

/* What may be written: "duration (500ms, 2s, 5m, 1h, 7d), 1s to 1h; required; default 30s". */
void plugins_add_type(struct buf *, const patchbay_option *);

#endif
