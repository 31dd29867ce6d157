// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Whose turn it is to write: the threads of one process that have transactions take them one after
// the other, in the order in which they asked. SQLite's own way is to sleep and try again, ever
// longer, so that a busy writer starves the others. Private to storage/.
//
// Any thread.
#pragma once

#include <stdbool.h>

// Waits for its turn. Returns false when this thread has it already: then there is none to give.
bool gw_turn_take(void);
void gw_turn_give(bool taken);
