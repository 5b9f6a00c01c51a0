/* `tls` of a listener: what is taken, and every fault of certificate, key and chain with its place. */
#include "config_rig.h"

#include "certificate_rig.h"
#include "tls/certificate.h"

static const patchbay_plugin *const plugins[] = { NULL };

#define REST "journal: /tmp\n"
#define NO_ROUTES "routes.yaml: warning: there are no routes; events are kept and go nowhere"
#define LISTEN(tls) "listen: {address: 127.0.0.1:0, tls: " tls "}\n" REST
#define PAIR(certificate, key) LISTEN("{certificate: " certificate ", key: {file: " key "}}")

/* What is said in lines before the one about routes, which all of these have. */
static struct config *load(rig_how *how, const char *yaml, const char *expected)
{
	char *said;
	struct config *c = rig_load(how, yaml, &said);
	const char *rest = strstr(said, NO_ROUTES);
	rest = rest == said ? rest + strlen(NO_ROUTES) : said;
	rest += *rest == '\n';
	size_t n = strlen(expected);
	bool cut = n > 3 && strcmp(expected + n - 3, "...") == 0;
	if (cut ? strncmp(rest, expected, n - 3) : strcmp(rest, expected))
		fail_msg("\n--- expected\n%s\n--- got\n%s", expected, rest);
	free(said);
	return c;
}

static void refuses(const char *yaml, const char *expected)
{
	assert_null(load(config_load, yaml, expected));
}

static struct config *takes(const char *yaml, const char *expected)
{
	struct config *c = load(config_load, yaml, expected);
	assert_non_null(c);
	return c;
}

static void append(const char *to, const char *from)
{
	char *command = xasprintf("cat %s >> %s", from, to);
	assert_int_equal(system(command), 0);
	free(command);
}

static void takes_a_pair(void **state)
{
	(void)state;
	struct made a = made_certificate("a.example", NULL, -1, 30);
	struct config *c = takes(PAIR("a.example.pem", "a.example.key"), "");
	assert_true(c->listen[0].tls);
	assert_string_equal(certificate_names(c->listen[0].certificate), "a.example, 127.0.0.1");
	assert_int_equal(certificate_not_after_ms(c->listen[0].certificate) / 1000,
			 gnutls_x509_crt_get_expiration_time(a.crt));
	struct certificate *kept = certificate_ref(c->listen[0].certificate);
	config_free(c);

	c = takes("listen:\n"
		  "  - 127.0.0.1:0\n"
		  "  - {address: '[::1]:0', tls: {certificate: ./a.example.pem, key: {file: a.example.key}}}\n"
		  "  - address: 127.0.0.2:0\n" REST,
		  "");
	assert_int_equal(c->n_listen, 3);
	assert_false(c->listen[0].tls);
	assert_true(certificate_same(kept, c->listen[1].certificate));
	assert_null(c->listen[2].certificate);
	config_free(c);

	struct made b = made_certificate("b.example", NULL, -1, 30);
	setenv("CREDENTIALS_DIRECTORY", rig_dir, 1);
	c = takes(LISTEN("{certificate: {credential: b.example.pem}, key: {credential: b.example.key}}"), "");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_false(certificate_same(kept, c->listen[0].certificate));
	config_free(c);
	certificate_unref(kept);
	made_free(&a);
	made_free(&b);
}

static void says_what_is_wrong_with_the_keys(void **state)
{
	(void)state;
	refuses("listen: {tls: {certificate: x, key: {file: x}}}\n" REST,
		"routes.yaml:1:9: 'listen' needs 'address': where providers post to; write address: 0.0.0.0:8443");
	refuses("listen: {addres: 127.0.0.1:0}\n" REST,
		"routes.yaml:1:9: 'listen' needs 'address': where providers post to; write address: 0.0.0.0:8443\n"
		"routes.yaml:1:10: unknown key 'addres' in 'listen'; did you mean 'address'?");
	refuses(LISTEN("yes"), "routes.yaml:1:37: 'tls' must be a mapping: {certificate: fullchain.pem, key: {file: "
			       "key.pem}}, not a single value");
	refuses(LISTEN("{certificat: x}"),
		"routes.yaml:1:32: 'tls' needs 'certificate': the file of the server's certificate and those of its "
		"issuers\n"
		"routes.yaml:1:32: 'tls' needs 'key': where the private key is; write key: {file: key.pem}\n"
		"routes.yaml:1:38: unknown key 'certificat' in 'tls'; did you mean 'certificate'?");
	refuses(LISTEN("{certificate: [a, b], key: [a, b]}"),
		"routes.yaml:1:51: 'certificate' must be the path of a file, or {credential: NAME}, not a list\n"
		"routes.yaml:1:64: 'key' must be one secret, not a list; write {file: /path}, {env: NAME} or "
		"{credential: "
		"NAME}");
	struct made a = made_certificate("a.example", NULL, -1, 30);
	refuses("listen: {address: 'unix:/tmp/x', tls: {certificate: a.example.pem, key: {file: "
		"a.example.key}}}\n" REST,
		"routes.yaml:1:34: 'tls': what goes through a unix socket never leaves this machine; remove 'tls'");
	refuses("listen: 127.0.0.1:0\nadmin: {address: 127.0.0.1:0}\n" REST,
		"routes.yaml:2:8: 'admin' must be an address such as 127.0.0.1:8080, not a mapping");
	made_free(&a);
}

