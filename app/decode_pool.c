// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/decode_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct gw_decode_pool {
    pthread_mutex_t lock;
    pthread_cond_t work; // a task was queued, or stopping
    pthread_cond_t idle; // a task stopped running
    struct gw_decode_task *first, **last;
    bool stopping;
    int thread_count;
    pthread_t threads[];
};

// Called with the lock held.
static void enqueue(struct gw_decode_pool *pool, struct gw_decode_task *task)
{
    task->queued = true;
    task->next = NULL;
    *pool->last = task;
    pool->last = &task->next;
    pthread_cond_signal(&pool->work);
}

// Called with the lock held.
static struct gw_decode_task *dequeue(struct gw_decode_pool *pool)
{
    struct gw_decode_task *task = pool->first;
    pool->first = task->next;
    if (!pool->first)
        pool->last = &pool->first;
    task->queued = false;
    return task;
}

static void *run_tasks(void *opaque)
{
    struct gw_decode_pool *pool = opaque;

    pthread_setname_np(pthread_self(), "decode");
    pthread_mutex_lock(&pool->lock);
    while (true) {
        while (!pool->first && !pool->stopping)
            pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->stopping)
            break;
        struct gw_decode_task *task = dequeue(pool);
        task->running = true;
        task->again = false;
        pthread_mutex_unlock(&pool->lock);
        bool more = task->run(task);
        pthread_mutex_lock(&pool->lock);
        task->running = false;
        if (!task->retired && (more || task->again))
            enqueue(pool, task);
        pthread_cond_broadcast(&pool->idle);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int gw_decode_pool_create(struct gw_decode_pool **ret, int threads)
{
    struct gw_decode_pool *pool = calloc(1, sizeof(*pool) + (size_t)threads * sizeof(pthread_t));
    if (!pool)
        return -ENOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->last = &pool->first;
    for (; pool->thread_count < threads; pool->thread_count++) {
        int error = pthread_create(&pool->threads[pool->thread_count], NULL, run_tasks, pool);
        if (error) {
            gw_decode_pool_destroy(&pool);
            return -error;
        }
    }
    *ret = pool;
    return 0;
}

void gw_decode_pool_destroy(struct gw_decode_pool **pool)
{
    struct gw_decode_pool *p = *pool;
    if (!p)
        return;
    assert(!p->first);
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->idle);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *pool = NULL;
}

void gw_decode_pool_wake(struct gw_decode_pool *pool, struct gw_decode_task *task)
{
    pthread_mutex_lock(&pool->lock);
    if (task->running)
        task->again = true;
    else if (!task->queued && !task->retired)
        enqueue(pool, task);
    pthread_mutex_unlock(&pool->lock);
}

// Called with the lock held.
static void unlink_task(struct gw_decode_pool *pool, struct gw_decode_task *task)
{
    struct gw_decode_task **at = &pool->first;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    if (!*at)
        pool->last = at;
    task->queued = false;
}

void gw_decode_pool_retire(struct gw_decode_pool *pool, struct gw_decode_task *task)
{
    pthread_mutex_lock(&pool->lock);
    task->retired =
        true; // a busy task would else queue itself again before this thread gets the lock
    if (task->queued)
        unlink_task(pool, task);
    while (task->running)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
