/* `holdline check`: is the configuration valid, what is in force, which keys
 * are there. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "gateway/command/command.h"
#include "gateway/config.h"
#include "gateway/tls.h"

enum { OUTPUT_MAX = 4 * 1024 * 1024 };

struct arguments {
    const char *config;
    bool is_json;
    bool lists_keys;
};

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "Configuration to check; without it: defaults and environment", 0},
    {"json", 'j', NULL, 0, "Answer as JSON", 0},
    {"keys", 'k', NULL, 0, "List all keys as a Markdown table instead", 0},
    {0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'c':
        arguments->config = value;
        return 0;
    case 'j':
        arguments->is_json = true;
        return 0;
    case 'k':
        arguments->lists_keys = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes no argument \"%s\"", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void append_range(struct hl_buffer *out, const struct hl_config_key *key)
{
    switch (key->type) {
    case HL_CONFIG_U32:
    case HL_CONFIG_U64:
        hl_buffer_printf(out, "%llu … %llu", (unsigned long long)key->min,
                         (unsigned long long)key->max);
        break;
    case HL_CONFIG_BOOL:
        hl_buffer_append_text(out, "true, false");
        break;
    case HL_CONFIG_TEXT:
        hl_buffer_printf(out, "text of %llu … %llu bytes", (unsigned long long)key->min,
                         (unsigned long long)key->max);
        break;
    case HL_CONFIG_NAME:
        hl_buffer_printf(out, "name of 1 … %llu bytes", (unsigned long long)key->max);
        break;
    case HL_CONFIG_ORIGINS:
        hl_buffer_printf(out, "list of at most %llu origins", (unsigned long long)key->max);
        break;
    case HL_CONFIG_CHOICE:
        for (const char *c = key->choices; *c != '\0'; c++)
            hl_buffer_append_text(out, *c == '|' ? ", " : (const char[]){*c, '\0'});
        break;
    }
}

static int list_keys(void)
{
    struct hl_buffer out;
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    hl_buffer_init(&out, OUTPUT_MAX);
    hl_buffer_append_text(&out, "| key | environment | allowed | default | SIGHUP | meaning |\n"
                                "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < n_keys; i++) {
        char variable[80];
        hl_config_variable(&keys[i], variable);
        hl_buffer_printf(&out, "| `%s` | `%s` | ", keys[i].name, variable);
        append_range(&out, &keys[i]);
        hl_buffer_printf(&out, keys[i].standard[0] != '\0' ? " | `%s` | " : " | %s| ",
                         keys[i].standard);
        hl_buffer_printf(&out, "%s | %s |\n", keys[i].is_reloadable ? "reloads" : "restart",
                         keys[i].meaning);
    }
    int code = hl_command_print(&out);
    hl_buffer_fini(&out);
    return code;
}

static void append_findings(struct hl_buffer *out, const struct hl_config_report *report)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct hl_config_finding *finding = &report->findings[i];
        hl_buffer_append_text(out, i > 0 ? ",{\"place\":" : "{\"place\":");
        hl_json_append_string(out, hl_bytes_of(finding->place));
        hl_buffer_append_text(out, ",\"key\":");
        hl_json_append_string(out, hl_bytes_of(finding->key));
        hl_buffer_append_text(out, ",\"message\":");
        hl_json_append_string(out, hl_bytes_of(finding->message));
        hl_buffer_append_text(out, "}");
    }
}

static void append_json_values(struct hl_buffer *out, const struct hl_config *config)
{
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    struct hl_buffer value;
    hl_buffer_init(&value, OUTPUT_MAX);
    for (size_t i = 0; i < n_keys; i++) {
        hl_buffer_clear(&value);
        hl_config_append_value(config, &keys[i], &value);
        hl_buffer_printf(out, "%s\"%s\":{\"value\":", i > 0 ? "," : "", keys[i].name);
        if (keys[i].type == HL_CONFIG_U32 || keys[i].type == HL_CONFIG_U64 ||
            keys[i].type == HL_CONFIG_BOOL)
            hl_buffer_append_bytes(out, hl_buffer_bytes(&value));
        else
            hl_json_append_string(out, hl_buffer_bytes(&value));
        hl_buffer_printf(out, ",\"from\":\"%s\"}",
                         hl_config_source_name((enum hl_config_source)config->sources[i]));
    }
    hl_buffer_fini(&value);
}

static void append_json(struct hl_buffer *out, const struct hl_config *config,
                        const struct hl_config_report *report)
{
    hl_buffer_printf(out, "{\"ok\":%s,\"findings\":[", report->n_findings == 0 ? "true" : "false");
    append_findings(out, report);
    hl_buffer_append_text(out, "]");
    if (report->n_findings == 0) {
        hl_buffer_append_text(out, ",\"values\":{");
        append_json_values(out, config);
        hl_buffer_append_text(out, "}");
    }
    hl_buffer_append_text(out, "}\n");
}

static void append_text(struct hl_buffer *out, const struct hl_config *config,
                        const struct hl_config_report *report)
{
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct hl_config_finding *finding = &report->findings[i];
        hl_buffer_printf(out, "%s: %s%s%s\n", finding->place, finding->key,
                         finding->key[0] != '\0' ? " " : "", finding->message);
    }
    if (report->n_unknown_variables > 0)
        hl_buffer_printf(out, "note: %zu HOLDLINE_ variables name no key, such as %s\n",
                         report->n_unknown_variables, report->unknown_variable);
    if (report->n_findings > 0)
        return;
    hl_buffer_append_text(out, "the configuration is valid\n");
    for (size_t i = 0; i < n_keys; i++) {
        if (config->sources[i] == HL_CONFIG_FROM_DEFAULT)
            continue;
        hl_buffer_printf(out, "  %s = ", keys[i].name);
        hl_config_append_value(config, &keys[i], out);
        hl_buffer_printf(out, "   (%s)\n",
                         hl_config_source_name((enum hl_config_source)config->sources[i]));
    }
}

/* The files must be there and belong together: the start would refuse them. */
static int check_tls(const struct hl_config *config, struct hl_config_report *report)
{
    struct hl_tls *tls = NULL;
    char why[256];
    if (config->tls_certificate[0] == '\0')
        return 0;
    if (hl_tls_create(config->tls_certificate, config->tls_key, why, sizeof(why), &tls) != 0) {
        hl_config_add_finding(report, config->tls_certificate, "tls_certificate", "%s", why);
        return HL_CONFIG_INVALID;
    }
    hl_tls_destroy(tls);
    return 0;
}

