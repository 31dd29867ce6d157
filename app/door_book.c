// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/door_book.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

#define ALLOWANCE    24
#define ALLOWANCE_US GW_SECOND

static int compare_camera(const void *id, const void *entry)
{
    return strcmp(id, ((const struct gw_door_entry *)entry)->camera);
}

static struct gw_door_entry *find_entry(const struct gw_door_book *book, const char *camera)
{
    if (!book->count)
        return NULL;
    return bsearch(camera, book->entries, (size_t)book->count, sizeof(struct gw_door_entry),
                   compare_camera);
}

void gw_door_leaf_drop_pair(struct gw_door_leaf *leaf)
{
    for (int i = 0; i < 2; i++) {
        if (leaf->pair[i] >= 0)
            close(leaf->pair[i]);
        leaf->pair[i] = -1;
    }
}

static void drop_entry(struct gw_door_entry *entry)
{
    for (int i = 0; i < GW_DOOR_STREAM_COUNT; i++)
        gw_door_leaf_drop_pair(&entry->leaves[i]);
}

static struct gw_door_leaf make_leaf(const char *url, int64_t now_us)
{
    struct gw_door_leaf leaf = {
        .pair = {-1, -1}, .allowance_us = ALLOWANCE * ALLOWANCE_US, .counted_us = now_us};
    uint16_t port;
    if (gw_url_host(url, leaf.home, &port) < 0)
        leaf.home[0] = 0;
    return leaf;
}

static struct gw_door_entry make_entry(const struct gw_assigned *assigned, int64_t now_us)
{
    const struct gw_camera *camera = &assigned->camera;
    struct gw_door_entry entry = {.worker = assigned->worker};
    strcpy(entry.camera, camera->id);
    entry.leaves[GW_DOOR_RECORD] = make_leaf(camera->record_url, now_us);
    entry.leaves[GW_DOOR_DETECT] = make_leaf(camera->detect_url, now_us);
    return entry;
}

// What is known of a stream stays known, and its allowance used, as long as it is the same one.
static void take_over(struct gw_door_entry *entry, struct gw_door_entry *old)
{
    for (int i = 0; i < GW_DOOR_STREAM_COUNT; i++)
        if (old->worker == entry->worker && !strcmp(old->leaves[i].home, entry->leaves[i].home)) {
            entry->leaves[i] = old->leaves[i];
            old->leaves[i].pair[0] = old->leaves[i].pair[1] = -1;
        }
}

void gw_door_book_finish(struct gw_door_book *book)
{
    for (int i = 0; i < book->count; i++)
        drop_entry(&book->entries[i]);
    free(book->entries);
    *book = (struct gw_door_book){0};
}

void gw_door_book_assign(struct gw_door_book *book, const struct gw_assignment *assignment,
                         int64_t now_us)
{
    struct gw_door_entry *entries = calloc((size_t)assignment->count + 1, sizeof(*entries));
    if (!entries)
        abort();
    for (int i = 0; i < assignment->count; i++) {
        entries[i] = make_entry(&assignment->cameras[i], now_us);
        struct gw_door_entry *old = find_entry(book, entries[i].camera);
        if (old)
            take_over(&entries[i], old);
    }
    gw_door_book_finish(book);
    book->entries = entries;
    book->count = assignment->count;
}

struct gw_door_leaf *gw_door_book_find(const struct gw_door_book *book, int worker,
                                       const char *camera, enum gw_door_stream stream)
{
    struct gw_door_entry *entry = find_entry(book, camera);
    if (!entry || entry->worker != worker || !*entry->leaves[stream].home)
        return NULL;
    return &entry->leaves[stream];
}

bool gw_door_leaf_use_allowance(struct gw_door_leaf *leaf, int64_t now_us)
{
    leaf->allowance_us += now_us - leaf->counted_us;
    leaf->counted_us = now_us;
    if (leaf->allowance_us > ALLOWANCE * ALLOWANCE_US)
        leaf->allowance_us = ALLOWANCE * ALLOWANCE_US;
    if (leaf->allowance_us < ALLOWANCE_US)
        return false;
    leaf->allowance_us -= ALLOWANCE_US;
    return true;
}

void gw_door_book_forget_worker(struct gw_door_book *book, int worker)
{
    for (int i = 0; i < book->count; i++)
        if (book->entries[i].worker == worker)
            drop_entry(&book->entries[i]);
}

void gw_door_book_expire(struct gw_door_book *book, int64_t now_us)
{
    for (int i = 0; i < book->count; i++)
        for (int j = 0; j < GW_DOOR_STREAM_COUNT; j++) {
            struct gw_door_leaf *leaf = &book->entries[i].leaves[j];
            if (leaf->pair[0] >= 0 && now_us >= leaf->pair_until_us)
                gw_door_leaf_drop_pair(leaf);
        }
}
