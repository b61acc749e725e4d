#include "gateway/signin/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/result.h"

int hl_fetch_start_all(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

static bool is_loopback(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "[::1]", "localhost"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(host, names[i]) == 0)
            return true;
    }
    return false;
}

/* By curl's own parser: what is checked is what is called. */
static bool is_url_good(CURLU *url)
{
    char *scheme = NULL;
    char *host = NULL;
    char *user = NULL;
    bool is_good = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
    if (is_good)
        is_good =
            strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_loopback(host));
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return is_good;
}

bool hl_fetch_is_allowed(const char *url)
{
    CURLU *parsed = strlen(url) <= HL_FETCH_URL_SIZE_MAX ? curl_url() : NULL;
    bool is_good = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   is_url_good(parsed);
    curl_url_cleanup(parsed);
    return is_good;
}

static size_t take_data(char *data, size_t size, size_t n, void *arg)
{
    struct hl_fetch *fetch = arg;
    hl_buffer_append(&fetch->body, data, size * n);
    return hl_buffer_failed(&fetch->body) ? 0 : size * n;
}

static int look_up(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    const struct hl_fetch *fetch = arg;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up;
    return fetch->is_ending != NULL && atomic_load(fetch->is_ending) ? 1 : 0;
}

static bool set_form(CURL *curl, const char *form)
{
    return form == NULL ||
           (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(form)) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form) == CURLE_OK);
}

static bool set_user(CURL *curl, const struct hl_fetch *fetch)
{
    return fetch->user == NULL ||
           (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_USERNAME, fetch->user) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_PASSWORD, fetch->password) == CURLE_OK);
}

/* The certificate is checked, which is curl's default; redirects are not followed, which is too:
 * a provider's addresses are what its own document says. */
static bool set_bounds(CURL *curl, struct hl_fetch *fetch)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HL_FETCH_CONNECT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HL_FETCH_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_data) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch) == CURLE_OK;
}

static int perform(CURL *curl, struct hl_fetch *fetch)
{
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &fetch->status);
    if (code == CURLE_OK)
        return 0;
    if (hl_buffer_failed(&fetch->body))
        (void)snprintf(fetch->why, sizeof(fetch->why), "the answer is larger than allowed");
    else
        (void)snprintf(fetch->why, sizeof(fetch->why), "%s", curl_easy_strerror(code));
    return HL_FETCH_FAILED;
}

int hl_fetch_run(struct hl_fetch *fetch)
{
    int r = -ENOMEM;
    fetch->status = 0;
    fetch->why[0] = '\0';
    hl_buffer_init(&fetch->body, HL_FETCH_BYTES_MAX);
    if (!hl_fetch_is_allowed(fetch->url)) {
        (void)snprintf(fetch->why, sizeof(fetch->why), "only https is spoken");
        return HL_FETCH_REFUSED;
    }
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    CURL *curl = curl_easy_init();
    if (curl != NULL && headers != NULL && set_bounds(curl, fetch) && set_form(curl, fetch->form) &&
        set_user(curl, fetch) && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_URL, fetch->url) == CURLE_OK)
        r = perform(curl, fetch);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return r;
}

void hl_fetch_append_escaped(struct hl_buffer *out, struct hl_bytes value)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "-._~";
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            (c != 0 && strchr(plain, c) != NULL)) {
            hl_buffer_append(out, &value.data[i], 1);
        } else {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            hl_buffer_append(out, escape, sizeof(escape));
        }
    }
}
