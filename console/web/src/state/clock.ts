// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What time it is at the site, once a second. The PC of an operator may be minutes off, and "5 s ago"
// would then be wrong; each answer of the site tells its time.

import { readonly, ref } from 'vue';

import { onSiteDate } from '../api/client';

const offsetMs = ref(0); // site minus this computer
const nowUs = ref(Date.now() * 1000);

// Below this the Date header, which counts whole seconds, says nothing.
const noise = 2000;

onSiteDate((siteMs) => {
  const offset = siteMs + 500 - Date.now();
  offsetMs.value = Math.abs(offset) < noise ? 0 : offset;
});

setInterval(() => (nowUs.value = (Date.now() + offsetMs.value) * 1000), 1000);

export const useClock = () => ({ nowUs: readonly(nowUs), offsetMs: readonly(offsetMs) });
