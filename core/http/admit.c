/* admit.c - what a whole request is answered: at once, or when the journal has decided about its ticket. */
#include "http/internal.h"

static bool answer_now(struct request *r, int status, const char *said)
{
	r->status = status;
	r->said = said;
	return false;
}

/* The plugin's own answer, a handshake say. It may point into the request, so it is copied, into the records that are
 * not needed. */
static bool answer_as_told(struct request *r, const patchbay_reply *reply)
{
	struct buf *own = &r->ticket.records;
	bool status_is_good = reply->http_status >= 200 && reply->http_status < 600;
	own->n = 0;
	if (reply->content_type.n) {
		buf_add_str(own, reply->content_type);
		buf_add(own, "", 1);
		r->reply_type = own->n;
	}
	buf_add_str(own, reply->body);
	r->has_reply = reply->body.n || reply->content_type.n;
	return answer_now(r, status_is_good ? reply->http_status : 200, "ok\n");
}

bool request_admit(struct request *r, const patchbay_request *in)
{
	struct emission emission = { .source = r->live->source, .call = &r->intake->call, .ticket = &r->ticket };
	patchbay_reply reply = { .size = sizeof reply };
	r->ticket.n = 0;
	r->ticket.records.n = 0;
	r->status = 0;
	r->admitted = admit_request(&emission, r->live->instance, in, r->path_secret, &reply);
	switch (r->admitted) {
	case ADMITTED_NOTHING:
		request_count(r);
		return answer_now(r, 200, "nothing to do\n");
	case ADMITTED_REPLY:
		return answer_as_told(r, &reply);
	case ADMITTED_REFUSED:
		r->status = 403;
		r->said = "not authentic\n";
		return true;
	case ADMITTED_NOT_NOW:
		atomic_fetch_add(&r->intake->stats.shed, 1);
		return answer_now(r, 503, "its plugin is out of order, send it again\n");
	case ADMITTED_EVENTS:
	case ADMITTED_MALFORMED:
		break;
	}
	return true;
}

void request_count(const struct request *r)
{
	struct pulse *pulse = r->pulse;
	bool refused = r->admitted == ADMITTED_REFUSED || r->outcome == JOURNAL_REPLAYED;
	atomic_fetch_add(refused                             ? &pulse->refused
			 : r->admitted == ADMITTED_MALFORMED ? &pulse->malformed
							     : &pulse->genuine,
			 1);
}

void request_conclude(struct request *r)
{
	switch (r->outcome) {
	case JOURNAL_UNAVAILABLE:
		r->status = 503;
		r->said = "not stored, send it again\n";
		break;
	case JOURNAL_REPLAYED:
		r->status = 403;
		r->said = "replayed\n";
		break;
	case JOURNAL_FRESH:
	case JOURNAL_DUP:
		if (r->status == 0) {
			r->status = 200;
			r->said = "ok\n";
		}
		break;
	}
}
