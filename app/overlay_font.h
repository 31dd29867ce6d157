// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Letters to draw into pictures: ASCII, five pixels wide and seven high, one more for what hangs
// below the line, one pixel between two.
//
// Other scripts would need a font library and its files, for the sake of a zone's name.
#pragma once

#include <stdbool.h>

enum { GW_FONT_WIDTH = 5, GW_FONT_HEIGHT = 8, GW_FONT_STEP = 6 };

// Whether every byte of the text has a glyph.
bool gw_font_has(const char *text);

// Whether the glyph of c is inked there, 0 <= x < GW_FONT_WIDTH, 0 <= y < GW_FONT_HEIGHT. What has
// no glyph shows as a frame.
bool gw_font_inked(char c, int x, int y);
