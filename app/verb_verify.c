// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch verify: whether a bundle of evidence is as it was signed. Needs nothing but the bundle.

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/evidence_verify.h"

#define KEY_FILE_LIMIT 4096

static const char help[] =
    "usage: gridwatch verify [--key KEY] DIR\n"
    "\n"
    "Checks a folder that gridwatch export wrote: every file, the manifest and its signature. "
    "Needs no\n"
    "store, configuration or network. Says what is in it, or the first thing that is wrong.\n"
    "\n"
    "  --key KEY   the public key of the site that exported, or a file that holds it; gridwatch "
    "export\n"
    "              --print-key prints it. Without it any key counts, also that of who changed a "
    "file.\n";

// --- what people read ----------------------------------------------------------------------------

// What somebody wrote, without what a terminal would obey: control characters, and those that turn
// the direction of text.
static void print_text(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (; *at; at++) {
        const bool control = *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0);
        const bool turning = (*at == 0xe2 && at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
                             (*at == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
        putchar(control || turning ? '?' : *at);
        if (turning)
            at += 2;
        else if (control && *at == 0xc2)
            at++;
    }
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static void print_line(const char *label, const char *text)
{
    printf("%-11s", label);
    print_text(text);
    putchar('\n');
}

static double seconds_of(const json_t *item)
{
    const json_int_t from_us = json_integer_value(json_object_get(item, "from_us"));
    const json_int_t to_us = json_integer_value(json_object_get(item, "to_us"));
    return to_us > from_us && from_us >= 0 ? (double)(to_us - from_us) / GW_SECOND : 0;
}

static void print_count(const char *label, const json_t *list)
{
    double seconds = 0;
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) seconds += seconds_of(item);
    printf("%-11s%zu, %.1f s\n", label, json_array_size(list), seconds);
}

// Each camera once; clips are sorted by camera.
static void print_cameras(const json_t *clips)
{
    const char *last = "";
    size_t i;
    const json_t *clip;
    json_array_foreach(clips, i, clip)
    {
        const char *camera = text_of(clip, "camera");
        if (!strcmp(camera, last))
            continue;
        last = camera;
        printf("%-11s", "camera");
        print_text(camera);
        printf("  ");
        print_text(text_of(clip, "camera_name"));
        printf("  ");
        print_text(text_of(clip, "division"));
        print_text(text_of(clip, "grid"));
        putchar('\n');
    }
}

static void print_range(const json_t *range)
{
    printf("%-11s", "asked for");
    print_text(json_is_string(json_object_get(range, "from")) ? text_of(range, "from")
                                                              : "any time");
    printf(" to ");
    print_text(json_is_string(json_object_get(range, "to")) ? text_of(range, "to") : "any time");
    putchar('\n');
}

static void print_report(const struct gw_evidence_report *report, bool pinned)
{
    char key[GW_EVIDENCE_KEY_TEXT_SIZE];
    const json_t *manifest = report->manifest;
    const json_t *exporter = json_object_get(manifest, "exporter");
    puts("good: nothing was changed since it was signed");
    print_line("case", text_of(manifest, "case"));
    print_line("reason", text_of(manifest, "reason"));
    print_line("exporter", text_of(exporter, "name"));
    print_line("user", text_of(exporter, "os_user"));
    print_line("exported", text_of(manifest, "created"));
    print_line("site", text_of(json_object_get(manifest, "site"), "name"));
    print_range(json_object_get(manifest, "range"));
    print_cameras(json_object_get(manifest, "clips"));
    print_count("clips", json_object_get(manifest, "clips"));
    print_count("gaps", json_object_get(manifest, "gaps"));
    printf("%-11s%zu\n", "missing", json_array_size(json_object_get(manifest, "missing")));
    printf("%-11s%d, %.1f MB\n", "files", report->files, (double)report->bytes / 1e6);
    printf("%-11s%s\n", "key", gw_evidence_key_format(key, report->public_half));
    if (pinned)
        puts("           it is the key given with --key");
    else
        puts("           not compared with any: ask the site for its key, and say --key");
}

// --- the verb ------------------------------------------------------------------------------------

static bool read_key(const char *text, uint8_t ret[GW_EVIDENCE_PUBLIC_SIZE])
{
    char content[KEY_FILE_LIMIT] = "";
    if (gw_evidence_key_parse(text, ret))
        return true;
    FILE *file = fopen(text, "rbe");
    if (!file)
        return false;
    const size_t size = fread(content, 1, sizeof(content) - 1, file);
    fclose(file);
    return size > 0 && gw_evidence_key_parse(content, ret);
}

static int verify(const char *folder, const uint8_t *pinned)
{
    struct gw_evidence_report report;
    int code = GW_EXIT_OK;
    if (gw_evidence_verify(&report, folder, pinned) < 0)
        code = gw_cli_fail("%s: %s", folder, report.problem);
    else
        print_report(&report, pinned != NULL);
    gw_evidence_report_finish(&report);
    if (fflush(stdout) < 0 || ferror(stdout))
        return gw_cli_fail("cannot write what was found: %s", strerror(errno));
    return code;
}

int gw_verb_verify(int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {0}};
    uint8_t key[GW_EVIDENCE_PUBLIC_SIZE];
    const char *pinned = NULL;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'k': pinned = optarg; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        case ':': return gw_cli_usage("verify", "%s needs a value", argv[optind - 1]);
        default: return gw_cli_usage("verify", "there is no option %s", argv[optind - 1]);
        }
    }
    if (optind + 1 != argc)
        return gw_cli_usage("verify", "it takes one folder");
    if (pinned && !read_key(pinned, key))
        return gw_cli_usage("verify",
                            "--key takes a public key of 64 digits or a file with one, "
                            "not \"%.100s\"",
                            pinned);
    return verify(argv[optind], pinned ? key : NULL);
}
