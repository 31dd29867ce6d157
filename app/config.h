// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The site's configuration: a YAML file, every key with a default, every mistake with its line.
// The options are one table in config.c; docs/ref/config.md and deploy/gridwatch.yaml come from it.
#pragma once

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#define GW_CONFIG_FILE       "/etc/gridwatch/gridwatch.yaml"
#define GW_CONFIG_ERROR_SIZE 512

struct gw_config {
    char store[PATH_MAX];   // data: index, media
    char run_dir[PATH_MAX]; // sockets; "" = the store's "run" folder
    char site_name[128];
    char division[16];                         // GB/T 2260 code of the county
    char console_listen[128];                  // host:port
    char bus_listen[128];                      // host:port
    char index_engine[8];                      // "sqlite", or "redis" beside it
    char redis_address[160];                   // gw_index_redis_address_valid
    char redis_password_file[PATH_MAX];        // "" = it asks for none
    int64_t workers;                           // 0 = one per core
    int64_t preroll_us, postroll_us, split_us; // of clips
    int64_t ring_bytes;                        // pre-roll memory per camera
    int64_t ring_total_bytes;                  // of all cameras; 0 = a quarter of the machine's
    int64_t min_free_bytes;           // retention keeps so much room on the disk; 0 = 2 % of it
    int64_t reserve_bytes;            // given back to the index when the disk is full
    int64_t floor_days, ceiling_days; // what is recorded is kept at least, at most
    int64_t motion_days, fault_days, gap_days; // at most, of a kind; 0 = as ceiling_days
    int64_t stall_us;                          // no frame for so long: the camera is offline
    char redirects[16];                        // where cameras may send us, gw_redirects_from_name
    char transport[16];                        // "tcp" or "udp"
    char analysis_level[16];
    char log_level[16];
    char log_format[16]; // "text" or "json"
};

void gw_config_defaults(struct gw_config *config);

// Reads a file over the defaults. Returns 0; -errno when it cannot be read; GW_ERROR_INVALID with
// "file:line:column: what; what to do" in error. *ret is untouched on failure.
int gw_config_load(struct gw_config *ret, const char *path, char error[GW_CONFIG_ERROR_SIZE]);

// Prints every mistake of the file as such a line. Returns how many, or -errno.
int gw_config_check(const char *path, FILE *out);

// Prints the commented example (deploy/gridwatch.yaml) or the reference (docs/ref/config.md).
void gw_config_print_example(FILE *out);
void gw_config_print_reference(FILE *out);
