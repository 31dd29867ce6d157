// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/static.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/file.h"
#include "console/server.h"

#define PAGE_POLICY                                                                                \
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "           \
    "font-src 'self' data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "          \
    "form-action 'self'; frame-ancestors 'none'"

static char *root_if_there(const char *folder, const char *below)
{
    char path[PATH_MAX], index[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s%s", folder, below) >= sizeof(path) ||
        (size_t)snprintf(index, sizeof(index), "%s/index.html", path) >= sizeof(index) ||
        access(index, R_OK) < 0)
        return NULL;
    return strdup(path);
}

char *gw_static_find_root(const char *configured)
{
    static const char *const beside_program[] = {"/../console/web/web", "/../share/gridwatch/web",
                                                 "/../../console/web/dist"};
    char program[PATH_MAX];
    char *root = NULL;

    if (!configured)
        configured = getenv("GRIDWATCH_WEB_ROOT");
    if (configured)
        return root_if_there(configured, "");
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[length > 0 ? length : 0] = '\0';
    if (strrchr(program, '/'))
        *strrchr(program, '/') = '\0';
    for (int i = 0; i < 3 && !root; i++)
        root = root_if_there(program, beside_program[i]);
    return root ? root : root_if_there("/usr/share/gridwatch/web", "");
}

bool gw_static_path_valid(const char *path)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

    if (path[0] != '/' || path[strspn(path, allowed)])
        return false;
    for (const char *at = path; *at; at++)
        if (*at == '/' && (at[1] == '.' || at[1] == '/' || at[1] == '\0'))
            return false;
    return true;
}

const char *gw_static_type(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".woff", "font/woff"},
        {".ttf", "font/ttf"},
        {".txt", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(dot, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

static enum MHD_Result reply_not_installed(struct gw_request *request)
{
    return gw_reply_text(request, 404,
                         "Gridwatch is running, but its page is not installed.\n"
                         "Build with -Dweb=true (needs node and npm) and install, or use the API "
                         "under /api/v1.\n");
}

// Names of assets carry a hash of their content, so they never change; the page itself does. Its
// icon a browser would ask for anew with each event that is opened.
static const char *cache_of(const char *path)
{
    if (!strncmp(path, "/assets/", 8))
        return "public, max-age=31536000, immutable";
    return !strcmp(path, "/favicon.svg") ? "public, max-age=3600" : "no-cache";
}

enum MHD_Result gw_static_reply(struct gw_request *request)
{
    const char *root = request->console->web_root;
    const char *path = strcmp(request->path, "/") ? request->path : "/index.html";
    struct gw_file file;

    if (!root && path != request->path)
        return reply_not_installed(request);
    if (!root || !gw_static_path_valid(path) || gw_file_open(&file, root, path + 1) < 0)
        return gw_reply_text(request, 404,
                             "There is no such page. The page is at /, the API under /api/v1.\n");
    struct MHD_Response *response = gw_response_file(&file, gw_static_type(path), cache_of(path));
    gw_response_header(response, "Content-Security-Policy", PAGE_POLICY);
    return gw_reply(request, 200, response);
}
