// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a hub is made of, opened in the order in which one needs the other, and closed.

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "app/camera_url.h"
#include "app/cli.h"
#include "app/hub_internal.h"
#include "core/error.h"

static const struct gw_log hub_log = {.name = "hub"};

static int open_sockets(struct gw_hub *hub)
{
    int handover = 1, linger = 0, unlimited = 0;

    hub->zmq = zmq_ctx_new();
    hub->workers = zmq_socket(hub->zmq, ZMQ_ROUTER);
    assert(hub->workers);
    zmq_setsockopt(hub->workers, ZMQ_ROUTER_HANDOVER, &handover, sizeof(handover));
    zmq_setsockopt(hub->workers, ZMQ_LINGER, &linger, sizeof(linger));
    // Full means: the worker's own queue fills, which it resends from. An assignment must get out.
    zmq_setsockopt(hub->workers, ZMQ_SNDHWM, &unlimited, sizeof(unlimited));
    if (zmq_bind(hub->workers, hub->files.worker_endpoint) < 0)
        return gw_cli_fail("cannot open the worker socket %s: %s", hub->files.worker_endpoint,
                           zmq_strerror(zmq_errno()));

    char endpoint[160], source[64];
    snprintf(endpoint, sizeof(endpoint), "tcp://%s", hub->site->bus_listen);
    snprintf(source, sizeof(source), "/gridwatch/%s", hub->site->division);
    struct gw_publisher_config config = {.zmq = hub->zmq,
                                         .endpoint = endpoint,
                                         .source = source,
                                         .epoch = gw_index_epoch(hub->index),
                                         .store = hub->site->store};
    int error = gw_publisher_create(&hub->publisher, &config);
    if (error)
        return gw_cli_fail(
            "cannot publish on %s (bus.listen): %s; stop what uses it or choose another port",
            hub->site->bus_listen, gw_strerror(error));
    return 0;
}

static int plan_media(void *planner, const struct gw_join_request *request,
                      struct gw_media_plan **ret, enum gw_join_problem *ret_problem,
                      int64_t *ret_problem_us)
{
    return gw_media_planner_plan(planner, request, ret, ret_problem, ret_problem_us);
}

static int open_console(struct gw_hub *hub)
{
    char error[256];
    struct gw_console_config config = {.listen = hub->site->console_listen,
                                       .store = hub->site->store,
                                       .division = hub->site->division,
                                       .site_name = hub->site->site_name,
                                       .log = &hub_log,
                                       .opaque = hub->status,
                                       .write_metrics = gw_site_status_write_metrics,
                                       .list_cameras = gw_site_status_list_cameras,
                                       .not_ready = gw_site_status_not_ready,
                                       .plan_media = plan_media,
                                       .planner = &hub->planner,
                                       .storage = hub->keeper,
                                       .describe_storage = gw_keeper_describe_storage,
                                       .write_storage_metrics = gw_keeper_write_metrics};
    hub->planner = (struct gw_media_planner){hub->site->store, &hub_log};
    if (gw_console_create(&hub->console, &config, error) < 0)
        return gw_cli_fail("%s", error);
    return 0;
}

static int open_index(struct gw_hub *hub)
{
    const struct gw_config *site = hub->site;
    char error[GW_INDEX_ERROR_SIZE];
    int result = gw_index_open(&hub->index, site->store, GW_INDEX_WRITE, site->division, error);
    if (result < 0 && gw_keeper_make_room_to_start(site, result))
        result = gw_index_open(&hub->index, site->store, GW_INDEX_WRITE, site->division, error);
    if (result < 0)
        return gw_cli_fail("%s", error);
    hub->strays = true; // whatever an earlier run left unfinished
    return 0;
}

static int open_keeper(struct gw_hub *hub)
{
    char error[GW_INDEX_ERROR_SIZE];
    if (gw_keeper_create(&hub->keeper, hub->site, &hub_log, error) < 0)
        return gw_cli_fail("%s", error);
    return 0;
}

static bool make_room(void *opaque, int error)
{
    struct gw_hub *hub = opaque;
    return gw_keeper_make_room(hub->keeper, error);
}

