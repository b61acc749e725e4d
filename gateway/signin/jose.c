#include "gateway/signin/jose.h"

#include <stdlib.h>
#include <string.h>

#include <cjose/cjose.h>

#include "base/result.h"

enum { KID_SIZE_MAX = 255, RSA_BITS_MIN = 2048, ES256_SIGNATURE_TEXT = 86 };

enum algorithm { ALGORITHM_NONE, ALGORITHM_RS256, ALGORITHM_ES256 };

struct key {
    enum algorithm algorithm;
    char kid[KID_SIZE_MAX + 1]; /* empty: it has no name */
    cjose_jwk_t *jwk;
};

struct hl_jose_keys {
    size_t n_items;
    struct key items[HL_JOSE_KEYS_MAX];
};

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) && json_string_length(value) == strlen(wanted) &&
           memcmp(json_string_value(value), wanted, strlen(wanted)) == 0;
}

static bool is_text_or_absent(const json_t *object, const char *name, const char *wanted)
{
    return json_object_get(object, name) == NULL || is_text(object, name, wanted);
}

/* What the key may be used for here. */
static enum algorithm algorithm_of_key(const json_t *key)
{
    if (!is_text_or_absent(key, "use", "sig"))
        return ALGORITHM_NONE;
    if (is_text(key, "kty", "RSA") && is_text_or_absent(key, "alg", "RS256"))
        return ALGORITHM_RS256;
    if (is_text(key, "kty", "EC") && is_text(key, "crv", "P-256") &&
        is_text_or_absent(key, "alg", "ES256"))
        return ALGORITHM_ES256;
    return ALGORITHM_NONE;
}

static bool copy_kid(const json_t *object, char out_kid[KID_SIZE_MAX + 1])
{
    const json_t *kid = json_object_get(object, "kid");
    out_kid[0] = '\0';
    if (kid == NULL)
        return true;
    if (!json_is_string(kid) || json_string_length(kid) == 0 ||
        json_string_length(kid) > KID_SIZE_MAX)
        return false;
    memcpy(out_kid, json_string_value(kid), json_string_length(kid) + 1);
    return true;
}

/* Keys that cannot be read are left out like those of other kinds: the others are still good. */
static void add_key(struct hl_jose_keys *keys, const json_t *object)
{
    cjose_err error;
    struct key *key = &keys->items[keys->n_items];
    key->algorithm = algorithm_of_key(object);
    if (key->algorithm == ALGORITHM_NONE || !copy_kid(object, key->kid))
        return;
    char *text = json_dumps(object, JSON_COMPACT);
    if (text == NULL)
        return;
    key->jwk = cjose_jwk_import(text, strlen(text), &error);
    free(text);
    if (key->jwk == NULL)
        return;
    if (key->algorithm == ALGORITHM_RS256 &&
        cjose_jwk_get_keysize(key->jwk, &error) < RSA_BITS_MIN) {
        cjose_jwk_release(key->jwk);
        key->jwk = NULL;
        return;
    }
    keys->n_items++;
}

int hl_jose_keys_parse(struct hl_bytes text, struct hl_jose_keys **out_keys)
{
    json_t *set = NULL;
    int r = hl_json_parse(text, NULL, 0, &set);
    if (r != 0)
        return r < 0 ? r : HL_JOSE_INVALID;
    const json_t *list = json_object_get(set, "keys");
    struct hl_jose_keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL)
        r = -ENOMEM;
    else if (!json_is_array(list))
        r = HL_JOSE_INVALID;
    for (size_t i = 0; r == 0 && i < json_array_size(list) && keys->n_items < HL_JOSE_KEYS_MAX; i++)
        add_key(keys, json_array_get(list, i));
    json_decref(set);
    if (r != 0) {
        hl_jose_keys_free(keys);
        return r;
    }
    *out_keys = keys;
    return 0;
}

void hl_jose_keys_free(struct hl_jose_keys *keys)
{
    for (size_t i = 0; keys != NULL && i < keys->n_items; i++)
        cjose_jwk_release(keys->items[i].jwk);
    free(keys);
}

