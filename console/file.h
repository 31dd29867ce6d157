// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Files as answers: media below the store and the built page.
#pragma once

#include "console/http.h"

struct gw_file {
    int fd;
    uint64_t size; // bytes it has now; a clip that is still recording grows
};

// Opens folder/path for reading. Returns 0 or -errno; -ENOENT also for what is no regular file.
int gw_file_open(struct gw_file *ret, const char *folder, const char *path);

// The whole file as an answer's content, with its type and Cache-Control. Takes over file; NULL
// when there is no memory, as in http.h.
struct MHD_Response *gw_response_file(struct gw_file *file, const char *type, const char *cache);

// Answers with the file, or with the part of it that the Range header asks for. Takes over file.
enum MHD_Result gw_reply_file_part(struct gw_request *request, struct gw_file *file,
                                   const char *type, const char *cache);
