/* `holdline key`: API keys of agents and integrations, and the key that seals
 * resume tokens. */
#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/moment.h"
#include "base/result.h"
#include "gateway/command/command.h"
#include "gateway/data.h"
#include "gateway/secrets.h"
#include "store/directory_people.h"

enum {
    OPTION_NAME = 256,
    OPTION_ROLE,
    OPTION_EMAIL,
    OPTION_SITE,
    OPTION_AGENT,
    OPTION_JSON,
    OUTPUT_MAX = 4 * 1024 * 1024
};

struct arguments {
    const char *action;
    const char *id;
    const char *data;
    const char *name;
    const char *email;
    const char *site;
    const char *agent;
    char lower_email[HL_EMAIL_SIZE_MAX + 1];
    enum hl_key_role role;
    bool is_json;
};

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Data folder (default: data)", 0},
    {"name", OPTION_NAME, "NAME", 0, "add: whose key it is, up to 64 bytes", 0},
    {"role", OPTION_ROLE, "ROLE", 0,
     "add: agent (default), supervisor, admin, auditor or integration", 0},
    {"email", OPTION_EMAIL, "ADDRESS", 0, "add: their e-mail address, for signing in by OIDC", 0},
    {"site", OPTION_SITE, "SITE", 0, "add: they see this site only (default: all)", 0},
    {"agent", OPTION_AGENT, "AGENT-ID", 0, "add: another key of this agent, not a new one", 0},
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
            argp_error(state, "--role is agent, supervisor, admin, auditor or integration");
        return 0;
    case OPTION_EMAIL:
        arguments->email = value;
        return 0;
    case OPTION_SITE:
        arguments->site = value;
        return 0;
    case OPTION_AGENT:
        arguments->agent = value;
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
    return size >= 1 && size <= HL_AGENT_NAME_SIZE_MAX && hl_json_is_utf8(hl_bytes_of(name));
}

static void append_text_member(struct hl_buffer *out, const char *name, const char *text)
{
    hl_buffer_printf(out, ",\"%s\":", name);
    if (text == NULL || text[0] == '\0')
        hl_buffer_append_text(out, "null");
    else
        hl_json_append_string(out, hl_bytes_of(text));
}

static void append_key(struct hl_buffer *out, const struct hl_directory_snapshot *snapshot,
                       const struct hl_key *key, const char *secret)
{
    char id[HL_ID_TEXT_SIZE];
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &key->agent);
    hl_id_format(&key->agent, HL_ID_AGENT, id);
    hl_buffer_printf(out, "{\"id\":\"%s\",\"key\":\"%s\"", id, key->record.id);
    append_text_member(out, "name", agent != NULL ? agent->name : key->name);
    append_text_member(out, "role",
                       agent != NULL ? hl_key_role_name((enum hl_key_role)agent->role) : NULL);
    append_text_member(out, "site", agent != NULL ? agent->record.site : NULL);
    append_text_member(out, "email", agent != NULL ? agent->email : NULL);
    hl_buffer_append_text(out, ",\"created\":\"");
    hl_moment_append(out, key->record.created_ms);
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

/* The key that was added just now. NULL: not seen. */
static const struct hl_key *find_newest(const struct hl_directory_snapshot *snapshot,
                                        const struct hl_id *agent)
{
    size_t i = snapshot->n_keys;
    while (i > 0 && !hl_id_equal(&snapshot->keys[i - 1].agent, agent))
        i--;
    return i > 0 ? &snapshot->keys[i - 1] : NULL;
}

static int print_added(struct hl_directory *directory, const struct arguments *arguments,
                       const struct hl_id *agent_id, const char *secret)
{
    struct hl_buffer out;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, agent_id);
    const struct hl_key *key = find_newest(snapshot, agent_id);
    hl_buffer_init(&out, OUTPUT_MAX);
    if (agent == NULL || key == NULL) { /* stored, but not read again: the secret is what counts */
        hl_buffer_printf(&out, arguments->is_json ? "{\"secret\":\"%s\"}\n" : "%s\n", secret);
    } else if (arguments->is_json) {
        append_key(&out, snapshot, key, secret);
        hl_buffer_append_text(&out, "\n");
    } else {
        fprintf(stderr, "key %s (%s) for %s; this is its secret, shown this once:\n",
                agent->record.id, hl_key_role_name((enum hl_key_role)agent->role), agent->name);
        hl_buffer_printf(&out, "%s\n", secret);
    }
    int code = hl_command_print(&out);
    hl_buffer_fini(&out);
    hl_directory_snapshot_unref(snapshot);
    return code;
}

