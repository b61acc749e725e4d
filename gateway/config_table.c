#include <stddef.h>

#include "gateway/config.h"

/* clang-format off */
#define FIELD(field) offsetof(struct hl_config, field)
#define TEXT(name, field, min, standard, reload, meaning)                                      \
    {name, HL_CONFIG_TEXT, FIELD(field), min, sizeof(((struct hl_config *)0)->field) - 1,      \
     standard, NULL, reload, meaning}
#define NAME(name, field, standard, meaning)                                                   \
    {name, HL_CONFIG_NAME, FIELD(field), 1, sizeof(((struct hl_config *)0)->field) - 1,        \
     standard, NULL, false, meaning}
#define U32(name, field, min, max, standard, reload, meaning)                                  \
    {name, HL_CONFIG_U32, FIELD(field), min, max, standard, NULL, reload, meaning}
#define U64(name, field, min, max, standard, reload, meaning)                                  \
    {name, HL_CONFIG_U64, FIELD(field), min, max, standard, NULL, reload, meaning}
#define BOOL(name, field, standard, reload, meaning)                                           \
    {name, HL_CONFIG_BOOL, FIELD(field), 0, 1, standard, NULL, reload, meaning}
#define CHOICE(name, field, choices, standard, meaning)                                        \
    {name, HL_CONFIG_CHOICE, FIELD(field), 0, 0, standard, choices, true, meaning}
#define HUB(name, min, max, standard, meaning) U32(#name, hub.name, min, max, standard, true, meaning)
#define WIRE(name, min, max, standard, meaning) U32(#name, wire.name, min, max, standard, true, meaning)

