#include "base/moment.h"

#include <stdbool.h>

#define WALL_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static void write_digits(char *out, unsigned n_digits, uint32_t number)
{
    while (n_digits > 0) {
        out[--n_digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Not gmtime_r: this runs once per entry sent, and glibc's takes the time zone lock. Years are
 * counted from March, so that the leap day is the last of its year. */
static void write_date(char *out, uint32_t days)
{
    uint32_t shifted = days + 719468; /* since 0000-03-01 */
    uint32_t era = shifted / 146097;
    uint32_t day_of_era = shifted % 146097;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_index = (5 * day_of_year + 2) / 153; /* 0: March */
    uint32_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
    uint32_t month = month_index < 10 ? month_index + 3 : month_index - 9;
    uint32_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    write_digits(out, 4, year);
    write_digits(out + 5, 2, month);
    write_digits(out + 8, 2, day);
}

void hl_moment_format(int64_t wall_ms, char out_text[HL_MOMENT_TEXT_SIZE])
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    if (wall_ms < 0)
        wall_ms = 0;
    if (wall_ms > WALL_MS_MAX)
        wall_ms = WALL_MS_MAX;
    for (int i = 0; i < HL_MOMENT_TEXT_SIZE; i++)
        out_text[i] = shape[i];
    uint32_t ms_of_day = (uint32_t)(wall_ms % 86400000);
    write_date(out_text, (uint32_t)(wall_ms / 86400000));
    write_digits(out_text + 11, 2, ms_of_day / 3600000);
    write_digits(out_text + 14, 2, ms_of_day / 60000 % 60);
    write_digits(out_text + 17, 2, ms_of_day / 1000 % 60);
    write_digits(out_text + 20, 3, ms_of_day % 1000);
}

void hl_moment_append(struct hl_buffer *out, int64_t wall_ms)
{
    char text[HL_MOMENT_TEXT_SIZE];
    hl_moment_format(wall_ms, text);
    hl_buffer_append(out, text, HL_MOMENT_TEXT_SIZE - 1);
}

/* Takes n_digits from the front; false: something else stands there. */
static bool take_number(struct hl_bytes *text, unsigned n_digits, uint32_t max, uint32_t *out)
{
    *out = 0;
    if (text->size < n_digits)
        return false;
    for (unsigned i = 0; i < n_digits; i++) {
        char c = text->data[i];
        if (c < '0' || c > '9')
            return false;
        *out = *out * 10 + (uint32_t)(c - '0');
    }
    *text = (struct hl_bytes){text->data + n_digits, text->size - n_digits};
    return *out <= max;
}

static bool take_one_of(struct hl_bytes *text, char a, char b)
{
    if (text->size == 0 || (text->data[0] != a && text->data[0] != b))
        return false;
    *text = (struct hl_bytes){text->data + 1, text->size - 1};
    return true;
}

static bool take_date(struct hl_bytes *text, int64_t *out_days)
{
    static const uint8_t days_of_month[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t year = 0;
    uint32_t month = 0;
    uint32_t day = 0;
    if (!take_number(text, 4, 9999, &year) || year < 1970 || !take_one_of(text, '-', '-') ||
        !take_number(text, 2, 12, &month) || month == 0 || !take_one_of(text, '-', '-') ||
        !take_number(text, 2, days_of_month[month - 1], &day) || day == 0)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2 && day == 29 && !is_leap)
        return false;
    uint32_t shifted = month > 2 ? year : year - 1; /* as in write_date */
    uint32_t month_index = month > 2 ? month - 3 : month + 9;
    *out_days = (int64_t)shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 +
                (153 * month_index + 2) / 5 + day - 1 - 719468;
    return true;
}

static bool take_fraction(struct hl_bytes *text, uint32_t *out_ms)
{
    uint32_t unit = 100;
    size_t n_digits = 0;
    *out_ms = 0;
    if (!take_one_of(text, '.', '.'))
        return true;
    while (n_digits < text->size && text->data[n_digits] >= '0' && text->data[n_digits] <= '9') {
        *out_ms += unit * (uint32_t)(text->data[n_digits++] - '0');
        unit /= 10;
    }
    *text = (struct hl_bytes){text->data + n_digits, text->size - n_digits};
    return n_digits > 0;
}

static bool take_offset(struct hl_bytes *text, int64_t *out_minutes)
{
    uint32_t hours = 0;
    uint32_t minutes = 0;
    *out_minutes = 0;
    if (take_one_of(text, 'Z', 'z'))
        return text->size == 0;
    bool is_west = text->size > 0 && text->data[0] == '-';
    if (!take_one_of(text, '+', '-') || !take_number(text, 2, 23, &hours) ||
        !take_one_of(text, ':', ':') || !take_number(text, 2, 59, &minutes))
        return false;
    *out_minutes = (int64_t)hours * 60 + minutes;
    if (is_west)
        *out_minutes = -*out_minutes;
    return text->size == 0;
}

int hl_moment_parse(struct hl_bytes text, int64_t *out_wall_ms)
{
    int64_t days = 0;
    int64_t offset = 0;
    uint32_t hour = 0;
    uint32_t minute = 0;
    uint32_t second = 0;
    uint32_t ms = 0;
    if (!take_date(&text, &days) || !take_one_of(&text, 'T', 't') ||
        !take_number(&text, 2, 23, &hour) || !take_one_of(&text, ':', ':') ||
        !take_number(&text, 2, 59, &minute) || !take_one_of(&text, ':', ':') ||
        !take_number(&text, 2, 60, &second) || !take_fraction(&text, &ms) ||
        !take_offset(&text, &offset))
        return HL_MOMENT_INVALID;
    int64_t seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
    *out_wall_ms = seconds * 1000 + ms;
    return 0;
}