static bool lower_email(struct arguments *arguments)
{
    size_t size = arguments->email != NULL ? strlen(arguments->email) : 0;
    const char *at = arguments->email != NULL ? strchr(arguments->email, '@') : NULL;
    if (arguments->email == NULL)
        return true;
    if (size > HL_EMAIL_SIZE_MAX || at == NULL || at == arguments->email || at[1] == '\0')
        return false;
    for (size_t i = 0; i <= size; i++) {
        unsigned char c = (unsigned char)arguments->email[i];
        if (c > 0x7e || (c <= 0x20 && c != '\0'))
            return false;
        arguments->lower_email[i] = (char)tolower(c);
    }
    arguments->email = arguments->lower_email;
    return true;
}

static bool knows_site(struct hl_directory *directory, const char *site)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    bool is_known = hl_snapshot_site(snapshot, site) != NULL;
    hl_directory_snapshot_unref(snapshot);
    return is_known;
}

static int report_add(struct hl_directory *directory, const struct arguments *arguments, int r,
                      const struct hl_id *agent, const char *secret)
{
    if (r == HL_DIRECTORY_LIMIT)
        return hl_command_fail(HL_EXIT_REFUSED, "%d keys are active; revoke one first",
                               HL_KEYS_MAX);
    if (r == HL_DIRECTORY_TAKEN)
        return hl_command_fail(HL_EXIT_REFUSED, "another active agent has this e-mail address");
    if (r == HL_DIRECTORY_UNKNOWN)
        return hl_command_fail(HL_EXIT_REFUSED, "there is no active agent %s", arguments->agent);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot store the key: %s", strerror(-r));
    return print_added(directory, arguments, agent, secret);
}

static int add_key(struct hl_directory *directory, struct arguments *arguments)
{
    char secret[HL_KEY_SECRET_SIZE];
    struct hl_id agent;
    struct hl_id key;
    if (arguments->name == NULL || !is_name(arguments->name))
        return hl_command_fail(HL_EXIT_USAGE, "add needs --name: 1 to 64 bytes of text");
    if (!lower_email(arguments))
        return hl_command_fail(HL_EXIT_USAGE, "--email is no e-mail address");
    if (arguments->site != NULL && !knows_site(directory, arguments->site))
        return hl_command_fail(HL_EXIT_REFUSED, "there is no site %s", arguments->site);
    if (arguments->agent != NULL) {
        if (hl_id_parse(hl_bytes_of(arguments->agent), HL_ID_AGENT, &agent) != 0)
            return hl_command_fail(HL_EXIT_USAGE, "--agent is agt_ and 32 hex digits");
        int r = hl_directory_add_key(directory, &agent, arguments->name, secret, &key);
        return report_add(directory, arguments, r, &agent, secret);
    }
    struct hl_person_wish wish = {.name = arguments->name,
                                  .email = arguments->email,
                                  .site = arguments->site,
                                  .role = arguments->role};
    int r = hl_directory_add_person(directory, &wish, secret, &agent);
    return report_add(directory, arguments, r, &agent, secret);
}

static void append_row(struct hl_buffer *out, const struct hl_directory_snapshot *snapshot,
                       const struct hl_key *key)
{
    char id[HL_ID_TEXT_SIZE];
    char created[HL_MOMENT_TEXT_SIZE];
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &key->agent);
    hl_id_format(&key->agent, HL_ID_AGENT, id);
    hl_moment_format(key->record.created_ms, created);
    hl_buffer_printf(
        out, "%s  %-11s  %s  %-7s  %s\n", id,
        hl_key_role_name(agent != NULL ? (enum hl_key_role)agent->role : HL_KEY_ROLE_END), created,
        key->revoked_ms == 0 ? "active" : "revoked", agent != NULL ? agent->name : key->name);
}

