// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Looking at footage: the audit row that comes before it.
#pragma once

#include "console/file.h"

// Writes who looks at request->id. continued: a further part of what was begun. A HEAD shows
// nothing and leaves no row. Returns false when the row could not be written: nothing may be shown.
bool gw_look_audit(const struct gw_request *request, const char *action, const char *camera,
                   bool continued);

// Answers that nothing is shown without its row, and closes the file (NULL: there is none).
enum MHD_Result gw_look_refuse(struct gw_request *request, struct gw_file *file);
