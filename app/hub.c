// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/hub.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "app/assignment.h"
#include "app/camera_url.h"
#include "app/cli.h"
#include "app/covered.h"
#include "app/crew.h"
#include "app/door.h"
#include "app/feeder.h"
#include "app/keeper.h"
#include "app/ledger.h"
#include "app/media_planner.h"
#include "app/placement.h"
#include "app/process.h"
#include "app/protocol.h"
#include "app/settings.h"
#include "app/site_files.h"
#include "app/site_status.h"
#include "app/strays.h"
#include "bus/publisher.h"
#include "console/console.h"
#include "core/clock.h"
#include "core/error.h"
#include "storage/index.h"

#define TICK_US        (1 * GW_SECOND)
#define STOP_LIMIT_US  (4 * GW_SECOND) // then workers that have not stopped are killed
#define LOGIN_VALID_US (12 * 3600 * GW_SECOND)

static const struct gw_log hub_log = {.name = "hub"};

struct hub {
    const struct gw_config *site;
    struct gw_settings settings;
    struct gw_site_files files;
    char program[PATH_MAX];

    struct gw_index *index;
    struct gw_keeper *keeper;
    int64_t index_version;            // when the registry was last read
    char locked[GW_INDEX_ERROR_SIZE]; // why it gave no passwords then, as the log has said
    struct gw_crew *crew;
    struct gw_door *door;
    struct gw_assignment assignment;
    struct gw_ledger *ledger;
    struct gw_feeder *feeder; // NULL: there is no shared index
    struct gw_publisher *publisher;
    struct gw_media_planner planner;
    struct gw_console *console;
    struct gw_site_status *status;
    struct gw_site_counters counters;
    void *zmq, *workers; // context; ROUTER socket
    struct gw_covered *covered;

    bool strays; // there may be unfinished rows that no worker will finish
    bool ready;  // said so already
};

// --- facts ---------------------------------------------------------------------------------------

static int place_of(const struct hub *hub, const struct gw_crew_member *member)
{
    return (int)(member - gw_crew_member(hub->crew, 0));
}

static bool note_camera(struct hub *hub, const struct gw_crew_member *member,
                        const struct gw_camera_state *state)
{
    return gw_assignment_note(&hub->assignment, place_of(hub, member), state->camera,
                              gw_camera_delivers(state->status));
}

// Keeps the books of what is open and which camera is online; what a worker opened that is gone is
// nobody's, and so is a camera that was taken from its worker.
static void handle_committed(void *opaque, const struct gw_fact_entry *entry)
{
    struct hub *hub = opaque;
    struct gw_crew_member *member = gw_crew_find(hub->crew, &entry->boot);
    enum gw_fact_kind kind = entry->fact.kind;

    if (!member) {
        hub->strays = true;
        return;
    }
    gw_crew_note(member, &entry->fact);
    if (kind == GW_FACT_CAMERA_ONLINE || kind == GW_FACT_CAMERA_OFFLINE ||
        kind == GW_FACT_CAMERA_DEGRADED)
        hub->strays |= !note_camera(hub, member, &entry->fact.camera);
}

static void settle_strays(struct hub *hub)
{
    const struct gw_strays_config config = {.index = hub->index,
                                            .crew = hub->crew,
                                            .assignment = &hub->assignment,
                                            .ledger = hub->ledger,
                                            .workers = hub->workers,
                                            .log = &hub_log,
                                            .stopping = gw_process_stop_requested()};
    hub->strays = !gw_strays_settle(&config);
}

// --- workers -------------------------------------------------------------------------------------

static void assign(struct hub *hub, struct gw_crew_member *member)
{
    struct gw_camera *cameras = calloc((size_t)hub->assignment.count + 1, sizeof(*cameras));
    if (!cameras)
        abort();
    int count = gw_assignment_of(&hub->assignment, place_of(hub, member), cameras);
    gw_protocol_send(hub->workers, &member->boot,
                     gw_protocol_assign(&hub->settings, cameras, count));
    free(cameras);
}

static void handle_hello(struct hub *hub, const struct gw_id *boot, const json_t *message)
{
    struct gw_id said;
    char name[32];
    struct gw_crew_member *member = NULL;

    if (gw_protocol_read_hello(message, &said, name) == 0 && gw_id_equal(&said, boot))
        member = gw_crew_welcome(hub->crew, boot, name, gw_mono_us());
    if (!member) {
        gw_log_warning(&hub_log,
                       "a worker that this hub did not start said hello; it gets no cameras");
        return;
    }
    assign(hub, member);
}

