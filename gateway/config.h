/* The configuration: a file of `key = value;` lines (libconfig), every key overridable by the
 * environment variable HOLDLINE_<KEY>, then by options of the command line.
 *
 * One table (config_table.c) names each key with its type, range, default and meaning; the
 * reader, `holdline check`, docs/configuration.md and the tests are made from it.
 *
 * Thread: any, each with its own struct. */
#ifndef HL_GATEWAY_CONFIG_H
#define HL_GATEWAY_CONFIG_H

#include "gateway/wire.h"
#include "session/hub.h"

enum { HL_CONFIG_PATH_SIZE = 512, HL_ORIGIN_SIZE = 256, HL_CONFIG_KEYS_MAX = 96 };

enum hl_config_source {
    HL_CONFIG_FROM_DEFAULT,
    HL_CONFIG_FROM_FILE,
    HL_CONFIG_FROM_ENVIRONMENT,
    HL_CONFIG_FROM_OPTION,
};

struct hl_config_origins {
    size_t n_items;
    char items[HL_ORIGINS_MAX][HL_ORIGIN_SIZE];
};

struct hl_config {
    char listen[128];
    char data[HL_CONFIG_PATH_SIZE];
    uint32_t loops;
    char site[65];
    char region[33];
    char node[65];
    char public_url[HL_ORIGIN_SIZE];
    char pages[HL_CONFIG_PATH_SIZE];
    struct hl_config_origins origins;
    char trusted_proxies[1024];
    uint32_t trusted_header; /* enum hl_forwarded_header */
    char oidc_issuer[HL_ORIGIN_SIZE];
    char oidc_client_id[HL_ORIGIN_SIZE];
    char oidc_client_secret_file[HL_CONFIG_PATH_SIZE];
    char oidc_redirect_url[HL_CONFIG_PATH_SIZE];
    char oidc_scopes[HL_ORIGIN_SIZE];
    uint32_t oidc_auto_role; /* place in its choices */
    char tls_certificate[HL_CONFIG_PATH_SIZE];
    char tls_key[HL_CONFIG_PATH_SIZE];
    struct hl_hub_limits hub;
    struct hl_wire_limits wire;
    uint64_t store_queue_max;
    uint32_t store_group_max;
    uint32_t store_readers;
    uint64_t disk_free_min;
    uint32_t expected_answer_minutes;
    uint32_t feeds_max;
    uint32_t retention_sweep_s;
    uint32_t log_level;  /* enum hl_event_level */
    uint32_t log_format; /* enum hl_event_format */
    uint32_t drain_window_ms;
    uint32_t drain_deadline_ms;
    uint32_t ready_wait_ms_max;
    bool metrics_public;
    bool test_mode;
    /* Where each key's value came from, in the order of the table. */
    uint8_t sources[HL_CONFIG_KEYS_MAX]; /* enum hl_config_source */
    uint16_t lines[HL_CONFIG_KEYS_MAX];  /* in the file; 0: not from it */
};

enum hl_config_type {
    HL_CONFIG_U32,
    HL_CONFIG_U64,
    HL_CONFIG_BOOL,
    HL_CONFIG_TEXT, /* printable UTF-8 */
    HL_CONFIG_NAME, /* letters, digits, "." "_" "-" */
    HL_CONFIG_CHOICE,
    HL_CONFIG_ORIGINS,
};

struct hl_config_key {
    const char *name;
    enum hl_config_type type;
    size_t offset; /* in struct hl_config */
    uint64_t min;  /* of a number; of a text's size in bytes */
    uint64_t max;
    const char *standard; /* the default, as it would be written in the environment */
    const char *choices;  /* CHOICE: "error|warn|info|debug", value = place */
    bool is_reloadable;   /* SIGHUP takes a new value; else it needs a restart */
    const char *meaning;
};
const struct hl_config_key *hl_config_keys(size_t *out_n_keys);

/* What is wrong with a configuration, for people and programs. */
enum { HL_CONFIG_FINDINGS_MAX = 32 };
struct hl_config_finding {
    char place[HL_CONFIG_PATH_SIZE + 16]; /* "holdline.conf:12", "environment", "--loops" */
    char key[64];
    char message[320];
};
struct hl_config_report {
    size_t n_findings;
    struct hl_config_finding findings[HL_CONFIG_FINDINGS_MAX];
    size_t n_unknown_variables; /* HOLDLINE_… in the environment that name no key: not an error,
                                 * since container platforms set such names by themselves */
    char unknown_variable[64];  /* one of them */
};

enum { HL_CONFIG_INVALID = 1 };

/* Defaults, then the file (`path` NULL: none), then `environment` (as environ; NULL: none).
 * Goes on after an error, so that the report names all of them.
 * 0, HL_CONFIG_INVALID (report says what), -errno (file cannot be read; report says why). */
int hl_config_load(const char *path, char *const *environment, struct hl_config *out_config,
                   struct hl_config_report *report);

/* One value as text, the same way for all sources. 0, HL_CONFIG_INVALID. */
int hl_config_set(struct hl_config *config, const struct hl_config_key *key, const char *value,
                  enum hl_config_source source, const char *place, struct hl_config_report *report);
const struct hl_config_key *hl_config_find(const char *name); /* NULL: there is no such key */

/* Rules between keys; call once all sources are in. 0, HL_CONFIG_INVALID. */
int hl_config_check(const struct hl_config *config, const char *path,
                    struct hl_config_report *report);

/* The file's part of hl_config_load (config_file.c). 0, HL_CONFIG_INVALID, -errno. */
int hl_config_read_file(struct hl_config *config, const char *path,
                        struct hl_config_report *report);

void hl_config_add_finding(struct hl_config_report *report, const char *place, const char *key,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Appends the value as hl_config_set would read it. */
void hl_config_append_value(const struct hl_config *config, const struct hl_config_key *key,
                            struct hl_buffer *out);
bool hl_config_value_equal(const struct hl_config *a, const struct hl_config *b,
                           const struct hl_config_key *key);
/* "HOLDLINE_<KEY>", upper-case. */
void hl_config_variable(const struct hl_config_key *key, char out_name[80]);
const char *hl_config_source_name(enum hl_config_source source);

#endif
