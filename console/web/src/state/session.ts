// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Who is signed in here: nobody, or this browser, at which site.

import { readonly, ref } from 'vue';

import { ApiError, api } from '../api/client';
import type { Session } from '../api/types';

export type Standing = 'unknown' | 'in' | 'out' | 'unreachable';

const standing = ref<Standing>('unknown');
const site = ref<Session['site']>({ name: '', division: '' });
const ended = ref(false); // it was signed in here, and the session is over

async function check(): Promise<void> {
  try {
    const session = await api.session();
    site.value = session.site;
    standing.value = 'in';
    ended.value = false;
  } catch (error) {
    standing.value = error instanceof ApiError && error.status === 401 ? 'out' : 'unreachable';
  }
}

// Throws ApiError when the code does not open a session.
async function login(code: string): Promise<void> {
  await api.login(code);
  await check();
}

async function logout(): Promise<void> {
  await api.logout();
  standing.value = 'out';
  ended.value = false;
}

// Called wherever the site answered 401.
function over(): void {
  if (standing.value === 'in') ended.value = true;
  standing.value = 'out';
}

export const useSession = () => ({
  standing: readonly(standing),
  site: readonly(site),
  ended: readonly(ended),
  check,
  login,
  logout,
  over,
});
