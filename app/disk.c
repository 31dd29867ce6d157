// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/disk.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/error.h"
#include "storage/clip_writer.h"

// Packets are written in batches this long: fewer wakes and larger writes.
#define BATCH_US (GW_SECOND / 10)

// A clip that cannot be repaired (its old writer still lives, the disk errs) is tried again, ever
// more rarely.
#define FIRST_RETRY_US (1 * GW_SECOND)
#define LAST_RETRY_US  (60 * GW_SECOND)

struct repair {
    struct repair *next;
    struct gw_clip clip;
    int64_t due_us, wait_us; // mono; until the next try after this one
};

struct gw_disk {
    const char *store;
    struct gw_link *link;
    const struct gw_log *log;
    pthread_t thread;

    pthread_mutex_t lock; // guards what the thread is told; held for moments
    pthread_cond_t told;
    bool woken, stopping;
    struct repair *asked; // repairs that the thread has not seen yet

    struct repair *repairs;         // the thread's own
    pthread_mutex_t recorders_lock; // held while recorders step
    struct gw_recorder **recorders;
    int recorder_count, recorder_room;
};

// Returns whether any recorder has more to do at once.
static bool step_recorders(struct gw_disk *disk)
{
    bool more = false;
    pthread_mutex_lock(&disk->recorders_lock);
    for (int i = 0; i < disk->recorder_count; i++)
        more |= gw_recorder_step(disk->recorders[i]);
    pthread_mutex_unlock(&disk->recorders_lock);
    return more;
}

// Returns whether this repair is done with.
static bool repair(struct gw_disk *disk, struct repair *repair)
{
    struct gw_fact fact = {
        .kind = GW_FACT_CLIP_CLOSED, .wall_us = gw_wall_us(), .clip = repair->clip};
    int error = gw_clip_repair(disk->store, &fact.clip);
    char path[GW_MEDIA_PATH_SIZE];

    if (!error) {
        gw_log_info(disk->log, "clip %s was left open by a lost worker: now %s, %lld frames",
                    gw_clip_path(path, &fact.clip), gw_clip_state_name(fact.clip.state),
                    (long long)fact.clip.frames);
        gw_link_post(disk->link, &fact);
        return true;
    }
    if (!repair->wait_us)
        gw_log_error(disk->log, "cannot repair clip %s yet: %s; trying again until it works",
                     gw_clip_path(path, &repair->clip), gw_strerror(error));
    repair->wait_us = repair->wait_us ? 2 * repair->wait_us : FIRST_RETRY_US;
    if (repair->wait_us > LAST_RETRY_US)
        repair->wait_us = LAST_RETRY_US;
    repair->due_us = gw_mono_us() + repair->wait_us;
    return false;
}

static void do_repairs(struct gw_disk *disk)
{
    struct repair **link = &disk->repairs;
    while (*link) {
        struct repair *at = *link;
        if (gw_mono_us() < at->due_us || !repair(disk, at)) {
            link = &at->next;
        } else {
            *link = at->next;
            free(at);
        }
    }
}

static void free_repairs(struct repair *repairs)
{
    while (repairs) {
        struct repair *next = repairs->next;
        free(repairs);
        repairs = next;
    }
}

// Puts what was asked for meanwhile before what waits. Called with the lock held.
static void take_repairs(struct gw_disk *disk)
{
    struct repair **last = &disk->asked;
    while (*last)
        last = &(*last)->next;
    *last = disk->repairs;
    disk->repairs = disk->asked;
    disk->asked = NULL;
}

// Sleeps until told or the next batch is due. Returns whether the thread shall end.
static bool wait_for_work(struct gw_disk *disk, bool at_once)
{
    int64_t due_us = gw_mono_us() + BATCH_US;
    struct timespec due = {.tv_sec = due_us / GW_SECOND, .tv_nsec = due_us % GW_SECOND * 1000};

    pthread_mutex_lock(&disk->lock);
    while (!at_once && !disk->woken && !disk->stopping && !disk->asked)
        if (pthread_cond_timedwait(&disk->told, &disk->lock, &due) == ETIMEDOUT)
            break;
    disk->woken = false;
    take_repairs(disk);
    bool stopping = disk->stopping;
    pthread_mutex_unlock(&disk->lock);
    return stopping;
}

static void *run(void *opaque)
{
    struct gw_disk *disk = opaque;
    bool stopping = false, more = false;

    pthread_setname_np(pthread_self(), "disk");
    while (!stopping) {
        stopping = wait_for_work(disk, more);
        do_repairs(disk);
        more = step_recorders(disk);
    }
    return NULL;
}

int gw_disk_create(struct gw_disk **ret, const char *store, struct gw_link *link,
                   const struct gw_log *log)
{
    struct gw_disk *disk = calloc(1, sizeof(*disk));
    pthread_condattr_t attributes;

    if (!disk)
        return -ENOMEM;
    disk->store = store;
    disk->link = link;
    disk->log = log;
    pthread_mutex_init(&disk->lock, NULL);
    pthread_mutex_init(&disk->recorders_lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&disk->told, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&disk->thread, NULL, run, disk);
    if (error) {
        free(disk);
        return -error;
    }
    *ret = disk;
    return 0;
}

void gw_disk_destroy(struct gw_disk **disk)
{
    struct gw_disk *d = *disk;
    if (!d)
        return;
    assert(!d->recorder_count);
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->told);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->told);
    pthread_mutex_destroy(&d->recorders_lock);
    pthread_mutex_destroy(&d->lock);
    free_repairs(d->asked);
    free_repairs(d->repairs); // the next start asks again
    free(d->recorders);
    free(d);
    *disk = NULL;
}

void gw_disk_add(struct gw_disk *disk, struct gw_recorder *recorder)
{
    pthread_mutex_lock(&disk->recorders_lock);
    if (disk->recorder_count == disk->recorder_room) {
        disk->recorder_room = disk->recorder_room ? 2 * disk->recorder_room : 16;
        disk->recorders =
            realloc(disk->recorders, (size_t)disk->recorder_room * sizeof(struct gw_recorder *));
        if (!disk->recorders)
            abort();
    }
    disk->recorders[disk->recorder_count++] = recorder;
    pthread_mutex_unlock(&disk->recorders_lock);
}

void gw_disk_remove(struct gw_disk *disk, struct gw_recorder *recorder)
{
    pthread_mutex_lock(&disk->recorders_lock);
    int i = 0;
    while (disk->recorders[i] != recorder)
        i++;
    disk->recorders[i] = disk->recorders[--disk->recorder_count];
    pthread_mutex_unlock(&disk->recorders_lock);
    gw_recorder_finish(recorder);
}

void gw_disk_wake(struct gw_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    disk->woken = true;
    pthread_cond_signal(&disk->told);
    pthread_mutex_unlock(&disk->lock);
}

void gw_disk_repair(struct gw_disk *disk, const struct gw_clip *clip)
{
    struct repair *repair = malloc(sizeof(*repair));
    if (!repair)
        abort();
    *repair = (struct repair){.clip = *clip};
    pthread_mutex_lock(&disk->lock);
    repair->next = disk->asked;
    disk->asked = repair;
    pthread_cond_signal(&disk->told);
    pthread_mutex_unlock(&disk->lock);
}
