#include "store/index/upkeep.h"

#include "base/result.h"
#include "store/index/schema.h"
#include "store/index/table.h"

int hl_index_scrub(struct hl_index_applier *applier)
{
    int r = hl_sqlite_run(applier->db, "INSERT INTO texts(texts) VALUES('optimize');"
                                       "INSERT INTO people(people) VALUES('optimize')");

    if (r != 0)
        return r;
    int rc = sqlite3_wal_checkpoint_v2(applier->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK)
        return hl_sqlite_error(rc);
    r = hl_sqlite_run(applier->db, "UPDATE meta SET needs_scrub = 0");
    if (r == 0)
        applier->needs_scrub = false;
    return r;
}

static int compare_sites(struct hl_index_applier *applier, bool *out_is_same)
{
    const struct hl_index_policy *policy = &applier->policy;
    sqlite3_stmt *sites = NULL;
    int r = hl_sqlite_prepare(applier->db, "SELECT site, search_text FROM sites", &sites);

    *out_is_same = true;
    while (r == 0 && (r = hl_sqlite_step(sites)) == 0) {
        char site[HL_SITE_SIZE_MAX + 1];
        if (!hl_index_column_text(sites, 0, site, sizeof(site)))
            r = -EBADMSG;
        else if (policy->search_text(policy->arg, site) != (sqlite3_column_int(sites, 1) != 0))
            *out_is_same = false;
    }
    (void)sqlite3_finalize(sites);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

static int read_wait(sqlite3_stmt *row, char site[HL_SITE_SIZE_MAX + 1],
                     struct hl_index_wait *out_wait)
{
    if (!hl_index_column_text(row, 1, site, HL_SITE_SIZE_MAX + 1) ||
        !hl_sqlite_column_id(row, 2, &out_wait->inbox))
        return -EBADMSG;
    out_wait->site = site;
    out_wait->opened_ms = sqlite3_column_int64(row, 3);
    out_wait->waiting_since_ms = sqlite3_column_int64(row, 4);
    out_wait->first_response_ms = sqlite3_column_int64(row, 5);
    return 0;
}

static int store_due(sqlite3_stmt *update, int64_t number, int64_t due_ms)
{
    hl_sqlite_bind_integer(update, 1, number);
    if (due_ms == 0)
        (void)sqlite3_bind_null(update, 2);
    else
        hl_sqlite_bind_integer(update, 2, due_ms);
    return hl_sqlite_finish(update);
}

static int renew_dues(struct hl_index_applier *applier)
{
    const struct hl_index_policy *policy = &applier->policy;
    sqlite3_stmt *waiting = NULL;
    sqlite3_stmt *update = NULL;
    int r = hl_sqlite_prepare(applier->db,
                              "SELECT number, site, inbox, opened_ms, waiting_ms, "
                              "first_response_ms FROM conversations "
                              "WHERE waiting_ms IS NOT NULL",
                              &waiting);
    if (r == 0)
        r = hl_sqlite_prepare(applier->db, "UPDATE conversations SET due_ms = ?2 WHERE number = ?1",
                              &update);
    while (r == 0 && (r = hl_sqlite_step(waiting)) == 0) {
        char site[HL_SITE_SIZE_MAX + 1];
        struct hl_index_wait wait;
        r = read_wait(waiting, site, &wait);
        if (r == 0)
            r = store_due(update, sqlite3_column_int64(waiting, 0),
                          policy->due(policy->arg, &wait));
    }
    (void)sqlite3_finalize(waiting);
    (void)sqlite3_finalize(update);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_index_settle(struct hl_index_applier *applier)
{
    bool is_same = true;
    int r = applier->policy.search_text == NULL ? 0 : compare_sites(applier, &is_same);

    if (r == 0 && !is_same)
        return HL_INDEX_FILE_STALE;
    if (r != 0 || applier->policy.due == NULL)
        return r;
    r = hl_sqlite_run(applier->db, "BEGIN IMMEDIATE");
    if (r == 0) {
        r = renew_dues(applier);
        int ended = hl_sqlite_run(applier->db, r == 0 ? "COMMIT" : "ROLLBACK");
        r = r != 0 ? r : ended;
    }
    return r;
}
