/* `holdline serve`: options over environment over file over defaults, then the server. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/command/command.h"
#include "gateway/server/server.h"

enum { OPTION_TEST_MODE = 256, OVERRIDES_MAX = 8 };

/* Options that stand for a key of the configuration. */
struct override {
    const char *option;
    const char *key;
    const char *value;
};
struct arguments {
    const char *config;
    size_t n_overrides;
    struct override overrides[OVERRIDES_MAX];
};

static const struct argp_option options[] = {
    {"listen", 'l', "ADDR:PORT", 0, "Where to listen (default: 127.0.0.1:8080); port 0 picks one",
     0},
    {"data", 'd', "DIR", 0, "Data folder (default: data); made at the first start", 0},
    {"config", 'c', "FILE", 0, "Configuration; `holdline check --keys` lists its keys", 0},
    {"loops", 'n', "N", 0, "Threads that serve connections (default: 1)", 0},
    {"test-mode", OPTION_TEST_MODE, NULL, 0,
     "Offer the echo subprotocol and /test/ routes; never in production", 0},
    {0},
};

static void add_override(struct arguments *arguments, const char *option, const char *key,
                         const char *value, struct argp_state *state)
{
    if (arguments->n_overrides == OVERRIDES_MAX)
        argp_error(state, "too many options");
    else
        arguments->overrides[arguments->n_overrides++] = (struct override){option, key, value};
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'l':
        add_override(arguments, "--listen", "listen", value, state);
        return 0;
    case 'd':
        add_override(arguments, "--data", "data", value, state);
        return 0;
    case 'n':
        add_override(arguments, "--loops", "loops", value, state);
        return 0;
    case OPTION_TEST_MODE:
        add_override(arguments, "--test-mode", "test_mode", "true", state);
        return 0;
    case 'c':
        arguments->config = value;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes no argument \"%s\"", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int load_config(void *arg, struct hl_config *out_config, struct hl_config_report *report)
{
    const struct arguments *arguments = arg;
    int r = hl_config_load(arguments->config, environ, out_config, report);
    for (size_t i = 0; r >= 0 && i < arguments->n_overrides; i++) {
        const struct override *override = &arguments->overrides[i];
        if (hl_config_set(out_config, hl_config_find(override->key), override->value,
                          HL_CONFIG_FROM_OPTION, override->option, report) != 0)
            r = HL_CONFIG_INVALID;
    }
    return r == 0 ? hl_config_check(out_config, arguments->config, report) : r;
}

static int fail_config(const struct hl_config_report *report, int r)
{
    for (size_t i = 0; i < report->n_findings; i++)
        hl_command_fail(0, "%s: %s %s", report->findings[i].place, report->findings[i].key,
                        report->findings[i].message);
    return r < 0 ? HL_EXIT_ENVIRONMENT : HL_EXIT_USAGE;
}

int hl_command_serve(int argc, char **argv)
{
    static const struct argp parser = {
        options,
        parse_option,
        NULL,
        "Runs the gateway until SIGTERM or SIGINT. The first line on standard output is "
        "`listening http://ADDR:PORT` (or https); the log goes to standard error. SIGHUP reloads "
        "configuration, keys and certificate.\v" HL_COMMAND_EXIT_CODES
        " 4 the store failed (start it again: it recovers); 5 it did not come down in time.",
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {0};
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return HL_EXIT_USAGE;
    struct hl_config *config = calloc(1, sizeof(*config));
    struct hl_config_report *report = calloc(1, sizeof(*report));
    int code = HL_EXIT_ENVIRONMENT;
    if (config != NULL && report != NULL) {
        struct hl_server_options server = {
            .config = config, .reload = load_config, .arg = &arguments};
        int r = load_config(&arguments, config, report);
        code = r == 0 ? hl_server_run(&server) : fail_config(report, r);
    }
    free(report);
    free(config);
    return code;
}
