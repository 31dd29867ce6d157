// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// FFmpeg's own messages, through our log: at debug and trace, with the camera's name, without
// credentials, never raw on stderr. Any thread.
#pragma once

#include "core/log.h"

// Takes over FFmpeg's log of the whole process; calling it again does nothing.
void gw_av_log_install(void);

// Whose messages this thread's calls of libavcodec make; NULL for nobody's. Borrowed.
void gw_av_log_attach(const struct gw_log *log);
