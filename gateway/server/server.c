#include "gateway/server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent-api/audit/memory.h"
#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "gateway/command/command.h"
#include "gateway/data.h"
#include "gateway/server/control.h"
#include "gateway/signin/fetch.h"
#include "store/log_sqlite.h"

enum { WHY_SIZE = 512, SPARE_DESCRIPTORS = 256 };

static int refuse_start(int code, const char *why)
{
    hl_event(HL_EVENT_ERROR, "gateway.not_started", HL_TEXT("why", why), HL_I64("code", code));
    return code;
}

static int refuse_start_errno(const char *what, int r)
{
    char why[WHY_SIZE];
    snprintf(why, sizeof(why), "%s: %s", what, strerror(-r));
    return refuse_start(HL_EXIT_ENVIRONMENT, why);
}

/* Signals are taken by the main thread's sigtimedwait only; threads inherit the mask. */
static void block_signals(sigset_t *out_signals)
{
    sigemptyset(out_signals);
    sigaddset(out_signals, SIGTERM);
    sigaddset(out_signals, SIGINT);
    sigaddset(out_signals, SIGHUP);
    sigaddset(out_signals, HL_CONTROL_STORE_FAILED);
    HL_CHECK(pthread_sigmask(SIG_BLOCK, out_signals, NULL) == 0);
    HL_CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

static int open_directory(struct hl_server *server)
{
    struct hl_house *house = &server->house;
    struct hl_directory_config config = {.path = server->paths.directory,
                                         .keys_path = server->paths.keys,
                                         .clock = house->clock,
                                         .random = house->random};
    int r = hl_directory_open(&config, &house->directory);
    if (r == 0)
        r = hl_directory_ensure_site(house->directory, server->config.site);
    if (r == 0)
        r = hl_directory_start(house->directory);
    return r;
}

static int open_data(struct hl_server *server)
{
    char why[WHY_SIZE];
    struct hl_house *house = &server->house;
    int r = hl_data_paths(server->config.data, &server->paths);
    if (r == 0)
        r = hl_data_make_folder(server->config.data);
    if (r != 0)
        return refuse_start_errno(server->config.data, r);
    r = hl_secrets_load(server->paths.secrets, !hl_data_has_log(&server->paths), house->clock,
                        house->random, why, sizeof(why), &house->secrets);
    if (r != 0)
        return refuse_start(r > 0 ? HL_EXIT_REFUSED : HL_EXIT_ENVIRONMENT, why);
    r = open_directory(server);
    if (r == HL_DIRECTORY_NEWER)
        return refuse_start(HL_EXIT_REFUSED, "directory.db was written by a newer holdline");
    if (r == HL_DIRECTORY_NO_DIRECTORY)
        return refuse_start(HL_EXIT_REFUSED, "directory.db (or an old keys.db) is damaged");
    hl_control_watch_disk(server);
    return r != 0 ? refuse_start_errno(server->paths.directory, r) : HL_EXIT_OK;
}

/* Writer thread of the log. */
static void on_store_failed(void *arg)
{
    struct hl_server *server = arg;
    pthread_kill(server->main_thread, HL_CONTROL_STORE_FAILED);
}

/* What cannot be recorded is refused, request by request; visitors go on. */
static void on_audit_failed(void *arg)
{
    (void)arg;
    hl_event(HL_EVENT_ERROR, "audit.failed",
             HL_TEXT("note", "reads and changes by agents are refused until a restart"));
}

static int open_engine(struct hl_server *server, const char *path, void (*on_failed)(void *arg),
                       struct hl_log **out_log)
{
    char why[WHY_SIZE] = "";
    bool is_new_region = !server->house.secrets.has_region;
    int r = is_new_region ? hl_secrets_make_region(server->paths.secrets, server->house.random,
                                                   &server->house.secrets)
                          : 0;
    if (r != 0)
        return refuse_start_errno(server->paths.secrets, r);
    struct hl_log_sqlite_config config = {.path = path,
                                          .clock = server->house.clock,
                                          .chain_key = server->house.secrets.chain,
                                          .region_key = server->house.secrets.region,
                                          .queue_max = server->config.store_queue_max,
                                          .group_max = server->config.store_group_max,
                                          .n_readers = server->config.store_readers,
                                          .disk_free_min = server->config.disk_free_min,
                                          .on_failed = on_failed,
                                          .arg = server};
    r = hl_log_sqlite_open(&config, why, sizeof(why), out_log);
    if (r == -EKEYREJECTED && is_new_region)
        hl_secrets_drop_region(server->paths.secrets);
    if (r == HL_LOG_SQLITE_LOCKED)
        return refuse_start(HL_EXIT_ENVIRONMENT, why);
    if (r > 0)
        return refuse_start(HL_EXIT_REFUSED, why);
    if (r == -EBADMSG) {
        snprintf(why, sizeof(why), "%.400s is damaged: see `holdline verify`, and restore a backup",
                 path);
        return refuse_start(HL_EXIT_REFUSED, why);
    }
    if (r != 0)
        return why[0] != '\0' ? refuse_start(HL_EXIT_ENVIRONMENT, why)
                              : refuse_start_errno(path, r);
    return HL_EXIT_OK;
}

static int open_logs(struct hl_server *server)
{
    struct hl_log_info info;
    int code = open_engine(server, server->paths.log, on_store_failed, &server->house.log);
    if (code == HL_EXIT_OK)
        code = open_engine(server, server->paths.audit, on_audit_failed, &server->house.audit);
    if (code != HL_EXIT_OK)
        return code;
    int r = hl_directory_audit_begin(server->house.directory, server->house.audit);
    if (r != 0)
        return refuse_start_errno(server->paths.directory, r);
    hl_log_info(server->house.log, &info);
    r = hl_registry_create(info.boots, &server->house.registry);
    server->house.audit_memory = hl_audit_memory_create();
    server->house.online = hl_online_create();
    server->house.presence = hl_presence_create();
    if (server->house.audit_memory == NULL || server->house.online == NULL ||
        server->house.presence == NULL)
        r = -ENOMEM;
    return r != 0 ? refuse_start_errno("registry", r) : HL_EXIT_OK;
}

static int open_index(struct hl_server *server)
{
    char why[WHY_SIZE] = "";
    uint8_t contact_key[64];
    struct hl_house *house = &server->house;
    struct hl_index_config config = {
        .path = server->paths.index,
        .log = house->log,
        .clock = house->clock,
        .contact_key = contact_key,
        .policy = hl_policy_of(&server->policy, house->directory),
        .n_readers = server->config.store_readers,
    };
    hl_secrets_derive(house->secrets.reference, "contacts", (struct hl_bytes){0},
                      (struct hl_bytes){0}, contact_key);
    int r = hl_index_open(&config, why, sizeof(why), &house->index);
    explicit_bzero(contact_key, sizeof(contact_key));
    return r != 0 ? refuse_start(HL_EXIT_ENVIRONMENT, why) : HL_EXIT_OK;
}

/* The soft limit of most systems is far below what they allow. */
static void raise_descriptors(const struct hl_config *config)
{
    struct rlimit limit = {0};
    rlim_t per_connection = config->tls_certificate[0] != '\0' ? 3 : 1; /* tunnel.c */
    rlim_t wanted = config->wire.connections_max * per_connection + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        hl_event(HL_EVENT_WARN, "gateway.few_descriptors", HL_U64("limit", limit.rlim_cur),
                 HL_U64("wanted", wanted),
                 HL_TEXT("advice", "raise the open file limit or lower connections_max"));
}

static int open_oidc(struct hl_server *server)
{
    static const enum hl_key_role roles[] = {0, HL_KEY_AGENT, HL_KEY_SUPERVISOR, HL_KEY_AUDITOR};
    const struct hl_config *config = &server->config;
    char why[WHY_SIZE] = "";
    if (config->oidc_issuer[0] == '\0')
        return HL_EXIT_OK;
    if (hl_signin_read_secret(config->oidc_client_secret_file, server->oidc_secret, why,
                              sizeof(why)) != 0)
        return refuse_start(HL_EXIT_ENVIRONMENT, why);
    if (config->oidc_redirect_url[0] != '\0')
        snprintf(server->oidc_redirect, sizeof(server->oidc_redirect), "%s",
                 config->oidc_redirect_url);
    else
        snprintf(server->oidc_redirect, sizeof(server->oidc_redirect),
                 "%s/v1/session/oidc/callback", config->public_url);
    const struct hl_oidc_config oidc = {.issuer = config->oidc_issuer,
                                        .client = config->oidc_client_id,
                                        .secret = server->oidc_secret,
                                        .redirect = server->oidc_redirect,
                                        .scopes = config->oidc_scopes,
                                        .auto_role = roles[config->oidc_auto_role],
                                        .clock = server->house.clock};
    int r = hl_fetch_start_all();
    if (r == 0)
        r = hl_oidc_create(&oidc, &server->house.oidc);
    return r != 0 ? refuse_start_errno("oidc", r) : HL_EXIT_OK;
}

static int open_rest(struct hl_server *server)
{
    char why[WHY_SIZE] = "";
    const struct hl_config *config = &server->config;
    raise_descriptors(config);
    int r = hl_wire_shared_create(&config->wire, &server->house.wire);
    if (r != 0)
        return refuse_start_errno("wire", r);
    r = hl_signin_shared_create(&server->house.signin);
    if (r != 0)
        return refuse_start_errno("signin", r);
    int code = open_oidc(server);
    if (code != HL_EXIT_OK)
        return code;
    if (config->pages[0] != '\0' &&
        hl_pages_load(config->pages, why, sizeof(why), &server->house.pages) != 0)
        return refuse_start(HL_EXIT_ENVIRONMENT, why);
    return HL_EXIT_OK;
}

/* The address with the port that was really taken. */
static void set_address(struct hl_server *server, uint16_t port)
{
    const char *listen = server->config.listen;
    const char *colon = strrchr(listen, ':');
    int host_size = colon != NULL ? (int)(colon - listen) : (int)strlen(listen);
    snprintf(server->address, sizeof(server->address), "%.*s:%u", host_size, listen, port);
}

static int create_stations(struct hl_server *server)
{
    char why[WHY_SIZE] = "";
    struct hl_house *house = &server->house;
    house->stations = calloc(server->config.loops, sizeof(struct hl_station *));
    if (house->stations == NULL)
        return refuse_start_errno("stations", -ENOMEM);
    snprintf(server->address, sizeof(server->address), "%s", server->config.listen);
    for (uint32_t i = 0; i < server->config.loops; i++) {
        uint16_t port = 0;
        int fd = hl_listen_socket(server->address, i > 0, &port, why, sizeof(why));
        if (fd < 0)
            return refuse_start(HL_EXIT_ENVIRONMENT, why[0] != '\0' ? why : strerror(-fd));
        set_address(server, port);
        int r = hl_station_create(house, &server->config, fd, why, sizeof(why),
                                  &house->stations[house->n_stations]);
        if (r != 0)
            return refuse_start(HL_EXIT_ENVIRONMENT, why[0] != '\0' ? why : strerror(-r));
        house->n_stations++;
    }
    return HL_EXIT_OK;
}

static int start_stations(struct hl_server *server)
{
    struct hl_house *house = &server->house;
    for (size_t i = 0; i < house->n_stations; i++) {
        int r = hl_station_start(house->stations[i]);
        if (r != 0)
            return refuse_start_errno("cannot start a thread", r);
        server->n_started++;
    }
    return HL_EXIT_OK;
}

static void announce(const struct hl_server *server)
{
    const char *scheme = server->config.tls_certificate[0] != '\0' ? "https" : "http";
    struct hl_log_info info;
    hl_log_info(server->house.log, &info);
    printf("listening %s://%s\n", scheme, server->address);
    fflush(stdout);
    hl_event(HL_EVENT_INFO, "gateway.started", HL_TEXT("version", HL_VERSION),
             HL_TEXT("address", server->address), HL_TEXT("data", server->paths.folder),
             HL_U64("loops", server->house.n_stations),
             HL_TEXT("durability", hl_durability_name(info.durability)),
             HL_U64("epoch", info.epoch), HL_U64("position", info.position));
    if (server->config.test_mode)
        hl_event(HL_EVENT_WARN, "gateway.test_mode",
                 HL_TEXT("note", "echo routes are open; never use this in production"));
}

/* Stations that came up are closed on their threads; those that did not start are run here. */
static void take_down(struct hl_server *server)
{
    struct hl_house *house = &server->house;
    for (size_t i = server->n_started; i < house->n_stations; i++)
        hl_station_abandon(house->stations[i]);
    for (size_t i = 0; i < server->n_started; i++)
        hl_station_join(house->stations[i]);
    hl_index_close(house->index);
    hl_oidc_destroy(house->oidc);
    /* Before the loops go: the writer may still be posting the last group to each of them. */
    if (house->log != NULL)
        hl_log_close(house->log);
    if (house->audit != NULL) {
        hl_directory_audit_end(house->directory);
        hl_log_close(house->audit);
    }
    for (size_t i = 0; i < house->n_stations; i++)
        hl_station_destroy(house->stations[i]);
    free(house->stations);
    if (house->registry != NULL)
        hl_registry_destroy(house->registry);
    hl_audit_memory_destroy(house->audit_memory);
    hl_online_destroy(house->online);
    hl_presence_destroy(house->presence);
    if (house->wire != NULL)
        hl_wire_shared_destroy(house->wire);
    hl_pages_free(house->pages);
    hl_signin_shared_destroy(&house->signin);
    explicit_bzero(server->oidc_secret, sizeof(server->oidc_secret));
    hl_directory_close(house->directory);
    hl_secrets_wipe(&house->secrets);
}

int hl_server_run(const struct hl_server_options *options)
{
    struct hl_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return hl_command_fail(HL_EXIT_ENVIRONMENT, "out of memory");
    server->options = options;
    server->config = *options->config;
    server->main_thread = pthread_self();
    server->house.clock = hl_clock_system();
    server->house.random = hl_random_system();
    server->house.assets = &hl_assets_embedded;
    server->house.started_ms = hl_clock_wall_ms(server->house.clock);
    server->house.disk_free_min = server->config.disk_free_min;
    memcpy(server->house.node, server->config.node, sizeof(server->house.node));
    memcpy(server->house.region, server->config.region, sizeof(server->house.region));
    block_signals(&server->signals);
    hl_control_apply(server);
    int code = open_data(server);
    if (code == HL_EXIT_OK)
        code = open_logs(server);
    if (code == HL_EXIT_OK)
        code = open_index(server);
    if (code == HL_EXIT_OK)
        code = open_rest(server);
    if (code == HL_EXIT_OK)
        code = create_stations(server);
    if (code == HL_EXIT_OK)
        code = start_stations(server);
    if (code == HL_EXIT_OK) {
        announce(server);
        code = hl_control_run(server);
    } else {
        hl_control_close_stations(server);
    }
    take_down(server);
    if (server->reason != NULL) /* else the last line says why it did not start */
        hl_event(code == HL_EXIT_OK ? HL_EVENT_INFO : HL_EVENT_ERROR, "gateway.stopped",
                 HL_TEXT("reason", server->reason), HL_I64("code", code));
    free(server);
    return code;
}
