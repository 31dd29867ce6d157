// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch hold: case holds, which retention does not touch; and gridwatch retention, an
// administrator's word about the clock. Both write the audit log before they change anything.

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/retention.h"
#include "app/verbs.h"
#include "console/audit.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/hold.h"

static const char hold_help[] =
    "usage: gridwatch hold add --case C --reason R --until T [--author A] FILTER…\n"
    "       gridwatch hold list [--json]\n"
    "       gridwatch hold remove ID --reason R [--author A]\n"
    "\n"
    "A case hold keeps retention from deleting what was recorded, and what will be, until it\n"
    "ends. Times are like 2026-05-04T03:02:01+08:00, or 2026-05-04 for when that day begins "
    "(UTC).\n"
    "\n"
    "  --case C              the case, as people name it\n"
    "  --reason R            why\n"
    "  --until T             when the hold ends by itself\n"
    "  --author A            who says so (default: your user name)\n"
    "  --from T, --to T      what overlaps this time; without: any\n"
    "  --camera ID           of this camera\n"
    "  --division D          of this division and all below it; a grid cell may follow\n"
    "  --json                one JSON object per line\n"
    "  --store DIR, -c FILE  another store, another configuration file\n";

static const char retention_help[] =
    "usage: gridwatch retention confirm [--author A] [--store DIR] [-c FILE]\n"
    "\n"
    "Says that the clock of this machine is right now, after it jumped or the site stood still "
    "for\n"
    "more than a week: retention then deletes by age again.\n";

static const struct option options[] = {
    {"case", required_argument, NULL, 'C'},
    {"reason", required_argument, NULL, 'R'},
    {"until", required_argument, NULL, 'u'},
    {"author", required_argument, NULL, 'a'},
    {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},
    {"camera", required_argument, NULL, 'i'},
    {"division", required_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},
    {"store", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct call {
    const char *verb, *help, *word;
    const char *argument; // the ID of remove
    const char *config_file, *store;
    struct gw_hold hold;
    bool json;
    struct gw_config config;
    struct gw_index *index;
};

// --- options -------------------------------------------------------------------------------------

static bool parse_moment(const char *text, int64_t *ret)
{
    char day[GW_RFC3339_SIZE];
    if (gw_parse_time(text, ret) == 0)
        return true;
    return strlen(text) == 10 && snprintf(day, sizeof(day), "%sT00:00:00Z", text) > 0 &&
           gw_parse_time(day, ret) == 0;
}

static int set_moment(const struct call *call, const char *name, int64_t *ret)
{
    if (parse_moment(optarg, ret))
        return 0;
    return gw_cli_usage(call->verb,
                        "--%s takes a time like 2026-05-04T03:02:01Z or 2026-05-04, not \"%.40s\"",
                        name, optarg);
}

static int set_text(const struct call *call, const char *name, char *ret, size_t size)
{
    if (*optarg && (size_t)snprintf(ret, size, "%s", optarg) < size)
        return 0;
    return gw_cli_usage(call->verb, "--%s takes 1 to %zu characters", name, size - 1);
}

static int set_filter(struct call *call, int option)
{
    const bool camera = option == 'i';
    const size_t length = strlen(optarg);
    char *field = camera ? call->hold.camera : call->hold.division;
    const size_t size = camera ? sizeof(call->hold.camera) : sizeof(call->hold.division);
    const bool good =
        camera ? gw_camera_id_valid(optarg) : length > 0 && strspn(optarg, "0123456789") == length;

    if (good && (size_t)snprintf(field, size, "%s", optarg) < size)
        return 0;
    return gw_cli_usage(call->verb,
                        camera ? "--camera takes a camera's id, not \"%.40s\""
                               : "--division takes the first digits of a division "
                                 "code, not \"%.40s\"",
                        optarg);
}

static int set_option(struct call *call, int option)
{
    struct gw_hold *hold = &call->hold;

    switch (option) {
    case 'C': return set_text(call, "case", hold->case_name, sizeof(hold->case_name));
    case 'R': return set_text(call, "reason", hold->reason, sizeof(hold->reason));
    case 'a': return set_text(call, "author", hold->author, sizeof(hold->author));
    case 'u': return set_moment(call, "until", &hold->until_us);
    case 'f': return set_moment(call, "from", &hold->from_us);
    case 't': return set_moment(call, "to", &hold->to_us);
    case 'i':
    case 'd': return set_filter(call, option);
    case 'j': call->json = true; break;
    case 's': call->store = optarg; break;
    case 'c': call->config_file = optarg; break;
    }
    return 0;
}

// Who sits at the terminal, unless --author says it.
static void find_author(struct gw_hold *hold)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());

    if (!*hold->author)
        snprintf(hold->author, sizeof(hold->author), "%s",
                 sudo && *sudo ? sudo
                 : user        ? user->pw_name
                               : "");
}

