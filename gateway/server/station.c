#include "gateway/server/station.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-api/permission.h"
#include "agent-api/reply.h"
#include "base/check.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/result.h"

enum { TICK_MS = 100, STATS_EVERY_TICKS = 5 };

struct hl_station {
    struct hl_house *house;
    struct hl_loop_uv *loop;
    struct hl_loop_timer *timer;
    struct hl_hub *hub;
    struct hl_wire *wire;
    struct hl_api *api;
    struct hl_jobs *jobs; /* NULL: another station has them */
    struct hl_enquiries enquiries;
    struct hl_token_keys tokens;
    struct hl_config config; /* as last told: wire and hub hold pointers into it */
    const char *origins[HL_ORIGINS_MAX];
    struct hl_doors doors;
    struct hl_networks proxies;
    struct hl_signin signin;
    struct hl_lobby lobby;
    pthread_t thread;
    unsigned n_ticks;
    uint64_t keys_version; /* when agents were last looked over */
    atomic_bool is_closed;
    atomic_uint_fast64_t last_tick_ms;
    pthread_mutex_t lock; /* over stats */
    struct hl_station_stats stats;
};

static struct hl_bearer bearer_of(const struct hl_principal *who)
{
    static const uint8_t key[HL_HASH_KEY_SIZE];
    return (struct hl_bearer){
        .id = who->id,
        .key = who->key,
        .role = who->role == HL_KEY_INTEGRATION ? HL_ROLE_INTEGRATION : HL_ROLE_AGENT,
        .may_write = hl_permission_has((enum hl_key_role)who->role, HL_PERMISSION_MESSAGE_WRITE),
        .scope = hl_hash(key, who->inboxes, who->n_inboxes * sizeof(who->inboxes[0]))};
}

static int find_agent(void *arg, struct hl_bytes secret, struct hl_bearer *out_bearer)
{
    struct hl_station *station = arg;
    struct hl_principal who;
    if (hl_directory_find_secret(station->house->directory, secret, &who) != 0)
        return HL_AGENTS_UNKNOWN;
    *out_bearer = bearer_of(&who);
    return 0;
}

static bool renew_agent(void *arg, const struct hl_id *agent, const struct hl_id *key,
                        struct hl_bearer *out_bearer)
{
    struct hl_station *station = arg;
    struct hl_principal who = {.id = *agent, .key = *key};
    if (hl_directory_renew(station->house->directory, &who) != 0)
        return false;
    *out_bearer = bearer_of(&who);
    return true;
}

static bool sees_conversation(void *arg, const struct hl_id *agent,
                              const struct hl_conversation *conversation)
{
    struct hl_station *station = arg;
    struct hl_principal who;
    return hl_directory_find_agent(station->house->directory, agent, &who) == 0 &&
           hl_principal_sees(&who, conversation->site, &conversation->inbox);
}

static void name_agent(void *arg, const struct hl_id *agent, char out_name[HL_NAME_SIZE_MAX + 1])
{
    struct hl_station *station = arg;
    struct hl_principal who;
    _Static_assert(sizeof(who.name) == HL_NAME_SIZE_MAX + 1, "one size of names");
    out_name[0] = '\0';
    if (hl_directory_find_agent(station->house->directory, agent, &who) == 0)
        memcpy(out_name, who.name, sizeof(who.name));
}

/* Station routes come in tables, since each has its own argument. */
static const struct hl_route enquiry_routes[] = {
    {HL_POST, "/v1/enquiries", hl_enquiry_post},
    {HL_GET, "/v1/enquiries/{reference}", hl_enquiry_get},
};
static const struct hl_route signin_routes[] = {
    {HL_POST, "/v1/session", hl_signin_post},
    {HL_GET, "/v1/session", hl_signin_get},
    {HL_DELETE, "/v1/session", hl_signin_delete},
    {HL_GET, "/v1/session/oidc", hl_oidc_start},
    {HL_GET, "/v1/session/oidc/callback", hl_oidc_return},
};
static const struct hl_route lobby_routes[] = {
    {HL_GET, "/v1/availability", hl_lobby_availability},
    {HL_GET, "/v1/widget", hl_lobby_widget},
};
static const struct hl_route house_routes[] = {
    {HL_GET, "/livez", hl_health_live},
    {HL_GET, "/readyz", hl_health_ready},
    {HL_GET, "/metrics", hl_metrics_get},
};