static void handle_status(struct hub *hub, struct gw_crew_member *member, const json_t *message)
{
    struct gw_camera_metrics *metrics;
    int count = gw_protocol_read_status(message, &metrics);

    if (count < 0) {
        hub->counters.bad_messages++;
        return;
    }
    if (member) {
        member->heard_us = gw_mono_us();
        gw_site_status_put(hub->status, place_of(hub, member), metrics, count);
    }
    free(metrics);
}

static void handle_covered(struct hub *hub, const struct gw_crew_member *member, json_t *message)
{
    if (member)
        gw_covered_note(hub->covered, place_of(hub, member), &member->boot, message);
}

// --- messages ------------------------------------------------------------------------------------

static void handle_fact(struct hub *hub, const struct gw_id *boot, const json_t *message)
{
    struct gw_fact_entry entry = {.boot = *boot};

    if (gw_protocol_read_fact(message, &entry.boot_seq, &entry.fact) == 0) {
        gw_ledger_take(hub->ledger, &entry);
        return;
    }
    hub->counters.bad_messages++;
    gw_log_error(&hub_log,
                 "a worker sent a fact that makes no sense (its number %llu); it is dropped",
                 (unsigned long long)entry.boot_seq);
    if (entry.boot_seq)
        gw_ledger_refuse(hub->ledger, boot, entry.boot_seq);
}

static void handle_message(struct hub *hub, const struct gw_id *boot, json_t *message)
{
    const char *type = gw_protocol_type(message);

    if (!strcmp(type, "fact"))
        handle_fact(hub, boot, message);
    else if (!strcmp(type, "status"))
        handle_status(hub, gw_crew_find(hub->crew, boot), message);
    else if (!strcmp(type, "covered"))
        handle_covered(hub, gw_crew_find(hub->crew, boot), message);
    else if (!strcmp(type, "hello"))
        handle_hello(hub, boot, message);
    else
        hub->counters.bad_messages++;
}

// Takes everything that has arrived; what came together is committed together.
static void receive(struct hub *hub)
{
    struct gw_id boot;
    json_t *message;
    int got;

    while ((got = gw_protocol_receive(hub->workers, &boot, &message)) != 0) {
        if (got < 0) {
            hub->counters.bad_messages++;
            continue;
        }
        handle_message(hub, &boot, message);
        json_decref(message);
    }
    gw_ledger_flush(hub->ledger);
}

// Tells every worker what it has from now on; the door first, so that it knows whom they ask for.
static void assign_all(struct hub *hub)
{
    gw_door_assign(hub->door, &hub->assignment);
    for (int i = 0; i < gw_crew_count(hub->crew); i++)
        if (gw_crew_member(hub->crew, i)->present)
            assign(hub, gw_crew_member(hub->crew, i));
}

static void judge(struct hub *hub, const struct gw_crew_member *member)
{
    const struct gw_placement_verdict verdict =
        gw_placement_death(&hub->assignment, hub->counters.workers, place_of(hub, member),
                           member->present_us, gw_mono_us());
    if (verdict.suspects)
        gw_log_error(&hub_log,
                     "worker %s died again with the same cameras: the %d of them are tried in turn "
                     "to find out which one does it",
                     member->name, verdict.suspects);
    if (*verdict.isolated)
        gw_log_error(&hub_log, "camera %s makes its worker die, alone; it is tried again in %d min",
                     verdict.isolated, (int)(verdict.retry_after_us / (60 * GW_SECOND)));
}

static void reap(struct hub *hub)
{
    struct gw_crew_member *member;
    while ((member = gw_crew_reap(hub->crew, gw_mono_us()))) {
        const bool died = !gw_process_stop_requested() && !member->dismissed;
        hub->counters.worker_restarts += died;
        receive(hub); // its last words
        hub->counters.bad_messages += gw_covered_stamp(hub->covered, place_of(hub, member)) < 0;
        gw_site_status_lose(hub->status, place_of(hub, member));
        gw_assignment_lose(&hub->assignment, place_of(hub, member));
        if (member->crashed)
            judge(hub, member);
        hub->strays = true;
    }
}

