/* Makes a snapshot of the directory out of its records, row by row. What was stored was checked
 * when it was written: a member that is missing here has its default, one of another type makes
 * the record damaged.
 * Thread: one at a time. */
#ifndef HL_STORE_DIRECTORY_BUILDER_H
#define HL_STORE_DIRECTORY_BUILDER_H

#include "store/directory_snapshot.h"

struct hl_snapshot_builder {
    struct hl_directory_snapshot *snapshot; /* NULL before begin and after finish */
};

int hl_snapshot_builder_begin(struct hl_snapshot_builder *builder); /* 0, -ENOMEM */
/* In the order of ids within a kind. Takes the reference to record->document, also when it
 * fails. 0, -EBADMSG (damaged), -ENOMEM. */
int hl_snapshot_builder_add(struct hl_snapshot_builder *builder, enum hl_record_kind kind,
                            const struct hl_record *record, struct hl_bytes secret);
/* 0: *out_snapshot has one reference. -ENOMEM. The builder is empty then. */
int hl_snapshot_builder_finish(struct hl_snapshot_builder *builder, uint64_t version,
                               struct hl_directory_snapshot **out_snapshot);
void hl_snapshot_builder_abandon(struct hl_snapshot_builder *builder); /* accepts an empty one */

#endif
