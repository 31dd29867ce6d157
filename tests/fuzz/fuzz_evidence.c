// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Fuzz target: a bundle's manifest that somebody wrote and signed (storage/evidence_verify.h). The
// input is the manifest; format, key and signature are put right, so that what it says is looked
// at.

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "storage/evidence_verify.h"
#include "tests/fuzz/target.h"

static char folder[] = "/tmp/gridwatch-fuzz-XXXXXX";
static struct gw_evidence_key key;

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[sizeof(folder) + 64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0)
        abort();
}

static void make_folder(void)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    if (!mkdtemp(folder) || sodium_init() < 0)
        abort();
    crypto_sign_seed_keypair(key.public_half, key.secret, seed);
    write_file("clip.mp4", "four", 4);
    atexit(remove_folder);
}

// As it is, or with what every manifest needs.
static char *complete(const uint8_t *data, size_t size)
{
    char digits[GW_EVIDENCE_KEY_TEXT_SIZE];
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return strndup((const char *)data, size);
    }
    json_object_set_new(json, "format", json_string(GW_EVIDENCE_FORMAT));
    json_object_set_new(json, "format_version", json_integer(GW_EVIDENCE_VERSION));
    json_object_set_new(json, "public_key",
                        json_string(gw_evidence_key_format(digits, key.public_half)));
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_evidence_report report;
    uint8_t signature[GW_EVIDENCE_SIGNATURE];

    if (!key.public_half[0] && !key.public_half[1])
        make_folder();
    char *text = complete(data, size);
    if (!text)
        return 0;
    write_file(GW_EVIDENCE_MANIFEST, text, strlen(text));
    crypto_sign_detached(signature, NULL, (const uint8_t *)text, strlen(text), key.secret);
    write_file(GW_EVIDENCE_SIGNED, signature, sizeof(signature));
    const int result = gw_evidence_verify(&report, folder, key.public_half);
    assert(result == 0 ? !*report.problem && report.files == 1 : *report.problem);
    for (const char *at = report.problem; *at; at++)
        assert((unsigned char)*at >= 0x20); // one line, and nothing that a terminal obeys
    gw_evidence_report_finish(&report);
    free(text);
    return 0;
}
