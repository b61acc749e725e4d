#include "agent-api/audit/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/api_state.h"
#include "agent-api/audit.h"
#include "base/check.h"
#include "base/hash.h"

enum {
    READS = 1024,
    USES = 512,
    STRANGERS = 64,
    BURST = 10, /* refusals from one address in a minute that are worth an entry */
    BURSTS_MAX = 10,
    MINUTE_MS = 60000,
};

struct read {
    struct hl_id reader, conversation;
    uint64_t action; /* a hash */
    uint64_t until_ms;
};

struct use {
    struct hl_id key;
    uint64_t address;
};

struct stranger {
    uint64_t address;
    uint64_t since_ms;
    uint32_t n_refused;
};

struct hl_audit_memory {
    pthread_mutex_t lock; /* over the rest */
    struct read reads[READS];
    struct use uses[USES];
    struct stranger strangers[STRANGERS];
    uint64_t bursts_since_ms;
    uint32_t n_bursts; /* recorded since then */
};

struct hl_audit_memory *hl_audit_memory_create(void)
{
    struct hl_audit_memory *memory = calloc(1, sizeof(*memory));
    if (memory != NULL)
        HL_CHECK(pthread_mutex_init(&memory->lock, NULL) == 0);
    return memory;
}

void hl_audit_memory_destroy(struct hl_audit_memory *memory)
{
    if (memory == NULL)
        return;
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static uint64_t hash_bytes(const void *data, size_t size)
{
    static const uint8_t key[HL_HASH_KEY_SIZE] = {3};
    return hl_hash(key, data, size);
}

static struct read *find_read(struct hl_audit_memory *memory, const struct hl_id *reader,
                              const struct hl_id *conversation, uint64_t action)
{
    struct hl_id both[2] = {*reader, *conversation};
    return &memory->reads[(hash_bytes(both, sizeof(both)) ^ action) % READS];
}

void hl_audit_memory_keep(struct hl_api *api, const struct hl_id *reader,
                          const struct hl_id *conversation, const char *action)
{
    struct hl_audit_memory *memory = api->config.audit_memory;
    uint64_t until_ms = hl_clock_mono_ms(api->config.clock) + HL_AUDIT_COALESCE_MS;
    uint64_t hash = hash_bytes(action, strlen(action));
    pthread_mutex_lock(&memory->lock);
    *find_read(memory, reader, conversation, hash) =
        (struct read){*reader, *conversation, hash, until_ms};
    pthread_mutex_unlock(&memory->lock);
}

bool hl_audit_memory_has(struct hl_api *api, const struct hl_id *reader,
                         const struct hl_id *conversation, const char *action)
{
    struct hl_audit_memory *memory = api->config.audit_memory;
    uint64_t hash = hash_bytes(action, strlen(action));
    pthread_mutex_lock(&memory->lock);
    struct read read = *find_read(memory, reader, conversation, hash);
    pthread_mutex_unlock(&memory->lock);
    return hl_id_equal(&read.reader, reader) && hl_id_equal(&read.conversation, conversation) &&
           read.action == hash && hl_clock_mono_ms(api->config.clock) < read.until_ms;
}

/* Whether it is new; then it is known from now on. */
static bool learn_use(struct hl_audit_memory *memory, const struct use *seen)
{
    pthread_mutex_lock(&memory->lock);
    struct use *use = &memory->uses[hash_bytes(seen, sizeof(*seen)) % USES];
    bool is_new = !hl_id_equal(&use->key, &seen->key) || use->address != seen->address;
    *use = *seen;
    pthread_mutex_unlock(&memory->lock);
    return is_new;
}

void hl_audit_memory_note_use(struct hl_api *api, const struct hl_exchange *exchange,
                              const struct hl_principal *principal)
{
    char key[HL_ID_TEXT_SIZE];
    struct use seen = {principal->key, hash_bytes(exchange->address.data, exchange->address.size)};
    if (hl_id_is_zero(&principal->key) || !learn_use(api->config.audit_memory, &seen))
        return;
    hl_id_format(&principal->key, HL_ID_KEY, key);
    struct hl_audit_event event = {
        .action = "key.used_from", .site = principal->site, .object = key};
    hl_audit_note(api, exchange, principal, &event);
}

/* Whether this is the refusal that makes a burst. */
static bool count_refusal(struct hl_audit_memory *memory, uint64_t now_ms, uint64_t address)
{
    struct stranger *stranger = &memory->strangers[address % STRANGERS];
    if (stranger->address != address || now_ms >= stranger->since_ms + MINUTE_MS)
        *stranger = (struct stranger){.address = address, .since_ms = now_ms};
    if (++stranger->n_refused != BURST)
        return false;
    if (now_ms >= memory->bursts_since_ms + MINUTE_MS) {
        memory->bursts_since_ms = now_ms;
        memory->n_bursts = 0;
    }
    return memory->n_bursts++ < BURSTS_MAX;
}

void hl_audit_memory_note_refusal(struct hl_api *api, const struct hl_exchange *exchange)
{
    static const char details[] = "{\"refused\":10}";
    struct hl_audit_event event = {.action = "sign_in.refused", .details = hl_bytes_of(details)};
    struct hl_audit_memory *memory = api->config.audit_memory;
    uint64_t now_ms = hl_clock_mono_ms(api->config.clock);
    uint64_t address = hash_bytes(exchange->address.data, exchange->address.size);
    pthread_mutex_lock(&memory->lock);
    bool is_burst = count_refusal(memory, now_ms, address);
    pthread_mutex_unlock(&memory->lock);
    if (is_burst)
        hl_audit_note(api, exchange, NULL, &event);
}