static bool starts_with(struct hl_bytes path, const char *start)
{
    size_t size = strlen(start);
    return path.size >= size && memcmp(path.data, start, size) == 0;
}

static void route_request(void *arg, struct hl_exchange *exchange)
{
    struct hl_station *station = arg;
    if (hl_api_owns(exchange->path))
        hl_api_handle(station->api, exchange);
    else if (starts_with(exchange->path, "/v1/enquiries"))
        hl_routes_run(enquiry_routes, sizeof(enquiry_routes) / sizeof(enquiry_routes[0]),
                      &station->enquiries, exchange);
    else if (starts_with(exchange->path, "/v1/session"))
        hl_routes_run(signin_routes, sizeof(signin_routes) / sizeof(signin_routes[0]),
                      &station->signin, exchange);
    else if (hl_bytes_is(exchange->path, "/v1/availability") ||
             hl_bytes_is(exchange->path, "/v1/widget"))
        hl_routes_run(lobby_routes, sizeof(lobby_routes) / sizeof(lobby_routes[0]), &station->lobby,
                      exchange);
    else if (hl_assets_own(exchange->path))
        hl_assets_answer(station->house->assets, station->origins, station->config.origins.n_items,
                         exchange);
    else if (!hl_pages_answer(station->house->pages, exchange))
        hl_routes_run(house_routes, sizeof(house_routes) / sizeof(house_routes[0]), station->house,
                      exchange);
}

static void copy_stats(struct hl_station *station)
{
    pthread_mutex_lock(&station->lock);
    hl_hub_stats(station->hub, &station->stats.hub);
    hl_api_stats(station->api, &station->stats.api);
    if (station->jobs != NULL)
        hl_jobs_count(station->jobs, &station->stats.jobs);
    station->stats.enquiries = station->enquiries.n_accepted;
    station->stats.enquiries_repeated = station->enquiries.n_repeated;
    station->stats.enquiries_refused = station->enquiries.n_refused;
    pthread_mutex_unlock(&station->lock);
}

static void tick(void *arg)
{
    struct hl_station *station = arg;
    atomic_store(&station->last_tick_ms, hl_clock_mono_ms(station->house->clock));
    uint64_t keys_version = hl_directory_version(station->house->directory);
    if (keys_version != station->keys_version)
        hl_hub_revoke_agents(station->hub);
    station->keys_version = keys_version;
    hl_hub_tick(station->hub);
    hl_api_tick(station->api);
    if (station->jobs != NULL)
        hl_jobs_tick(station->jobs);
    if (station->n_ticks++ % STATS_EVERY_TICKS == 0)
        copy_stats(station);
}

static bool knows_origin(void *arg, struct hl_bytes origin)
{
    struct hl_station *station = arg;
    return hl_doors_know_origin(&station->doors, origin);
}

/* As of the configuration that was told last. */
static void set_doors(struct hl_station *station)
{
    const struct hl_config_origins *origins = &station->config.origins;
    for (size_t i = 0; i < origins->n_items; i++)
        station->origins[i] = origins->items[i];
    station->doors = (struct hl_doors){.directory = station->house->directory,
                                       .site = station->config.site,
                                       .origins = station->origins,
                                       .n_origins = origins->n_items};
}

static void set_signin(struct hl_station *station)
{
    const struct hl_config *config = &station->config;
    const struct hl_house *house = station->house;
    struct hl_signin *signin = &station->signin; /* its requests under way stay */
    signin->shared = &house->signin;
    signin->oidc = house->oidc;
    signin->loop = hl_loop_uv_loop(station->loop);
    signin->directory = house->directory;
    signin->api = station->api;
    signin->clock = house->clock;
    signin->random = house->random;
    signin->keys = &station->tokens;
    signin->public_url = config->public_url;
    signin->is_https = config->tls_certificate[0] != '\0' ||
                       strncmp(config->public_url, "https://", strlen("https://")) == 0;
}

