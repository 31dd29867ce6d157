// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch export: evidence for a case, as a folder that proves by itself that nobody changed it.

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "app/cli.h"
#include "app/export.h"
#include "app/process.h"
#include "app/verbs.h"
#include "console/arguments.h"
#include "console/audit.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

static const char help[] =
    "usage: gridwatch export --case C --reason R [OPTION]… -o DIR\n"
    "       gridwatch export --print-key\n"
    "\n"
    "Writes what was recorded into a new folder, with a manifest that this site's key signs;\n"
    "gridwatch verify checks it anywhere. Clips are trimmed to the time asked for at their "
    "fragments,\n"
    "not encoded again. The export is written to the audit log before anything is read.\n"
    "\n"
    "      --case C             the case it is for\n"
    "      --reason R           why it is exported\n"
    "      --exporter NAME      who exports (default: the system's user, which is always noted)\n"
    "  -o, --output DIR         the folder, which must not exist or be empty\n"
    "      --from T, --to T     of this time: like 2026-05-04T03:02:01Z, or microseconds\n"
    "      --camera ID          of this camera\n"
    "      --division D         of this division and all below it; a grid cell may follow\n"
    "      --near LON,LAT,M     within M metres of a point (WGS-84)\n"
    "      …                    and by place as gridwatch clips --help says\n"
    "      --snapshots          with the pictures of events\n"
    "      --print-key          print the public key of this site, for gridwatch verify --key\n"
    "      --store DIR, -c FILE another store, another configuration file\n";

// The filters are those of the HTTP API, by the same names.
static const char *const filters[] = {"from", "to",      "camera", "division", "grid",
                                      "near", "polygon", "box",    "covers",   "crs"};
enum { FILTER_COUNT = sizeof(filters) / sizeof(filters[0]) };

static const struct option options[] = {
    {"from", required_argument, NULL, 0},       {"to", required_argument, NULL, 1},
    {"camera", required_argument, NULL, 2},     {"division", required_argument, NULL, 3},
    {"grid", required_argument, NULL, 4},       {"near", required_argument, NULL, 5},
    {"polygon", required_argument, NULL, 6},    {"box", required_argument, NULL, 7},
    {"covers", required_argument, NULL, 8},     {"crs", required_argument, NULL, 9},
    {"case", required_argument, NULL, 'C'},     {"reason", required_argument, NULL, 'R'},
    {"exporter", required_argument, NULL, 'E'}, {"output", required_argument, NULL, 'o'},
    {"snapshots", no_argument, NULL, 'S'},      {"print-key", no_argument, NULL, 'k'},
    {"store", required_argument, NULL, 's'},    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},           {0},
};

struct choice {
    const char *values[FILTER_COUNT]; // as given; NULL when not
    const char *case_text, *reason, *exporter, *folder, *store, *config_file;
    bool snapshots, print_key;
    struct gw_query query;
};

static const struct gw_log export_log = {.name = "export"};

static const char *get_value(void *opaque, const char *name)
{
    const struct choice *choice = opaque;
    for (int i = 0; i < FILTER_COUNT; i++)
        if (!strcmp(filters[i], name))
            return choice->values[i];
    return NULL;
}

// One line of UTF-8.
static bool is_text(const char *text)
{
    json_t *json = json_string(text);
    bool good = json && *text && strlen(text) <= GW_EXPORT_TEXT_LIMIT;
    for (const char *at = text; *at; at++)
        good = good && (unsigned char)*at >= 0x20 && *at != 0x7f;
    json_decref(json);
    return good;
}

// Whether it can be written as a date.
static bool is_of_our_days(int64_t wall_us)
{
    return wall_us == GW_NO_TIME || (wall_us >= 0 && wall_us < INT64_C(253402300800) * GW_SECOND);
}

