/* clock.c - the two clocks, ISO 8601, and durations for people. Calendar arithmetic is our own: libc's depends on TZ.
 */
#include "base/clock.h"

#include <stdio.h>

static int64_t read_clock(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_steady_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

struct timespec clock_deadline(int64_t ns)
{
	int64_t until = read_clock(CLOCK_MONOTONIC) + ns;

	return (struct timespec){ .tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S) };
}

/* Days since 1970-01-01 in the Gregorian calendar, also before it was introduced. Years are counted from
 * March, which puts the leap day at the end of a year. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	if (month <= 2)
		year--;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;
	*day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
	*month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int days_in_month(int64_t year, int64_t month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `width` digits at the front of *s, which moves on behind them. */
static bool take_number(patchbay_str *s, size_t width, int64_t *ret)
{
	int64_t value = 0;

	if (s->n < width)
		return false;
	for (size_t i = 0; i < width; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		value = value * 10 + (s->p[i] - '0');
	}
	s->p += width;
	s->n -= width;
	*ret = value;
	return true;
}

static bool take(patchbay_str *s, char c)
{
	if (!s->n || *s->p != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool take_fraction(patchbay_str *s, int64_t *ret_ns)
{
	int64_t unit = NS_PER_S / 10, ns = 0;
	size_t digits = 0;

	for (; s->n && *s->p >= '0' && *s->p <= '9'; s->p++, s->n--, digits++) {
		ns += (*s->p - '0') * unit;
		unit /= 10; /* 0 from the tenth digit on: cut */
	}
	*ret_ns = ns;
	return digits > 0;
}

static bool take_zone(patchbay_str *s, int64_t *ret_seconds)
{
	int64_t hours = 0, minutes = 0;

	*ret_seconds = 0;
	if (s->n == 0 || take(s, 'Z') || take(s, 'z'))
		return true;
	bool minus = *s->p == '-';
	if (!take(s, '+') && !take(s, '-'))
		return false;
	if (!take_number(s, 2, &hours))
		return false;
	if (s->n) {
		take(s, ':');
		if (!take_number(s, 2, &minutes))
			return false;
	}
	if (hours > 23 || minutes > 59)
		return false;
	*ret_seconds = (hours * 60 + minutes) * (minus ? -60 : 60);
	return true;
}

static bool take_time_of_day(patchbay_str *s, int64_t *ret_seconds, int64_t *ret_ns)
{
	int64_t hour, minute, second = 0, fraction = 0;

	if (!take_number(s, 2, &hour) || !take(s, ':') || !take_number(s, 2, &minute))
		return false;
	if (take(s, ':')) {
		if (!take_number(s, 2, &second))
			return false;
		if ((take(s, '.') || take(s, ',')) && !take_fraction(s, &fraction))
			return false;
	}
	if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
		return false;
	*ret_seconds = (hour * 60 + minute) * 60 + second;
	*ret_ns = fraction;
	return true;
}

bool clock_parse_iso(patchbay_str s, int64_t *ret_ns)
{
	int64_t year, month, day, seconds = 0, fraction = 0, zone = 0, ns;

	if (!take_number(&s, 4, &year) || !take(&s, '-') || !take_number(&s, 2, &month) || !take(&s, '-') ||
	    !take_number(&s, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	if (s.n) { /* a date alone is its midnight, UTC */
		if (!take(&s, 'T') && !take(&s, 't') && !take(&s, ' '))
			return false;
		if (!take_time_of_day(&s, &seconds, &fraction))
			return false;
		if (s.n > 1)
			take(&s, ' '); /* "04:13:54 +0100" */
		if (!take_zone(&s, &zone) || s.n)
			return false;
	}
	seconds += days_from_date(year, month, day) * 86400 - zone;
	if (__builtin_mul_overflow(seconds, NS_PER_S, &ns) || __builtin_add_overflow(ns, fraction, &ns))
		return false; /* before 1678 or after 2261 */
	*ret_ns = ns;
	return true;
}

size_t clock_format_iso(int64_t ns, char out[CLOCK_ISO_SIZE])
{
	int64_t seconds = ns / NS_PER_S, fraction = ns % NS_PER_S;
	int year, month, day, n;

	if (fraction < 0) {
		fraction += NS_PER_S;
		seconds--;
	}
	int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
	int second = (int)(seconds - days * 86400);
	date_from_days(days, &year, &month, &day);
	n = snprintf(out, CLOCK_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, second / 3600,
		     second / 60 % 60, second % 60);
	if (fraction == 0)
		n += snprintf(out + n, CLOCK_ISO_SIZE - (size_t)n, "Z");
	else if (fraction % 1000000 == 0)
		n += snprintf(out + n, CLOCK_ISO_SIZE - (size_t)n, ".%03dZ", (int)(fraction / 1000000));
	else if (fraction % 1000 == 0)
		n += snprintf(out + n, CLOCK_ISO_SIZE - (size_t)n, ".%06dZ", (int)(fraction / 1000));
	else
		n += snprintf(out + n, CLOCK_ISO_SIZE - (size_t)n, ".%09dZ", (int)fraction);
	return (size_t)n;
}

const char *clock_format_span(int64_t ms, unsigned units, char out[CLOCK_SPAN_SIZE])
{
	static const struct {
		int64_t ms;
		const char *name;
	} all[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" }, { 1, "ms" } };
	size_t n = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all && units > 0; i++) {
		if (n == 0 && ms < all[i].ms)
			continue;
		if (ms >= all[i].ms)
			n += (size_t)snprintf(out + n, CLOCK_SPAN_SIZE - n, "%s%lld %s", n ? " " : "",
					      (long long)(ms / all[i].ms), all[i].name);
		ms %= all[i].ms;
		units--;
	}
	if (n == 0)
		snprintf(out, CLOCK_SPAN_SIZE, "0 s");
	return out;
}