static int register_cameras(struct gw_hub *hub, const struct gw_hub_config *config)
{
    if (gw_camera_register(hub->index, config->cameras, config->camera_count) < 0)
        return gw_cli_fail("cannot register the cameras: %s", gw_index_error(hub->index));
    return 0;
}

static int open_feeder(struct gw_hub *hub)
{
    const struct gw_feeder_config config = {.store = hub->site->store,
                                            .division = hub->site->division,
                                            .address = hub->site->redis_address,
                                            .password_file = hub->site->redis_password_file,
                                            .log = &hub_log};
    if (strcmp(hub->site->index_engine, "redis") != 0)
        return 0;
    hub->counters.has_shared = true;
    int error = gw_feeder_create(&hub->feeder, &config);
    return error ? gw_cli_fail("cannot feed the shared index: %s", gw_strerror(error)) : 0;
}

static int open_ledger(struct gw_hub *hub)
{
    struct gw_ledger_config config = {.index = hub->index,
                                      .publisher = hub->publisher,
                                      .console = hub->console,
                                      .feeder = hub->feeder,
                                      .workers = hub->workers,
                                      .log = &hub_log,
                                      .opaque = hub,
                                      .committed = gw_hub_handle_committed,
                                      .make_room = make_room};
    if (gw_ledger_create(&hub->ledger, &config) < 0)
        return gw_cli_fail("cannot read the index: %s", gw_index_error(hub->index));
    return 0;
}

static int open_door(struct gw_hub *hub, int workers)
{
    const int redirects = gw_redirects_from_name(hub->site->redirects);
    struct gw_door_config config = {
        .workers = workers, .redirects = (enum gw_redirects)redirects, .log = &hub_log};
    assert(redirects >= 0); // the configuration takes no other
    int error = gw_door_create(&hub->door, &config);
    return error ? gw_cli_fail("cannot open the workers' door: %s", gw_strerror(error)) : 0;
}

static int open_crew(struct gw_hub *hub)
{
    struct gw_crew_config config = {.program = hub->program,
                                    .endpoint = hub->files.worker_endpoint,
                                    .store = hub->site->store,
                                    .log_level = hub->site->log_level,
                                    .log_format = hub->site->log_format,
                                    .count = gw_settings_workers(hub->site),
                                    .bench = true,
                                    .log = &hub_log};
    hub->counters.workers = config.count;
    hub->covered = gw_covered_create(config.count + 1, hub->index, &hub_log); // and the bench's
    int error = open_door(hub, config.count + 1);
    if (error)
        return error;
    config.door = hub->door;
    ssize_t length = readlink("/proc/self/exe", hub->program, sizeof(hub->program) - 1);
    if (length < 0 || gw_crew_create(&hub->crew, &config) < 0)
        return gw_cli_fail("cannot prepare the workers: %s", strerror(errno));
    return 0;
}

void gw_hub_close(struct gw_hub *hub)
{
    gw_covered_destroy(&hub->covered);
    gw_console_destroy(&hub->console);
    gw_keeper_destroy(&hub->keeper);
    gw_crew_destroy(&hub->crew);
    gw_door_destroy(&hub->door);
    gw_ledger_destroy(&hub->ledger);
    gw_feeder_destroy(&hub->feeder);
    gw_publisher_destroy(&hub->publisher);
    gw_site_status_destroy(&hub->status);
    gw_assignment_finish(&hub->assignment);
    gw_index_close(&hub->index);
    if (hub->workers)
        zmq_close(hub->workers);
    if (hub->zmq)
        zmq_ctx_term(hub->zmq);
    gw_site_files_finish(&hub->files);
}

int gw_hub_open(struct gw_hub *hub, const struct gw_hub_config *config)
{
    char error[512];
    int code;

    if (gw_site_files_init(&hub->files, hub->site, error) < 0)
        return gw_cli_fail("%s", error);
    if (gw_site_status_create(&hub->status) < 0)
        return gw_cli_fail("%s", gw_strerror(-ENOMEM));
    if ((code = open_index(hub)) || (code = open_keeper(hub)) ||
        (code = register_cameras(hub, config)) || (code = open_sockets(hub)) ||
        (code = open_console(hub)) || (code = open_feeder(hub)) || (code = open_ledger(hub)) ||
        (code = open_crew(hub)))
        return code;
    return 0;
}
