// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One shutdown token that reaches every blocking call of those who share it.
//
// Created by the owner of some threads; the threads wait on it, poll its descriptor beside theirs,
// or ask. All functions from any thread, gw_stop_request also from many at once.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gw_stop {
    atomic_bool requested;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fd; // an eventfd, readable from the request on; for poll
};

void gw_stop_init(struct gw_stop *stop);
void gw_stop_finish(struct gw_stop *stop);

void gw_stop_request(struct gw_stop *stop);
bool gw_stop_requested(struct gw_stop *stop);

// Sleeps until asked to stop, at most for duration_us. Returns gw_stop_requested().
bool gw_stop_wait(struct gw_stop *stop, int64_t duration_us);
