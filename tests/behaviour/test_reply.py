"""A plugin may answer a request itself, for a handshake say: its status, content type and body go out, nothing is stored."""

import os
import subprocess

import harness
from harness import equal

PLUGIN = r"""
#include <patchbay/sugar.h>
static int instance;
static patchbay_status create(const patchbay_host *h, patchbay_call *c, const void *o, void **self)
{
	(void)h, (void)c, (void)o;
	*self = &instance;
	return PATCHBAY_OK;
}
static void destroy(void *self)
{
	(void)self;
}
static patchbay_status verify(const void *s, patchbay_call *c, const patchbay_request *r, patchbay_reply *reply)
{
	(void)s, (void)c;
	reply->body = r->query.n ? r->query : r->body;
	if (r->query.n) {
		reply->http_status = 201;
		reply->content_type = PATCHBAY_S("text/x-challenge");
	}
	return PATCHBAY_REPLY;
}
static patchbay_status parse(const void *s, patchbay_call *c, const patchbay_request *r, const patchbay_emitter *e)
{
	(void)s, (void)c, (void)r, (void)e;
	return PATCHBAY_EMALFORMED;
}
static const patchbay_source source = { .size = sizeof source, .create = create, .destroy = destroy, .verify = verify, .parse = parse };
PATCHBAY_EXPORT const patchbay_plugin patchbay_plugin_v1 = { .size = sizeof patchbay_plugin_v1, .name = "handshake", .version = "1",
	.license = "Apache-2.0", .summary = "answers by itself", .source = &source };
"""

ROUTES = """\
listen: {listen}
journal: {journal}
plugins: %s
sources:
  hello: {{plugin: handshake}}
"""


def test_the_plugins_own_answer(t):
    folder = os.path.join(t.folder, "plugins")
    os.makedirs(folder, mode=0o755)
    include = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sdk", "include")
    subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-I", include, "-x", "c", "-", "-o", folder + "/handshake.so"],
                   input=PLUGIN.encode(), check=True)
    os.chmod(folder + "/handshake.so", 0o755)
    daemon = t.daemon(ROUTES % folder)
    with daemon.client() as client:
        answer = client.post("/in/hello?challenge=abc", b"x")
        equal(answer.status, 201, "status")
        equal(answer.body, b"challenge=abc", "body")
        equal(answer.headers.get("content-type"), "text/x-challenge", "content type")
        answer = client.post("/in/hello", b"echo me")
        equal((answer.status, answer.body), (200, b"echo me"), "an answer that points into the request")
        answer = client.post("/in/hello", b"")
        equal(answer.status, 200, "an answer without a body")
    equal(daemon.lines("events"), [], "events")


harness.main()
