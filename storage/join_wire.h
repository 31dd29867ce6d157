// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A request to join clips and its result, between two processes of the same program: one that
// serves people, and a sandboxed one that reads the clips' boxes (clip_join.h). Each is a file in
// memory.
//
// The sandboxed one may have been taken over by what it read: its result is checked before it is
// believed. Any thread.
#pragma once

#include "storage/clip_join.h"

// Each returns 0, -errno, or GW_ERROR_INVALID for what makes no sense.
int gw_join_send_request(int fd, const struct gw_join_request *request);
// The caller frees *ret_clips, which ret->clips is too.
int gw_join_receive_request(int fd, struct gw_join_request *ret, struct gw_clip **ret_clips);
int gw_join_send(int fd, const struct gw_join *join);
// Free with gw_join_finish().
int gw_join_receive(int fd, struct gw_join *ret);

// Whether every extent lies within the bytes made or the clip's file, whose sizes are given (-1: no
// such file), and all numbers are such that sums of them fit.
bool gw_join_fits(const struct gw_join *join, const int64_t *sizes, int64_t clip_count,
                  int64_t made_size);
