#include "agent-api/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "agent-api/reply.h"
#include "base/check.h"
#include "base/result.h"

enum { KEY_SIZE_MAX = 255 };

static void add_part(crypto_generichash_state *state, const void *data, size_t size)
{
    uint64_t told = size;
    HL_CHECK(crypto_generichash_update(state, (const uint8_t *)&told, sizeof(told)) == 0);
    if (size > 0)
        HL_CHECK(crypto_generichash_update(state, data, size) == 0);
}

static void hash_request(const struct hl_exchange *exchange, const struct hl_principal *who,
                         const char *purpose, struct hl_bytes what, uint8_t out_hash[32])
{
    crypto_generichash_state state;
    const char *method = hl_method_name(exchange->method);
    HL_CHECK(crypto_generichash_init(&state, NULL, 0, 32) == 0);
    add_part(&state, purpose, strlen(purpose));
    add_part(&state, who->id.b, sizeof(who->id.b));
    add_part(&state, method, strlen(method));
    add_part(&state, exchange->path.data, exchange->path.size);
    add_part(&state, what.data, what.size);
    HL_CHECK(crypto_generichash_final(&state, out_hash, 32) == 0);
}

static bool is_key(struct hl_bytes key)
{
    for (size_t i = 0; i < key.size; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~')
            return false;
    }
    return key.size >= 1 && key.size <= KEY_SIZE_MAX;
}

bool hl_once_read(struct hl_exchange *exchange, const struct hl_principal *who, bool is_required,
                  struct hl_directory_once *out_once, bool *out_is_given)
{
    struct hl_bytes key = exchange->headers[HL_HEADER_IDEMPOTENCY_KEY];
    memset(out_once, 0, sizeof(*out_once));
    *out_is_given = key.size > 0;
    if (key.size == 0 && is_required) {
        hl_exchange_problem(exchange, HL_PROBLEM_IDEMPOTENCY_REQUIRED,
                            "Send Idempotency-Key with a random value, the same with every try.");
        return false;
    }
    if (key.size > 0 && !is_key(key)) {
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST,
                            "An Idempotency-Key is 1 to %d visible ASCII characters.",
                            KEY_SIZE_MAX);
        return false;
    }
    if (key.size > 0) {
        hash_request(exchange, who, "name", key, out_once->name);
        hash_request(exchange, who, "secret", key, out_once->secret);
        hash_request(exchange, who, "request", exchange->body, out_once->request);
    }
    return true;
}

void hl_once_encode(struct hl_buffer *out, int status, const char *location, const char *etag,
                    struct hl_bytes body)
{
    hl_buffer_printf(out, "%d\n%s\n%s\n", status, location != NULL ? location : "",
                     etag != NULL ? etag : "");
    hl_buffer_append_bytes(out, body);
}

static struct hl_bytes take_line(struct hl_bytes *rest)
{
    const char *end = memchr(rest->data, '\n', rest->size);
    struct hl_bytes line = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size};
    size_t skipped = line.size + (end != NULL ? 1 : 0);
    rest->data += skipped;
    rest->size -= skipped;
    return line;
}

void hl_once_replay(struct hl_exchange *exchange, struct hl_bytes answer)
{
    int status = 0;
    struct hl_bytes line = take_line(&answer);
    for (size_t i = 0; i < line.size; i++)
        status = status * 10 + (line.data[i] - '0');
    struct hl_bytes location = take_line(&answer);
    struct hl_bytes etag = take_line(&answer);
    if (location.size > 0)
        exchange->ops->header(exchange, "location", location);
    if (etag.size > 0)
        exchange->ops->header(exchange, "etag", etag);
    hl_reply_add_text(exchange, "idempotent-replayed", "true");
    exchange->ops->answer(exchange, status, "application/json", answer);
}

void hl_once_problem(struct hl_exchange *exchange, int r, const char *noun)
{
    switch (r) {
    case HL_DIRECTORY_UNKNOWN:
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND, "There is no such %s.", noun);
        break;
    case HL_DIRECTORY_REVISION:
        hl_exchange_problem(exchange, HL_PROBLEM_PRECONDITION_FAILED,
                            "The %s was changed since; read it again for its ETag.", noun);
        break;
    case HL_DIRECTORY_TAKEN:
        hl_exchange_problem(exchange, HL_PROBLEM_TAKEN, "Another %s has this name.", noun);
        break;
    case HL_DIRECTORY_LIMIT:
        hl_exchange_problem(exchange, HL_PROBLEM_LIMIT_REACHED, "There is no room for another %s.",
                            noun);
        break;
    case HL_DIRECTORY_LAST_ADMIN:
        hl_exchange_problem(exchange, HL_PROBLEM_IN_USE,
                            "This would leave no active admin who can sign in. Add another one "
                            "first, or use `holdline key` where the gateway runs.");
        break;
    case HL_DIRECTORY_UNRECORDED:
        hl_exchange_problem(exchange, HL_PROBLEM_AUDIT_UNAVAILABLE,
                            "It was changed; the audit log will have it as soon as that is "
                            "possible.");
        break;
    case HL_DIRECTORY_IN_PROGRESS:
        hl_exchange_problem(exchange, HL_PROBLEM_IDEMPOTENCY_IN_PROGRESS,
                            "The first request with this Idempotency-Key is still under way.");
        break;
    case HL_DIRECTORY_MISMATCH:
        hl_exchange_problem(exchange, HL_PROBLEM_IDEMPOTENCY_MISMATCH,
                            "This Idempotency-Key was used with another body.");
        break;
    case HL_DIRECTORY_CLOSED:
        hl_exchange_problem(exchange, HL_PROBLEM_DRAINING, "Nothing was changed; repeat it.");
        break;
    case -ENOSPC:
        hl_exchange_problem(exchange, HL_PROBLEM_STORAGE_FULL, "Nothing was changed.");
        break;
    default:
        hl_exchange_problem(exchange, HL_PROBLEM_UNAVAILABLE,
                            "It may or may not have been changed; look, or repeat it.");
        break;
    }
}
