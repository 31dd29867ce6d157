// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "app/config_value.h"
#include "core/clock.h"
#include "core/error.h"

#include <yaml.h>

#define FIELD(member) offsetof(struct gw_config, member), sizeof(((struct gw_config *)0)->member)

// Every key there is. Sections ("record") exist by having keys ("record.preroll").
static const struct gw_config_option options[] = {
    {"store", GW_VALUE_TEXT, FIELD(store), "/var/lib/gridwatch", 0, 0,
     "Folder of the index and of all media. Its disk is the one that fills."},
    {"run_dir", GW_VALUE_TEXT, FIELD(run_dir), "", 0, 0,
     "Folder for sockets between hub and workers; empty: \"run\" inside the store."},
    {"site.name", GW_VALUE_TEXT, FIELD(site_name), "Gridwatch", 0, 0,
     "Shown to people at the top of the page."},
    {"site.division", GW_VALUE_DIVISION, FIELD(division), "", 0, 0,
     "GB/T 2260 code of the county, 6 digits (or 9, 12): the division of cameras that have none."},
    {"console.listen", GW_VALUE_LISTEN, FIELD(console_listen), "127.0.0.1:8471", 0, 0,
     "Address and port of the page and the HTTP API. Port 0 picks a free one."},
    {"bus.listen", GW_VALUE_LOOPBACK, FIELD(bus_listen), "127.0.0.1:8472", 0, 0,
     "Address and port of the ZeroMQ bus. Loopback only, until subscribers have keys. Port * picks "
     "a free one."},
    {"index.engine", GW_VALUE_CHOICE, FIELD(index_engine), "sqlite", 0, 0,
     "Where others find what happened here. sqlite: in the store only. redis: in a Redis (7 or "
     "newer) as well, which is kept equal to it.",
     "sqlite redis"},
    {"index.redis", GW_VALUE_REDIS, FIELD(redis_address), "unix:/run/redis/redis-server.sock", 0, 0,
     "That Redis: unix:PATH, or tcp://127.0.0.1:PORT (loopback only: nothing is encrypted). Its "
     "maxmemory-policy must be noeviction."},
    {"index.redis_password_file", GW_VALUE_TEXT, FIELD(redis_password_file), "", 0, 0,
     "File whose first line is the password of that Redis; empty: it asks for none."},
    {"workers", GW_VALUE_INTEGER, FIELD(workers), "0", 0, 256,
     "Worker processes; 0: one per core."},
    {"record.preroll", GW_VALUE_DURATION, FIELD(preroll_us), "5s", 0, 60 * GW_SECOND,
     "How much of a clip lies before its event; it begins at the keyframe before that."},
    {"record.postroll", GW_VALUE_DURATION, FIELD(postroll_us), "5s", 0, 600 * GW_SECOND,
     "How long a clip goes on after its event."},
    {"record.split", GW_VALUE_DURATION, FIELD(split_us), "5m", 10 * GW_SECOND, 3600 * GW_SECOND,
     "A longer recording goes on in a new clip, at the next keyframe."},
    {"record.ring", GW_VALUE_SIZE, FIELD(ring_bytes), "16MiB", 1 << 20, INT64_C(1) << 30,
     "Memory for one camera's pre-roll; 8 s of a 16 Mb/s stream need 16 MiB."},
    {"record.ring_total", GW_VALUE_SIZE, FIELD(ring_total_bytes), "0", 0, INT64_C(1) << 40,
     "Memory for all cameras' pre-roll together; 0: a quarter of the machine's. Over it, cameras "
     "with "
     "more than their share lose the oldest of theirs."},
    {"storage.min_free", GW_VALUE_SIZE, FIELD(min_free_bytes), "0", 0, INT64_C(1) << 50,
     "Room that is kept on the store's disk: below it the oldest recordings are deleted. 0: 2 % of "
     "the disk, at most 20 GiB."},
    {"storage.reserve", GW_VALUE_SIZE, FIELD(reserve_bytes), "32MiB", 0, INT64_C(1) << 34,
     "A file that is given back when the disk is full, so that the index can still be written. 0: "
     "none."},
    {"retention.floor_days", GW_VALUE_INTEGER, FIELD(floor_days), "30", 0, 36500,
     "Recordings are kept for at least so many days, as long as the disk has room."},
    {"retention.ceiling_days", GW_VALUE_INTEGER, FIELD(ceiling_days), "90", 0, 36500,
     "Recordings are deleted after so many days, unless a case hold protects them. 0: when their "
     "room is needed. A camera with days of its own in the registry is kept for exactly those."},
    {"retention.motion_days", GW_VALUE_INTEGER, FIELD(motion_days), "0", 0, 36500,
     "The same for events of motion and the clips that show them. 0: as ceiling_days."},
    {"retention.fault_days", GW_VALUE_INTEGER, FIELD(fault_days), "0", 0, 36500,
     "The same for events about the picture: covered, black, frozen and the like. 0: as "
     "ceiling_days."},
    {"retention.gap_days", GW_VALUE_INTEGER, FIELD(gap_days), "0", 0, 36500,
     "The same for what is known of gaps. 0: as ceiling_days."},
    {"camera.stall", GW_VALUE_DURATION, FIELD(stall_us), "5s", 1 * GW_SECOND, 60 * GW_SECOND,
     "A camera that sends no complete frame for so long is offline and is connected again."},
    {"camera.redirects", GW_VALUE_CHOICE, FIELD(redirects), "network", 0, 0,
     "Where a camera may redirect us: to its own host only, to any host but this machine and its "
     "local link, or to any.",
     "same-host network any"},
    {"camera.transport", GW_VALUE_CHOICE, FIELD(transport), "tcp", 0, 0,
     "How pictures travel, if the camera can: tcp within the RTSP connection, udp beside it. The "
     "other "
     "way is taken when this one is refused or, with udp, when too much is lost.",
     "tcp udp"},
    {"analysis.level", GW_VALUE_CHOICE, FIELD(analysis_level), "auto", 0, 0,
     "How much of each stream is decoded to find events. off: nothing is, and cameras that record "
     "events record nothing.",
     "auto gate keyframes full off"},
    {"log.level", GW_VALUE_CHOICE, FIELD(log_level), "info", 0, 0,
     "Most talkative level that is printed.", "error warning info debug trace"},
    {"log.format", GW_VALUE_CHOICE, FIELD(log_format), "text", 0, 0,
     "Lines for people or one JSON object per line.", "text json"},
};
enum { OPTION_COUNT = sizeof(options) / sizeof(options[0]), KEY_SIZE = 64 };