size_t hl_jose_n_keys(const struct hl_jose_keys *keys)
{
    return keys->n_items;
}

static int decode_head(struct hl_bytes token, json_t **out_head)
{
    cjose_err error;
    uint8_t *text = NULL;
    size_t size = 0;
    const char *dot = memchr(token.data, '.', token.size);
    if (dot == NULL || dot == token.data)
        return HL_JOSE_INVALID;
    if (!cjose_base64url_decode(token.data, (size_t)(dot - token.data), &text, &size, &error))
        return HL_JOSE_INVALID;
    int r = hl_json_parse((struct hl_bytes){(const char *)text, size}, NULL, 0, out_head);
    cjose_get_dealloc()(text);
    return r > 0 ? HL_JOSE_INVALID : r;
}

/* Three parts; what ES256 signs with is 64 bytes, always. */
static bool is_shape_good(struct hl_bytes token, enum algorithm algorithm)
{
    const char *first = memchr(token.data, '.', token.size);
    const char *last = memrchr(token.data, '.', token.size);
    if (first == NULL || first == last ||
        memchr(first + 1, '.', (size_t)(last - first) - 1) != NULL)
        return false;
    size_t size = token.size - (size_t)(last - token.data) - 1;
    return algorithm == ALGORITHM_ES256 ? size == ES256_SIGNATURE_TEXT : size > 0;
}

static enum algorithm algorithm_of_head(const json_t *head)
{
    if (json_object_get(head, "crit") != NULL || json_object_get(head, "b64") != NULL)
        return ALGORITHM_NONE; /* asks for what is not understood here */
    if (is_text(head, "alg", "RS256"))
        return ALGORITHM_RS256;
    return is_text(head, "alg", "ES256") ? ALGORITHM_ES256 : ALGORITHM_NONE;
}

/* The key of that name; without a name, the only one that fits. */
static const struct key *find_key(const struct hl_jose_keys *keys, const char *kid,
                                  enum algorithm algorithm)
{
    const struct key *found = NULL;
    for (size_t i = 0; i < keys->n_items; i++) {
        const struct key *key = &keys->items[i];
        if (key->algorithm != algorithm || (kid[0] != '\0' && strcmp(key->kid, kid) != 0))
            continue;
        if (found != NULL)
            return NULL;
        found = key;
    }
    return found;
}

static int open_token(const struct key *key, struct hl_bytes token, json_t **out_claims)
{
    cjose_err error;
    uint8_t *text = NULL; /* the token's */
    size_t size = 0;
    cjose_jws_t *jws = cjose_jws_import(token.data, token.size, &error);
    if (jws == NULL)
        return HL_JOSE_INVALID;
    int r = cjose_jws_verify(jws, key->jwk, &error) ? 0 : HL_JOSE_SIGNATURE;
    if (r == 0 && !cjose_jws_get_plaintext(jws, &text, &size, &error))
        r = HL_JOSE_INVALID;
    if (r == 0)
        r = hl_json_parse((struct hl_bytes){(const char *)text, size}, NULL, 0, out_claims);
    cjose_jws_release(jws);
    if (r == 0 && !json_is_object(*out_claims)) {
        json_decref(*out_claims);
        r = HL_JOSE_INVALID;
    }
    return r;
}

int hl_jose_verify(const struct hl_jose_keys *keys, struct hl_bytes token, json_t **out_claims)
{
    char kid[KID_SIZE_MAX + 1];
    json_t *head = NULL;
    if (token.size == 0 || token.size > HL_JOSE_TOKEN_SIZE_MAX)
        return HL_JOSE_INVALID;
    int r = decode_head(token, &head);
    if (r != 0)
        return r;
    enum algorithm algorithm = algorithm_of_head(head);
    bool has_kid = copy_kid(head, kid);
    json_decref(head);
    if (algorithm == ALGORITHM_NONE)
        return HL_JOSE_ALGORITHM;
    if (!has_kid || !is_shape_good(token, algorithm))
        return HL_JOSE_INVALID;
    const struct key *key = find_key(keys, kid, algorithm);
    return key != NULL ? open_token(key, token, out_claims) : HL_JOSE_NO_KEY;
}
