/* What the engines share: rules of log.h that must not differ between them.
 * For engines only. Thread: none of its own. */
#ifndef HL_STORE_ENGINE_H
#define HL_STORE_ENGINE_H

#include "store/log.h"

/* Whether a repeated mid came with the content it was first used with. A body that was erased
 * counts as any. */
bool hl_engine_same_content(const struct hl_entry *a, const struct hl_entry *b);

/* `last_foreign` is the offset of the last entry of another author than the submit's, 0 if
 * there is none; asked for only with has_if_seen.
 * 0, HL_LOG_STALE, HL_LOG_ASSIGNED, HL_LOG_REVISION. */
int hl_engine_check_conditions(const struct hl_log_conditions *when,
                               const struct hl_conversation *conversation, uint64_t last_foreign);

/* A conversation before its first entry. */
void hl_engine_open_conversation(const struct hl_id *id, const struct hl_log_opening *opening,
                                 struct hl_conversation *out_conversation);

/* Raises the marks of `mark` that are lower than those of `by`; whether any was. */
bool hl_engine_raise_mark(struct hl_log_mark *mark, const struct hl_log_mark *by);

/* Fills the out fields of a submit that became `entry`. */
void hl_engine_fill_submit(struct hl_log_submit *submit, const struct hl_entry *entry,
                           bool duplicate);

#endif
