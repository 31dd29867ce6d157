// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Camera URLs and the secrets in them.
//
// A URL enters with its user information and is split at once: the part without it may be stored,
// logged and shown; user name and password travel apart and meet again only in ingest/session.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_URL_SIZE      512
#define GW_USERNAME_SIZE 64
#define GW_PASSWORD_SIZE 128
#define GW_URL_HOST_SIZE 256 // the longest name there is, and its NUL

// Splits "rtsp://user:p%40ss@host/path" into "rtsp://host/path", "user" and "p@ss"
// (percent-decoded). The last '@' before the path ends the user information, because people paste
// unescaped passwords. Accepts rtsp and rtsps with a host. Returns 0, or GW_ERROR_INVALID when it
// is no such URL or a part does not fit; the outputs are then untouched.
int gw_url_split(const char *url, char ret_url[GW_URL_SIZE], char ret_username[GW_USERNAME_SIZE],
                 char ret_password[GW_PASSWORD_SIZE]);

// The reverse, percent-encoding both. Returns 0, or -ENAMETOOLONG.
int gw_url_join(const char *url, const char *username, const char *password, char *ret,
                size_t size);

// The host that a camera's URL names, an IPv6 address without its brackets, and its port: 554, or
// 322 for rtsps, when the URL says none. Returns 0, or GW_ERROR_INVALID with the outputs untouched.
int gw_url_host(const char *url, char ret_host[GW_URL_HOST_SIZE], uint16_t *ret_port);

// Whether two of gw_url_split name the same host, whatever their ports: who may have its password.
bool gw_url_same_host(const char *a, const char *b);

// Hides what follows words like "password=" in a URL's path or query, in place: some cameras want
// their secrets there.
void gw_url_hide_secrets(char *url);

// Copies text, replacing user information in every URL in it ("rtsp://***@host/"). Truncates.
void gw_url_redact(const char *text, char *ret, size_t size);

// Overwrites the passwords in a process's own argument vector, so that `ps` shows none.
// Call after copying what is needed.
void gw_url_scrub_arguments(int argc, char **argv);