static void says_what_is_wrong_with_the_files(void **state)
{
	(void)state;
	char *expected;
	struct made a = made_certificate("a.example", NULL, -1, 30), b = made_certificate("b.example", NULL, -1, 30);
	expected =
		xasprintf("routes.yaml:1:51: 'certificate': cannot open %s/gone.pem: No such file or directory; write "
			  "where it is\n"
			  "routes.yaml:1:73: 'key': cannot open %s/gone.key: No such file or directory; put the secret "
			  "into it",
			  rig_dir, rig_dir);
	refuses(PAIR("gone.pem", "gone.key"), expected);
	free(expected);
	rig_write("word", "hello\n");
	refuses(PAIR("word", "a.example.key"), "routes.yaml:1:51: 'certificate': there is no certificate in it (...");
	refuses(PAIR("a.example.pem", "word"), "routes.yaml:1:71: 'key': there is no private key in it (...");
	refuses(PAIR("a.example.pem", "b.example.key"), "routes.yaml:1:71: 'key': it does not belong to the "
							"certificate, which is for a.example, 127.0.0.1; take "
							"the key that it was asked for with");

	assert_int_equal(chmod("a.example.key", 0644), 0);
	expected = xasprintf("routes.yaml:1:78: warning: 'key': every user of this machine can read %s/a.example.key; "
			     "chmod o-r %s/a.example.key",
			     rig_dir, rig_dir);
	assert_int_equal(chmod("a.example.pem", 0644), 0); /* nobody minds */
	config_free(takes(PAIR("a.example.pem", "a.example.key"), expected));
	free(expected);
	made_free(&a);
	made_free(&b);
}

static void looks_at_the_chain(void **state)
{
	(void)state;
	struct made root = made_certificate("root", NULL, -1, 30), middle = made_certificate("middle", &root, -1, 30),
		    leaf = made_certificate("leaf", &middle, -1, 30);
	config_free(
		takes(PAIR("leaf.pem", "leaf.key"),
		      "routes.yaml:1:51: warning: 'certificate': it stands alone; clients that do not know its issuer, "
		      "CN=middle, will refuse it. Put the issuer's certificate behind it (what is often called "
		      "fullchain.pem)"));
	append("good", "leaf.pem middle.pem");
	config_free(takes(PAIR("good", "leaf.key"), ""));
	append("reversed", "middle.pem leaf.pem");
	refuses(PAIR("reversed", "leaf.key"), "routes.yaml:1:51: 'certificate': the key belongs to certificate 2 of "
					      "it; that one must come first, and "
					      "then its issuers");
	append("jumps", "leaf.pem root.pem middle.pem");
	refuses(PAIR("jumps", "leaf.key"), "routes.yaml:1:51: 'certificate': certificate 2 of it is not the issuer of "
					   "certificate 1; the server's own "
					   "comes first, then its issuer, then that one's");
	for (int i = 0; i < 17; i++)
		append("many", "leaf.pem");
	refuses(PAIR("many", "leaf.key"), "routes.yaml:1:51: 'certificate': it has more than 16 certificates; keep the "
					  "server's own and those of its "
					  "issuers");
	made_free(&root);
	made_free(&middle);
	made_free(&leaf);
}

static void warns_of_time(void **state)
{
	(void)state;
	struct made old = made_certificate("old", NULL, -30, -1), young = made_certificate("young", NULL, 1, 30),
		    leaf = made_certificate("leaf", &old, -1, 30);
	config_free(
		takes(PAIR("old.pem", "old.key"), "routes.yaml:1:51: warning: 'certificate': it has expired at ..."));
	config_free(takes(PAIR("young.pem", "young.key"),
			  "routes.yaml:1:51: warning: 'certificate': it is not valid before ..."));
	append("chain", "leaf.pem old.pem");
	config_free(takes(
		PAIR("chain", "leaf.key"),
		"routes.yaml:1:51: warning: 'certificate': the certificate of an issuer in it has expired at ..."));
	made_free(&old);
	made_free(&young);
	made_free(&leaf);
}

static void who_only_looks_needs_no_files(void **state)
{
	(void)state;
	struct config *c = load(config_load_for_looking, PAIR("gone.pem", "gone.key"), "");
	assert_non_null(c);
	assert_true(c->listen[0].tls);
	config_free(c);
	c = load(config_load_for_testing, PAIR("gone.pem", "gone.key"), "");
	assert_non_null(c);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_a_pair, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(says_what_is_wrong_with_the_keys, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(says_what_is_wrong_with_the_files, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(looks_at_the_chain, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(warns_of_time, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_only_looks_needs_no_files, rig_setup, rig_teardown),
	};
	rig_plugins = plugins;
	return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
