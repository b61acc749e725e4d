/* A directory (store/directory.h) in a folder of its own, with one site and its default inbox;
 * its thread is not started: changes are made here. */
#ifndef HL_TESTS_SUPPORT_TEMP_DIRECTORY_H
#define HL_TESTS_SUPPORT_TEMP_DIRECTORY_H

#include "store/directory.h"
#include "tests/support/temp_folder.h"

struct hl_temp_directory {
    struct hl_temp_folder folder;
    struct hl_directory *directory;
    const struct hl_clock *clock;
};

void hl_temp_directory_init(struct hl_temp_directory *temp, const struct hl_clock *clock,
                            const char *site);
void hl_temp_directory_fini(struct hl_temp_directory *temp);

/* Makes a record, or replaces it. `document` is JSON; `secret` may be empty. */
void hl_temp_directory_put(struct hl_temp_directory *temp, enum hl_record_kind kind, const char *id,
                           const char *site, const char *document, struct hl_bytes secret);

#endif
