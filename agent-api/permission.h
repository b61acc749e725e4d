/* What each role may do: one table, asked by every route. Where it may do it (sites, inboxes)
 * is hl_principal_sees. Pure. */
#ifndef HL_AGENT_API_PERMISSION_H
#define HL_AGENT_API_PERMISSION_H

#include "store/directory.h"

/* HL_PERMISSION(NAME, "name", roles that have it) */
#define HL_PERMISSION_TABLE                                                                        \
    HL_PERMISSION(CONVERSATION_READ, "conversation.read",                                          \
                  "admin supervisor agent integration auditor")                                    \
    HL_PERMISSION(MESSAGE_WRITE, "message.write", "admin supervisor agent integration")            \
    HL_PERMISSION(CONVERSATION_WORK, "conversation.work", "admin supervisor agent")                \
    HL_PERMISSION(CONVERSATION_STEAL, "conversation.steal", "admin supervisor")                    \
    HL_PERMISSION(CONTACT_READ, "contact.read", "admin supervisor agent integration auditor")      \
    HL_PERMISSION(DIRECTORY_READ, "directory.read", "admin supervisor agent integration auditor")  \
    HL_PERMISSION(CANNED_WRITE, "canned.write", "admin supervisor")                                \
    HL_PERMISSION(DIRECTORY_WRITE, "directory.write", "admin")                                     \
    HL_PERMISSION(KEY_READ, "key.read", "admin auditor")                                           \
    HL_PERMISSION(EXPORT, "export", "admin supervisor")                                            \
    HL_PERMISSION(EXPORT_READ, "export.read", "admin supervisor auditor")                          \
    HL_PERMISSION(ERASE, "erase", "admin")                                                         \
    HL_PERMISSION(AUDIT_READ, "audit.read", "admin auditor")

enum hl_permission {
#define HL_PERMISSION(name, text, roles) HL_PERMISSION_##name,
    HL_PERMISSION_TABLE
#undef HL_PERMISSION
        HL_PERMISSION_END
};

const char *hl_permission_name(enum hl_permission permission);
/* CONVERSATION_WORK: claim, notes, tags, close, read positions. CONVERSATION_STEAL: transfer and
 * release what others have. */
bool hl_permission_has(enum hl_key_role role, enum hl_permission permission);

#endif
