#include "gateway/secrets.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/check.h"
#include "base/result.h"

enum { TEXT_SIZE = 2 * HL_SECRET_SIZE + 1, KIDS_MAX = 64 };

static const char token_prefix[] = "token-";

static int join_path(const char *folder, const char *name, char out_path[PATH_MAX])
{
    int n = snprintf(out_path, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int check_mode(const char *path, const struct stat *status, char *why, size_t why_size)
{
    if ((status->st_mode & (S_IRWXG | S_IRWXO)) == 0 && status->st_uid == geteuid())
        return 0;
    snprintf(why, why_size,
             "%s is mode %04o of user %u: it must belong to the user that runs "
             "holdline and be closed to all others (chmod go= %s)",
             path, (unsigned)(status->st_mode & 07777), (unsigned)status->st_uid, path);
    return HL_SECRETS_OPEN_TO_OTHERS;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return r;
}

static int write_all(int fd, const char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

/* Two starts at once make two temporary files, and link() lets one of them win. */
static int make_secret(const char *folder, const char *name, const struct hl_random *random)
{
    uint8_t secret[HL_SECRET_SIZE];
    char text[TEXT_SIZE + 1];
    char path[PATH_MAX];
    char temporary[PATH_MAX];
    char temporary_name[80];
    snprintf(temporary_name, sizeof(temporary_name), ".new-%.40s-%ld", name, (long)getpid());
    int r = join_path(folder, name, path);
    if (r == 0)
        r = join_path(folder, temporary_name, temporary);
    if (r != 0)
        return r;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    hl_random_fill(random, secret, sizeof(secret));
    sodium_bin2hex(text, TEXT_SIZE, secret, sizeof(secret));
    text[TEXT_SIZE - 1] = '\n';
    r = write_all(fd, text, TEXT_SIZE);
    close(fd);
    if (r == 0 && link(temporary, path) != 0 && errno != EEXIST)
        r = -errno;
    unlink(temporary);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(text, sizeof(text));
    return r == 0 ? sync_folder(folder) : r;
}

static int parse_secret(const char *path, const char text[TEXT_SIZE], size_t size, char *why,
                        size_t why_size, uint8_t out_secret[HL_SECRET_SIZE])
{
    size_t n_bytes = 0;
    const char *end = NULL;
    if (size == TEXT_SIZE && text[TEXT_SIZE - 1] == '\n' &&
        sodium_hex2bin(out_secret, HL_SECRET_SIZE, text, TEXT_SIZE - 1, NULL, &n_bytes, &end) ==
            0 &&
        n_bytes == HL_SECRET_SIZE && end == text + TEXT_SIZE - 1)
        return 0;
    snprintf(why, why_size,
             "%s is damaged: it must hold 64 hex digits and a line feed; put it "
             "back from a backup",
             path);
    return HL_SECRETS_DAMAGED;
}

static int read_secret(const char *folder, const char *name, char *why, size_t why_size,
                       uint8_t out_secret[HL_SECRET_SIZE])
{
    char path[PATH_MAX];
    char text[TEXT_SIZE + 1];
    struct stat status;
    int r = join_path(folder, name, path);
    if (r != 0)
        return r;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        snprintf(why, why_size,
                 "%s is missing although the data folder holds a log; put it back "
                 "from a backup",
                 path);
        return HL_SECRETS_DAMAGED;
    }
    if (fd < 0) {
        r = -errno;
        snprintf(why, why_size, "cannot open %s: %s", path, strerror(-r));
        return r;
    }
    r = fstat(fd, &status) == 0 ? check_mode(path, &status, why, why_size) : -errno;
    if (r == 0) {
        ssize_t n = read(fd, text, sizeof(text));
        r = n < 0 ? -errno : parse_secret(path, text, (size_t)n, why, why_size, out_secret);
    }
    close(fd);
    sodium_memzero(text, sizeof(text));
    return r;
}

static bool is_kid(const char *kid)
{
    size_t size = strlen(kid);
    return size >= 1 && size <= HL_TOKEN_KID_SIZE &&
           strspn(kid, "abcdefghijklmnopqrstuvwxyz0123456789") == size;
}

struct kids {
    size_t n_kids;
    char items[KIDS_MAX][HL_TOKEN_KID_SIZE + 1];
};

static int compare_kids(const void *a, const void *b)
{
    return strcmp(b, a); /* newest first */
}

/* Kids begin with the time they were made, so their order is their age. */
static int list_kids(const char *folder, struct kids *out_kids)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return -errno;
    out_kids->n_kids = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        const char *kid = entry->d_name + strlen(token_prefix);
        if (strncmp(entry->d_name, token_prefix, strlen(token_prefix)) != 0 || !is_kid(kid))
            continue;
        if (out_kids->n_kids == KIDS_MAX)
            break;
        memcpy(out_kids->items[out_kids->n_kids++], kid, strlen(kid) + 1);
    }
    closedir(entries);
    qsort(out_kids->items, out_kids->n_kids, sizeof(out_kids->items[0]), compare_kids);
    return 0;
}

