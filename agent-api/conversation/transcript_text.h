/* A transcript in its four forms, piece by piece. Pure. */
#ifndef HL_AGENT_API_CONVERSATION_TRANSCRIPT_TEXT_H
#define HL_AGENT_API_CONVERSATION_TRANSCRIPT_TEXT_H

#include "base/bytes.h"
#include "store/directory_snapshot.h"

struct hl_transcript_form {
    const char *name; /* of ?format= and the file's extension */
    const char *type; /* media type */
    void (*head)(struct hl_buffer *out, const struct hl_conversation *conversation);
    void (*entry)(struct hl_buffer *out, const struct hl_entry *entry,
                  const struct hl_directory_snapshot *names, bool is_first);
    void (*foot)(struct hl_buffer *out, const struct hl_conversation *conversation);
};

enum { HL_TRANSCRIPT_FORMS = 4 };
extern const struct hl_transcript_form hl_transcript_forms[HL_TRANSCRIPT_FORMS];

#endif
