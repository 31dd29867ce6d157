// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The page: what console/web/ was built into, served as it is.
#pragma once

#include "console/http.h"

// The folder with the page's index.html: configured if not NULL, else the environment's
// GRIDWATCH_WEB_ROOT if set, else the first that exists of
//   <folder of the program>/../console/web/web      (the page built into the build folder)
//   <folder of the program>/../share/gridwatch/web  (installed)
//   <folder of the program>/../../console/web/dist  (built beside its sources)
//   /usr/share/gridwatch/web
// Returns a string to free(), NULL when there is none.
char *gw_static_find_root(const char *configured);

// Answers GET and HEAD of everything that is no API. "/" is index.html.
enum MHD_Result gw_static_reply(struct gw_request *request);

// Whether this is the path of a file below the root: names of [A-Za-z0-9._-] that do not begin with
// a dot. Pure.
bool gw_static_path_valid(const char *path);
// "text/css; charset=utf-8". Pure.
const char *gw_static_type(const char *path);