static const struct hl_config_key keys[] = {
    TEXT("listen", listen, 3, "127.0.0.1:8080", false, "Address and port to listen on; `[::1]:8080` for IPv6; port 0 picks a free one"),
    TEXT("data", data, 1, "data", false, "Data folder; made at the first start"),
    U32("loops", loops, 1, 64, "1", false, "Threads that serve connections, each with its own listening socket"),
    NAME("site", site, "default", "The site that is served: name in tokens, enquiries and conversations"),
    NAME("region", region, "local", "Region the data belongs to; tokens of other regions are refused"),
    NAME("node", node, "node-1", "Name of this node in `welcome` and in the log"),
    TEXT("public_url", public_url, 0, "", true, "Address clients reach the gateway at, such as `https://chat.example.com`; put before `status_url`; empty: `status_url` is a path"),
    TEXT("pages", pages, 0, "", false, "Folder of static files to serve (read into memory at the start), or several with commas between them, of which `/NAME/=FOLDER` is served below `/NAME/`; empty: none"),
    {"origins", HL_CONFIG_ORIGINS, FIELD(origins), 0, HL_ORIGINS_MAX, "", NULL, true, "Origins whose pages may talk to the gateway, such as `[\"https://shop.example\"]`; empty: only pages of the gateway's own host; `[\"*\"]`: any"},
    TEXT("trusted_proxies", trusted_proxies, 0, "", true, "Addresses and networks of proxies in front, with commas between them, such as `127.0.0.1,10.0.0.0/8`: they are believed which client a request is from, for limits and the log; empty: none"),
    CHOICE("trusted_header", trusted_header, "x-forwarded-for|forwarded", "x-forwarded-for", "Where these proxies write the client's address; the other header is ignored"),
    TEXT("oidc_issuer", oidc_issuer, 0, "", false, "Identity provider agents sign in at (OpenID Connect), such as `https://id.example.com`; empty: none"),
    TEXT("oidc_client_id", oidc_client_id, 0, "", false, "Name of the gateway at the provider"),
    TEXT("oidc_client_secret_file", oidc_client_secret_file, 0, "", false, "File that holds the gateway's secret at the provider, in one line; empty: it has none"),
    TEXT("oidc_redirect_url", oidc_redirect_url, 0, "", false, "Where the provider sends browsers back to; empty: `public_url` and `/v1/session/oidc/callback`"),
    TEXT("oidc_scopes", oidc_scopes, 6, "openid email profile", false, "What is asked of the provider"),
    {"oidc_auto_role", HL_CONFIG_CHOICE, FIELD(oidc_auto_role), 0, 0, "none", "none|agent|supervisor|auditor", false, "Role of agents that are made when somebody the directory does not know signs in; `none`: they are turned away"},
    TEXT("tls_certificate", tls_certificate, 0, "", true, "PEM file of the certificate chain; empty: no TLS"),
    TEXT("tls_key", tls_key, 0, "", true, "PEM file of the private key"),
    U32("expected_answer_minutes", expected_answer_minutes, 1, 525600, "240", true, "Time within which an enquiry is answered, as told by `expected_by`"),

    U32("message_bytes_max", hub.message_bytes_max, 1024, 1048576, "65536", false, "Size of one text message of a client"),
    U32("body_bytes_max", hub.body_bytes_max, 256, 65536, "16384", false, "Size of the body of one entry"),
    HUB(batch_frames_max, 1, 4096, "256", "Frames in one message"),
    HUB(subscriptions_max, 1, 65536, "256", "Conversations one session may follow"),
    HUB(sessions_max, 1, 10000000, "100000", "Sessions per loop"),
    HUB(credit_entries, 1, 4096, "512", "Entries sent and not acknowledged, per conversation"),
    HUB(page_entries, 1, 1024, "128", "Entries in one read of a replay"),
    HUB(page_bytes, 1024, 1048576, "32768", "Bytes in one read of a replay"),
    HUB(poll_bytes_max, 4096, 8388608, "262144", "Size of one long-poll answer"),
    HUB(poll_wait_ms_max, 100, 60000, "25000", "Longest wait of one long-poll"),
    HUB(hello_ms, 100, 120000, "10000", "Time a link has to say hello"),
    HUB(ping_ms, 500, 600000, "25000", "Interval of heartbeats"),
    HUB(pong_ms, 100, 600000, "10000", "Time to answer a heartbeat"),
    HUB(stall_ms, 500, 600000, "30000", "Time entries may wait unacknowledged before the link is ended as slow"),
    HUB(session_ttl_ms, 1000, 3600000, "60000", "A session without a link is forgotten after this (a token still brings it back)"),
    HUB(token_ttl_s, 1, 31536000, "2592000", "Lifetime of a resume token"),
    HUB(pubs_per_s, 0, 100000, "50", "Messages a session may send per second; 0: no limit"),
    HUB(pubs_burst, 1, 100000, "200", "Messages a session may send at once"),
    HUB(errors_max, 1, 10000, "20", "Invalid frames before a link is ended"),

    WIRE(connections_max, 1, 10000000, "16384", "Connections in all"),
    WIRE(connections_per_address_max, 1, 10000000, "256", "Connections from one address"),
    WIRE(accepts_per_s, 0, 1000000, "2000", "New connections per second in all; 0: no limit"),
    WIRE(requests_per_address_per_s, 0, 1000000, "100", "HTTP requests per second from one address; 0: no limit"),
    WIRE(requests_burst, 1, 1000000, "400", "HTTP requests from one address at once"),
    WIRE(header_bytes_max, 1024, 65536, "8192", "Size of a request head"),
    U32("request_bytes_max", wire.body_bytes_max, 1024, 8388608, "131072", true, "Size of a request body"),
    WIRE(header_ms, 100, 120000, "10000", "Time for a whole request head"),
    WIRE(body_ms, 100, 600000, "20000", "Time for a whole request body"),
    WIRE(idle_ms, 100, 600000, "60000", "Time a connection may stay open without a request"),
    WIRE(write_stall_ms, 100, 600000, "30000", "Time an answer may make no progress"),
    U64("response_bytes_max", wire.response_bytes_max, 1048576, 1073741824, "8388608", true, "Size of one answer"),
    U32("retention_sweep_s", retention_sweep_s, 1, 86400, "3600", false, "Seconds between two looks for conversations that their site keeps no longer (retention_days)"),
    U32("feeds_max", feeds_max, 1, 1000000, "1024", false, "Event feeds (long-poll and SSE) that may be open at once, per loop"),

    U64("store_queue_max", store_queue_max, 16, 10000000, "65536", false, "Entries that may wait to be stored before `busy` is answered"),
    U32("store_group_max", store_group_max, 1, 65536, "1024", false, "Entries stored in one commit"),
    U32("store_readers", store_readers, 1, 64, "1", false, "Threads that read the store"),
    U64("disk_free_min", disk_free_min, 0, UINT64_C(1) << 50, "67108864", false, "Free bytes below which nothing new is accepted (`storage_full`)"),
    U32("ready_wait_ms_max", ready_wait_ms_max, 100, 600000, "5000", true, "`/readyz` answers 503 when an entry has waited this long to be stored"),

    CHOICE("log_level", log_level, "error|warn|info|debug", "info", "Least important events that are logged"),
    CHOICE("log_format", log_format, "text|json", "text", "One line per event: key=value, or JSON"),
    U32("drain_window_ms", drain_window_ms, 0, 60000, "5000", true, "At SIGTERM clients are told to come back at a random moment within this"),
    U32("drain_deadline_ms", drain_deadline_ms, 100, 60000, "10000", true, "At SIGTERM links still open after this are closed"),
    BOOL("metrics_public", metrics_public, "false", true, "Let anyone read `/metrics`; otherwise only loopback addresses and API keys"),
    BOOL("test_mode", test_mode, "false", false, "Offer the echo subprotocol and `/test/` routes; never in production"),
};
/* clang-format on */

_Static_assert(sizeof(keys) / sizeof(keys[0]) <= HL_CONFIG_KEYS_MAX, "room for every key");

const struct hl_config_key *hl_config_keys(size_t *out_n_keys)
{
    *out_n_keys = sizeof(keys) / sizeof(keys[0]);
    return keys;
}
