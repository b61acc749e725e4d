#include "store/directory/admins.h"

#include "base/result.h"
#include "store/directory/file_state.h"

/* ?1: kind, ?2: id of the record that is changed. Kinds: 3 agent, 4 key. An admin of another site
 * does not count, and for one of all sites none that is bound to a site. */
static const char find_admin[] =
    "SELECT 1 FROM record AS admin"
    " WHERE kind=3 AND retired=0 AND json_extract(document, '$.role')='admin'"
    " AND site IN ('', (SELECT site FROM record WHERE kind=3 AND id=CASE ?1 WHEN 3 THEN ?2 ELSE"
    " (SELECT json_extract(document, '$.agent') FROM record WHERE kind=4 AND id=?2) END))"
    " AND (json_extract(document, '$.oidc') IS NOT NULL OR EXISTS (SELECT 1 FROM record AS key"
    " WHERE key.kind=4 AND key.retired=0"
    " AND json_extract(key.document, '$.agent')=admin.id))"
    " LIMIT 1";

int hl_admins_find(struct hl_directory_file *file, const struct hl_directory_change *change,
                   bool *out_found)
{
    sqlite3_stmt *find = NULL;
    int r = hl_sqlite_prepare(file->db, find_admin, &find);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(find, 1, change->kind);
    hl_sqlite_bind_text(find, 2, hl_bytes_of(change->id));
    r = hl_sqlite_step(find);
    (void)sqlite3_finalize(find);
    *out_found = r == 0;
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_admins_check(struct hl_directory_file *file, const struct hl_directory_change *change)
{
    bool is_left = false;
    int r = hl_admins_find(file, change, &is_left);
    return r == 0 && !is_left ? HL_DIRECTORY_LAST_ADMIN : r;
}
