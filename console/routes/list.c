// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/list.h"

#include <stdio.h>

#include "core/error.h"

struct check {
    enum gw_arguments_noun noun;
    const char *unknown;
};

static enum MHD_Result check_name(void *cls, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct check *check = cls;

    if (!gw_argument_known(check->noun, name))
        check->unknown = name;
    return check->unknown ? MHD_NO : MHD_YES;
}

static const char *get_argument(void *opaque, const char *name)
{
    return gw_request_argument(opaque, name);
}

int gw_list_query(struct gw_request *request, enum gw_arguments_noun noun, struct gw_query *ret,
                  char error[GW_ARGUMENT_ERROR_SIZE])
{
    struct check check = {.noun = noun};

    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_name, &check);
    if (check.unknown) {
        snprintf(error, GW_ARGUMENT_ERROR_SIZE, "%.32s: there is no such filter here",
                 check.unknown);
        return GW_ERROR_INVALID;
    }
    return gw_arguments_parse(ret, noun, get_argument, request, error);
}
