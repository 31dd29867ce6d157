// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Writes one clip: a fragmented MP4 that any player opens, even when its writer was killed.
//
//   recorder (app/) -> [clip_writer] -> media/…/*.mp4
//
// One fragment per GOP and at most 2 s; data reaches the disk (fdatasync) after every fragment, at
// most every 2 s. The file says who it is: clip id, camera, UTC of its first picture.
// Used by one thread at a time, never a capture thread.
#pragma once

#include "core/clip.h"
#include "core/packet.h"

struct gw_clip_writer;

// Creates the file (and its folders) for a clip that begins with this keyframe. clip->id and
// clip->camera are given, the rest of *clip is filled in: what to announce as opened.
// Returns 0, -errno, or an FFmpeg code when the muxer refuses the stream.
int gw_clip_writer_create(struct gw_clip_writer **ret, const char *store, struct gw_clip *clip,
                          const struct gw_packet *first);

// Appends; the first call gives the keyframe of create again. Borrows packet. dts must increase: a
// packet that goes back is refused with GW_ERROR_INVALID, and the file goes on without it.
// After a failed write or sync the file is finished for good: every later call returns that error.
int gw_clip_writer_write(struct gw_clip_writer *writer, const struct gw_packet *packet);

// Marks that packets are missing here.
void gw_clip_writer_mark_truncated(struct gw_clip_writer *writer);

// Ends the file, syncs it and its folder, gives what to announce as closed, and frees the writer.
// Sets *writer to NULL in every case. On failure *ret_clip still says what is readable. A clip
// without one whole fragment is LOST and leaves no file.
int gw_clip_writer_finish(struct gw_clip_writer **writer, struct gw_clip *ret_clip);

// A clip whose worker was lost: cuts a half-written fragment off its file, reads what is there and
// completes *clip (state REPAIRED, or LOST when nothing can be played). Reads bytes that came from
// a camera, so it runs in a worker. clip->id, camera, start_us are given. Returns 0, -errno, or
// GW_ERROR_BUSY when its writer still lives: then nothing was touched.
int gw_clip_repair(const char *store, struct gw_clip *clip);
