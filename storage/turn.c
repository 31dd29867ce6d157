// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "storage/turn.h"

#include <pthread.h>
#include <stdint.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static uint64_t next_ticket, served; // served: the ticket whose turn it is
static _Thread_local bool mine;

bool gw_turn_take(void)
{
    if (mine)
        return false;
    pthread_mutex_lock(&lock);
    const uint64_t ticket = next_ticket++;
    while (served != ticket)
        pthread_cond_wait(&given, &lock);
    pthread_mutex_unlock(&lock);
    mine = true;
    return true;
}

void gw_turn_give(bool taken)
{
    if (!taken)
        return;
    mine = false;
    pthread_mutex_lock(&lock);
    served++;
    pthread_cond_broadcast(&given);
    pthread_mutex_unlock(&lock);
}
