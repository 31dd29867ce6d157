// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "console/routes/routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "console/server.h"

enum MHD_Result gw_route_healthz(struct gw_request *request)
{
    return gw_reply_text(request, 200, "ok\n");
}

// The newest fact's number; negative when the index cannot be read.
static int64_t read_head(struct gw_console *console)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_index *index;

    if (gw_pool_take(&console->pool, &index, error) < 0)
        return -1;
    int64_t head = gw_index_head(index);
    gw_pool_give(&console->pool, &index);
    return head;
}

enum MHD_Result gw_route_readyz(struct gw_request *request)
{
    const struct gw_console_config *config = &request->console->config;
    const char *reason = config->not_ready ? config->not_ready(config->opaque) : NULL;
    char text[256];

    if (!reason && read_head(request->console) < 0)
        reason = "the index cannot be read";
    if (!reason)
        return gw_reply_text(request, 200, "ready\n");
    snprintf(text, sizeof(text), "%s\n", reason);
    return gw_reply_text(request, 503, text);
}

// Nothing while the index cannot be read.
static void write_gaps(struct gw_console *console, FILE *out)
{
    char error[GW_INDEX_ERROR_SIZE];
    struct gw_index *index;
    int counts[GW_GAP_CAUSE_COUNT];

    if (gw_pool_take(&console->pool, &index, error) < 0)
        return;
    int result = gw_index_count_open_gaps(index, counts);
    gw_pool_give(&console->pool, &index);
    if (result < 0)
        return;
    fprintf(out, "# HELP gridwatch_gaps_open Cameras that should be recorded and are not.\n"
                 "# TYPE gridwatch_gaps_open gauge\n");
    for (int cause = GW_GAP_NONE + 1; cause < GW_GAP_CAUSE_COUNT; cause++)
        fprintf(out, "gridwatch_gaps_open{cause=\"%s\"} %d\n",
                gw_gap_cause_name((enum gw_gap_cause)cause), counts[cause]);
}

static void write_plans(struct gw_console *console, FILE *out)
{
    fprintf(out,
            "# HELP gridwatch_console_range_plans_total Ranges of clips planned as one file.\n"
            "# TYPE gridwatch_console_range_plans_total counter\n"
            "gridwatch_console_range_plans_total{result=\"made\"} %lu\n"
            "gridwatch_console_range_plans_total{result=\"failed\"} %lu\n"
            "# HELP gridwatch_console_range_plan_bytes Memory of the plans that are kept.\n"
            "# TYPE gridwatch_console_range_plan_bytes gauge\n"
            "gridwatch_console_range_plan_bytes %lld\n",
            atomic_load(&console->plans_made), atomic_load(&console->plans_failed),
            (long long)gw_plan_cache_bytes(&console->plans));
}

static void write_own_metrics(struct gw_console *console, FILE *out)
{
    int64_t head = read_head(console);

    fprintf(out,
            "# HELP gridwatch_build_info The running version.\n"
            "# TYPE gridwatch_build_info gauge\n"
            "gridwatch_build_info{version=\"%s\"} 1\n",
            GW_VERSION);
    fprintf(out, "# HELP gridwatch_console_requests_total Requests answered, by class of status.\n"
                 "# TYPE gridwatch_console_requests_total counter\n");
    for (int i = 2; i <= 5; i++)
        fprintf(out, "gridwatch_console_requests_total{code=\"%dxx\"} %lu\n", i,
                atomic_load(&console->answers[i]));
    fprintf(out,
            "# HELP gridwatch_console_event_streams Event streams that are open.\n"
            "# TYPE gridwatch_console_event_streams gauge\n"
            "gridwatch_console_event_streams %d\n",
            gw_feed_streams(&console->feed));
    if (head >= 0)
        fprintf(out,
                "# HELP gridwatch_index_head Number of the newest committed fact.\n"
                "# TYPE gridwatch_index_head gauge\n"
                "gridwatch_index_head %lld\n",
                (long long)head);
}

enum MHD_Result gw_route_metrics(struct gw_request *request)
{
    struct gw_console *console = request->console;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return MHD_NO;
    write_own_metrics(console, out);
    write_plans(console, out);
    write_gaps(console, out);
    if (console->config.write_metrics)
        console->config.write_metrics(console->config.opaque, out);
    if (console->config.write_storage_metrics)
        console->config.write_storage_metrics(console->config.storage, out);
    if (fclose(out) != 0) {
        free(text);
        return MHD_NO;
    }
    struct MHD_Response *response =
        gw_response_text("text/plain; version=0.0.4; charset=utf-8", text);
    free(text);
    return gw_reply(request, 200, response);
}
