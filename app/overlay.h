// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A video that shows what the detector saw in a file, made after the analysis, which decodes only
// a part of the pictures and looks back in time.
//
//   analyzer.h callbacks -> overlay_trace.h ----------------------v
//   file, again -> media_file.h -> decode.h -> swscale -> [overlay: overlay_draw.h]
//                                                -> overlay_video.h -> overlay_output.h
//
// The overlay holds footage; masks are black in it. Used by one thread at a time.
#pragma once

#include "app/media_file.h"
#include "app/overlay_output.h"
#include "app/overlay_trace.h"

struct gw_overlay;

// Makes sure that the overlay can be written to path (see overlay_output.h). path, input and zones
// (may be NULL) are borrowed and must outlive it. Returns 0, or a negative number with one line in
// error.
int gw_overlay_open(struct gw_overlay **ret, const char *path, const char *input,
                    const struct gw_zones *zones, char error[GW_OVERLAY_ERROR_SIZE]);

// Accepts NULL inside. Sets *overlay to NULL. What was not made leaves no file.
void gw_overlay_close(struct gw_overlay **overlay);

// Where the analyzer's callbacks put what they were told. Lives as long as the overlay.
struct gw_overlay_trace *gw_overlay_trace(struct gw_overlay *overlay);

// The second pass: decodes all of input, draws, and gives the file its name. progress is called now
// and then with how far it is. Returns 0, or a negative number with one line in error.
int gw_overlay_make(struct gw_overlay *overlay,
                    void (*progress)(void *opaque, const struct gw_media_file *file), void *opaque,
                    char error[GW_OVERLAY_ERROR_SIZE]);
