// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which clip a file is, from the file alone: what its row in the index says, as far as a file
// knows.
//
//   media/<camera>/<day>/*.mp4 -> [clip_identity] -> index rebuild, fsck
//
// Reads the boxes and no picture: some kilobytes of a file of any size. The file may be cut
// anywhere and its bytes may be anybody's; memory is bounded. Any thread.
#pragma once

#include "core/clip.h"

// Fills *ret: id, camera, start_us, codec, width, height and the clock offset known at its start
// (GW_NO_TIME: none) from the header; end_us, frames and size_bytes up to the last whole fragment.
// state is CLOSED when the file is complete and nothing follows it (a repaired clip is one, too),
// else RECORDING: its writer is not finished, or was not. truncated is not known, and false.
// Returns 0, -errno, or GW_ERROR_INVALID when this is no clip of ours.
int gw_clip_identify(const char *store, const char *path, struct gw_clip *ret);

// The same for an open file.
int gw_clip_identify_file(int fd, struct gw_clip *ret);
