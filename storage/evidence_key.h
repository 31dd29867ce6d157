// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The key with which a site signs what it exports: Ed25519, one per store, made when it is needed
// first.
//
//   store/evidence.key (0600) -> [evidence_key] -> evidence_write.h
//
// Who has the file can sign in the site's name. Its public half is for everybody. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GW_EVIDENCE_KEY_FILE      "evidence.key" // in the store
#define GW_EVIDENCE_PUBLIC_SIZE   32
#define GW_EVIDENCE_SECRET_SIZE   64
#define GW_EVIDENCE_SIGNATURE     64
#define GW_EVIDENCE_KEY_TEXT_SIZE 65 // hexadecimal digits of the public half
#define GW_EVIDENCE_PEM_SIZE      160

struct gw_evidence_key {
    uint8_t public_half[GW_EVIDENCE_PUBLIC_SIZE];
    uint8_t secret[GW_EVIDENCE_SECRET_SIZE]; // never leaves this process
};

// Reads the store's key; makes one where there is none, whole or not at all. Two that try at once
// get the same one. Returns 0, -errno, or GW_ERROR_INVALID when the file holds no key.
int gw_evidence_key_load(struct gw_evidence_key *ret, const char *store);
// Forgets the secret.
void gw_evidence_key_finish(struct gw_evidence_key *key);

// Lower-case digits. Returns buffer.
char *gw_evidence_key_format(char buffer[GW_EVIDENCE_KEY_TEXT_SIZE],
                             const uint8_t public_half[GW_EVIDENCE_PUBLIC_SIZE]);
// Whether text is a key: 64 hexadecimal digits, white space around them allowed, or what to_pem
// gives.
bool gw_evidence_key_parse(const char *text, uint8_t ret[GW_EVIDENCE_PUBLIC_SIZE]);
// As other programs read it (RFC 8410). Returns buffer.
char *gw_evidence_key_to_pem(char buffer[GW_EVIDENCE_PEM_SIZE],
                             const uint8_t public_half[GW_EVIDENCE_PUBLIC_SIZE]);
