/* `holdline key`: API keys of agents and integrations, and the key that seals
 * resume tokens. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/moment.h"
#include "base/result.h"
#include "gateway/command/command.h"
#include "gateway/data.h"
#include "gateway/secrets.h"
#include "store/keys.h"

enum { OPTION_NAME = 256, OPTION_ROLE, OPTION_JSON, OUTPUT_MAX = 4 * 1024 * 1024 };

struct arguments {
    const char *action;
    const char *id;
    const char *data;
    const char *name;
    enum hl_key_role role;
    bool is_json;
};

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Data folder (default: data)", 0},
    {"name", OPTION_NAME, "NAME", 0, "add: whose key it is, up to 64 bytes", 0},
    {"role", OPTION_ROLE, "ROLE", 0,
     "add: agent (default), integration, or admin (may also release what "
     "others claimed)",
     0},
    {"json", OPTION_JSON, NULL, 0, "Answer as JSON", 0},
    {0},
};

static error_t take_argument(struct arguments *arguments, char *value, struct argp_state *state)
{
    if (arguments->action == NULL)
        arguments->action = value;
    else if (arguments->id == NULL)
        arguments->id = value;
    else
        argp_error(state, "too many arguments");
    return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'd':
        arguments->data = value;
        return 0;
    case OPTION_NAME:
        arguments->name = value;
        return 0;
    case OPTION_ROLE:
        arguments->role = hl_key_role_find(value);
        if (arguments->role == HL_KEY_ROLE_END)
            argp_error(state, "--role is agent, integration or admin");
        return 0;
    case OPTION_JSON:
        arguments->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        return take_argument(arguments, value, state);
    case ARGP_KEY_END:
        if (arguments->action == NULL)
            argp_error(state, "say what to do: add, list, revoke or rotate-token");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return size >= 1 && size <= HL_KEY_NAME_SIZE_MAX && hl_json_is_utf8(hl_bytes_of(name));
}

static void append_key(struct hl_buffer *out, const struct hl_key *key, const char *secret)
{
    char id[HL_ID_TEXT_SIZE];
    hl_id_format(&key->id, HL_ID_AGENT, id);
    hl_buffer_printf(out, "{\"id\":\"%s\",\"name\":", id);
    hl_json_append_string(out, hl_bytes_of(key->name));
    hl_buffer_printf(out, ",\"role\":\"%s\",\"created\":\"",
                     hl_key_role_name((enum hl_key_role)key->role));
    hl_moment_append(out, key->created_ms);
    hl_buffer_append_text(out, "\",\"revoked\":");
    if (key->revoked_ms == 0) {
        hl_buffer_append_text(out, "null");
    } else {
        hl_buffer_append_text(out, "\"");
        hl_moment_append(out, key->revoked_ms);
        hl_buffer_append_text(out, "\"");
    }
    if (secret != NULL)
        hl_buffer_printf(out, ",\"secret\":\"%s\"", secret);
    hl_buffer_append_text(out, "}");
}

static int print_added(const struct arguments *arguments, const struct hl_key *key,
                       const char *secret)
{
    struct hl_buffer out;
    char id[HL_ID_TEXT_SIZE];
    hl_buffer_init(&out, OUTPUT_MAX);
    hl_id_format(&key->id, HL_ID_AGENT, id);
    if (arguments->is_json) {
        append_key(&out, key, secret);
        hl_buffer_append_text(&out, "\n");
    } else {
        fprintf(stderr, "key %s (%s) for %s; this is its secret, shown this once:\n", id,
                hl_key_role_name((enum hl_key_role)key->role), key->name);
        hl_buffer_printf(&out, "%s\n", secret);
    }
    int code = hl_command_print(&out);
    hl_buffer_fini(&out);
    return code;
}

static int add_key(struct hl_keys *keys, const struct arguments *arguments)
{
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_key key;
    if (arguments->name == NULL || !is_name(arguments->name))
        return hl_command_fail(HL_EXIT_USAGE, "add needs --name: 1 to 64 bytes of text");
    int r = hl_keys_add(keys, arguments->name, arguments->role, hl_clock_system(),
                        hl_random_system(), secret, &key);
    if (r == HL_KEYS_FULL)
        return hl_command_fail(HL_EXIT_REFUSED, "%d keys are active; revoke one first",
                               HL_KEYS_MAX);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot store the key: %s", strerror(-r));
    return print_added(arguments, &key, secret);
}

static void append_row(struct hl_buffer *out, const struct hl_key *key)
{
    char id[HL_ID_TEXT_SIZE];
    char created[HL_MOMENT_TEXT_SIZE];
    hl_id_format(&key->id, HL_ID_AGENT, id);
    hl_moment_format(key->created_ms, created);
    hl_buffer_printf(out, "%s  %-11s  %s  %-7s  %s\n", id,
                     hl_key_role_name((enum hl_key_role)key->role), created,
                     key->revoked_ms == 0 ? "active" : "revoked", key->name);
}

static int list_keys(struct hl_keys *keys, const struct arguments *arguments)
{
    struct hl_key *items = NULL;
    size_t n_items = 0;
    struct hl_buffer out;
    int r = hl_keys_list(keys, &items, &n_items);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot read the keys: %s", strerror(-r));
    hl_buffer_init(&out, OUTPUT_MAX);
    hl_buffer_append_text(&out, arguments->is_json ? "{\"keys\":[" : "");
    for (size_t i = 0; i < n_items; i++) {
        if (!arguments->is_json) {
            append_row(&out, &items[i]);
            continue;
        }
        hl_buffer_append_text(&out, i > 0 ? "," : "");
        append_key(&out, &items[i], NULL);
    }
    hl_buffer_append_text(&out, arguments->is_json ? "]}\n" : "");
    int code = hl_command_print(&out);
    hl_buffer_fini(&out);
    free(items);
    return code;
}

static int revoke_key(struct hl_keys *keys, const struct arguments *arguments)
{
    struct hl_id id;
    if (arguments->id == NULL || hl_id_parse(hl_bytes_of(arguments->id), HL_ID_AGENT, &id) != 0)
        return hl_command_fail(HL_EXIT_USAGE, "revoke needs the key's id: agt_ and 32 hex digits");
    int r = hl_keys_revoke(keys, &id, hl_clock_wall_ms(hl_clock_system()));
    if (r == HL_KEYS_UNKNOWN)
        return hl_command_fail(HL_EXIT_REFUSED, "there is no active key %s", arguments->id);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot revoke the key: %s", strerror(-r));
    printf(arguments->is_json ? "{\"revoked\":\"%s\"}\n" : "revoked %s\n", arguments->id);
    return HL_EXIT_OK;
}

static int rotate_token(const struct hl_data_paths *paths, const struct arguments *arguments)
{
    char why[512];
    char kid[HL_TOKEN_KID_SIZE + 1];
    struct hl_secrets secrets;
    int r = hl_secrets_load(paths->secrets, !hl_data_has_log(paths), hl_clock_system(),
                            hl_random_system(), why, sizeof(why), &secrets);
    hl_secrets_wipe(&secrets);
    if (r != 0)
        return hl_command_fail(r < 0 ? HL_EXIT_ENVIRONMENT : HL_EXIT_REFUSED, "%s", why);
    r = hl_secrets_rotate_token(paths->secrets, hl_clock_system(), hl_random_system(), kid);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot make a key: %s", strerror(-r));
    if (arguments->is_json)
        printf("{\"kid\":\"%s\"}\n", kid);
    else
        printf("new tokens are sealed with %s; the %d newest keys stay good\n", kid,
               HL_TOKEN_KEYS_MAX);
    return HL_EXIT_OK;
}

static int run_on_keys(const struct hl_data_paths *paths, const struct arguments *arguments)
{
    struct hl_keys *keys = NULL;
    int code = HL_EXIT_USAGE;
    int r = hl_keys_open(paths->keys, &keys);
    if (r == HL_KEYS_SCHEMA_NEWER)
        return hl_command_fail(HL_EXIT_REFUSED, "%s was written by a newer holdline", paths->keys);
    if (r == HL_KEYS_NOT_KEYS)
        return hl_command_fail(HL_EXIT_REFUSED, "%s is no key file, or damaged", paths->keys);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot open %s: %s", paths->keys,
                               strerror(-r));
    if (strcmp(arguments->action, "add") == 0)
        code = add_key(keys, arguments);
    else if (strcmp(arguments->action, "list") == 0)
        code = list_keys(keys, arguments);
    else if (strcmp(arguments->action, "revoke") == 0)
        code = revoke_key(keys, arguments);
    else
        hl_command_fail(code, "key does add, list, revoke or rotate-token, not \"%s\"",
                        arguments->action);
    hl_keys_close(keys);
    return code;
}

int hl_command_key(int argc, char **argv)
{
    static const struct argp parser = {
        options,
        parse_option,
        "add|list|revoke|rotate-token [KEY-ID]",
        "Adds, lists and revokes the API keys of agents and integrations. A "
        "running gateway takes "
        "changes within a second. The secret of a new key goes to standard "
        "output, once.\n\n"
        "rotate-token makes a new key that seals resume tokens; tokens sealed "
        "with the seven "
        "before it stay good.\v" HL_COMMAND_EXIT_CODES,
        NULL,
        NULL,
        NULL};
    struct arguments arguments = {.data = "data", .role = HL_KEY_AGENT};
    struct hl_data_paths paths;
    if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
        return HL_EXIT_USAGE;
    bool makes =
        strcmp(arguments.action, "add") == 0 || strcmp(arguments.action, "rotate-token") == 0;
    int r = hl_data_paths(arguments.data, &paths);
    if (r == 0 && makes)
        r = hl_data_make_folder(arguments.data);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot use %s: %s", arguments.data,
                               strerror(-r));
    if (strcmp(arguments.action, "rotate-token") == 0)
        return rotate_token(&paths, &arguments);
    return run_on_keys(&paths, &arguments);
}