static void fill_wire_config(struct hl_station *station, struct hl_wire_config *out_config)
{
    const struct hl_config *config = &station->config;
    memset(out_config, 0, sizeof(*out_config));
    (void)hl_networks_parse(config->trusted_proxies, &station->proxies); /* was checked */
    out_config->loop = station->loop;
    out_config->shared = station->house->wire;
    out_config->hub = station->hub;
    out_config->listen_fd = -1;
    if (config->tls_certificate[0] != '\0') {
        out_config->tls.certificate = config->tls_certificate;
        out_config->tls.key = config->tls_key;
    }
    out_config->origins = station->origins;
    out_config->n_origins = config->origins.n_items;
    out_config->knows_origin = knows_origin;
    out_config->proxies = &station->proxies;
    out_config->proxy_header = (enum hl_forwarded_header)config->trusted_header;
    out_config->is_test_mode = config->test_mode;
    out_config->request = route_request;
    out_config->arg = station;
}

static void set_enquiries(struct hl_station *station)
{
    station->enquiries.public_url = station->config.public_url;
    station->enquiries.expected_answer_minutes = station->config.expected_answer_minutes;
}

static int create_hub(struct hl_station *station)
{
    struct hl_house *house = station->house;
    struct hl_hub_config config = {.log = house->log,
                                   .loop = hl_loop_uv_loop(station->loop),
                                   .clock = house->clock,
                                   .random = house->random,
                                   .registry = house->registry,
                                   .keys = &station->tokens,
                                   .agents = {.find = find_agent,
                                              .renew = renew_agent,
                                              .sees = sees_conversation,
                                              .name = name_agent,
                                              .arg = station},
                                   .sites = {.admit = hl_doors_admit, .arg = &station->doors},
                                   .node = station->config.node,
                                   .site = station->config.site,
                                   .limits = station->config.hub};
    return hl_hub_create(&config, &station->hub);
}

/* One loop of the process carries out what is to be erased. */
static int create_jobs(struct hl_station *station)
{
    struct hl_house *house = station->house;
    struct hl_jobs_config config = {.log = house->log,
                                    .loop = hl_loop_uv_loop(station->loop),
                                    .clock = house->clock,
                                    .directory = house->directory,
                                    .index = house->index,
                                    .sweep_s = station->config.retention_sweep_s,
                                    .api = station->api};
    return hl_jobs_create(&config, &station->jobs);
}

static int create_api(struct hl_station *station)
{
    struct hl_house *house = station->house;
    struct hl_api_config config = {.log = house->log,
                                   .loop = hl_loop_uv_loop(station->loop),
                                   .clock = house->clock,
                                   .random = house->random,
                                   .directory = house->directory,
                                   .passes = {.find = hl_signin_find,
                                              .arg = &station->signin,
                                              .has_oidc = house->oidc != NULL},
                                   .audit = house->audit,
                                   .audit_memory = house->audit_memory,
                                   .site = station->config.site,
                                   .index = house->index,
                                   .registry = house->registry,
                                   .online = house->online,
                                   .presence = house->presence,
                                   .body_bytes_max = station->config.hub.body_bytes_max,
                                   .feeds_max = station->config.feeds_max};
    station->enquiries.log = house->log;
    station->enquiries.loop = config.loop;
    station->enquiries.clock = house->clock;
    station->enquiries.doors = &station->doors;
    station->enquiries.reference_key = house->secrets.reference;
    station->enquiries.body_bytes_max = config.body_bytes_max;
    set_enquiries(station);
    station->lobby = (struct hl_lobby){.doors = &station->doors,
                                       .online = house->online,
                                       .index = house->index,
                                       .loop = config.loop,
                                       .clock = house->clock};
    int r = hl_api_create(&config, &station->api);
    if (r == 0 && !atomic_exchange(&house->has_jobs, true))
        r = create_jobs(station);
    set_signin(station);
    return r;
}

static int create_wire(struct hl_station *station, int listen_fd, char *why, size_t why_size)
{
    struct hl_wire_config config;
    fill_wire_config(station, &config);
    config.listen_fd = listen_fd;
    return hl_wire_create(&config, why, why_size, &station->wire);
}

