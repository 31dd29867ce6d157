// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A file of the store that holds a secret: made once, never changed. Private to storage/. Any
// thread; any number of processes.
#pragma once

#include <stddef.h>

// Makes store/name (mode 0600) of these bytes, durably and whole or not at all. One that is there
// stays: another process was faster, and its secret is as good. Made by root for a site of another
// user, it is that user's, as all in the store. Returns 0 or -errno. What is left of a broken try
// ends in ".part", and is nobody's.
int gw_key_file_make(const char *store, const char *name, const void *bytes, size_t size);
