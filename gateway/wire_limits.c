#include "gateway/wire_limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

enum {
    BUCKETS = 4096,
    /* Addresses remembered without a connection, so that reconnecting does not refill a
     * bucket. The oldest is forgotten first. */
    IDLE_MAX = 16384,
    TOKEN = 1000 /* a request costs this many thousandths */
};

const struct hl_wire_limits hl_wire_limits_default = {
    .connections_max = 16384,
    .connections_per_address_max = 256,
    .accepts_per_s = 2000,
    .requests_per_address_per_s = 100,
    .requests_burst = 400,
    .header_bytes_max = 8192,
    .body_bytes_max = 131072,
    .message_bytes_max = 65536,
    .header_ms = 10000,
    .body_ms = 20000,
    .idle_ms = 60000,
    .write_stall_ms = 30000,
    .response_bytes_max = 8U << 20,
};

struct bucket { /* a token bucket: level thousandths of a token at `at_ms` */
    uint64_t level;
    uint64_t at_ms;
};

struct address {
    struct hl_list chain;
    struct hl_list idle; /* linked while connections is 0, in order of leaving */
    struct hl_limits_key key;
    uint32_t connections;
    struct bucket requests;
};

struct hl_wire_shared {
    pthread_mutex_t lock;
    struct hl_wire_limits limits;
    uint64_t connections;
    struct bucket accepts;
    size_t n_idle;
    struct hl_list idle;
    struct hl_list chains[BUCKETS];
    _Atomic uint64_t counters[HL_COUNT_END];
};

int hl_wire_shared_create(const struct hl_wire_limits *limits, struct hl_wire_shared **out_shared)
{
    struct hl_wire_shared *shared = calloc(1, sizeof(*shared));

    if (shared == NULL)
        return -ENOMEM;
    if (pthread_mutex_init(&shared->lock, NULL) != 0) {
        free(shared);
        return -ENOMEM;
    }
    shared->limits = *limits;
    shared->accepts.level = (uint64_t)limits->accepts_per_s * TOKEN;
    hl_list_init(&shared->idle);
    for (size_t i = 0; i < BUCKETS; i++)
        hl_list_init(&shared->chains[i]);
    *out_shared = shared;
    return 0;
}

void hl_wire_shared_destroy(struct hl_wire_shared *shared)
{
    if (shared == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (!hl_list_is_empty(&shared->chains[i])) {
            struct address *address =
                HL_CONTAINER_OF(shared->chains[i].next, struct address, chain);

            hl_list_remove(&address->chain);
            free(address);
        }
    }
    pthread_mutex_destroy(&shared->lock);
    free(shared);
}

void hl_wire_shared_set_limits(struct hl_wire_shared *shared, const struct hl_wire_limits *limits)
{
    pthread_mutex_lock(&shared->lock);
    shared->limits = *limits;
    pthread_mutex_unlock(&shared->lock);
}

void hl_limits_copy(struct hl_wire_shared *shared, struct hl_wire_limits *out_limits)
{
    pthread_mutex_lock(&shared->lock);
    *out_limits = shared->limits;
    pthread_mutex_unlock(&shared->lock);
}

void hl_limits_count(struct hl_wire_shared *shared, enum hl_wire_counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&shared->counters[counter], n, memory_order_relaxed);
}

static uint64_t read_counter(struct hl_wire_shared *shared, enum hl_wire_counter counter)
{
    return atomic_load_explicit(&shared->counters[counter], memory_order_relaxed);
}

void hl_wire_shared_stats(struct hl_wire_shared *shared, struct hl_wire_stats *out_stats)
{
    pthread_mutex_lock(&shared->lock);
    out_stats->connections = shared->connections;
    pthread_mutex_unlock(&shared->lock);
    out_stats->accepted = read_counter(shared, HL_COUNT_ACCEPTED);
    out_stats->refused_address = read_counter(shared, HL_COUNT_REFUSED_ADDRESS);
    out_stats->refused_total = read_counter(shared, HL_COUNT_REFUSED_TOTAL);
    out_stats->refused_rate = read_counter(shared, HL_COUNT_REFUSED_RATE);
    out_stats->gate_refusals = read_counter(shared, HL_COUNT_GATE_REFUSALS);
    out_stats->requests = read_counter(shared, HL_COUNT_REQUESTS);
    out_stats->requests_too_fast = read_counter(shared, HL_COUNT_TOO_FAST);
    out_stats->websockets = read_counter(shared, HL_COUNT_WEBSOCKETS);
    out_stats->tls_errors = read_counter(shared, HL_COUNT_TLS_ERRORS);
    out_stats->timeouts = read_counter(shared, HL_COUNT_TIMEOUTS);
    out_stats->bytes_in = read_counter(shared, HL_COUNT_BYTES_IN);
    out_stats->bytes_out = read_counter(shared, HL_COUNT_BYTES_OUT);
}