// Moves cameras as far as dead workers, and those that live again, make it necessary.
static void place_cameras(struct hub *hub)
{
    enum { MOST = 256 }; // as many as the configuration allows
    int64_t there_us[MOST + 1];
    bool waits[MOST];
    const int64_t now_us = gw_mono_us();
    const int workers = hub->counters.workers;

    assert(workers <= MOST);
    for (int i = 0; i <= workers; i++) {
        const struct gw_crew_member *member = gw_crew_member(hub->crew, i);
        there_us[i] = member->present ? member->present_us : 0;
        if (i < workers)
            waits[i] = !member->pid && member->restart_us > now_us;
    }
    const struct gw_placement_crew crew = {workers, there_us, waits};
    if (gw_placement_step(&hub->assignment, &crew, now_us)) {
        hub->strays = true;
        gw_crew_forgive_bench(hub->crew);
        assign_all(hub);
    }
    gw_crew_want_bench(hub->crew, gw_placement_needs_bench(&hub->assignment, workers));
}

// --- the registry --------------------------------------------------------------------------------

// Cameras whose passwords cannot be opened are connected to without them; once, the log says why
// they will refuse.
static void tell_locked(struct hub *hub)
{
    const char *locked = gw_index_locked(hub->index);

    if (*locked && strcmp(locked, hub->locked))
        gw_log_error(&hub_log, "cameras get no user name and password: %s", locked);
    snprintf(hub->locked, sizeof(hub->locked), "%s", locked);
}

// Reads the registry when somebody changed it, and tells the workers.
static void update_cameras(struct hub *hub, bool force)
{
    struct gw_camera_row *rows;
    int64_t version = gw_index_version(hub->index);

    if (!force && version == hub->index_version)
        return;
    int count = gw_index_cameras(hub->index, &rows);
    if (count < 0) {
        gw_log_error(&hub_log, "cannot read the registry: %s", gw_index_error(hub->index));
        return;
    }
    hub->index_version = version;
    tell_locked(hub);
    hub->strays = true; // a camera that was disabled is not online, one that was removed has no gap
    struct gw_camera *cameras = calloc((size_t)count + 1, sizeof(*cameras));
    if (!cameras)
        abort();
    for (int i = 0; i < count; i++)
        cameras[i] = rows[i].camera;
    free(rows);
    if (gw_assignment_update(&hub->assignment, cameras, count, hub->counters.workers)) {
        gw_log_info(&hub_log, "%d cameras", hub->assignment.count);
        gw_strays_settle_coverage(hub->ledger, hub->crew);
        assign_all(hub);
    }
    free(cameras);
}

// --- the loop ------------------------------------------------------------------------------------

static const char *find_problem(const struct hub *hub)
{
    if (gw_ledger_failing(hub->ledger))
        return "the index does not commit; is the disk full?";
    if (hub->counters.workers_present < hub->counters.workers)
        return "a worker is not there yet";
    return hub->counters.shared.problem;
}

static void tick(struct hub *hub)
{
    hub->counters.workers_present = 0;
    for (int i = 0; i < hub->counters.workers; i++)
        hub->counters.workers_present += gw_crew_member(hub->crew, i)->present;
    update_cameras(hub, false);
    hub->counters.bad_messages += (uint64_t)gw_covered_stamp_when_due(hub->covered, gw_mono_us());
    if (hub->strays && !gw_process_stop_requested())
        settle_strays(hub);
    gw_ledger_count(hub->ledger, &hub->counters.ledger);
    gw_publisher_count(hub->publisher, &hub->counters.bus);
    gw_door_count(hub->door, &hub->counters.door);
    if (hub->feeder)
        gw_feeder_read(hub->feeder, &hub->counters.shared);
    hub->counters.suspects = gw_placement_suspects(&hub->assignment);
    gw_ledger_publish(hub->ledger); // what retention deleted
    gw_publisher_heartbeat(hub->publisher, gw_ledger_head(hub->ledger), gw_wall_us());
    gw_site_status_set(hub->status, &hub->counters, find_problem(hub));
}

// Once, when every worker has come: scripts wait for this line.
static void say_ready(struct hub *hub)
{
    for (int i = 0; !hub->ready && i < hub->counters.workers; i++)
        if (!gw_crew_member(hub->crew, i)->present)
            return;
    if (hub->ready)
        return;
    hub->ready = true;
    tick(hub);
    puts("ready");
    fflush(stdout);
}

