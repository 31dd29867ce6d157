// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Feeds a fuzz target what its corpus holds, in every run of the tests: a folder in argv[1].

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/target.h"

enum { MAX_BYTES = 1 << 20 };

static const char *folder;

// Returns 1, or 0 for what is no input.
static int feed(const char *name)
{
    static uint8_t bytes[MAX_BYTES];
    char path[4096];

    if (name[0] == '.')
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    const size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    // A copy of just that size, for a sanitizer to see a read beyond it.
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_int_equal(LLVMFuzzerTestOneInput(copy, size), 0);
    free(copy);
    return 1;
}

static void every_input_of_the_corpus_keeps_the_promises(void **state)
{
    DIR *directory = opendir(folder);
    int count = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += feed(entry->d_name);
    closedir(directory);
    assert_true(count > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_of_the_corpus_keeps_the_promises),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