/* Coming down, in the reverse order of coming up; each step waits for what is under way. */
static void finish_close(void *arg)
{
    struct hl_station *station = arg;
    hl_loop_timer_stop(station->timer);
    station->timer = NULL;
    atomic_store(&station->is_closed, true);
    hl_loop_uv_stop(station->loop);
}

static void close_signin(void *arg)
{
    struct hl_station *station = arg;
    hl_pending_set_await(&station->signin.pending, finish_close, station);
}

static void close_lobby(void *arg)
{
    struct hl_station *station = arg;
    hl_pending_set_await(&station->lobby.pending, close_signin, station);
}

static void close_enquiries(void *arg)
{
    struct hl_station *station = arg;
    station->api = NULL;
    hl_pending_set_await(&station->enquiries.pending, close_lobby, station);
}

static void close_api(void *arg)
{
    struct hl_station *station = arg;
    if (station->api != NULL)
        hl_api_close(station->api, close_enquiries, station);
    else
        close_enquiries(station);
}

static void close_jobs(void *arg)
{
    struct hl_station *station = arg;
    struct hl_jobs *jobs = station->jobs;
    station->hub = NULL;
    station->jobs = NULL;
    if (jobs != NULL)
        hl_jobs_close(jobs, close_api, station);
    else
        close_api(station);
}

static void close_hub(void *arg)
{
    struct hl_station *station = arg;
    station->wire = NULL;
    hl_hub_destroy(station->hub, close_jobs, station);
}

static void close_station(struct hl_station *station)
{
    if (station->wire != NULL)
        hl_wire_close(station->wire, close_hub, station);
    else if (station->hub != NULL)
        close_hub(station);
    else
        finish_close(station);
}

void hl_station_destroy(struct hl_station *station)
{
    if (station == NULL)
        return;
    HL_CHECK(station->wire == NULL && station->hub == NULL && station->api == NULL);
    if (station->loop != NULL)
        hl_loop_uv_destroy(station->loop);
    pthread_mutex_destroy(&station->lock);
    free(station);
}

/* Its loop never had a thread of its own: runs here until all is closed. */
void hl_station_abandon(struct hl_station *station)
{
    if (station->loop != NULL) {
        close_station(station);
        if (!atomic_load(&station->is_closed))
            hl_loop_uv_run(station->loop);
    }
}

int hl_station_create(struct hl_house *house, const struct hl_config *config, int listen_fd,
                      char *why, size_t why_size, struct hl_station **out_station)
{
    struct hl_station *station = calloc(1, sizeof(*station));
    if (station == NULL) {
        close(listen_fd);
        return -ENOMEM;
    }
    station->house = house;
    station->config = *config;
    station->tokens = house->secrets.tokens;
    set_doors(station);
    HL_CHECK(pthread_mutex_init(&station->lock, NULL) == 0);
    int r = hl_loop_uv_create(&station->loop);
    if (r == 0)
        r = create_hub(station);
    if (r == 0)
        r = create_api(station);
    if (r == 0)
        r = create_wire(station, listen_fd, why, why_size); /* takes the socket, also if it fails */
    else
        close(listen_fd);
    if (r == 0)
        r = hl_loop_timer_start(station->loop, TICK_MS, tick, station, &station->timer);
    if (r != 0) {
        hl_station_abandon(station);
        hl_station_destroy(station); /* nothing was submitted yet: the log posts to nobody */
        return r;
    }
    *out_station = station;
    return 0;
}

static void *run_station(void *arg)
{
    struct hl_station *station = arg;
    hl_loop_uv_run(station->loop);
    return NULL;
}

int hl_station_start(struct hl_station *station)
{
    atomic_store(&station->last_tick_ms, hl_clock_mono_ms(station->house->clock));
    return -pthread_create(&station->thread, NULL, run_station, station);
}

void hl_station_join(struct hl_station *station)
{
    HL_CHECK(pthread_join(station->thread, NULL) == 0);
}

/* Orders */

enum order_kind { ORDER_DRAIN, ORDER_REFUSE, ORDER_CLOSE, ORDER_RELOAD, ORDER_TOKENS };

struct order {
    struct hl_task task;
    enum order_kind kind;
    struct hl_station *station;
    uint32_t window_ms;
    uint32_t deadline_ms;
    struct hl_token_keys tokens;
    struct hl_config config;
};

