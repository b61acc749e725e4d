#include "base/moment.h"

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