struct hl_limits_key hl_limits_key_of(const struct sockaddr *address)
{
    struct hl_limits_key key = {{0}};

    if (address->sa_family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

        /* a v4 client on a v6 socket counts by its whole v4 address */
        memcpy(key.b, v6, IN6_IS_ADDR_V4MAPPED(v6) ? 16 : 8);
    } else if (address->sa_family == AF_INET) {
        key.b[10] = 0xff;
        key.b[11] = 0xff;
        memcpy(key.b + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
    return key;
}

void hl_limits_address_text(const struct sockaddr *address, char *out_text, size_t out_size)
{
    const void *from = NULL;
    int family = address->sa_family;

    if (family == AF_INET)
        from = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (family == AF_INET6) {
        const struct in6_addr *v6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

        from = v6;
        if (IN6_IS_ADDR_V4MAPPED(v6)) {
            from = v6->s6_addr + 12;
            family = AF_INET;
        }
    }
    out_text[0] = '\0';
    if (from != NULL)
        (void)inet_ntop(family, from, out_text, (socklen_t)out_size);
}

static struct hl_list *find_chain(struct hl_wire_shared *shared, const struct hl_limits_key *key)
{
    uint64_t hash = 14695981039346656037U;

    for (size_t i = 0; i < sizeof(key->b); i++)
        hash = (hash ^ key->b[i]) * 1099511628211U;
    return &shared->chains[(hash ^ hash >> 32) % BUCKETS];
}

static struct address *find_address(struct hl_wire_shared *shared, const struct hl_limits_key *key)
{
    struct hl_list *chain = find_chain(shared, key);

    for (struct hl_list *at = chain->next; at != chain; at = at->next) {
        struct address *address = HL_CONTAINER_OF(at, struct address, chain);

        if (memcmp(&address->key, key, sizeof(*key)) == 0)
            return address;
    }
    return NULL;
}

static void forget_oldest(struct hl_wire_shared *shared)
{
    struct address *address = HL_CONTAINER_OF(shared->idle.next, struct address, idle);

    hl_list_remove(&address->idle);
    hl_list_remove(&address->chain);
    shared->n_idle--;
    free(address);
}

static struct address *add_address(struct hl_wire_shared *shared, const struct hl_limits_key *key,
                                   uint64_t now_ms)
{
    struct address *address = calloc(1, sizeof(*address));

    if (address == NULL)
        return NULL;
    address->key = *key;
    address->requests.level = (uint64_t)shared->limits.requests_burst * TOKEN;
    address->requests.at_ms = now_ms;
    hl_list_add(find_chain(shared, key), &address->chain);
    return address;
}

/* Takes a token; false if there is none, then out_wait_ms says until when. */
static bool take_token(struct bucket *bucket, uint64_t per_s, uint64_t burst, uint64_t now_ms,
                       uint32_t *out_wait_ms)
{
    uint64_t elapsed_ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
    uint64_t full = burst * TOKEN;

    if (per_s == 0)
        return true;
    if (elapsed_ms > 3600000)
        elapsed_ms = 3600000;
    bucket->level += elapsed_ms * per_s; /* tokens/s are thousandths/ms */
    bucket->at_ms = now_ms;
    if (bucket->level > full)
        bucket->level = full;
    if (bucket->level >= TOKEN) {
        bucket->level -= TOKEN;
        return true;
    }
    *out_wait_ms = (uint32_t)((TOKEN - bucket->level + per_s - 1) / per_s);
    return false;
}

static bool is_full(const struct hl_wire_shared *shared, const struct address *address)
{
    return address != NULL && address->connections >= shared->limits.connections_per_address_max;
}

static void hold_address(struct hl_wire_shared *shared, struct address *address)
{
    if (hl_list_is_linked(&address->idle)) {
        hl_list_remove(&address->idle);
        shared->n_idle--;
    }
    address->connections++;
}

/* Nothing holds it any more; what it used up is remembered for a while. */
static void rest_address(struct hl_wire_shared *shared, struct address *address)
{
    hl_list_add(&shared->idle, &address->idle);
    shared->n_idle++;
    if (shared->n_idle > IDLE_MAX)
        forget_oldest(shared);
}

static void drop_address(struct hl_wire_shared *shared, struct address *address)
{
    HL_CHECK(address != NULL && address->connections > 0);
    address->connections--;
    if (address->connections == 0)
        rest_address(shared, address);
}

static enum hl_admission admit_locked(struct hl_wire_shared *shared,
                                      const struct hl_limits_key *key, bool is_proxy,
                                      uint64_t now_ms)
{
    const struct hl_wire_limits *limits = &shared->limits;
    struct address *address = find_address(shared, key);
    uint32_t wait_ms;

    if (shared->connections >= limits->connections_max)
        return HL_ADMISSION_TOTAL;
    if (!is_proxy && is_full(shared, address))
        return HL_ADMISSION_ADDRESS;
    if (!take_token(&shared->accepts, limits->accepts_per_s, limits->accepts_per_s, now_ms,
                    &wait_ms))
        return HL_ADMISSION_RATE;
    if (address == NULL)
        address = add_address(shared, key, now_ms);
    if (address == NULL)
        return HL_ADMISSION_TOTAL;
    hold_address(shared, address);
    shared->connections++;
    return HL_ADMITTED;
}

enum hl_admission hl_limits_admit(struct hl_wire_shared *shared, const struct hl_limits_key *key,
                                  bool is_proxy, uint64_t now_ms)
{
    static const enum hl_wire_counter counters[] = {
        [HL_ADMITTED] = HL_COUNT_ACCEPTED,
        [HL_ADMISSION_ADDRESS] = HL_COUNT_REFUSED_ADDRESS,
        [HL_ADMISSION_TOTAL] = HL_COUNT_REFUSED_TOTAL,
        [HL_ADMISSION_RATE] = HL_COUNT_REFUSED_RATE,
    };
    enum hl_admission admission;

    pthread_mutex_lock(&shared->lock);
    admission = admit_locked(shared, key, is_proxy, now_ms);
    pthread_mutex_unlock(&shared->lock);
    hl_limits_count(shared, counters[admission], 1);
    return admission;
}

void hl_limits_release(struct hl_wire_shared *shared, const struct hl_limits_key *key)
{
    pthread_mutex_lock(&shared->lock);
    HL_CHECK(shared->connections > 0);
    shared->connections--;
    drop_address(shared, find_address(shared, key));
    pthread_mutex_unlock(&shared->lock);
}

int hl_limits_request(struct hl_wire_shared *shared, const struct hl_limits_key *key,
                      uint64_t now_ms, uint32_t *out_retry_ms)
{
    struct address *address;
    bool is_taken;

    pthread_mutex_lock(&shared->lock);
    address = find_address(shared, key);
    if (address == NULL) { /* known only by a proxy's word: no connection is counted in it */
        address = add_address(shared, key, now_ms);
        if (address != NULL)
            rest_address(shared, address);
    }
    is_taken =
        address == NULL || take_token(&address->requests, shared->limits.requests_per_address_per_s,
                                      shared->limits.requests_burst, now_ms, out_retry_ms);
    pthread_mutex_unlock(&shared->lock);
    hl_limits_count(shared, is_taken ? HL_COUNT_REQUESTS : HL_COUNT_TOO_FAST, 1);
    return is_taken ? 0 : HL_LIMITS_TOO_FAST;
}

bool hl_limits_move(struct hl_wire_shared *shared, const struct hl_limits_key *from,
                    const struct hl_limits_key *to, uint64_t now_ms)
{
    struct address *address;
    bool is_moved;

    pthread_mutex_lock(&shared->lock);
    address = find_address(shared, to);
    is_moved = !is_full(shared, address);
    if (is_moved && address == NULL)
        address = add_address(shared, to, now_ms);
    is_moved = is_moved && address != NULL;
    if (is_moved) {
        hold_address(shared, address);
        drop_address(shared, find_address(shared, from));
    }
    pthread_mutex_unlock(&shared->lock);
    return is_moved;
}
