// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A plan of joined clips as an answer, whole or in part: like a file in console/file.h, but nobody
// wrote it. It has a validator, because its bytes never change.
#pragma once

#include "console/http.h"
#include "storage/media_plan.h"

// Answers with the plan, or with the part of it that the Range header asks for, if the If-Range
// header allows. Borrows plan.
enum MHD_Result gw_reply_joined(struct gw_request *request, struct gw_media_plan *plan);
