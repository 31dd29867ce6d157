// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A file that is there when it is complete, and not before: written under a temporary name beside
// it, and renamed.
//
//   overlay.c -> [output] -> the user's folder
//
// A signal that ends the program (Ctrl-C, a closed terminal, a closed pipe) removes the temporary
// file first. One at a time in a process; used by its main thread.
#pragma once

#include <limits.h>
#include <stddef.h>

struct gw_overlay_output {
    const char *path;         // borrowed
    char temporary[PATH_MAX]; // to be written to; empty when there is none
    int fd;                   // of the temporary file
};

#define GW_OVERLAY_ERROR_SIZE 512

// Makes the temporary file, which only its owner may read. Refuses a path that exists, and the
// input. Returns 0 or -errno, with one line in error that says what to do.
int gw_overlay_output_open(struct gw_overlay_output *output, const char *path, const char *input,
                           char error[GW_OVERLAY_ERROR_SIZE]);

// The file is complete: gives it its name. Returns 0 or -errno, with a line in error; what appeared
// under the name meanwhile is left alone.
int gw_overlay_output_publish(struct gw_overlay_output *output, char error[GW_OVERLAY_ERROR_SIZE]);

// Removes the temporary file if it was not published.
void gw_overlay_output_close(struct gw_overlay_output *output);
