// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/list.h"

#include <stdio.h>

#include "core/error.h"

struct check {
    struct gw_request *request;
    enum gw_arguments_noun noun;
    char *error;
};

static const char *get_argument(void *opaque, const char *name)
{
    return gw_request_argument(opaque, name);
}

// Called for each argument as it was written.
static enum MHD_Result check_argument(void *cls, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct check *check = cls;
    const char *wrong = NULL;

    if (!gw_argument_known(check->noun, name))
        wrong = "there is no such filter here";
    else if (!value)
        wrong = "lacks its value";
    else if (get_argument(check->request, name) != value)
        wrong = "is there twice";
    if (wrong)
        snprintf(check->error, GW_ARGUMENT_ERROR_SIZE, "%.32s: %s", name, wrong);
    return wrong ? MHD_NO : MHD_YES;
}

int gw_list_query(struct gw_request *request, enum gw_arguments_noun noun, struct gw_query *ret,
                  char error[GW_ARGUMENT_ERROR_SIZE])
{
    struct check check = {request, noun, error};

    error[0] = '\0';
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, check_argument, &check);
    if (error[0])
        return GW_ERROR_INVALID;
    return gw_arguments_parse(ret, noun, get_argument, request, error);
}