// Returns -1 to go on, or an exit code.
static int check(struct choice *choice)
{
    char error[GW_ARGUMENT_ERROR_SIZE];
    const struct {
        const char *option, *text;
    } texts[] = {{"--case", choice->case_text},
                 {"--reason", choice->reason},
                 {"--exporter", choice->exporter ? choice->exporter : "-"}};
    if (choice->print_key)
        return -1;
    if (!choice->folder)
        return gw_cli_usage("export", "-o DIR is needed");
    for (int i = 0; i < 3; i++) {
        if (!texts[i].text)
            return gw_cli_usage("export", "%s is needed", texts[i].option);
        if (!is_text(texts[i].text))
            return gw_cli_usage("export", "%s takes one line of 1 to %d bytes, in UTF-8",
                                texts[i].option, GW_EXPORT_TEXT_LIMIT);
    }
    if (gw_arguments_parse(&choice->query, GW_ARGUMENTS_CLIPS, get_value, choice, error) < 0)
        return gw_cli_usage("export", "--%s", error);
    if (!is_of_our_days(choice->query.from_us) || !is_of_our_days(choice->query.to_us))
        return gw_cli_usage("export", "--from and --to take times between 1970 and 9999");
    return -1;
}

static int parse_options(struct choice *choice, int argc, char **argv)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:c:h", options, NULL)) != -1) {
        switch (option) {
        case 'C': choice->case_text = optarg; break;
        case 'R': choice->reason = optarg; break;
        case 'E': choice->exporter = optarg; break;
        case 'o': choice->folder = optarg; break;
        case 'S': choice->snapshots = true; break;
        case 'k': choice->print_key = true; break;
        case 's': choice->store = optarg; break;
        case 'c': choice->config_file = optarg; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        case ':': return gw_cli_usage("export", "%s needs a value", argv[optind - 1]);
        case '?': return gw_cli_usage("export", "there is no option %s", argv[optind - 1]);
        default:
            if (!gw_argument_known(GW_ARGUMENTS_CLIPS, filters[option]))
                return gw_cli_usage("export", "there is no option --%s", filters[option]);
            choice->values[option] = optarg;
        }
    }
    if (optind < argc)
        return gw_cli_usage("export", "\"%s\" is one word too many", argv[optind]);
    return check(choice);
}

// --- audit ---------------------------------------------------------------------------------------

// Who exports is in the row's session, as a session's id is when somebody looks. without: what it
// means when the row cannot be written.
static int audit(const struct gw_export_request *request, const char *action, json_t *object,
                 const char *without)
{
    char session[96], error[256];
    char *text = json_dumps(object, JSON_COMPACT);
    snprintf(session, sizeof(session), "os:%.80s", request->os_user);
    const struct gw_audit_entry entry = {.wall_us = gw_wall_us(),
                                         .session = session,
                                         .action = action,
                                         .object = text,
                                         .camera = request->query.camera,
                                         .remote = ""};
    int result = gw_audit_record_in(request->site->store, &entry, error);
    free(text);
    json_decref(object);
    return result < 0 ? gw_cli_fail("%s: %s", without, error) : 0;
}

static int audit_begin(const struct gw_export_request *request, const char *id)
{
    return audit(request, "export",
                 json_pack("{s:s, s:s, s:s, s:s, s:O}", "export", id, "case", request->case_text,
                           "reason", request->reason, "exporter", request->exporter, "filters",
                           request->filters),
                 "nothing is exported without a row in the audit log");
}

static int audit_end(const struct gw_export_request *request, const struct gw_export_result *result)
{
    char hash[GW_EVIDENCE_HASH * 2 + 1];
    sodium_bin2hex(hash, sizeof(hash), result->manifest_hash, sizeof(result->manifest_hash));
    return audit(request, "export.written",
                 json_pack("{s:s, s:i, s:I, s:s}", "export", result->id, "files", result->files,
                           "bytes", (json_int_t)result->bytes, "manifest_sha256", hash),
                 "the bundle is complete, but the audit log does not have its hash");
}