void gw_config_defaults(struct gw_config *config)
{
    char problem[160];
    for (int i = 0; i < OPTION_COUNT; i++)
        if (!gw_config_value_set(config, &options[i], options[i].fallback, problem))
            abort(); // our own table
}

// --- reading -------------------------------------------------------------------------------------

// One pass over one file. Mistakes are counted, and told to whoever wants each or the first.
struct reader {
    const char *path;
    struct gw_config config;
    bool seen[OPTION_COUNT];
    yaml_document_t document;
    FILE *all;   // every mistake goes here, if not NULL
    char *first; // the first one, GW_CONFIG_ERROR_SIZE, if not NULL
    int mistakes;
};

__attribute__((format(printf, 3, 4))) static void complain(struct reader *reader, yaml_mark_t mark,
                                                           const char *format, ...)
{
    char line[GW_CONFIG_ERROR_SIZE];
    va_list arguments;
    int used =
        snprintf(line, sizeof(line), "%s:%zu:%zu: ", reader->path, mark.line + 1, mark.column + 1);

    if (used < 0 || used >= (int)sizeof(line))
        used = 0;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof(line) - (size_t)used, format, arguments);
    va_end(arguments);
    if (reader->all)
        fprintf(reader->all, "%s\n", line);
    if (reader->first && !reader->mistakes)
        strcpy(reader->first, line);
    reader->mistakes++;
}

