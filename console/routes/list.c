// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/list.h"

#include "core/error.h"

static const char *get_argument(void *opaque, const char *name)
{
    return gw_request_argument(opaque, name);
}

static bool takes_filter(const void *opaque, const char *name)
{
    const enum gw_arguments_noun *noun = opaque;
    return gw_argument_known(*noun, name);
}

int gw_list_query(struct gw_request *request, enum gw_arguments_noun noun, struct gw_query *ret,
                  char error[GW_ARGUMENT_ERROR_SIZE])
{
    if (!gw_request_arguments_fit(request, takes_filter, &noun, error))
        return GW_ERROR_INVALID;
    return gw_arguments_parse(ret, noun, get_argument, request, error);
}

int gw_list_count_query(struct gw_request *request, struct gw_query *ret, enum gw_noun *ret_noun,
                        char error[GW_ARGUMENT_ERROR_SIZE])
{
    const int result = gw_list_query(request, GW_ARGUMENTS_COUNTS, ret, error);

    if (result >= 0)
        *ret_noun = (enum gw_noun)gw_arguments_counted(gw_request_argument(request, "of"));
    return result;
}
