// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// gridwatch probe: connects to a camera once and says what is there, or what is wrong.

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libavcodec/avcodec.h>

#include "app/cli.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/url.h"
#include "ingest/declared.h"
#include "ingest/session.h"
#include "ingest/survey.h"

enum { MAX_ADVICE = 12 };

static const char help[] =
    "usage: gridwatch probe [--json] [--verbose] URL\n"
    "\n"
    "Connects once, watches for 5 to 10 seconds, and says what the camera sends and what to "
    "change.\n"
    "\n"
    "  URL        rtsp://[USER:PASSWORD@]HOST[:PORT]/PATH; - reads it from standard input, so "
    "that\n"
    "             the password is in no process list and no shell history\n"
    "  --json     one JSON object instead of lines\n"
    "  --verbose  also what is said between here and the camera, on stderr\n";

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct probe {
    char url[GW_URL_SIZE], username[GW_USERNAME_SIZE], password[GW_PASSWORD_SIZE];
    struct gw_survey survey;
    struct gw_stream *stream;
    enum gw_transport transport; // by which pictures came
    int64_t started_mono_us, online_mono_us;
};

// Global, because a signal handler has no other way to reach it.
static struct gw_stop stop;
static volatile sig_atomic_t interrupted;

static void handle_signal(int number)
{
    int error = errno;
    interrupted = 1;
    // What gw_stop_request does, as far as a signal handler may: a session asks and polls, and
    // nobody waits for the condition here.
    atomic_store(&stop.requested, true);
    (void)!write(stop.fd, &(uint64_t){1}, sizeof(uint64_t)); // fails when it is readable already
    errno = error;
}

static void handle_online(void *opaque, const struct gw_stream *stream)
{
    struct probe *probe = opaque;
    probe->online_mono_us = gw_mono_us();
}

static bool same_parameters(const AVCodecParameters *a, const AVCodecParameters *b)
{
    return a->codec_id == b->codec_id && a->extradata_size == b->extradata_size &&
           !memcmp(a->extradata, b->extradata, (size_t)a->extradata_size);
}

// A stream that begins because the clock was set anew has the parameters of the one before.
static void take_stream(struct probe *probe, const struct gw_packet *key)
{
    const AVCodecParameters *parameters = key->stream->parameters;
    if (!probe->stream || !same_parameters(probe->stream->parameters, parameters))
        gw_survey_parameters(&probe->survey, parameters,
                             gw_declared_frame_rate(parameters, key->av));
    gw_stream_unref(&probe->stream);
    probe->stream = gw_stream_ref(key->stream);
}

static void handle_packet(void *opaque, struct gw_packet *packet)
{
    struct probe *probe = opaque;
    if (probe->stream != packet->stream)
        take_stream(probe, packet);
    gw_survey_feed(&probe->survey, packet, gw_wall_us());
    if (gw_survey_is_enough(&probe->survey))
        gw_stop_request(&stop);
}

static void handle_lost(void *opaque, unsigned packets)
{
    gw_survey_lost(&((struct probe *)opaque)->survey, packets);
}

static void handle_clock(void *opaque, int64_t offset_us)
{
    gw_survey_clock(&((struct probe *)opaque)->survey, offset_us);
}

static void handle_skipped(void *opaque)
{
    gw_survey_skipped(&((struct probe *)opaque)->survey);
}

static const char *codec_title(const AVCodecParameters *parameters)
{
    return parameters->codec_id == AV_CODEC_ID_HEVC ? "H.265" : "H.264";
}

static const char *profile_title(const AVCodecParameters *parameters)
{
    const char *name = avcodec_profile_name(parameters->codec_id, parameters->profile);
    return name ? name : "unknown profile";
}

static double level(const AVCodecParameters *parameters)
{
    return parameters->level / (parameters->codec_id == AV_CODEC_ID_HEVC ? 30.0 : 10.0);
}

static void print_gop(const struct gw_survey_result *result)
{
    double seconds = (double)result->gop_us / GW_SECOND;
    if (result->gop_frames)
        printf("keyframes      every %.2f s (%d pictures)\n", seconds, result->gop_frames);
    else
        printf("keyframes      only one in %.1f s\n", seconds);
}