static int find_option(const char *key)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (!strcmp(options[i].key, key))
            return i;
    return -1;
}

static bool is_section(const char *key)
{
    size_t length = strlen(key);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (!strncmp(options[i].key, key, length) && options[i].key[length] == '.')
            return true;
    return false;
}

// Levenshtein's distance, for the nearest known key; both are short.
static int distance(const char *a, const char *b)
{
    int row[KEY_SIZE + 1], length = (int)strlen(b);
    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int shift = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            row[j] = change < shift ? change : shift;
        }
    }
    return row[length];
}

static void complain_unknown(struct reader *reader, yaml_mark_t mark, const char *key)
{
    const char *nearest = NULL;
    int best = 4; // further away is no help
    for (int i = 0; i < OPTION_COUNT; i++) {
        int d = distance(key, options[i].key);
        if (d < best) {
            best = d;
            nearest = options[i].key;
        }
    }
    if (nearest)
        complain(reader, mark, "there is no key \"%s\"; did you mean \"%s\"?", key, nearest);
    else
        complain(reader, mark,
                 "there is no key \"%s\"; gridwatch check-config --reference lists them", key);
}

static void read_option(struct reader *reader, int i, yaml_mark_t key_mark,
                        const yaml_node_t *value)
{
    char problem[160];

    if (reader->seen[i]) {
        complain(reader, key_mark, "\"%s\" is there twice; keep one", options[i].key);
        return;
    }
    reader->seen[i] = true;
    if (value->type != YAML_SCALAR_NODE)
        complain(reader, value->start_mark, "\"%s\" takes one value", options[i].key);
    else if (strlen((const char *)value->data.scalar.value) != value->data.scalar.length)
        complain(reader, value->start_mark, "\"%s\" holds a NUL character", options[i].key);
    else if (!gw_config_value_set(&reader->config, &options[i],
                                  (const char *)value->data.scalar.value, problem))
        complain(reader, value->start_mark, "%s: %s", options[i].key, problem);
}

static void read_mapping(struct reader *reader, const yaml_node_t *mapping, const char *section);

static void read_pair(struct reader *reader, const yaml_node_pair_t *pair, const char *section)
{
    const yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
    char path[KEY_SIZE];

    if (key->type != YAML_SCALAR_NODE) {
        complain(reader, key->start_mark, "a key is a word");
        return;
    }
    int length = snprintf(path, sizeof(path), "%s%s%s", section, *section ? "." : "",
                          (const char *)key->data.scalar.value);
    int option = find_option(path);
    if (option >= 0)
        read_option(reader, option, key->start_mark, value);
    else if (length >= KEY_SIZE || !is_section(path))
        complain_unknown(reader, key->start_mark, path);
    else if (value->type == YAML_MAPPING_NODE)
        read_mapping(reader, value, path);
    else if (value->type != YAML_SCALAR_NODE || value->data.scalar.length)
        complain(reader, value->start_mark,
                 "\"%s\" is a section; its keys go on indented lines below it", path);
}

static void read_mapping(struct reader *reader, const yaml_node_t *mapping, const char *section)
{
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++)
        read_pair(reader, pair, section);
}

static void read_document(struct reader *reader)
{
    const yaml_node_t *root = yaml_document_get_root_node(&reader->document);

    // An empty file, or one of comments, is all defaults.
    if (!root || (root->type == YAML_SCALAR_NODE && !root->data.scalar.length))
        return;
    if (root->type != YAML_MAPPING_NODE)
        complain(reader, root->start_mark, "expected lines of the form \"key: value\"");
    else
        read_mapping(reader, root, "");
}

static int read_file(struct reader *reader, FILE *file)
{
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_file(&parser, file);
    if (yaml_parser_load(&parser, &reader->document)) {
        read_document(reader);
        yaml_document_delete(&reader->document);
    } else {
        complain(reader, parser.problem_mark, "%s; this is not YAML",
                 parser.problem ? parser.problem : "unreadable");
    }
    yaml_parser_delete(&parser);
    return 0;
}