static int load_tokens(const char *folder, char *why, size_t why_size,
                       struct hl_token_keys *out_keys)
{
    struct kids kids;
    int r = list_kids(folder, &kids);
    for (size_t i = 0; r == 0 && i < kids.n_kids && i < HL_TOKEN_KEYS_MAX; i++) {
        char name[sizeof(token_prefix) + HL_TOKEN_KID_SIZE];
        struct hl_token_key *key = &out_keys->keys[i];
        snprintf(name, sizeof(name), "%s%s", token_prefix, kids.items[i]);
        memcpy(key->kid, kids.items[i], sizeof(key->kid));
        r = read_secret(folder, name, why, why_size, key->secret);
        out_keys->n_keys = i + 1;
    }
    if (r == 0 && out_keys->n_keys == 0) {
        snprintf(why, why_size, "%s holds no token key; make one with `holdline key rotate-token`",
                 folder);
        return HL_SECRETS_DAMAGED;
    }
    return r;
}

static int make_missing(const char *folder, const struct hl_clock *clock,
                        const struct hl_random *random)
{
    static const char *const names[] = {"chain", "reference", "region"};
    struct kids kids;
    char kid[HL_TOKEN_KID_SIZE + 1];
    char path[PATH_MAX];
    if (mkdir(folder, S_IRWXU) != 0 && errno != EEXIST)
        return -errno;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int r = join_path(folder, names[i], path);
        if (r == 0 && access(path, F_OK) != 0)
            r = make_secret(folder, names[i], random);
        if (r != 0)
            return r;
    }
    int r = list_kids(folder, &kids);
    if (r == 0 && kids.n_kids == 0)
        r = hl_secrets_rotate_token(folder, clock, random, kid);
    return r;
}

static int load_region(const char *folder, char *why, size_t why_size, struct hl_secrets *secrets)
{
    char path[PATH_MAX];
    int r = join_path(folder, "region", path);
    if (r != 0)
        return r;
    secrets->has_region = access(path, F_OK) == 0;
    return secrets->has_region ? read_secret(folder, "region", why, why_size, secrets->region) : 0;
}

int hl_secrets_make_region(const char *folder, const struct hl_random *random,
                           struct hl_secrets *secrets)
{
    char why[512];
    int r = make_secret(folder, "region", random);
    return r == 0 ? load_region(folder, why, sizeof(why), secrets) : r;
}

void hl_secrets_drop_region(const char *folder)
{
    char path[PATH_MAX];
    if (join_path(folder, "region", path) == 0)
        unlink(path);
}

int hl_secrets_load(const char *folder, bool may_make, const struct hl_clock *clock,
                    const struct hl_random *random, char *why, size_t why_size,
                    struct hl_secrets *out_secrets)
{
    struct stat status;
    memset(out_secrets, 0, sizeof(*out_secrets));
    why[0] = '\0';
    int r = may_make ? make_missing(folder, clock, random) : 0;
    if (r == 0)
        r = stat(folder, &status) == 0 ? check_mode(folder, &status, why, why_size) : -errno;
    if (r == 0)
        r = read_secret(folder, "chain", why, why_size, out_secrets->chain);
    if (r == 0)
        r = read_secret(folder, "reference", why, why_size, out_secrets->reference);
    if (r == 0)
        r = load_region(folder, why, why_size, out_secrets);
    if (r == 0)
        r = load_tokens(folder, why, why_size, &out_secrets->tokens);
    if (r != 0)
        hl_secrets_wipe(out_secrets);
    if (r != 0 && why[0] == '\0')
        snprintf(why, why_size, "cannot use %s: %s", folder, strerror(-r));
    return r;
}

void hl_secrets_wipe(struct hl_secrets *secrets)
{
    sodium_memzero(secrets, sizeof(*secrets));
}

int hl_secrets_rotate_token(const char *folder, const struct hl_clock *clock,
                            const struct hl_random *random, char out_kid[HL_TOKEN_KID_SIZE + 1])
{
    struct kids kids;
    char name[sizeof(token_prefix) + HL_TOKEN_KID_SIZE];
    char path[PATH_MAX];
    uint8_t tail[2];
    hl_random_fill(random, tail, sizeof(tail));
    snprintf(out_kid, HL_TOKEN_KID_SIZE + 1, "%012" PRIx64 "%02x%02x",
             (uint64_t)hl_clock_wall_ms(clock) & UINT64_C(0xffffffffffff), tail[0], tail[1]);
    snprintf(name, sizeof(name), "%s%s", token_prefix, out_kid);
    int r = make_secret(folder, name, random);
    if (r == 0)
        r = list_kids(folder, &kids);
    for (size_t i = HL_TOKEN_KEYS_MAX; r == 0 && i < kids.n_kids; i++) {
        snprintf(name, sizeof(name), "%s%s", token_prefix, kids.items[i]);
        r = join_path(folder, name, path);
        if (r == 0 && unlink(path) != 0)
            r = -errno;
    }
    return r;
}

void hl_secrets_derive(const uint8_t reference[HL_SECRET_SIZE], const char *label,
                       struct hl_bytes site, struct hl_bytes key, uint8_t out_hash[64])
{
    static const uint8_t zero = 0; /* ends each part, so that no two inputs run together */
    crypto_generichash_state state;
    HL_CHECK(crypto_generichash_init(&state, reference, HL_SECRET_SIZE, 64) == 0);
    crypto_generichash_update(&state, (const uint8_t *)label, strlen(label) + 1);
    crypto_generichash_update(&state, (const uint8_t *)site.data, site.size);
    crypto_generichash_update(&state, &zero, 1);
    crypto_generichash_update(&state, (const uint8_t *)key.data, key.size);
    HL_CHECK(crypto_generichash_final(&state, out_hash, 64) == 0);
}
