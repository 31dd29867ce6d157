// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Requests to /api/v1: JSON in, JSON out, failures as ApiError. Nothing else in the page calls
// fetch() for JSON.

import type { Camera, CellCount, DayCount, EventWithClips, Gap, GridEvent, Page, Placed, Session, Timeline, Whole } from './types';

const base = '/api/v1';
const patience = 15_000; // ms until a site that says nothing counts as unreachable

// status is 0 when the site could not be reached at all.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly retryAfter = 0, // seconds, with 429
  ) {
    super(detail);
  }
}

export type Query = Record<string, string | number | undefined>;

const noticeDate: ((siteMs: number) => void)[] = [];

// Tells what the site's clock said with each answer.
export function onSiteDate(listener: (siteMs: number) => void): void {
  noticeDate.push(listener);
}

function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') text.set(name, String(value));
  return base + path + (String(text) && `?${text}`);
}

async function problemOf(response: Response): Promise<ApiError> {
  let detail = response.statusText;
  try {
    detail = ((await response.json()) as { detail?: string }).detail ?? detail;
  } catch {
    // A proxy's own error page is no JSON; its status has to do.
  }
  return new ApiError(response.status, detail, Number(response.headers.get('Retry-After')) || 0);
}

async function send(method: string, url: string, body?: unknown): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), patience);
  try {
    return await fetch(url, {
      method,
      signal: abort.signal,
      cache: 'no-store',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, 'the site does not answer');
  } finally {
    clearTimeout(timer);
  }
}

async function call<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
  const response = await send(method, withQuery(path, query), body);
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (!Number.isNaN(date)) for (const listener of noticeDate) listener(date);
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

export interface EventFilter {
  camera: string;
  division: string;
  kind: string; // '' for all
  state: '' | 'open' | 'closed';
}

export const api = {
  login: (code: string) => call<{ expires_us: number }>('POST', '/session', {}, { code }),
  session: () => call<Session>('GET', '/session'),
  logout: () => call<void>('DELETE', '/session'),
  events: (filter: EventFilter, more: { cursor?: string; to?: number; limit?: number }) =>
    call<Page<GridEvent>>('GET', '/events', { ...filter, ...more }),
  event: (id: string) => call<EventWithClips>('GET', `/events/${id}`),
  gaps: (filter: { camera: string; from: number; to?: number }) => call<Page<Gap>>('GET', '/gaps', filter),
  // Events, clips or gaps, by any filters that docs/ref/api.md has for them.
  find: <T>(noun: string, query: Query) => call<Page<T>>('GET', `/${noun}`, query),
  places: (query: Query) => call<Whole<Placed>>('GET', '/places', query),
  countDays: (query: Query) => call<Whole<DayCount>>('GET', '/counts/days', query),
  countCells: (query: Query) => call<Whole<CellCount>>('GET', '/counts/cells', query),
  timeline: ({ camera, from, to }: { camera: string; from: number; to: number }) =>
    call<Timeline>('GET', '/clips/timeline', { camera, from, to }),
  cameras: () => call<{ items: Camera[] }>('GET', '/cameras'),
};

export const thumbnailUrl = (event: GridEvent) =>
  `${base}/events/${event.id}/thumbnail?v=${event.snapshot_us ?? 0}`;
export const snapshotUrl = (event: GridEvent) =>
  `${base}/events/${event.id}/snapshot?v=${event.snapshot_us ?? 0}`;
export const mediaUrl = (clipId: string) => `${base}/clips/${clipId}/media`;
export const rangeUrl = ({ camera, from, to }: { camera: string; from: number; to: number }) =>
  withQuery('/clips/media', { camera, from, to });
export const streamUrl = (since: number) => `${base}/stream?since=${since}`;

// Why a player could not read a clip: the status that its media answers with. 0: no answer.
export async function mediaStatus(clipId: string): Promise<number> {
  try {
    return (await send('HEAD', mediaUrl(clipId))).status;
  } catch (error) {
    return (error as ApiError).status;
  }
}