static int open_and_read(struct reader *reader)
{
    FILE *file = fopen(reader->path, "re");
    if (!file)
        return -errno;
    gw_config_defaults(&reader->config);
    int error = read_file(reader, file);
    fclose(file);
    return error;
}

int gw_config_load(struct gw_config *ret, const char *path, char error[GW_CONFIG_ERROR_SIZE])
{
    struct reader reader = {.path = path, .first = error};
    int result = open_and_read(&reader);

    if (result < 0) {
        snprintf(error, GW_CONFIG_ERROR_SIZE, "%s: %s; name another file with -c", path,
                 gw_strerror(result));
        return result;
    }
    if (reader.mistakes)
        return GW_ERROR_INVALID;
    *ret = reader.config;
    return 0;
}

int gw_config_check(const char *path, FILE *out)
{
    struct reader reader = {.path = path, .all = out};
    int error = open_and_read(&reader);
    return error < 0 ? error : reader.mistakes;
}

// --- telling -------------------------------------------------------------------------------------

static const char *const type_names[] = {
    [GW_VALUE_TEXT] = "text",           [GW_VALUE_DIVISION] = "digits",
    [GW_VALUE_LISTEN] = "address:port", [GW_VALUE_LOOPBACK] = "address:port",
    [GW_VALUE_INTEGER] = "number",      [GW_VALUE_DURATION] = "duration",
    [GW_VALUE_SIZE] = "size",           [GW_VALUE_REDIS] = "address",
    [GW_VALUE_CHOICE] = "word",
};

static void print_section(FILE *out, const char *key, const char **section)
{
    const char *dot = strchr(key, '.');
    size_t length = dot ? (size_t)(dot - key) : 0;
    bool same = *section && dot && !strncmp(*section, key, length + 1);

    if (!same)
        fputc('\n', out);
    if (!same && dot)
        fprintf(out, "%.*s:\n", (int)length, key);
    *section = dot ? key : NULL;
}

void gw_config_print_example(FILE *out)
{
    const char *section = NULL;

    fputs(
        "# Gridwatch's configuration: every key with its default. `gridwatch check-config -c "
        "FILE`\n"
        "# says what is wrong with a file. Cameras are not here; see `gridwatch camera --help`.\n",
        out);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct gw_config_option *option = &options[i];
        const char *dot = strchr(option->key, '.'), *indent = dot ? "  " : "";
        print_section(out, option->key, &section);
        fprintf(out, "%s# %s%s%s%s\n", indent, option->help, option->choices ? " One of: " : "",
                option->choices ? option->choices : "", option->choices ? "." : "");
        fprintf(out, "%s%s: %s\n", indent, dot ? dot + 1 : option->key,
                *option->fallback ? option->fallback : "\"\"");
    }
}

void gw_config_print_reference(FILE *out)
{
    fputs("# Configuration\n\n"
          "A YAML file, `/etc/gridwatch/gridwatch.yaml` or the one given with `-c`; every key has "
          "a default, and a file may be\n"
          "empty. `deploy/gridwatch.yaml` shows them all. A key `section.name` is written as "
          "`name` indented below\n"
          "`section:`. An unknown key or a bad value is an error with line and column (exit code "
          "78).\n"
          "A duration is a number with `us`, `ms`, `s`, `m` or `h`; a size one with `B`, `KiB`, "
          "`MiB` or `GiB`.\n"
          "This page is printed by `gridwatch check-config --reference`.\n\n"
          "| key | type | default | what it is |\n|---|---|---|---|\n",
          out);
    for (int i = 0; i < OPTION_COUNT; i++)
        fprintf(out, "| `%s` | %s | `%s` | %s |\n", options[i].key,
                options[i].choices ? options[i].choices : type_names[options[i].type],
                *options[i].fallback ? options[i].fallback : "\"\"", options[i].help);
}
