#include "agent-api/hours.h"

#include <string.h>

#include <unicode/ucal.h>
#include <unicode/ustring.h>

enum { ZONE_SIZE_MAX = 64, DAYS_MAX = 366, DAY_MIN = 1440, MINUTE_MS = 60000 };

/* Walks through the open ranges in order of time. */
struct walk {
    const struct hl_inbox *inbox;
    UCalendar *calendar;
    int32_t year, month, day; /* the local date of the first day */
    int32_t n_days;           /* since then */
    int next_min;             /* ranges of the day that open before this were given out */
};

static bool to_wide(const char *time_zone, UChar out_zone[ZONE_SIZE_MAX])
{
    size_t size = strlen(time_zone);
    if (size == 0 || size >= ZONE_SIZE_MAX)
        return false;
    u_charsToUChars(time_zone, out_zone, (int32_t)size + 1);
    return true;
}

bool hl_hours_is_zone(const char *time_zone)
{
    UChar zone[ZONE_SIZE_MAX];
    UChar canonical[ZONE_SIZE_MAX];
    UBool is_known = 0;
    UErrorCode error = U_ZERO_ERROR;
    if (!to_wide(time_zone, zone))
        return false;
    (void)ucal_getCanonicalTimeZoneID(zone, -1, canonical, ZONE_SIZE_MAX, &is_known, &error);
    return U_SUCCESS(error) && is_known;
}

static bool begin_walk(struct walk *walk, const struct hl_inbox *inbox, int64_t from_ms)
{
    UChar zone[ZONE_SIZE_MAX];
    UErrorCode error = U_ZERO_ERROR;
    memset(walk, 0, sizeof(*walk));
    walk->inbox = inbox;
    if (inbox->time_zone == NULL || !to_wide(inbox->time_zone, zone))
        return false;
    walk->calendar = ucal_open(zone, -1, "en", UCAL_GREGORIAN, &error);
    if (U_FAILURE(error))
        return false;
    ucal_setMillis(walk->calendar, (double)from_ms, &error);
    /* the day before too: its last range may end today */
    ucal_add(walk->calendar, UCAL_DAY_OF_MONTH, -1, &error);
    walk->year = ucal_get(walk->calendar, UCAL_YEAR, &error);
    walk->month = ucal_get(walk->calendar, UCAL_MONTH, &error);
    walk->day = ucal_get(walk->calendar, UCAL_DAY_OF_MONTH, &error);
    if (U_SUCCESS(error))
        return true;
    ucal_close(walk->calendar);
    return false;
}

/* The moment of a local time of the day the walk is at; 24:00 is the next day's midnight. */
static int64_t moment_of(const struct walk *walk, int minutes)
{
    UErrorCode error = U_ZERO_ERROR;
    ucal_setDateTime(walk->calendar, walk->year, walk->month, walk->day + walk->n_days,
                     minutes / 60, minutes % 60, 0, &error);
    ucal_set(walk->calendar, UCAL_MILLISECOND, 0);
    double ms = ucal_getMillis(walk->calendar, &error);
    return U_SUCCESS(error) ? (int64_t)ms : 0;
}

/* The weekday of the day the walk is at, 0 Monday, or -1 on a holiday. */
static int weekday_of(const struct walk *walk)
{
    UErrorCode error = U_ZERO_ERROR;
    (void)moment_of(walk, DAY_MIN / 2); /* noon is there on every day */
    int32_t date = ucal_get(walk->calendar, UCAL_YEAR, &error) * 10000 +
                   (ucal_get(walk->calendar, UCAL_MONTH, &error) + 1) * 100 +
                   ucal_get(walk->calendar, UCAL_DAY_OF_MONTH, &error);
    int32_t weekday = ucal_get(walk->calendar, UCAL_DAY_OF_WEEK, &error); /* 1: Sunday */
    for (size_t i = 0; i < walk->inbox->n_holidays; i++) {
        if (walk->inbox->holidays[i] == (uint32_t)date)
            return -1;
    }
    return U_SUCCESS(error) ? (weekday + 5) % 7 : -1;
}

/* The day's first range that opens at or after next_min. */
static const struct hl_open_range *find_range(const struct walk *walk, int weekday)
{
    const struct hl_open_range *found = NULL;
    for (size_t i = 0; i < walk->inbox->n_week; i++) {
        const struct hl_open_range *range = &walk->inbox->week[i];
        if (range->day == weekday && range->open_min >= walk->next_min &&
            (found == NULL || range->open_min < found->open_min))
            found = range;
    }
    return found;
}

/* False: none within a year. */
static bool next_range(struct walk *walk, int64_t *out_open_ms, int64_t *out_closed_ms)
{
    for (; walk->n_days <= DAYS_MAX; walk->n_days++, walk->next_min = 0) {
        const struct hl_open_range *range = find_range(walk, weekday_of(walk));
        if (range == NULL)
            continue;
        *out_open_ms = moment_of(walk, range->open_min);
        *out_closed_ms = moment_of(walk, range->closed_min);
        walk->next_min = range->open_min + 1;
        return true;
    }
    return false;
}

int64_t hl_hours_opens(const struct hl_inbox *inbox, int64_t now_ms)
{
    struct walk walk;
    int64_t open_ms = 0;
    int64_t closed_ms = 0;
    int64_t opens_ms = 0;
    if (!inbox->has_hours)
        return now_ms;
    if (!begin_walk(&walk, inbox, now_ms))
        return 0;
    while (opens_ms == 0 && next_range(&walk, &open_ms, &closed_ms)) {
        if (closed_ms > now_ms)
            opens_ms = open_ms > now_ms ? open_ms : now_ms;
    }
    ucal_close(walk.calendar);
    return opens_ms;
}

bool hl_hours_is_open(const struct hl_inbox *inbox, int64_t now_ms)
{
    return hl_hours_opens(inbox, now_ms) == now_ms;
}

int64_t hl_hours_due(const struct hl_inbox *inbox, int64_t since_ms, uint32_t minutes)
{
    struct walk walk;
    int64_t left_ms = (int64_t)minutes * MINUTE_MS;
    int64_t open_ms = 0;
    int64_t closed_ms = 0;
    int64_t due_ms = 0;
    if (!inbox->has_hours)
        return since_ms + left_ms;
    if (!begin_walk(&walk, inbox, since_ms))
        return 0;
    while (due_ms == 0 && next_range(&walk, &open_ms, &closed_ms)) {
        if (open_ms < since_ms)
            open_ms = since_ms;
        if (closed_ms <= open_ms)
            continue; /* over already, or an hour that the clock skipped */
        if (closed_ms - open_ms >= left_ms)
            due_ms = open_ms + left_ms;
        left_ms -= closed_ms - open_ms;
        since_ms = closed_ms; /* ranges that overlap count once */
    }
    ucal_close(walk.calendar);
    return due_ms;
}