static void print_frame_rate(const struct gw_survey_result *result)
{
    printf("frame rate     %.1f per second", result->frame_rate);
    if (result->declared_rate > 0)
        printf(", %.1f declared", result->declared_rate);
    else
        printf(", none declared");
    printf(", %.1f by its time stamps\n", result->ticks_rate);
}

static void print_loss(const struct gw_survey_result *result)
{
    printf("lost           %llu packets (%.2f %%)", (unsigned long long)result->lost,
           100 * result->loss);
    if (result->skipped)
        printf(", %d pictures that cannot be decoded", result->skipped);
    putchar('\n');
}

static const char *transport_title(enum gw_transport transport)
{
    return transport == GW_TRANSPORT_UDP ? "UDP" : "TCP, within the RTSP connection";
}

static const char *bit_rate_mode(const struct gw_survey_result *result)
{
    return result->constant_bit_rate ? "constant" : "variable";
}

static void print_clock(const struct gw_survey_result *result)
{
    double seconds = (double)result->clock_offset_us / GW_SECOND;
    if (result->clock_offset_us == GW_NO_TIME)
        puts("camera clock   not told; the time of arrival is used");
    else
        printf("camera clock   %+.3f s against ours\n", seconds);
}

static void print_lines(const struct probe *probe, const struct gw_survey_result *result,
                        char (*advice)[GW_ADVICE_SIZE], int advice_count)
{
    const AVCodecParameters *parameters = probe->stream->parameters;
    printf("camera         %s\n", probe->url);
    printf("video          %s %s, level %.1f\n", codec_title(parameters), profile_title(parameters),
           level(parameters));
    printf("picture        %dx%d\n", parameters->width, parameters->height);
    printf("parameters     %s\n",
           result->parameter_changes ? "changed while they were watched" : "stayed the same");
    print_frame_rate(result);
    printf("bit rate       %.2f Mbit/s, %s; a keyframe is %.0f times as large as others\n",
           result->bit_rate / 1e6, bit_rate_mode(result), result->key_ratio);
    print_gop(result);
    printf("B-frames       %s\n", result->b_frames ? "yes" : "no");
    print_clock(result);
    printf("transport      %s\n", transport_title(probe->transport));
    print_loss(result);
    printf("first picture  %.2f s after connecting\n",
           (double)(probe->online_mono_us - probe->started_mono_us) / GW_SECOND);
    for (int i = 0; i < advice_count; i++)
        printf("to change      %s\n", advice[i]);
    if (!advice_count)
        puts("to change      nothing");
}

static void print_json(const struct probe *probe, const struct gw_survey_result *result,
                       char (*advice)[GW_ADVICE_SIZE], int advice_count)
{
    const AVCodecParameters *parameters = probe->stream->parameters;
    json_t *json =
        json_pack("{ss ss ss sf si si sf sf sf si sb sf}", "url", probe->url, "codec",
                  gw_stream_codec_name(probe->stream), "profile", profile_title(parameters),
                  "level", level(parameters), "width", parameters->width, "height",
                  parameters->height, "frame_rate", result->frame_rate, "bit_rate",
                  result->bit_rate, "gop_s", (double)result->gop_us / GW_SECOND, "gop_frames",
                  result->gop_frames, "b_frames", result->b_frames, "first_picture_s",
                  (double)(probe->online_mono_us - probe->started_mono_us) / GW_SECOND);
    bool told = result->clock_offset_us != GW_NO_TIME;
    json_object_set_new(json, "clock_offset_us",
                        told ? json_integer(result->clock_offset_us) : json_null());
    bool declared = result->declared_rate > 0;
    json_object_set_new(json, "declared_frame_rate",
                        declared ? json_real(result->declared_rate) : json_null());
    json_object_set_new(json, "ticks_frame_rate", json_real(result->ticks_rate));
    json_object_set_new(json, "bit_rate_mode", json_string(bit_rate_mode(result)));
    json_object_set_new(json, "keyframe_ratio", json_real(result->key_ratio));
    json_object_set_new(json, "parameter_changes", json_integer(result->parameter_changes));
    json_object_set_new(json, "lost_packets", json_integer((json_int_t)result->lost));
    json_object_set_new(json, "loss", json_real(result->loss));
    json_object_set_new(json, "skipped_pictures", json_integer(result->skipped));
    json_object_set_new(
        json, "transport",
        json_string(probe->transport == GW_TRANSPORT_UDP ? "udp" : "tcp"));
    json_t *lines = json_array();
    for (int i = 0; i < advice_count; i++)
        json_array_append_new(lines, json_string(advice[i]));
    json_object_set_new(json, "advice", lines);
    json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(json);
}

