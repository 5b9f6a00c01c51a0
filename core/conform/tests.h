/* tests.h - the bodies of the tests; tests.c says what each proves. */
#ifndef CONFORM_TESTS_H
#define CONFORM_TESTS_H

#include "conform/kit.h"

/* test_file.c */
void test_file_loads(struct kit *);
void test_file_exports(struct kit *);
/* test_table.c */
void test_table_metadata(struct kit *);
void test_table_options(struct kit *);
void test_table_provider(struct kit *);
void test_extension_unknown(struct kit *);
void test_extension_known(struct kit *);
/* test_options.c */
void test_options_defaults(struct kit *);
void test_options_instance(struct kit *);
/* test_life.c */
void test_life_destroy_null(struct kit *);
void test_life_cycles(struct kit *);
void test_life_calls(struct kit *);
void test_life_bare_host(struct kit *);
void test_life_check(struct kit *);
void test_life_create(struct kit *);
void test_life_neighbours(struct kit *);
void test_life_clock(struct kit *);
/* test_genuine.c: who is let in */
void test_source_genuine(struct kit *);
void test_source_forged(struct kit *);
void test_source_wrong_signature(struct kit *);
void test_source_other_secret(struct kit *);
void test_source_no_secret(struct kit *);
void test_source_address(struct kit *);
void test_source_clock(struct kit *);
/* test_backdoor.c: that there is no other way in */
void test_source_backdoor(struct kit *);
/* test_signature.c: that nothing of a signature may be changed */
void test_signature_bytes(struct kit *);
void test_signature_length(struct kit *);
void test_signature_once(struct kit *);
void test_signature_body(struct kit *);
void test_signature_fields(struct kit *);
/* test_parse.c */
void test_parse_events(struct kit *);
void test_parse_pure(struct kit *);
void test_parse_keys(struct kit *);
void test_parse_malformed(struct kit *);
void test_parse_refusal(struct kit *);
void test_parse_threads(struct kit *);
/* test_hostile.c */
void test_hostile_truncated(struct kit *);
void test_hostile_mutated(struct kit *);
void test_hostile_odd(struct kit *);
void test_hostile_headers(struct kit *);
void test_hostile_memory(struct kit *);
void test_request_untouched(struct kit *);
void test_request_forgotten(struct kit *);
void test_request_reply(struct kit *);
/* test_budget.c */
void test_budget_time(struct kit *);
void test_budget_long(struct kit *);
void test_budget_calls(struct kit *);
/* test_act.c */
void test_act_decides(struct kit *);
void test_act_odd(struct kit *);
void test_act_deadline(struct kit *);
void test_act_http(struct kit *);
void test_act_unreachable(struct kit *);
/* test_act_disk.c */
void test_act_disk(struct kit *);
/* test_act_threads.c */
void test_act_threads(struct kit *);
/* test_abilities.c */
void test_sink_checkpoint(struct kit *);
void test_sink_idle(struct kit *);
void test_sink_preview(struct kit *);

#endif
