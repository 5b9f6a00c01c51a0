/* Which addresses and header values may go out. */
#include "../../plugins/smtp/address.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool ok(patchbay_str address)
{
	return address_wrong(address) == NULL;
}

static void takes_ordinary_addresses(void **state)
{
	(void)state;
	assert_true(ok(PATCHBAY_S("registrar@example.edu")));
	assert_true(ok(PATCHBAY_S("ann.lee+fleet@mail.example.edu")));
	assert_true(ok(PATCHBAY_S("o'brien@example.edu")));
	assert_true(ok(PATCHBAY_S("root@localhost")));
	assert_true(ok(PATCHBAY_S("j\xc3\xb6rg@example.edu")));
	assert_true(ok(PATCHBAY_S("x@xn--bcher-kva.example")));
}

static void refuses_what_could_end_a_command(void **state)
{
	(void)state;
	assert_false(ok(PATCHBAY_S("a@example.edu\r\nRCPT TO:<evil@example.com>")));
	assert_false(ok(PATCHBAY_S("a@example.edu\n")));
	assert_false(ok(PATCHBAY_S("a@example.edu\r")));
	assert_false(ok(PATCHBAY_S("a\0@example.edu")));
	assert_false(ok(PATCHBAY_S("a@example.edu\0")));
	assert_false(ok(PATCHBAY_S("a@example.edu>")));
	assert_false(ok(PATCHBAY_S("<a@example.edu")));
	assert_false(ok(PATCHBAY_S("a@example.edu SIZE=1")));
	assert_false(ok(PATCHBAY_S("a\t@example.edu")));
	assert_false(ok(PATCHBAY_S("a\x7f@example.edu")));
	assert_false(ok(PATCHBAY_S("a@exam\x01ple.edu")));
}

static void refuses_more_or_less_than_one_address(void **state)
{
	(void)state;
	assert_false(ok(PATCHBAY_S("")));
	assert_false(ok(PATCHBAY_S("a")));
	assert_false(ok(PATCHBAY_S("@example.edu")));
	assert_false(ok(PATCHBAY_S("a@")));
	assert_false(ok(PATCHBAY_S("a@b@example.edu")));
	assert_false(ok(PATCHBAY_S("a@example.edu,b@example.edu")));
	assert_false(ok(PATCHBAY_S("a,b@example.edu")));
	assert_false(ok(PATCHBAY_S("a;b@example.edu")));
	assert_false(ok(PATCHBAY_S("group:b@example.edu")));
	assert_false(ok(PATCHBAY_S("(c)b@example.edu")));
	assert_false(ok(PATCHBAY_S("\"a b\"@example.edu")));
	assert_false(ok(PATCHBAY_S("a\\b@example.edu")));
}

static void refuses_bad_dots_domains_and_lengths(void **state)
{
	char address[400];
	(void)state;
	assert_false(ok(PATCHBAY_S(".a@example.edu")));
	assert_false(ok(PATCHBAY_S("a.@example.edu")));
	assert_false(ok(PATCHBAY_S("a..b@example.edu")));
	assert_false(ok(PATCHBAY_S("a@example..edu")));
	assert_false(ok(PATCHBAY_S("a@.example.edu")));
	assert_false(ok(PATCHBAY_S("a@example.edu.")));
	assert_false(ok(PATCHBAY_S("a@[127.0.0.1]")));
	assert_false(ok(PATCHBAY_S("a@b\xc3\xbc"
				   "cher.example")));
	assert_false(ok(PATCHBAY_S("\xff@example.edu"))); /* no UTF-8 */
	memset(address, 'a', sizeof(address));
	memcpy(address + 64, "@example.edu", 12);
	assert_true(ok((patchbay_str){ address, 76 }));
	memset(address, 'a', sizeof(address));
	memcpy(address + 65, "@example.edu", 12);
	assert_false(ok((patchbay_str){ address, 77 }));
	memset(address, 'a', sizeof(address));
	address[1] = '@';
	for (size_t i = 51; i < sizeof(address); i += 50)
		address[i] = '.';
	assert_true(ok((patchbay_str){ address, 2 + 255 }));
	assert_false(ok((patchbay_str){ address, 2 + 256 }));
}

static void reads_a_name_in_front(void **state)
{
	struct mailbox m;
	(void)state;
	assert_null(mailbox_parse(PATCHBAY_S("a@example.edu"), &m));
	assert_int_equal(m.name.n, 0);
	assert_null(mailbox_parse(PATCHBAY_S("<a@example.edu>"), &m));
	assert_true(patchbay_eq(m.address, PATCHBAY_S("a@example.edu")));
	assert_null(mailbox_parse(PATCHBAY_S("Fleet desk <a@example.edu>"), &m));
	assert_true(patchbay_eq(m.name, PATCHBAY_S("Fleet desk")));
	assert_true(patchbay_eq(m.address, PATCHBAY_S("a@example.edu")));
	assert_null(mailbox_parse(PATCHBAY_S("\"Desk, Fleet\" <a@example.edu>"), &m));
	assert_true(patchbay_eq(m.name, PATCHBAY_S("Desk, Fleet")));
	assert_non_null(mailbox_parse(PATCHBAY_S("Fleet\r\nBcc: x@example.com <a@example.edu>"), &m));
	assert_non_null(mailbox_parse(PATCHBAY_S("Fleet\" <a@example.edu>"), &m));
	assert_non_null(mailbox_parse(PATCHBAY_S("x <b@example.edu> <a@example.edu>"), &m));
	assert_non_null(mailbox_parse(PATCHBAY_S("Fleet desk"), &m));
	assert_non_null(mailbox_parse(PATCHBAY_S(""), &m));
	assert_non_null(mailbox_parse(PATCHBAY_S("<>"), &m));
}

static void compares_domains(void **state)
{
	(void)state;
	assert_true(address_same_domain(address_domain(PATCHBAY_S("a@Example.EDU")), PATCHBAY_S("example.edu")));
	assert_false(address_same_domain(address_domain(PATCHBAY_S("a@notexample.edu")), PATCHBAY_S("example.edu")));
	assert_false(address_same_domain(address_domain(PATCHBAY_S("a@mail.example.edu")), PATCHBAY_S("example.edu")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_ordinary_addresses),
		cmocka_unit_test(refuses_what_could_end_a_command),
		cmocka_unit_test(refuses_more_or_less_than_one_address),
		cmocka_unit_test(refuses_bad_dots_domains_and_lengths),
		cmocka_unit_test(reads_a_name_in_front),
		cmocka_unit_test(compares_domains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
