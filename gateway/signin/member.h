/* Which agent of the directory a person is whom an identity provider vouches for.
 *
 * The first time it is told by the e-mail address; then the agent's record gets a link
 * {issuer, subject, email} and the subject alone counts, whatever the provider's address becomes.
 * The link is void once the directory has another address for the agent: then it is another person,
 * or an administrator wants the link made anew. Thread: any. */
#ifndef HL_GATEWAY_SIGNIN_MEMBER_H
#define HL_GATEWAY_SIGNIN_MEMBER_H

#include "gateway/signin/provider.h"
#include "store/directory.h"

enum {
    HL_MEMBER_UNKNOWN = 1, /* no active agent of that address */
    HL_MEMBER_OTHER,       /* the agent of that address is linked to another subject */
};

struct hl_member {
    struct hl_id agent;
    bool is_linked; /* else hl_member_fill_link should be applied */
    char id[HL_RECORD_ID_SIZE_MAX + 1];
    uint64_t revision;
};

/* 0, HL_MEMBER_…. */
int hl_member_find(const struct hl_directory_snapshot *snapshot, const char *issuer,
                   const struct hl_provider_person *person, struct hl_member *out_member);

/* The change that links the agent, or makes one of this role; loop and done are the caller's.
 * `document` is initialised here and holds what the change points to. 0, HL_MEMBER_UNKNOWN (it is
 * gone), -ENOMEM. */
int hl_member_fill_link(const struct hl_directory_snapshot *snapshot, const char *issuer,
                        const struct hl_provider_person *person, const struct hl_member *member,
                        struct hl_directory_change *out_change, struct hl_buffer *document);
int hl_member_fill_new(const char *issuer, const struct hl_provider_person *person,
                       enum hl_key_role role, const struct hl_id *agent,
                       struct hl_directory_change *out_change, struct hl_buffer *document);

#endif
