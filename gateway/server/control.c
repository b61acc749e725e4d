#include "gateway/server/control.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/event.h"
#include "base/result.h"
#include "gateway/command/command.h"

enum {
    WATCH_MS = 250,    /* between looks at keys, secrets and the disk */
    DOWN_STEP_MS = 50, /* between looks at whether all is down */
    SETTLE_MS = 1000,  /* after which a station's counters are surely fresh */
    QUIET_MS = 300,    /* without any connection: nobody is between two requests */
    FAILED_MS = 1000,  /* time to tell clients after the store failed */
    LATE_MS = 30000,   /* from the order to stop to the end, whatever happens */
    VALUE_BYTES_MAX = 32768,
};

static const char store_failed[] = "the store failed: the outcome of a commit is unknown; start "
                                   "again, it recovers what is really there";

static uint64_t now_ms(const struct hl_server *server)
{
    return hl_clock_mono_ms(server->house.clock);
}

static int wait_signal(const struct hl_server *server, uint32_t ms)
{
    struct timespec timeout = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    int number = sigtimedwait(&server->signals, NULL, &timeout);
    return number > 0 ? number : 0;
}

void hl_control_watch_disk(struct hl_server *server)
{
    struct statvfs status;
    if (statvfs(server->paths.folder, &status) == 0)
        atomic_store(&server->house.disk_free,
                     (uint64_t)status.f_bavail * (uint64_t)status.f_frsize);
}

static void watch_directory(struct hl_server *server)
{
    int r = hl_directory_refresh(server->house.directory);
    if (r == HL_DIRECTORY_CHANGED)
        hl_event(HL_EVENT_INFO, "directory.changed",
                 HL_U64("version", hl_directory_version(server->house.directory)));
    else if (r != 0)
        hl_event(HL_EVENT_WARN, "directory.unreadable", HL_TEXT("why", strerror(-r)),
                 HL_TEXT("note", "what was known before stays in force"));
}

static void load_tokens(struct hl_server *server)
{
    char why[512];
    struct hl_secrets secrets;
    struct hl_house *house = &server->house;
    int r = hl_secrets_load(server->paths.secrets, false, house->clock, house->random, why,
                            sizeof(why), &secrets);
    if (r != 0) {
        hl_event(HL_EVENT_WARN, "secrets.unreadable", HL_TEXT("why", why),
                 HL_TEXT("note", "the token keys before stay in force"));
        return;
    }
    for (size_t i = 0; i < house->n_stations && r == 0; i++)
        r = hl_station_set_tokens(house->stations[i], &secrets.tokens);
    hl_event(HL_EVENT_INFO, "secrets.token_keys", HL_U64("keys", secrets.tokens.n_keys),
             HL_TEXT("sealing", secrets.tokens.keys[0].kid));
    hl_secrets_wipe(&secrets);
}

/* A rotated key is a new file, so the folder's time changes. */
static void watch_secrets(struct hl_server *server)
{
    struct stat status;
    struct timespec *last = &server->secrets_changed;
    if (stat(server->paths.secrets, &status) != 0)
        return;
    bool is_first = last->tv_sec == 0;
    bool is_new = status.st_mtim.tv_sec != last->tv_sec || status.st_mtim.tv_nsec != last->tv_nsec;
    *last = status.st_mtim;
    if (is_new && !is_first)
        load_tokens(server);
}

void hl_control_apply(struct hl_server *server)
{
    const struct hl_config *config = &server->config;
    struct hl_house *house = &server->house;
    hl_event_setup((enum hl_event_level)config->log_level,
                   (enum hl_event_format)config->log_format);
    if (house->wire != NULL)
        hl_wire_shared_set_limits(house->wire, &config->wire);
    atomic_store(&house->ready_wait_ms_max, config->ready_wait_ms_max);
    atomic_store(&house->metrics_public, config->metrics_public);
    for (size_t i = 0; i < house->n_stations; i++) {
        if (hl_station_reload(house->stations[i], config) != 0)
            hl_event(HL_EVENT_ERROR, "config.reload_failed", HL_U64("loop", i));
    }
}