static void reload_station(struct hl_station *station, const struct hl_config *config)
{
    struct hl_wire_config wire;
    char why[256];
    station->config.origins = config->origins;
    memcpy(station->config.public_url, config->public_url, sizeof(config->public_url));
    memcpy(station->config.tls_certificate, config->tls_certificate,
           sizeof(config->tls_certificate));
    memcpy(station->config.tls_key, config->tls_key, sizeof(config->tls_key));
    station->config.expected_answer_minutes = config->expected_answer_minutes;
    station->config.hub = config->hub;
    memcpy(station->config.trusted_proxies, config->trusted_proxies,
           sizeof(config->trusted_proxies));
    station->config.trusted_header = config->trusted_header;
    set_doors(station);
    set_signin(station);
    set_enquiries(station);
    hl_hub_set_limits(station->hub, &config->hub);
    fill_wire_config(station, &wire);
    if (hl_wire_reload(station->wire, &wire, why, sizeof(why)) != 0)
        hl_event(HL_EVENT_ERROR, "config.reload_failed", HL_TEXT("why", why),
                 HL_TEXT("note", "the certificate before stays in use"));
}

static void carry_out(struct hl_task *task)
{
    struct order *order = HL_CONTAINER_OF(task, struct order, task);
    struct hl_station *station = order->station;
    switch (order->kind) {
    case ORDER_DRAIN:
        hl_hub_drain(station->hub, order->window_ms, order->deadline_ms);
        hl_api_drain(station->api);
        break;
    case ORDER_REFUSE:
        hl_wire_stop_accepting(station->wire);
        break;
    case ORDER_CLOSE:
        hl_oidc_end(station->house->oidc);
        close_station(station);
        break;
    case ORDER_RELOAD:
        reload_station(station, &order->config);
        break;
    case ORDER_TOKENS:
        station->tokens = order->tokens;
        hl_hub_set_keys(station->hub, &station->tokens);
        break;
    }
    explicit_bzero(&order->tokens, sizeof(order->tokens));
    free(order);
}

static struct order *make_order(struct hl_station *station, enum order_kind kind)
{
    struct order *order = calloc(1, sizeof(*order));
    if (order == NULL)
        return NULL;
    order->task.run = carry_out;
    order->kind = kind;
    order->station = station;
    return order;
}

static void give_order(struct order *order)
{
    hl_loop_post(hl_loop_uv_loop(order->station->loop), &order->task);
}

void hl_station_drain(struct hl_station *station, uint32_t window_ms, uint32_t deadline_ms)
{
    struct order *order = make_order(station, ORDER_DRAIN);
    HL_CHECK(order != NULL);
    order->window_ms = window_ms;
    order->deadline_ms = deadline_ms;
    give_order(order);
}

void hl_station_refuse(struct hl_station *station)
{
    struct order *order = make_order(station, ORDER_REFUSE);
    HL_CHECK(order != NULL);
    give_order(order);
}

void hl_station_close(struct hl_station *station)
{
    struct order *order = make_order(station, ORDER_CLOSE);
    HL_CHECK(order != NULL);
    give_order(order);
}

int hl_station_reload(struct hl_station *station, const struct hl_config *config)
{
    struct order *order = make_order(station, ORDER_RELOAD);
    if (order == NULL)
        return -ENOMEM;
    order->config = *config;
    give_order(order);
    return 0;
}

int hl_station_set_tokens(struct hl_station *station, const struct hl_token_keys *keys)
{
    struct order *order = make_order(station, ORDER_TOKENS);
    if (order == NULL)
        return -ENOMEM;
    order->tokens = *keys;
    give_order(order);
    return 0;
}

bool hl_station_is_closed(struct hl_station *station)
{
    return atomic_load(&station->is_closed);
}

void hl_station_stats(struct hl_station *station, struct hl_station_stats *out_stats)
{
    pthread_mutex_lock(&station->lock);
    *out_stats = station->stats;
    pthread_mutex_unlock(&station->lock);
}

uint64_t hl_station_last_tick_ms(struct hl_station *station)
{
    return atomic_load(&station->last_tick_ms);
}
