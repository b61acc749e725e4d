#include "gateway/signin/attempts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"

enum { PLACES = 4096 };

/* Each failure takes HL_ATTEMPTS_EVERY_MS of time, of which some may be owed: the time at which
 * all is paid says everything (a token bucket, kept as one number). */
struct hl_attempts {
    pthread_mutex_t lock;
    uint8_t key[HL_HASH_KEY_SIZE];
    uint64_t paid_ms[PLACES];
};

int hl_attempts_create(struct hl_attempts **out_attempts)
{
    struct hl_attempts *attempts = calloc(1, sizeof(*attempts));
    if (attempts == NULL)
        return -ENOMEM;
    hl_random_fill(hl_random_system(), attempts->key, sizeof(attempts->key));
    HL_CHECK(pthread_mutex_init(&attempts->lock, NULL) == 0);
    *out_attempts = attempts;
    return 0;
}

void hl_attempts_destroy(struct hl_attempts *attempts)
{
    if (attempts == NULL)
        return;
    pthread_mutex_destroy(&attempts->lock);
    free(attempts);
}

static uint64_t *place_of(struct hl_attempts *attempts, struct hl_bytes address)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr v6;
    if (address.size > 0 && address.size < sizeof(text))
        memcpy(text, address.data, address.size);
    uint64_t hash = inet_pton(AF_INET6, text, &v6) == 1
                        ? hl_hash(attempts->key, &v6, 8)
                        : hl_hash(attempts->key, text, strlen(text));
    return &attempts->paid_ms[hash % PLACES];
}

uint32_t hl_attempts_wait_ms(struct hl_attempts *attempts, struct hl_bytes address, uint64_t now_ms)
{
    const uint64_t allowed_ms = (uint64_t)(HL_ATTEMPTS_AT_ONCE - 1) * HL_ATTEMPTS_EVERY_MS;
    pthread_mutex_lock(&attempts->lock);
    uint64_t paid_ms = *place_of(attempts, address);
    pthread_mutex_unlock(&attempts->lock);
    return paid_ms > now_ms + allowed_ms ? (uint32_t)(paid_ms - now_ms - allowed_ms) : 0;
}

void hl_attempts_fail(struct hl_attempts *attempts, struct hl_bytes address, uint64_t now_ms)
{
    const uint64_t most_ms = now_ms + (uint64_t)HL_ATTEMPTS_AT_ONCE * HL_ATTEMPTS_EVERY_MS;
    pthread_mutex_lock(&attempts->lock);
    uint64_t *paid_ms = place_of(attempts, address);
    if (*paid_ms < now_ms)
        *paid_ms = now_ms;
    *paid_ms += HL_ATTEMPTS_EVERY_MS;
    if (*paid_ms > most_ms)
        *paid_ms = most_ms;
    pthread_mutex_unlock(&attempts->lock);
}
