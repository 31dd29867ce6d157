// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/pool.h"

#include <stdio.h>

void gw_pool_init(struct gw_pool *pool, const char *store, const char *division)
{
    *pool = (struct gw_pool){.store = store, .division = division};
    pthread_mutex_init(&pool->lock, NULL);
}

void gw_pool_finish(struct gw_pool *pool)
{
    while (pool->count > 0)
        gw_index_close(&pool->idle[--pool->count]);
    pthread_mutex_destroy(&pool->lock);
}

int gw_pool_fill(struct gw_pool *pool, int count, char error[GW_INDEX_ERROR_SIZE])
{
    struct gw_index *index;

    for (int i = 0; i < count && i < GW_POOL_IDLE; i++) {
        int result = gw_index_open(&index, pool->store, GW_INDEX_READ, pool->division, error);
        if (result < 0)
            return result;
        result = gw_index_warm(index);
        if (result < 0)
            snprintf(error, GW_INDEX_ERROR_SIZE, "%s", gw_index_error(index));
        gw_pool_give(pool, &index);
        if (result < 0)
            return result;
    }
    return 0;
}

int gw_pool_take(struct gw_pool *pool, struct gw_index **ret, char error[GW_INDEX_ERROR_SIZE])
{
    struct gw_index *index = NULL;

    pthread_mutex_lock(&pool->lock);
    if (pool->count > 0)
        index = pool->idle[--pool->count];
    pthread_mutex_unlock(&pool->lock);
    if (!index)
        return gw_index_open(ret, pool->store, GW_INDEX_READ, pool->division, error);
    *ret = index;
    return 0;
}

void gw_pool_give(struct gw_pool *pool, struct gw_index **index)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->count < GW_POOL_IDLE) {
        pool->idle[pool->count++] = *index;
        *index = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    gw_index_close(index);
}
