// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What an investigator looks for, as the form, the address bar and the API have it. Pure.

import type { Query } from '../api/client';
import { eventKinds, type Clip, type Gap, type GridEvent } from '../api/types';
import { isArea, shapes, type Area } from './area';

export const nouns = ['events', 'clips', 'gaps'] as const;
export type Noun = (typeof nouns)[number];
export type Result = GridEvent | Clip | Gap;

export const statesOf: Record<Noun, string[]> = {
  events: ['open', 'closed'],
  clips: ['recording', 'closed', 'repaired', 'lost'],
  gaps: ['open', 'closed'],
};

export interface Search {
  of: Noun;
  from: number; // microseconds; 0: from the beginning, until now
  to: number;
  camera: string;
  division: string; // first digits; a grid cell may follow
  kind: string; // of events
  state: string;
  score: number; // of events, 0 to 1: at least
  area?: Area;
}

export const emptySearch: Search = { of: 'events', from: 0, to: 0, camera: '', division: '', kind: '', state: '', score: 0 };

const some = (value: string | number) => value || undefined;

// Where and when, which lists, places and counts have in common.
function placeQuery(search: Search): Query {
  const { from, to, camera, division, area } = search;
  return {
    from: some(from),
    to: some(to),
    camera: some(camera),
    division: some(division),
    ...(area ? { [area.shape]: area.text } : {}),
  };
}

export function listQuery(search: Search): Query {
  const { of, kind, score, state } = search;
  const ofEvents = of === 'events' ? { kind: some(kind), min_score: some(score) } : {};
  return { ...placeQuery(search), state: some(state), ...ofEvents };
}

export const placesQuery = placeQuery;

export function countQuery(search: Search): Query {
  return { of: search.of, ...placeQuery(search), kind: search.of === 'events' ? some(search.kind) : undefined };
}

// What another noun has not falls away.
export function withNoun(search: Search, of: Noun): Search {
  return { ...search, of, state: statesOf[of].includes(search.state) ? search.state : '' };
}

export const isSame = (a: Search, b: Search) => formatSearch(a) === formatSearch(b);

// --- the address bar ------------------------------------------------------------------------------

export function formatSearch(search: Search): string {
  const text = new URLSearchParams();
  if (search.of !== 'events') text.set('of', search.of);
  for (const [name, value] of Object.entries(listQuery(search))) if (value !== undefined) text.set(name, String(value));
  return String(text);
}

// Nonsense becomes no filter.
export function parseSearch(query: string): Search {
  const given = new URLSearchParams(query);
  const text = (name: string) => given.get(name) ?? '';
  const of = nouns.find((noun) => noun === text('of')) ?? 'events';
  const found = shapes.map((shape) => ({ shape, text: text(shape) })).find((area) => area.text && isArea(area));
  const [from, to] = [moment(text('from')), moment(text('to'))];
  const score = Number(text('min_score'));
  const search: Search = {
    of,
    from,
    to: to > from ? to : 0,
    camera: /^[\w.-]{1,63}$/.test(text('camera')) ? text('camera') : '',
    division: text('division').replace(/\D/g, '').slice(0, 15),
    kind: of === 'events' && eventKinds.includes(text('kind')) ? text('kind') : '',
    state: statesOf[of].includes(text('state')) ? text('state') : '',
    score: of === 'events' && score > 0 && score <= 1 ? score : 0,
  };
  return found ? { ...search, area: found } : search;
}

const moment = (text: string) => (/^\d{1,16}$/.test(text) ? Number(text) : 0);

// --- the form -------------------------------------------------------------------------------------

// What a field for date and time holds: this computer's time, to the second.
export function toField(us: number): string {
  if (!us) return '';
  const at = new Date(us / 1000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export function fromField(text: string): number {
  const ms = text ? new Date(text).getTime() : 0;
  return Number.isNaN(ms) ? 0 : ms * 1000;
}

// --- results --------------------------------------------------------------------------------------

export const beginOf = (row: Result) => ('from_us' in row ? row.from_us : row.start_us);
// Undefined while it goes on.
export function endOf(row: Result): number | undefined {
  if ('from_us' in row) return row.to_us;
  return row.state === 'open' || row.state === 'recording' ? undefined : row.end_us;
}

// The row so many further down; stays within the list.
export function neighbourOf(rows: Result[], id: string, step: number): string {
  const at = rows.findIndex((row) => row.id === id);
  const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  return rows[next]?.id ?? '';
}
