// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch subscribe: follows the bus and prints what comes.

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <zmq.h>

#include "app/cli.h"
#include "app/process.h"
#include "app/verbs.h"
#include "bus/subscriber.h"
#include "core/clock.h"
#include "core/error.h"

static const char help[] =
    "usage: gridwatch subscribe [--endpoint E] [--prefix P]… [--json] [--heartbeats] [--count N] "
    "[-c FILE]\n"
    "\n"
    "Follows the bus until Ctrl-C: a line per fact on stdout, what went missing on stderr.\n"
    "\n"
    "  --endpoint E   of the bus, tcp://127.0.0.1:8472 (default from the configuration)\n"
    "  --prefix P     only topics that begin so: alert/640323101, event/, camera/ (default: all)\n"
    "  --json         one JSON object per line: topic, epoch, seq, event (a CloudEvent), "
    "thumbnail_bytes\n"
    "  --heartbeats   print those too\n"
    "  --count N      end after N lines\n";

static const struct option options[] = {
    {"endpoint", required_argument, NULL, 'e'}, {"prefix", required_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},           {"heartbeats", no_argument, NULL, 'b'},
    {"count", required_argument, NULL, 'n'},    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},           {0},
};

// The hub beats once a second; this long without one, and we say so.
#define SILENCE_US (5 * GW_SECOND)

enum { MOST_PREFIXES = 64 };

struct request {
    const char *endpoint, *file;
    const char *prefixes[MOST_PREFIXES];
    int prefix_count;
    bool json, heartbeats;
    long count; // 0: no end
};

// What was seen so far of the one index that publishes here.
struct progress {
    uint64_t epoch, seq;
    bool begun;
};

static void print_json(const struct gw_bus_message *message, json_t *event)
{
    char epoch[24];
    snprintf(epoch, sizeof(epoch), "%016" PRIx64, message->stamp.epoch);
    json_t *line = json_pack("{ss ss sI sO sI}", "topic", message->topic, "epoch", epoch, "seq",
                             (json_int_t)message->stamp.seq, "event", event, "thumbnail_bytes",
                             (json_int_t)message->thumbnail_size);
    json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(line);
}

static void print_line(const struct gw_bus_message *message, const json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *time = json_string_value(json_object_get(event, "time"));
    printf("%s  %8" PRIu64 "  %-24s  %s\n", time ? time : "?", message->stamp.seq,
           type ? type : "?", message->topic);
}

// Says on stderr which facts went by unseen. With prefixes, holes in seq are what was not asked
// for.
static void notice_holes(struct progress *progress, const struct gw_bus_message *message,
                         bool heartbeat, bool filtered)
{
    uint64_t expected = progress->seq + (heartbeat ? 0 : 1), seq = message->stamp.seq;

    if (progress->begun && progress->epoch != message->stamp.epoch)
        fprintf(stderr, "gridwatch: the index behind the bus is another one now\n");
    else if (progress->begun && !filtered && seq > expected)
        fprintf(stderr, "gridwatch: missed %" PRIu64 " facts, seq %" PRIu64 " to %" PRIu64 "\n",
                seq - expected, progress->seq + 1, heartbeat ? seq : seq - 1);
    *progress = (struct progress){.epoch = message->stamp.epoch, .seq = seq, .begun = true};
}

// Returns whether a line was printed.
static bool handle_message(const struct request *request, struct progress *progress,
                           const struct gw_bus_message *message)
{
    bool heartbeat = !strcmp(message->topic, GW_WIRE_HEARTBEAT_TOPIC);
    json_t *event;

    notice_holes(progress, message, heartbeat, request->prefix_count > 0);
    if (heartbeat && !request->heartbeats)
        return false;
    event = json_loads(message->json, 0, NULL);
    if (!event) {
        fprintf(stderr, "gridwatch: seq %" PRIu64 " is not JSON\n", message->stamp.seq);
        return false;
    }
    if (request->json)
        print_json(message, event);
    else
        print_line(message, event);
    json_decref(event);
    return true;
}

static int follow(const struct request *request, struct gw_subscriber *subscriber)
{
    struct progress progress = {0};
    struct gw_bus_message message;
    long printed = 0;
    int64_t heard_us = gw_mono_us();
    bool silent = false;

    while (!gw_process_stop_requested() && (!request->count || printed < request->count)) {
        if (gw_subscriber_receive(subscriber, GW_SECOND / 2, &message) == 1) {
            heard_us = gw_mono_us();
            silent = false;
            printed += handle_message(request, &progress, &message);
            // A reader that went away is a normal end of following.
            if (fflush(stdout) == EOF)
                return GW_EXIT_OK;
        } else if (!silent && gw_mono_us() - heard_us > SILENCE_US) {
            silent = true;
            fprintf(stderr, "gridwatch: no heartbeat from %s for %d s; waiting\n",
                    request->endpoint, (int)(SILENCE_US / GW_SECOND));
        }
    }
    return GW_EXIT_OK;
}

// Returns -1 to go on, else an exit code.
static int parse_options(int argc, char **argv, struct request *request)
{
    int option;
    char *end;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (option) {
        case 'e': request->endpoint = optarg; break;
        case 'p':
            if (request->prefix_count == MOST_PREFIXES)
                return gw_cli_usage("subscribe", "more than %d prefixes", MOST_PREFIXES);
            request->prefixes[request->prefix_count++] = optarg;
            break;
        case 'j': request->json = true; break;
        case 'b': request->heartbeats = true; break;
        case 'n':
            request->count = strtol(optarg, &end, 10);
            if (*end || request->count < 1)
                return gw_cli_usage("subscribe", "--count takes a number from 1");
            break;
        case 'c': request->file = optarg; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default:
            return gw_cli_usage("subscribe", "\"%s\" is no option, or lacks its value",
                                argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gw_cli_usage("subscribe", "unexpected \"%s\"", argv[optind]);
    return -1;
}

int gw_verb_subscribe(int argc, char **argv)
{
    struct request request = {0};
    struct gw_subscriber *subscriber;
    struct gw_config config;
    char endpoint[160];
    int code = parse_options(argc, argv, &request);

    if (code >= 0)
        return code;
    if (!request.endpoint) {
        if (gw_cli_config(&config, request.file, NULL))
            return GW_EXIT_CONFIG;
        snprintf(endpoint, sizeof(endpoint), "tcp://%s", config.bus_listen);
        request.endpoint = endpoint;
    }
    gw_process_prepare();
    void *zmq = zmq_ctx_new();
    if (gw_subscriber_create(&subscriber, zmq, request.endpoint, request.prefixes,
                             request.prefix_count) < 0) {
        code =
            gw_cli_usage("subscribe", "\"%s\" is no endpoint; it looks like tcp://127.0.0.1:8472",
                         request.endpoint);
    } else {
        code = follow(&request, subscriber);
        gw_subscriber_destroy(&subscriber);
    }
    zmq_ctx_term(zmq);
    return code;
}