// --- the export ----------------------------------------------------------------------------------

static void find_user(char ret[64])
{
    const struct passwd *user = getpwuid(getuid());
    if (user && is_text(user->pw_name))
        snprintf(ret, 64, "%s", user->pw_name);
    else
        snprintf(ret, 64, "%u", (unsigned)getuid());
}

static json_t *list_filters(const struct choice *choice)
{
    json_t *json = json_object();
    for (int i = 0; i < FILTER_COUNT; i++)
        if (choice->values[i])
            json_object_set_new(json, filters[i], json_string(choice->values[i]));
    return json;
}

static void print_result(const struct gw_export_request *request,
                         const struct gw_export_result *result, const char *folder)
{
    char key[GW_EVIDENCE_KEY_TEXT_SIZE];
    gw_evidence_key_format(key, request->key->public_half);
    if (result->missing)
        fprintf(stderr, "gridwatch: %d clips are missing; the manifest names them\n",
                result->missing);
    printf("exported %d clips (%.1f s), %d gaps, %d snapshots; %d files, %.1f MB in %s\n"
           "check it with: gridwatch verify --key %s %s\n",
           result->clips, (double)result->media_us / GW_SECOND, result->gaps, result->snapshots,
           result->files, (double)result->bytes / 1e6, folder, key, folder);
}

static int export_bundle(struct gw_export_request *request, const struct choice *choice)
{
    struct gw_export_result result = {0};
    char error[GW_EVIDENCE_ERROR];
    const struct gw_id id = gw_id_make(gw_wall_us());
    gw_id_format(result.id, &id);
    int code = audit_begin(request, result.id);
    if (code)
        return code;
    if (gw_export(&result, request, choice->folder, error) < 0)
        return gw_cli_fail("%s", error);
    code = audit_end(request, &result);
    if (!code)
        print_result(request, &result, choice->folder);
    return code;
}

static int run(struct choice *choice, const struct gw_config *site, struct gw_evidence_key *key)
{
    char user[64], error[GW_INDEX_ERROR_SIZE];
    struct gw_export_request request = {.site = site,
                                        .query = choice->query,
                                        .case_text = choice->case_text,
                                        .reason = choice->reason,
                                        .os_user = user,
                                        .snapshots = choice->snapshots,
                                        .key = key,
                                        .log = &export_log};
    if (gw_index_open(&request.index, site->store, GW_INDEX_READ, site->division, error) < 0)
        return gw_cli_fail("%s", error);
    find_user(user);
    request.exporter = choice->exporter ? choice->exporter : user;
    json_t *given = list_filters(choice);
    request.filters = given;
    int code = export_bundle(&request, choice);
    json_decref(given);
    gw_index_close(&request.index);
    return code;
}

int gw_verb_export(int argc, char **argv)
{
    struct choice choice = {0};
    struct gw_config site;
    struct gw_evidence_key key;
    char text[GW_EVIDENCE_KEY_TEXT_SIZE];
    int code = parse_options(&choice, argc, argv);
    if (code >= 0)
        return code;
    code = gw_cli_config(&site, choice.config_file, choice.store);
    if (code)
        return code;
    gw_process_prepare();
    int result = gw_evidence_key_load(&key, site.store);
    if (result < 0)
        return gw_cli_fail("cannot use the signing key %s/" GW_EVIDENCE_KEY_FILE ": %s", site.store,
                           result == GW_ERROR_INVALID ? "it holds no key; put the right one back"
                                                      : gw_strerror(result));
    if (choice.print_key) {
        puts(gw_evidence_key_format(text, key.public_half));
        code = fflush(stdout) < 0 ? gw_cli_fail("cannot print the key: %s", strerror(errno)) : 0;
    } else {
        code = run(&choice, &site, &key);
    }
    gw_evidence_key_finish(&key);
    return code;
}
