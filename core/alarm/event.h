/* event.h - an alarm as an event of the source `patchbay`. */
#ifndef ALARM_EVENT_H
#define ALARM_EVENT_H

#include "alarm/standing.h"
#include "journal/journal.h"

/* The event that tells of it, as a record for the journal. Its texts are in *data and *key, and in the alarm. */
void alarm_event(const struct standing *, enum standing_news, int64_t told_ms, int64_t now_ms, struct buf *data,
		 struct buf *key, struct journal_record *ret);
/* The data of an event of this type as it may come; `remark`, or "", stands before its message. */
void alarm_event_example(enum alarm_id, const char *remark, struct buf *data);
/* An event with this data: it borrows all of them. */
void alarm_event_of(patchbay_str type, patchbay_str about, patchbay_str data, struct journal_record *ret);

#endif
