// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What lists, places and counts have in common.
#pragma once

#include "console/arguments.h"
#include "console/http.h"

// Reads the filters of a request. Returns 0, or GW_ERROR_INVALID with one line in error.
int gw_list_query(struct gw_request *request, enum gw_arguments_noun noun, struct gw_query *ret,
                  char error[GW_ARGUMENT_ERROR_SIZE]);
// The same of a count, and what is counted.
int gw_list_count_query(struct gw_request *request, struct gw_query *ret, enum gw_noun *ret_noun,
                        char error[GW_ARGUMENT_ERROR_SIZE]);
