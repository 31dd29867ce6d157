// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "app/ledger.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "app/protocol.h"
#include "core/clock.h"

enum {
    BATCH = 256,         // facts in one transaction
    PUBLISH_STEP = 1000, // committed facts read at once
};

struct gw_ledger {
    struct gw_ledger_config config;
    struct gw_fact_entry batch[BATCH]; // taken, not yet committed
    int batch_count;
    bool failing;       // said so already
    uint64_t published; // seq
    struct gw_ledger_counters counters;
};

int gw_ledger_create(struct gw_ledger **ret, const struct gw_ledger_config *config)
{
    int64_t head = gw_index_head(config->index);
    if (head < 0)
        return (int)head;
    struct gw_ledger *ledger = calloc(1, sizeof(*ledger));
    if (!ledger)
        return -ENOMEM;
    ledger->config = *config;
    ledger->published = (uint64_t)head;
    *ret = ledger;
    return 0;
}

void gw_ledger_destroy(struct gw_ledger **ledger)
{
    free(*ledger);
    *ledger = NULL;
}

static int publish_one(void *opaque, const struct gw_committed_fact *fact)
{
    struct gw_ledger *ledger = opaque;
    gw_publisher_send(ledger->config.publisher, fact);
    ledger->published = fact->seq;
    return 0;
}

// Sends what is committed and not yet published, in order.
void gw_ledger_publish(struct gw_ledger *ledger)
{
    struct gw_index *index = ledger->config.index;
    int count;
    do {
        count = gw_index_facts(index, ledger->published, PUBLISH_STEP, publish_one, ledger);
    } while (count == PUBLISH_STEP);
    if (count < 0)
        gw_log_error(ledger->config.log, "cannot read committed facts: %s", gw_index_error(index));
    gw_console_notify(ledger->config.console, ledger->published);
    gw_feeder_wake(ledger->config.feeder, ledger->published);
}

static bool commit(struct gw_ledger *ledger, const struct gw_fact_entry *entries, int count)
{
    int64_t start_us = gw_mono_us();
    int error = gw_index_commit(ledger->config.index, entries, count);

    if (error && ledger->config.make_room && ledger->config.make_room(ledger->config.opaque, error))
        error = gw_index_commit(ledger->config.index, entries, count);
    if (!error) {
        ledger->counters.commits++;
        ledger->counters.commit_us += gw_mono_us() - start_us;
    }
    if (error && !ledger->failing)
        gw_log_error(ledger->config.log,
                     "cannot commit to the index: %s; workers keep their facts and send them again",
                     gw_index_error(ledger->config.index));
    ledger->failing |= error;
    return !error;
}

// Something was written. A commit of nothing but what is skipped succeeds on any disk.
static void note_progress(struct gw_ledger *ledger)
{
    if (ledger->failing)
        gw_log_info(ledger->config.log, "the index commits again");
    ledger->failing = false;
}

// Tells a worker how far its facts are on the disk; what it sent beyond that it sends again.
static void ack(struct gw_ledger *ledger, const struct gw_id *boot, int64_t seq)
{
    if (seq > 0)
        gw_protocol_send(ledger->config.workers, boot, gw_protocol_ack((uint64_t)seq));
}

// The batch's entries of one boot, after their commit.
static void settle(struct gw_ledger *ledger, const struct gw_id *boot)
{
    int64_t seq = gw_index_boot_seq(ledger->config.index, boot);

    for (int i = 0; i < ledger->batch_count; i++) {
        const struct gw_fact_entry *entry = &ledger->batch[i];
        if (!gw_id_equal(&entry->boot, boot) || (int64_t)entry->boot_seq > seq)
            continue;
        note_progress(ledger);
        ledger->config.committed(ledger->config.opaque, entry);
    }
    ack(ledger, boot, seq);
}

static bool is_last_of_boot(const struct gw_ledger *ledger, int i)
{
    for (int j = i + 1; j < ledger->batch_count; j++)
        if (gw_id_equal(&ledger->batch[j].boot, &ledger->batch[i].boot))
            return false;
    return true;
}

void gw_ledger_flush(struct gw_ledger *ledger)
{
    if (!ledger->batch_count)
        return;
    if (commit(ledger, ledger->batch, ledger->batch_count)) {
        for (int i = 0; i < ledger->batch_count; i++)
            if (is_last_of_boot(ledger, i))
                settle(ledger, &ledger->batch[i].boot);
        gw_ledger_publish(ledger);
    }
    ledger->batch_count = 0;
}

void gw_ledger_take(struct gw_ledger *ledger, const struct gw_fact_entry *entry)
{
    ledger->counters.facts++;
    ledger->batch[ledger->batch_count++] = *entry;
    if (ledger->batch_count == BATCH)
        gw_ledger_flush(ledger);
}

void gw_ledger_refuse(struct gw_ledger *ledger, const struct gw_id *boot, uint64_t seq)
{
    struct gw_index *index = ledger->config.index;

    gw_ledger_flush(ledger); // what came before comes first
    if (gw_index_pass_over(index, boot, seq, gw_wall_us()) == 0)
        ack(ledger, boot, gw_index_boot_seq(index, boot));
}

bool gw_ledger_record(struct gw_ledger *ledger, const struct gw_fact *facts, int count)
{
    struct gw_fact_entry entries[BATCH];

    assert(count <= BATCH);
    if (!count)
        return true;
    for (int i = 0; i < count; i++)
        entries[i] = (struct gw_fact_entry){.fact = facts[i]};
    if (!commit(ledger, entries, count))
        return false;
    note_progress(ledger);
    gw_ledger_publish(ledger);
    return true;
}

bool gw_ledger_settle_coverage(struct gw_ledger *ledger, const struct gw_id *running, int count)
{
    int error = gw_index_settle_coverage(ledger->config.index, running, count, gw_wall_us());

    if (!error)
        gw_ledger_publish(ledger);
    return !error;
}

bool gw_ledger_failing(const struct gw_ledger *ledger)
{
    return ledger->failing;
}

uint64_t gw_ledger_head(const struct gw_ledger *ledger)
{
    return ledger->published;
}

void gw_ledger_count(const struct gw_ledger *ledger, struct gw_ledger_counters *ret)
{
    *ret = ledger->counters;
}
