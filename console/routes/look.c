// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/look.h"

#include <unistd.h>

#include "console/audit.h"
#include "console/server.h"

bool gw_look_audit(const struct gw_request *request, const char *action, const char *camera,
                   bool continued)
{
    const struct gw_audit_entry entry = {
        .wall_us = gw_wall_us(),
        .session = request->session.id,
        .action = action,
        .object = request->target,
        .camera = camera,
        .remote = request->remote,
        .continued = continued,
    };
    return request->head || gw_audit_record(&request->console->db, &entry) >= 0;
}

enum MHD_Result gw_look_refuse(struct gw_request *request, struct gw_file *file)
{
    if (file)
        close(file->fd);
    gw_log_error(request->console->log,
                 "cannot write the audit log in console.db; no footage is shown");
    return gw_reply_problem(request, 503,
                            "footage is shown only when the audit log can be written; "
                            "the site's log says why");
}
