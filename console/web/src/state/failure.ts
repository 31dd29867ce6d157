// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Failed requests in words for people. A 401 anywhere leads back to the login.

import { ApiError } from '../api/client';
import { i18n } from '../i18n';
import { useSession } from './session';

// Whether the same request may succeed in a while: no answer, or the site is not well.
export const mayPass = (error: unknown) => error instanceof ApiError && (error.status === 0 || error.status >= 500);

export const retryMs = 3000;

export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) throw error; // a bug of ours belongs into the browser's log
  const { t, te } = i18n.global;
  if (error.status === 401) useSession().over();
  const key = `failure.${error.status}`;
  return te(key) ? t(key, { detail: error.message }) : t('failure.other', { status: error.status, detail: error.message });
}