static int list_keys(struct hl_directory *directory, const struct arguments *arguments)
{
    struct hl_buffer out;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    hl_buffer_init(&out, OUTPUT_MAX);
    hl_buffer_append_text(&out, arguments->is_json ? "{\"keys\":[" : "");
    for (size_t i = 0; i < snapshot->n_keys; i++) {
        if (!arguments->is_json) {
            append_row(&out, snapshot, &snapshot->keys[i]);
            continue;
        }
        hl_buffer_append_text(&out, i > 0 ? "," : "");
        append_key(&out, snapshot, &snapshot->keys[i], NULL);
    }
    hl_buffer_append_text(&out, arguments->is_json ? "]}\n" : "");
    int code = hl_command_print(&out);
    hl_buffer_fini(&out);
    hl_directory_snapshot_unref(snapshot);
    return code;
}

static int revoke_key(struct hl_directory *directory, const struct arguments *arguments)
{
    struct hl_id id;
    int r = HL_DIRECTORY_UNKNOWN;
    struct hl_bytes text = hl_bytes_of(arguments->id != NULL ? arguments->id : "");
    if (hl_id_parse(text, HL_ID_AGENT, &id) == 0)
        r = hl_directory_let_go(directory, &id);
    else if (hl_id_parse(text, HL_ID_KEY, &id) == 0)
        r = hl_directory_revoke_key(directory, &id);
    else
        return hl_command_fail(
            HL_EXIT_USAGE, "revoke needs an id: agt_ (all keys of the agent) or key_ (one), and "
                           "32 hex digits");
    if (r == HL_DIRECTORY_UNKNOWN)
        return hl_command_fail(HL_EXIT_REFUSED, "there is no active key %s", arguments->id);
    if (r == HL_DIRECTORY_REVISION)
        return hl_command_fail(HL_EXIT_REFUSED, "%s was changed just now; repeat it",
                               arguments->id);
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

static int run_on_directory(const struct hl_data_paths *paths, struct arguments *arguments)
{
    struct hl_directory *directory = NULL;
    struct hl_directory_config config = {.path = paths->directory,
                                         .keys_path = paths->keys,
                                         .clock = hl_clock_system(),
                                         .random = hl_random_system()};
    int code = HL_EXIT_USAGE;
    int r = hl_directory_open(&config, &directory);
    if (r == HL_DIRECTORY_NEWER)
        return hl_command_fail(HL_EXIT_REFUSED, "%s was written by a newer holdline",
                               paths->directory);
    if (r == HL_DIRECTORY_NO_DIRECTORY)
        return hl_command_fail(HL_EXIT_REFUSED, "%s (or an old keys.db) is damaged",
                               paths->directory);
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot open %s: %s", paths->directory,
                               strerror(-r));
    if (strcmp(arguments->action, "add") == 0)
        code = add_key(directory, arguments);
    else if (strcmp(arguments->action, "list") == 0)
        code = list_keys(directory, arguments);
    else if (strcmp(arguments->action, "revoke") == 0)
        code = revoke_key(directory, arguments);
    else
        hl_command_fail(code, "key does add, list, revoke or rotate-token, not \"%s\"",
                        arguments->action);
    hl_directory_close(directory);
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
    bool rotates = strcmp(arguments.action, "rotate-token") == 0;
    int r = hl_data_paths(arguments.data, &paths);
    if (r == 0 && strcmp(arguments.action, "add") == 0)
        r = hl_data_make_folder(arguments.data);
    if (r == 0 && rotates && access(arguments.data, F_OK) != 0)
        r = -errno;
    if (r != 0)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "cannot use %s: %s", arguments.data,
                               strerror(-r));
    if (rotates)
        return rotate_token(&paths, &arguments);
    return run_on_directory(&paths, &arguments);
}