static void print_report(const struct probe *probe, bool as_json)
{
    char advice[MAX_ADVICE][GW_ADVICE_SIZE];
    struct gw_survey_result result = gw_survey_finish(&probe->survey);
    int advice_count = gw_survey_advise(&result, advice, MAX_ADVICE);
    if (as_json)
        print_json(probe, &result, advice, advice_count);
    else
        print_lines(probe, &result, advice, advice_count);
}

static int run_session(struct probe *probe)
{
    const struct gw_session_sink sink = {.opaque = probe,
                                         .packet = handle_packet,
                                         .online = handle_online,
                                         .lost = handle_lost,
                                         .clock = handle_clock,
                                         .skipped = handle_skipped};
    struct gw_session_config config = gw_session_defaults;
    struct sigaction action = {.sa_handler = handle_signal};

    config.url = probe->url;
    config.username = probe->username;
    config.password = probe->password;
    gw_stop_init(&stop);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    probe->started_mono_us = gw_mono_us();
    int error = gw_session_run(&config, &sink, NULL, &stop);
    if (error == GW_ERROR_NO_TRANSPORT && !probe->online_mono_us) { // it may have only the other
        config.transport = probe->transport = GW_TRANSPORT_UDP;
        config.only_transport = true;
        error = gw_session_run(&config, &sink, NULL, &stop);
    }
    explicit_bzero(probe->password, sizeof(probe->password));
    return error;
}

// Takes the URL from the command line or, for "-", from standard input.
static int read_url(struct probe *probe, const char *argument)
{
    char line[GW_URL_SIZE + 3 * (GW_USERNAME_SIZE + GW_PASSWORD_SIZE)];
    if (!strcmp(argument, "-")) {
        if (!fgets(line, sizeof(line), stdin))
            return gw_cli_usage("probe", "standard input holds no URL");
        line[strcspn(line, "\r\n")] = 0;
        argument = line;
    }
    int error = gw_url_split(argument, probe->url, probe->username, probe->password);
    explicit_bzero(line, sizeof(line));
    // It is not repeated: what cannot be split may hold a password anywhere.
    return error < 0
               ? gw_cli_usage("probe", "that is no URL of the form rtsp://USER:PASSWORD@HOST/PATH")
               : 0;
}

static int probe_camera(struct probe *probe, bool as_json)
{
    gw_survey_init(&probe->survey);
    int error = run_session(probe), result = GW_EXIT_OK;
    if (interrupted)
        result = gw_cli_fail("%s: stopped before there was enough to see", probe->url);
    else if (error != GW_ERROR_STOPPED)
        result = gw_cli_fail("%s: %s", probe->url, gw_session_reason(error));
    else
        print_report(probe, as_json);
    gw_stream_unref(&probe->stream);
    return result;
}

int gw_verb_probe(int argc, char **argv)
{
    struct probe probe = {0};
    enum gw_log_level log_level = GW_LOG_WARNING;
    bool as_json = false;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'j': as_json = true; break;
        case 'v': log_level = GW_LOG_TRACE; break;
        case 'h': fputs(help, stdout); return GW_EXIT_OK;
        default: return gw_cli_usage("probe", "unknown option %s", argv[optind - 1]);
        }
    }
    if (optind + 1 != argc)
        return gw_cli_usage("probe", "exactly one URL is needed");
    gw_log_setup(log_level, false);
    int usage = read_url(&probe, argv[optind]);
    gw_url_scrub_arguments(argc, argv);
    return usage ? usage : probe_camera(&probe, as_json);
}
