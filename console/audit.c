// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/audit.h"

#include <stdio.h>

#include "core/error.h"

// Rows from the future (the clock was set back) are no excuse for not writing one.
static int has_recent_row(struct gw_console_db *db, const struct gw_audit_entry *entry)
{
    sqlite3_stmt *statement;
    int result = gw_console_db_prepare(db, &statement,
                                       "SELECT 1 FROM audit WHERE session = ? AND object = ? AND "
                                       "action = ? AND wall_us BETWEEN ? AND ?",
                                       "tttii", entry->session, entry->object, entry->action,
                                       entry->wall_us - GW_AUDIT_LOOK_US + 1, entry->wall_us);
    if (result < 0)
        return result;
    int step = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return GW_ERROR_INDEX;
    return step == SQLITE_ROW;
}

int gw_audit_record(struct gw_console_db *db, const struct gw_audit_entry *entry)
{
    pthread_mutex_lock(&db->lock);
    int recent = entry->continued ? has_recent_row(db, entry) : 0;
    int result = recent;
    if (recent == 0)
        result =
            gw_console_db_run(db,
                              "INSERT INTO audit (wall_us, session, action, object, camera, remote)"
                              " VALUES (?, ?, ?, ?, ?, ?)",
                              "ittttt", entry->wall_us, entry->session, entry->action,
                              entry->object, entry->camera, entry->remote);
    pthread_mutex_unlock(&db->lock);
    if (recent > 0)
        return 0;
    return result < 0 ? result : 1;
}

int gw_audit_record_in(const char *store, const struct gw_audit_entry *entry, char error[256])
{
    struct gw_console_db db = {0};
    int result = gw_console_db_open(&db, store, error);
    if (result < 0)
        return result;
    result = gw_audit_record(&db, entry);
    if (result < 0)
        snprintf(error, 256, "cannot write the audit log: %.200s", sqlite3_errmsg(db.handle));
    gw_console_db_close(&db);
    return result;
}