static int check_config(const struct arguments *arguments)
{
    struct hl_config *config = calloc(1, sizeof(*config));
    struct hl_config_report *report = calloc(1, sizeof(*report));
    struct hl_buffer out;
    hl_buffer_init(&out, OUTPUT_MAX);
    int code = HL_EXIT_ENVIRONMENT;
    if (config != NULL && report != NULL) {
        int r = hl_config_load(arguments->config, environ, config, report);
        if (r == 0)
            r = hl_config_check(config, arguments->config, report);
        if (r == 0)
            r = check_tls(config, report);
        if (arguments->is_json)
            append_json(&out, config, report);
        else
            append_text(&out, config, report);
        code = hl_command_print(&out);
        if (code == HL_EXIT_OK && r != 0)
            code = r < 0 ? HL_EXIT_ENVIRONMENT : HL_EXIT_REFUSED;
    }
    hl_buffer_fini(&out);
    free(report);
    free(config);
    return code;
}

int hl_command_check(int argc, char **argv)
{
    static const struct argp parser = {
        options,
        parse_option,
        NULL,
        "Checks a configuration file together with the environment, and names "
        "the file and line "
        "of every error.\v" HL_COMMAND_EXIT_CODES,
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return HL_EXIT_USAGE;
    return arguments.lists_keys ? list_keys() : check_config(&arguments);
}