// Returns -1 to go on, or an exit code.
static int parse_options(struct call *call, int argc, char **argv)
{
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(call->help, stdout);
            return GW_EXIT_OK;
        }
        if (option == ':')
            return gw_cli_usage(call->verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return gw_cli_usage(call->verb, "there is no option %s", argv[optind - 1]);
        int code = set_option(call, option);
        if (code)
            return code;
    }
    if (optind < argc)
        call->word = argv[optind++];
    if (optind < argc)
        call->argument = argv[optind++];
    if (optind < argc)
        return gw_cli_usage(call->verb, "\"%s\" is one word too many", argv[optind]);
    find_author(&call->hold);
    return -1;
}

// --- work ----------------------------------------------------------------------------------------

// Returns 0 or an exit code; then nothing may be changed.
static int write_audit(const struct call *call, const char *action, const char *object)
{
    struct gw_console_db db;
    char error[256], remote[GW_HOLD_NAME_SIZE + 16];

    if (gw_console_db_open(&db, call->config.store, error) < 0)
        return gw_cli_fail("cannot write the audit log: %s", error);
    snprintf(remote, sizeof(remote), "command line: %s", call->hold.author);
    const struct gw_audit_entry entry = {.wall_us = gw_wall_us(),
                                         .session = "",
                                         .action = action,
                                         .object = object,
                                         .camera = call->hold.camera,
                                         .remote = remote};
    int result = gw_audit_record(&db, &entry);
    gw_console_db_close(&db);
    return result < 0
               ? gw_cli_fail("cannot write the audit log in %s/console.db", call->config.store)
               : 0;
}

static int check_new(const struct call *call)
{
    const struct gw_hold *hold = &call->hold;

    if (!*hold->case_name || !*hold->reason || hold->until_us == GW_NO_TIME)
        return gw_cli_usage(call->verb, "add needs --case, --reason and --until");
    if (hold->until_us <= hold->created_us)
        return gw_cli_usage(call->verb, "--until is past already");
    if (!*hold->camera && !*hold->division && hold->from_us == GW_NO_TIME &&
        hold->to_us == GW_NO_TIME)
        return gw_cli_usage(call->verb, "say what to hold: --camera, --division, --from or --to; a "
                                        "hold on everything would fill the disk");
    if (hold->from_us != GW_NO_TIME && hold->to_us != GW_NO_TIME && hold->from_us >= hold->to_us)
        return gw_cli_usage(call->verb, "--from must be before --to");
    return 0;
}

static int add(struct call *call)
{
    int code = write_audit(call, "hold.add", call->hold.case_name);
    if (code)
        return code;
    int result = gw_index_add_hold(call->index, &call->hold);
    if (result < 0)
        return gw_cli_fail("cannot add the hold: %s", gw_index_error(call->index));
    printf("hold %lld\n", (long long)call->hold.id);
    return 0;
}

static int check_number(struct call *call)
{
    char *end;

    if (!call->argument || !*call->hold.reason)
        return gw_cli_usage(call->verb, "remove needs the number of a hold, and --reason");
    call->hold.id = strtoll(call->argument, &end, 10);
    if (*end || call->hold.id < 1)
        return gw_cli_usage(call->verb, "remove takes the number of a hold, not \"%.40s\"",
                            call->argument);
    return 0;
}

static int remove_hold(struct call *call)
{
    char object[32];
    const long long id = call->hold.id;

    snprintf(object, sizeof(object), "%lld", id);
    int code = write_audit(call, "hold.remove", object);
    if (code)
        return code;
    int result =
        gw_index_remove_hold(call->index, id, call->hold.author, call->hold.reason, gw_wall_us());
    if (result == GW_ERROR_NOT_FOUND)
        return gw_cli_fail("there is no hold %lld, or it was removed before; see gridwatch hold "
                           "list",
                           id);
    return result < 0 ? gw_cli_fail("cannot remove the hold: %s", gw_index_error(call->index)) : 0;
}