/* Takes the new value, or says that it needs a restart. */
static void take_value(struct hl_server *server, const struct hl_config *wanted,
                       const struct hl_config_key *key, struct hl_config_report *report)
{
    struct hl_buffer value;
    if (hl_config_value_equal(&server->config, wanted, key))
        return;
    hl_buffer_init(&value, VALUE_BYTES_MAX);
    hl_config_append_value(wanted, key, &value);
    hl_buffer_append(&value, "", 1);
    if (hl_buffer_failed(&value))
        hl_event(HL_EVENT_ERROR, "config.reload_failed", HL_TEXT("key", key->name),
                 HL_TEXT("why", "out of memory"));
    else if (!key->is_reloadable)
        hl_event(HL_EVENT_WARN, "config.needs_restart", HL_TEXT("key", key->name),
                 HL_TEXT("wanted", value.data));
    else if (hl_config_set(&server->config, key, value.data, HL_CONFIG_FROM_FILE, "reload",
                           report) == 0)
        hl_event(HL_EVENT_INFO, "config.changed", HL_TEXT("key", key->name),
                 HL_TEXT("value", value.data));
    hl_buffer_fini(&value);
}

static void log_findings(const struct hl_config_report *report)
{
    for (size_t i = 0; i < report->n_findings; i++) {
        const struct hl_config_finding *finding = &report->findings[i];
        hl_event(HL_EVENT_ERROR, "config.invalid", HL_TEXT("place", finding->place),
                 HL_TEXT("key", finding->key), HL_TEXT("why", finding->message));
    }
}

static void reload(struct hl_server *server)
{
    size_t n_keys = 0;
    const struct hl_config_key *keys = hl_config_keys(&n_keys);
    struct hl_config *wanted = calloc(1, sizeof(*wanted));
    struct hl_config_report *report = calloc(1, sizeof(*report));
    if (wanted == NULL || report == NULL) {
        hl_event(HL_EVENT_ERROR, "config.reload_failed", HL_TEXT("why", "out of memory"));
    } else if (server->options->reload(server->options->arg, wanted, report) != 0) {
        log_findings(report);
        hl_event(HL_EVENT_ERROR, "config.not_reloaded",
                 HL_TEXT("note", "the configuration before stays in force"));
    } else {
        for (size_t i = 0; i < n_keys; i++)
            take_value(server, wanted, &keys[i], report);
        hl_control_apply(server);
        load_tokens(server);
        hl_event(HL_EVENT_INFO, "config.reloaded", HL_TEXT("signal", "HUP"));
    }
    free(report);
    free(wanted);
}

/* Wakes when `holdline key` is done with the directory, so that a new key is good, and a revoked
 * one dead, from then on. -1: not possible here; then the next look finds the change. */
