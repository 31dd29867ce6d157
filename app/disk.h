// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The disk thread: the one thread of a worker that waits for the disk, so that no other has to.
//
//   recorder.h -> [disk] -> storage/
//
// Ten times a second, and at once when an event is reported, it gives every recorder its step;
// between them it repairs clips that a lost worker left behind.
#pragma once

#include "app/recorder.h"

struct gw_disk;

// store and link are borrowed.
int gw_disk_create(struct gw_disk **ret, const char *store, struct gw_link *link,
                   const struct gw_log *log);
// Every recorder must have been removed.
void gw_disk_destroy(struct gw_disk **disk);

// From the worker's main thread. remove waits for the recorder's step, finishes it and forgets it.
void gw_disk_add(struct gw_disk *disk, struct gw_recorder *recorder);
void gw_disk_remove(struct gw_disk *disk, struct gw_recorder *recorder);

// Something waits. Any thread, quick.
void gw_disk_wake(struct gw_disk *disk);

// Repairs this clip's file and announces how it ended; tries again until that works. Any thread.
void gw_disk_repair(struct gw_disk *disk, const struct gw_clip *clip);
