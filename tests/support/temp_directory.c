#include "tests/support/temp_directory.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

void hl_temp_directory_init(struct hl_temp_directory *temp, const struct hl_clock *clock,
                            const char *site)
{
    char path[192];
    hl_temp_folder_init(&temp->folder);
    (void)snprintf(path, sizeof(path), "%s/directory.db", temp->folder.path);
    struct hl_directory_config config = {
        .path = path, .clock = clock, .random = hl_random_system()};
    temp->clock = clock;
    HL_CHECK(hl_directory_open(&config, &temp->directory) == 0);
    HL_CHECK(hl_directory_ensure_site(temp->directory, site) == 0);
}

void hl_temp_directory_fini(struct hl_temp_directory *temp)
{
    hl_directory_close(temp->directory);
    hl_temp_folder_fini(&temp->folder);
}

void hl_temp_directory_put(struct hl_temp_directory *temp, enum hl_record_kind kind, const char *id,
                           const char *site, const char *document, struct hl_bytes secret)
{
    struct hl_directory_change change = {.operation = HL_DIRECTORY_REPLACE,
                                         .kind = kind,
                                         .document = hl_bytes_of(document),
                                         .secret = secret,
                                         .now_ms = hl_clock_wall_ms(temp->clock)};
    (void)snprintf(change.id, sizeof(change.id), "%s", id);
    (void)snprintf(change.site, sizeof(change.site), "%s", site);
    int r = hl_directory_apply(temp->directory, &change);
    if (r == HL_DIRECTORY_UNKNOWN) {
        change.operation = HL_DIRECTORY_CREATE;
        r = hl_directory_apply(temp->directory, &change);
    }
    HL_CHECK(r == 0);
}
