#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <libconfig.h>

#include "base/check.h"
#include "base/result.h"
#include "gateway/config.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

/* libconfig's value as the text hl_config_set reads; false: of another type than the key. */
static bool append_number(const config_setting_t *setting, struct hl_buffer *out)
{
    int type = config_setting_type(setting);
    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
        return false;
    hl_buffer_append_i64(out, config_setting_get_int64(setting));
    return true;
}

static bool append_text(const config_setting_t *setting, struct hl_buffer *out)
{
    if (config_setting_type(setting) != CONFIG_TYPE_STRING)
        return false;
    hl_buffer_append_text(out, config_setting_get_string(setting));
    return true;
}

static bool append_list(const config_setting_t *setting, struct hl_buffer *out)
{
    int type = config_setting_type(setting);
    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST)
        return append_text(setting, out);
    for (int i = 0; i < config_setting_length(setting); i++) {
        const char *item = config_setting_get_string_elem(setting, i);
        if (item == NULL || item[0] == '\0' || strchr(item, ',') != NULL)
            return false;
        hl_buffer_append_text(out, i > 0 ? "," : "");
        hl_buffer_append_text(out, item);
    }
    return true;
}

static bool append_setting(const config_setting_t *setting, const struct hl_config_key *key,
                           struct hl_buffer *out)
{
    switch (key->type) {
    case HL_CONFIG_U32:
    case HL_CONFIG_U64:
        return append_number(setting, out);
    case HL_CONFIG_BOOL:
        if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
            return false;
        hl_buffer_append_text(out, config_setting_get_bool(setting) ? "true" : "false");
        return true;
    case HL_CONFIG_ORIGINS:
        return append_list(setting, out);
    case HL_CONFIG_TEXT:
    case HL_CONFIG_NAME:
    case HL_CONFIG_CHOICE:
        return append_text(setting, out);
    }
    return false;
}

static const char *expected_form(const struct hl_config_key *key)
{
    switch (key->type) {
    case HL_CONFIG_U32:
    case HL_CONFIG_U64:
        return "must be a whole number without quotes";
    case HL_CONFIG_BOOL:
        return "must be true or false without quotes";
    case HL_CONFIG_ORIGINS:
        return "must be a list of texts such as [\"https://shop.example\"]";
    case HL_CONFIG_TEXT:
    case HL_CONFIG_NAME:
    case HL_CONFIG_CHOICE:
        break;
    }
    return "must be a text in double quotes";
}

/* The key nearest to a misspelt one, by the longest common beginning. */
static const char *nearest_name(const char *name)
{
    size_t n_keys = 0;
    size_t best = 0;
    const char *nearest = NULL;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    for (size_t i = 0; i < n_keys; i++) {
        size_t common = 0;
        while (name[common] != '\0' && name[common] == keys[i].name[common])
            common++;
        if (common > best) {
            best = common;
            nearest = keys[i].name;
        }
    }
    return best >= 3 ? nearest : NULL;
}

static int read_setting(struct hl_config *config, const config_setting_t *setting, const char *path,
                        struct hl_config_report *report)
{
    char place[HL_CONFIG_PATH_SIZE + 16];
    const char *name = config_setting_name(setting);
    const char *file = config_setting_source_file(setting);
    unsigned line = config_setting_source_line(setting);
    snprintf(place, sizeof(place), "%s:%u", file != NULL ? file : path, line);

    const struct hl_config_key *key = hl_config_find(name);
    if (key == NULL) {
        const char *nearest = nearest_name(name);
        hl_config_add_finding(report, place, name, "there is no such key%s%s%s",
                              nearest != NULL ? "; did you mean " : "",
                              nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
        return HL_CONFIG_INVALID;
    }
    struct hl_buffer value;
    hl_buffer_init(&value, FILE_SIZE_MAX);
    int r = HL_CONFIG_INVALID;
    bool has_form = append_setting(setting, key, &value);
    hl_buffer_append(&value, "", 1);
    if (!has_form || hl_buffer_failed(&value))
        hl_config_add_finding(report, place, name, "%s", expected_form(key));
    else
        r = hl_config_set(config, key, value.data, HL_CONFIG_FROM_FILE, place, report);
    if (r == 0) {
        size_t n_keys = 0;
        size_t index = (size_t)(key - hl_config_keys(&n_keys));
        config->lines[index] = (uint16_t)(line < UINT16_MAX ? line : UINT16_MAX);
    }
    hl_buffer_fini(&value);
    return r;
}

static int read_settings(struct hl_config *config, config_t *file, const char *path,
                         struct hl_config_report *report)
{
    const config_setting_t *root = config_root_setting(file);
    int r = 0;
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        if (read_setting(config, setting, path, report) != 0)
            r = HL_CONFIG_INVALID;
    }
    return r;
}

static int report_unreadable(const char *path, struct hl_config_report *report, const char *why)
{
    hl_config_add_finding(report, path, "", "cannot be read: %s", why);
    return -EIO;
}

/* libconfig's texts end at a NUL, so what stands behind one, raw or as an escape, would be lost
 * without a word. The line of the first; 0: there is none. */
static unsigned find_nul(const char *path)
{
    static const char escape[] = "\\x00";
    unsigned line = 1;
    size_t n_matched = 0;
    bool is_found = false;
    FILE *file = fopen(path, "re");
    for (int c = file != NULL ? fgetc(file) : EOF; c != EOF && !is_found; c = fgetc(file)) {
        line += c == '\n' ? 1 : 0;
        n_matched = c == escape[n_matched] ? n_matched + 1 : (c == escape[0] ? 1 : 0);
        is_found = c == '\0' || n_matched == sizeof(escape) - 1;
    }
    if (file != NULL)
        (void)fclose(file);
    return is_found ? line : 0;
}

int hl_config_read_file(struct hl_config *config, const char *path, struct hl_config_report *report)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return report_unreadable(path, report, strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX)
        return report_unreadable(path, report, "not a file of at most 1 MiB");

    config_t file;
    unsigned nul_line = find_nul(path);
    if (nul_line != 0) {
        char place[HL_CONFIG_PATH_SIZE + 16];
        snprintf(place, sizeof(place), "%s:%u", path, nul_line);
        hl_config_add_finding(report, place, "", "there is a NUL in this line");
        return HL_CONFIG_INVALID;
    }
    config_init(&file);
    int r = 0;
    if (config_read_file(&file, path) == CONFIG_TRUE) {
        r = read_settings(config, &file, path, report);
    } else if (config_error_type(&file) == CONFIG_ERR_PARSE) {
        char place[HL_CONFIG_PATH_SIZE + 16];
        const char *error_file = config_error_file(&file);
        snprintf(place, sizeof(place), "%s:%d", error_file != NULL ? error_file : path,
                 config_error_line(&file));
        hl_config_add_finding(report, place, "", "%s: a line is `key = value;`",
                              config_error_text(&file));
        r = HL_CONFIG_INVALID;
    } else {
        r = report_unreadable(path, report, strerror(errno));
    }
    config_destroy(&file);
    return r;
}
