/* The API's own parts, for its handlers only. A handler answers one resource; each is run by
 * the table in api.c with the struct hl_api as argument. */
#ifndef HL_AGENT_API_API_STATE_H
#define HL_AGENT_API_API_STATE_H

#include "agent-api/api.h"
#include "agent-api/feed/places.h"
#include "agent-api/feed/recent.h"
#include "agent-api/pending.h"
#include "agent-api/permission.h"
#include "agent-api/reply.h"
#include "base/list.h"

struct hl_api {
    struct hl_api_config config;
    struct hl_pending_set pending;
    struct hl_log_subscription subscription;
    struct hl_list feeds; /* struct hl_feed */
    uint32_t n_feeds;
    uint32_t n_strangers; /* of them: WebSockets that have not said who they are */
    struct hl_registry_member member;
    struct hl_pending membership; /* until the registry has let go */
    struct hl_list leaving;       /* presence.c: agents without a feed since just now */
    uint32_t n_looks;             /* presence.c: under way */
    struct hl_places places;
    struct hl_recent recent;
    struct hl_task turn; /* of feeds (feed.c) */
    struct hl_pending turning;
    bool is_turn_posted;
    struct hl_delay round_delay; /* until the next round */
    struct hl_pending delaying;
    bool is_round_delayed;
    uint32_t n_waiting;         /* groups committed since the round began */
    uint64_t round, round_head; /* head when the round began */
    uint64_t head;              /* position of the last entry on_commit told of */
    uint64_t keys_version;      /* of the last look for revoked keys */
    bool is_draining;
    struct hl_api_stats stats;
    void (*closed)(void *arg);
    void *arg;
};

/* Whether the role has the permission: false: answered with 403. */
bool hl_api_may(const struct hl_principal *who, struct hl_exchange *exchange,
                enum hl_permission permission);
/* As the author of entries. */
struct hl_author hl_api_author(const struct hl_principal *who);
bool hl_api_is_agent(const struct hl_principal *who); /* people who may claim */

/* The handlers (hl_route.handle). */
void hl_conversations_list(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_conversation_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_contacts_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_contact_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_contact_conversations_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_tags_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_exports_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_export_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_export_content_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_erasures_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_erasure_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_messages_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_message_put(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_messages_stream(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_transcript_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_assignee_put(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_assignee_delete(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_conversation_patch(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_positions_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_position_put(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_conversation_presence_put(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_events_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_agent_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_sites_list(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_sites_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_site_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_site_patch(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_site_delete(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_site_secret_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_inboxes_list(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_inboxes_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_inbox_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_inbox_patch(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_inbox_delete(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_agents_list(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_agents_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_agents_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_agents_patch(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_agents_delete(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_availability_put(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_keys_list(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_keys_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_key_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_key_delete(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_canned_list(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_canned_post(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_canned_get(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_canned_patch(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_canned_delete(void *arg, struct hl_exchange *, const struct hl_route_params *);
void hl_audit_list(void *arg, struct hl_exchange *, const struct hl_route_params *);

/* feed.c */
void hl_feeds_on_commit(struct hl_log_subscription *subscription, struct hl_batch *batch);
void hl_feeds_tick(struct hl_api *api);
void hl_feeds_drain(struct hl_api *api);

#endif