static int open_directory_watch(const struct hl_server *server)
{
    char path[HL_CONFIG_PATH_SIZE + 32];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    snprintf(path, sizeof(path), "%s-wal", server->paths.directory);
    if (fd >= 0 && inotify_add_watch(fd, path, IN_CLOSE_WRITE) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Like wait_signal, and returns when the directory changed. */
static int wait_change(const struct hl_server *server, int directory_watch, uint32_t ms)
{
    char events[1024];
    int signals = signalfd(-1, &server->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                           {.fd = directory_watch, .events = POLLIN}};
    if (signals < 0)
        return wait_signal(server, ms);
    (void)poll(fds, 2, (int)ms);
    (void)close(signals);
    if (directory_watch >= 0)
        while (read(directory_watch, events, sizeof(events)) > 0)
            ;
    return wait_signal(server, 0);
}

/* Runs until it should stop: the number of the signal. */
static int watch(struct hl_server *server)
{
    int directory_watch = open_directory_watch(server);
    for (;;) {
        hl_control_watch_disk(server);
        watch_directory(server);
        watch_secrets(server);
        int number = wait_change(server, directory_watch, WATCH_MS);
        if (number == SIGHUP) {
            reload(server);
        } else if (number != 0) {
            if (directory_watch >= 0)
                (void)close(directory_watch);
            return number;
        }
    }
}

/* Whether nobody seems to be left who could still be told something. */
static bool looks_quiet(struct hl_server *server, uint64_t since_ms)
{
    struct hl_wire_stats wire;
    struct hl_log_info info;
    struct hl_station_stats stats;
    uint64_t n_waiting = 0;
    hl_wire_shared_stats(server->house.wire, &wire);
    hl_log_info(server->house.log, &info);
    if (info.queue_depth > 0 && !info.failed)
        return false;
    if (wire.connections == 0)
        return true;
    for (size_t i = 0; i < server->house.n_stations; i++) {
        hl_station_stats(server->house.stations[i], &stats);
        n_waiting += stats.hub.streams + stats.hub.polls_parked + stats.hub.links_waiting_hello +
                     stats.api.feeds;
    }
    return n_waiting == 0 && now_ms(server) > since_ms + SETTLE_MS;
}

static bool wait_quiet(struct hl_server *server, uint64_t since_ms, uint64_t until_ms)
{
    uint64_t quiet_ms = now_ms(server);
    while (now_ms(server) < until_ms) {
        int number = wait_signal(server, DOWN_STEP_MS);
        if (number == SIGTERM || number == SIGINT)
            return true; /* told twice: now */
        if (!looks_quiet(server, since_ms))
            quiet_ms = now_ms(server);
        if (now_ms(server) >= quiet_ms + QUIET_MS)
            return true;
    }
    return false;
}

/* Connections are taken as long as clients are being told: one between two long-polls comes
 * back at once and must hear it, and balancers must see /readyz say no. */
static void drain(struct hl_server *server, uint32_t window_ms, uint32_t deadline_ms)
{
    uint64_t since_ms = now_ms(server);
    struct hl_house *house = &server->house;
    atomic_store(&house->is_draining, true);
    for (size_t i = 0; i < house->n_stations; i++)
        hl_station_drain(house->stations[i], window_ms, deadline_ms);
    if (wait_quiet(server, since_ms, since_ms + window_ms))
        return;
    for (size_t i = 0; i < house->n_stations; i++)
        hl_station_refuse(house->stations[i]);
    wait_quiet(server, since_ms, since_ms + deadline_ms);
}

void hl_control_close_stations(struct hl_server *server)
{
    uint64_t late_ms = now_ms(server) + LATE_MS;
    for (size_t i = 0; i < server->n_started; i++)
        hl_station_close(server->house.stations[i]);
    for (size_t n_closed = 0; n_closed < server->n_started;) {
        n_closed = 0;
        for (size_t i = 0; i < server->n_started; i++)
            n_closed += hl_station_is_closed(server->house.stations[i]) ? 1 : 0;
        if (n_closed == server->n_started)
            break;
        if (now_ms(server) > late_ms) {
            hl_event(
                HL_EVENT_ERROR, "gateway.stopped",
                HL_TEXT("reason", "it did not come down in time; what was acknowledged is safe"),
                HL_I64("code", HL_EXIT_LATE));
            _exit(HL_EXIT_LATE);
        }
        wait_signal(server, DOWN_STEP_MS);
    }
}

int hl_control_run(struct hl_server *server)
{
    struct hl_log_info info;
    int number = watch(server);
    bool has_failed = number == HL_CONTROL_STORE_FAILED;
    uint32_t window_ms = has_failed ? FAILED_MS / 2 : server->config.drain_window_ms;
    uint32_t deadline_ms = has_failed ? FAILED_MS : server->config.drain_deadline_ms;
    if (has_failed)
        server->reason = store_failed;
    else
        server->reason = number == SIGINT ? "signal INT" : "signal TERM";
    hl_event(HL_EVENT_INFO, "gateway.stopping", HL_TEXT("reason", server->reason),
             HL_U64("window_ms", window_ms), HL_U64("deadline_ms", deadline_ms));
    drain(server, window_ms, deadline_ms);
    hl_control_close_stations(server);
    hl_log_info(server->house.log, &info);
    if (!info.failed)
        return HL_EXIT_OK;
    server->reason = store_failed; /* perhaps only while going down */
    return HL_EXIT_STORE;
}
