// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console/range.h"

int gw_file_open(struct gw_file *ret, const char *folder, const char *path)
{
    char full[PATH_MAX];
    struct stat status;

    if ((size_t)snprintf(full, sizeof(full), "%s/%s", folder, path) >= sizeof(full))
        return -ENAMETOOLONG;
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int result = fstat(fd, &status) < 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -ENOENT;
    if (result < 0) {
        close(fd);
        return result;
    }
    *ret = (struct gw_file){fd, (uint64_t)status.st_size};
    return 0;
}

// libmicrohttpd closes the file when the answer is over.
static struct MHD_Response *create_response(struct gw_file *file, uint64_t first, uint64_t length,
                                            const char *type, const char *cache)
{
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64(length, file->fd, first);

    if (!response)
        close(file->fd);
    gw_response_header(response, "Content-Type", type);
    gw_response_header(response, "Cache-Control", cache);
    return response;
}

struct MHD_Response *gw_response_file(struct gw_file *file, const char *type, const char *cache)
{
    return create_response(file, 0, file->size, type, cache);
}

static enum MHD_Result reply_unsatisfiable(struct gw_request *request, struct gw_file *file)
{
    char text[64];

    close(file->fd);
    struct MHD_Response *response =
        gw_response_problem(416, "the file has %" PRIu64 " bytes so far", file->size);
    snprintf(text, sizeof(text), "bytes */%" PRIu64, file->size);
    gw_response_header(response, "Content-Range", text);
    return gw_reply(request, 416, response);
}

enum MHD_Result gw_reply_file_part(struct gw_request *request, struct gw_file *file,
                                   const char *type, const char *cache)
{
    char text[80];
    struct gw_range range = {0, file->size};
    enum gw_range_kind kind = GW_RANGE_WHOLE;

    // RFC 9110: Range is for GET only; and no validator was ever given that If-Range could match.
    if (!request->head && !gw_request_header(request, "If-Range"))
        kind = gw_range_parse(gw_request_header(request, "Range"), file->size, &range);
    if (kind == GW_RANGE_UNSATISFIABLE)
        return reply_unsatisfiable(request, file);
    struct MHD_Response *response = create_response(file, range.first, range.length, type, cache);
    gw_response_header(response, "Accept-Ranges", "bytes");
    if (kind == GW_RANGE_WHOLE)
        return gw_reply(request, 200, response);
    snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
             range.first + range.length - 1, file->size);
    gw_response_header(response, "Content-Range", text);
    return gw_reply(request, 206, response);
}
