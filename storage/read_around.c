// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// An SQLite "VFS shim" (sqlite.org/vfs.html): all but xOpen of a database and xRead is that of the
// system's VFS. Nothing is kept: the neighbours are read into a buffer that is thrown away, and are
// then in the page cache, where the next read finds them in some microseconds.

#include "storage/read_around.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "core/clock.h"

#define AROUND  (128 << 10) // bytes; what Linux reads at once by default
#define SLOW_US 60          // a page in memory takes 2-10; no disk is sooner

struct file {
    sqlite3_file base; // first, as SQLite wants it
    char *around;      // room for neighbours; NULL until they are needed
    sqlite3_int64 last;
    sqlite3_file real[]; // the system's, of its size
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

// --- reading -------------------------------------------------------------------------------------

static void read_neighbours(struct file *file, sqlite3_int64 offset)
{
    const sqlite3_int64 block = offset / AROUND;

    if (block == file->last) // it waited for something else than the disk
        return;
    file->last = block;
    if (!file->around)
        file->around = malloc(AROUND);
    if (file->around) // what does not work here does not matter
        file->real->pMethods->xRead(file->real, file->around, AROUND, block * AROUND);
}

static int read_file(sqlite3_file *base, void *bytes, int size, sqlite3_int64 offset)
{
    struct file *file = (struct file *)base;
    const int64_t start_us = gw_mono_us();
    const int result = file->real->pMethods->xRead(file->real, bytes, size, offset);

    if (result == SQLITE_OK && gw_mono_us() - start_us >= SLOW_US)
        read_neighbours(file, offset);
    return result;
}

static int close_file(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    free(file->around);
    return file->real->pMethods->xClose(file->real);
}

// --- passed on -----------------------------------------------------------------------------------

#define METHODS(file) real_of(file)->pMethods

static int write_file(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    return METHODS(file)->xWrite(real_of(file), bytes, size, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return METHODS(file)->xTruncate(real_of(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    return METHODS(file)->xSync(real_of(file), flags);
}

static int size_file(sqlite3_file *file, sqlite3_int64 *ret)
{
    return METHODS(file)->xFileSize(real_of(file), ret);
}

static int lock_file(sqlite3_file *file, int level)
{
    return METHODS(file)->xLock(real_of(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return METHODS(file)->xUnlock(real_of(file), level);
}

static int is_reserved(sqlite3_file *file, int *ret)
{
    return METHODS(file)->xCheckReservedLock(real_of(file), ret);
}

static int control_file(sqlite3_file *file, int what, void *argument)
{
    return METHODS(file)->xFileControl(real_of(file), what, argument);
}

static int sector_size(sqlite3_file *file)
{
    return METHODS(file)->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return METHODS(file)->xDeviceCharacteristics(real_of(file));
}

static int map_shared(sqlite3_file *file, int region, int size, int extend, void volatile **ret)
{
    return METHODS(file)->xShmMap(real_of(file), region, size, extend, ret);
}

static int lock_shared(sqlite3_file *file, int first, int count, int flags)
{
    return METHODS(file)->xShmLock(real_of(file), first, count, flags);
}

static void fence_shared(sqlite3_file *file)
{
    METHODS(file)->xShmBarrier(real_of(file));
}

static int unmap_shared(sqlite3_file *file, int remove)
{
    return METHODS(file)->xShmUnmap(real_of(file), remove);
}

static int fetch(sqlite3_file *file, sqlite3_int64 offset, int size, void **ret)
{
    return METHODS(file)->xFetch(real_of(file), offset, size, ret);
}

static int unfetch(sqlite3_file *file, sqlite3_int64 offset, void *bytes)
{
    return METHODS(file)->xUnfetch(real_of(file), offset, bytes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = fence_shared,
    .xShmUnmap = unmap_shared,
    .xFetch = fetch,
    .xUnfetch = unfetch,
};

// --- opening -------------------------------------------------------------------------------------

static sqlite3_vfs *system_vfs; // both constant once they are registered
static sqlite3_vfs vfs;

// Logs and journals are read from their beginning to their end: those are the system's alone.
static int open_file(sqlite3_vfs *unused, const char *name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    struct file *file = (struct file *)base;

    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return system_vfs->xOpen(system_vfs, name, base, flags, ret_flags);
    *file = (struct file){.last = -1};
    const int result = system_vfs->xOpen(system_vfs, name, file->real, flags, ret_flags);
    if (file->real->pMethods && file->real->pMethods->iVersion >= methods.iVersion)
        file->base.pMethods = &methods;
    else if (file->real->pMethods) {
        file->real->pMethods->xClose(file->real);
        return SQLITE_CANTOPEN;
    }
    return result;
}

static void make_vfs(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    if (!system_vfs)
        return;
    vfs = *system_vfs;
    vfs.pNext = NULL;
    vfs.zName = "gridwatch";
    vfs.szOsFile = (int)sizeof(struct file) + system_vfs->szOsFile;
    vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        system_vfs = NULL;
}

const char *gw_read_around_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_vfs);
    return system_vfs ? vfs.zName : NULL;
}