static void wait_for_work(struct hub *hub)
{
    zmq_pollitem_t items[] = {
        {.socket = hub->workers, .events = ZMQ_POLLIN},
        {.socket = gw_publisher_socket(hub->publisher), .events = ZMQ_POLLIN},
    };
    zmq_poll(items, 2, 100); // a signal interrupts it, which is as good as work
    if (items[1].revents)
        gw_publisher_read(hub->publisher);
}

static void run(struct hub *hub)
{
    int64_t next_tick_us = 0, stop_us = 0;

    while (!stop_us || gw_crew_running(hub->crew)) {
        int64_t now_us = gw_mono_us();
        if (!stop_us && gw_process_stop_requested()) {
            gw_crew_stop(hub->crew);
            stop_us = now_us;
        }
        if (stop_us && now_us - stop_us > STOP_LIMIT_US) {
            gw_log_warning(&hub_log, "a worker did not stop within %d s and is killed",
                           (int)(STOP_LIMIT_US / GW_SECOND));
            break;
        }
        if (!stop_us)
            place_cameras(hub);
        gw_crew_step(hub->crew, now_us);
        wait_for_work(hub);
        receive(hub);
        reap(hub);
        say_ready(hub);
        if (now_us >= next_tick_us) {
            next_tick_us = now_us + TICK_US;
            tick(hub);
        }
    }
    receive(hub);
    settle_strays(hub); // all but clips, which need a worker: the next run has one
}

// --- setting up ----------------------------------------------------------------------------------

static int open_sockets(struct hub *hub)
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

static int open_console(struct hub *hub)
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

static int open_index(struct hub *hub)
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

static int open_keeper(struct hub *hub)
{
    char error[GW_INDEX_ERROR_SIZE];
    if (gw_keeper_create(&hub->keeper, hub->site, &hub_log, error) < 0)
        return gw_cli_fail("%s", error);
    return 0;
}

static bool make_room(void *opaque, int error)
{
    struct hub *hub = opaque;
    return gw_keeper_make_room(hub->keeper, error);
}

static int register_cameras(struct hub *hub, const struct gw_hub_config *config)
{
    if (gw_camera_register(hub->index, config->cameras, config->camera_count) < 0)
        return gw_cli_fail("cannot register the cameras: %s", gw_index_error(hub->index));
    return 0;
}

static int open_feeder(struct hub *hub)
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

static int open_ledger(struct hub *hub)
{
    struct gw_ledger_config config = {.index = hub->index,
                                      .publisher = hub->publisher,
                                      .console = hub->console,
                                      .feeder = hub->feeder,
                                      .workers = hub->workers,
                                      .log = &hub_log,
                                      .opaque = hub,
                                      .committed = handle_committed,
                                      .make_room = make_room};
    if (gw_ledger_create(&hub->ledger, &config) < 0)
        return gw_cli_fail("cannot read the index: %s", gw_index_error(hub->index));
    return 0;
}

static int open_door(struct hub *hub, int workers)
{
    const int redirects = gw_redirects_from_name(hub->site->redirects);
    struct gw_door_config config = {
        .workers = workers, .redirects = (enum gw_redirects)redirects, .log = &hub_log};
    assert(redirects >= 0); // the configuration takes no other
    int error = gw_door_create(&hub->door, &config);
    return error ? gw_cli_fail("cannot open the workers' door: %s", gw_strerror(error)) : 0;
}

static int open_crew(struct hub *hub)
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

static void announce(struct hub *hub)
{
    char code[GW_LOGIN_CODE_SIZE];

    printf("console %s\n", gw_console_address(hub->console));
    if (gw_console_make_login(hub->site->store, LOGIN_VALID_US, code) == 0)
        printf("login %s/#/login/%s\n", gw_console_address(hub->console), code);
    else
        gw_log_error(&hub_log, "cannot make a login; try `gridwatch user login`");
    printf("bus %s\n", gw_publisher_endpoint(hub->publisher));
    fflush(stdout);
}

static void close_all(struct hub *hub)
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

static int open_all(struct hub *hub, const struct gw_hub_config *config)
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
    update_cameras(hub, true);
    return 0;
}

int gw_hub_run(const struct gw_hub_config *config)
{
    const struct gw_config *site = config->site;
    struct hub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        abort();
    hub->site = site;
    hub->settings = gw_settings_of(site);
    hub->files.lock_fd = -1;
    gw_process_prepare();
    int code = open_all(hub, config);
    if (!code) {
        announce(hub);
        run(hub);
        gw_log_info(&hub_log, "stopped");
    }
    close_all(hub);
    free(hub);
    return code;
}