static const char *state_of(const struct gw_hold *hold, int64_t now_us)
{
    if (gw_hold_lasts(hold, now_us))
        return "lasts";
    return hold->removed_us != GW_NO_TIME ? "removed" : "ended";
}

static void print_hold(const struct gw_hold *hold, int64_t now_us)
{
    char until[GW_RFC3339_SIZE], from[GW_RFC3339_SIZE] = "any time", to[GW_RFC3339_SIZE] = "any";

    gw_format_rfc3339(until, hold->until_us)[10] = 0;
    if (hold->from_us != GW_NO_TIME)
        gw_format_rfc3339(from, hold->from_us)[19] = 0;
    if (hold->to_us != GW_NO_TIME)
        gw_format_rfc3339(to, hold->to_us)[19] = 0;
    printf("%4lld  %-7s  until %s  case %s: %s (%s)\n", (long long)hold->id, state_of(hold, now_us),
           until, hold->case_name, hold->reason, hold->author);
    printf("      camera %s, division %s, from %s to %s (UTC)\n",
           *hold->camera ? hold->camera : "any", *hold->division ? hold->division : "any", from,
           to);
}

static int list(struct call *call)
{
    struct gw_hold *holds = NULL;
    const int64_t now_us = gw_wall_us();
    const int count = gw_index_holds(call->index, &holds);

    if (count < 0)
        return gw_cli_fail("cannot read the index: %s", gw_index_error(call->index));
    for (int i = 0; i < count; i++) {
        if (!call->json) {
            print_hold(&holds[i], now_us);
            continue;
        }
        json_t *json = gw_hold_to_json(&holds[i], now_us);
        char *text = json_dumps(json, JSON_COMPACT);
        json_decref(json);
        if (!text)
            abort();
        puts(text);
        free(text);
    }
    free(holds);
    return 0;
}

static int confirm(struct call *call)
{
    char now[GW_RFC3339_SIZE];
    const int64_t now_us = gw_wall_us();
    int code = write_audit(call, "clock.confirm", gw_format_rfc3339(now, now_us));

    if (code)
        return code;
    if (gw_retention_confirm_clock(call->index, now_us) < 0)
        return gw_cli_fail("cannot write to the index: %s", gw_index_error(call->index));
    printf("%s is right\n", now);
    return 0;
}

static int work(struct call *call, int (*run)(struct call *call), enum gw_index_mode mode)
{
    char error[GW_INDEX_ERROR_SIZE];
    int code = gw_cli_config(&call->config, call->config_file, call->store);

    if (code)
        return code;
    if (gw_index_open(&call->index, call->config.store, mode, call->config.division, error) < 0)
        return gw_cli_fail("%s", error);
    code = run(call);
    gw_index_close(&call->index);
    if (!code && (fflush(stdout) < 0 || ferror(stdout)))
        return gw_cli_fail("cannot write: %s", strerror(errno));
    return code;
}

static struct call begin_call(const char *verb, const char *help)
{
    return (struct call){.verb = verb,
                         .help = help,
                         .word = "",
                         .hold = {.created_us = gw_wall_us(),
                                  .until_us = GW_NO_TIME,
                                  .from_us = GW_NO_TIME,
                                  .to_us = GW_NO_TIME,
                                  .removed_us = GW_NO_TIME}};
}

int gw_verb_hold(int argc, char **argv)
{
    struct call call = begin_call("hold", hold_help);
    int code = parse_options(&call, argc, argv);

    if (code >= 0)
        return code;
    const bool takes_id = !strcmp(call.word, "remove");
    if (!takes_id && call.argument)
        return gw_cli_usage(call.verb, "\"%s\" is one word too many", call.argument);
    if (!strcmp(call.word, "list"))
        return work(&call, list, GW_INDEX_READ);
    if (!strcmp(call.word, "add"))
        return (code = check_new(&call)) ? code : work(&call, add, GW_INDEX_CHANGE);
    if (!takes_id)
        return gw_cli_usage(call.verb, "say add, list or remove");
    return (code = check_number(&call)) ? code : work(&call, remove_hold, GW_INDEX_CHANGE);
}

int gw_verb_retention(int argc, char **argv)
{
    struct call call = begin_call("retention", retention_help);
    int code = parse_options(&call, argc, argv);

    if (code >= 0)
        return code;
    if (strcmp(call.word, "confirm") || call.argument)
        return gw_cli_usage(call.verb, "say confirm");
    return work(&call, confirm, GW_INDEX_CHANGE);
}
