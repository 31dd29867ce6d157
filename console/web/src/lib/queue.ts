// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The queue: events newest first, kept true by facts. Pure: every function gives a new list.

import type { EventFilter } from '../api/client';
import type { GridEvent } from '../api/types';

export const emptyFilter: EventFilter = { camera: '', division: '', kind: '', state: '' };

// Rows that a screen keeps; older ones are fetched again when somebody scrolls to them.
export const keepRows = 500;

const newestFirst = (a: GridEvent, b: GridEvent) =>
  b.start_us - a.start_us || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

export function matches(filter: EventFilter, event: GridEvent): boolean {
  return (
    (!filter.camera || event.camera === filter.camera) &&
    event.division.startsWith(filter.division) &&
    (!filter.kind || event.kind === filter.kind) &&
    (!filter.state || event.state === filter.state)
  );
}

// The later of two descriptions of one event. A stream repeats what a list already told, so an
// older one must not win: closed stays closed, and its end never moves back.
export function later(known: GridEvent | undefined, told: GridEvent): GridEvent {
  if (!known) return told;
  if (known.state === 'closed' && told.state === 'open') return known;
  if (known.state === told.state && told.end_us < known.end_us) return known;
  return told;
}

// The list with these events in it, new or changed, and without those the filter leaves out now.
export function merge(list: GridEvent[], told: GridEvent[], filter: EventFilter): GridEvent[] {
  const byId = new Map(list.map((event) => [event.id, event]));
  for (const event of told) {
    const result = later(byId.get(event.id), event);
    if (matches(filter, result)) byId.set(event.id, result);
    else byId.delete(event.id);
  }
  return [...byId.values()].sort(newestFirst);
}

// Whether live news belong into the list: beyond its oldest row there may be rows not fetched yet,
// so an older event waits for them.
export function reaches(list: GridEvent[], complete: boolean, event: GridEvent): boolean {
  const oldest = list[list.length - 1];
  return complete || !oldest || event.start_us >= oldest.start_us;
}

// Cuts a list that a long watch has made too long.
export function trim(list: GridEvent[], rows = keepRows): GridEvent[] {
  return list.length > rows ? list.slice(0, rows) : list;
}

// The id of the row `step` further down from this one; stays within the list.
export function neighbour(list: GridEvent[], id: string, step: number): string {
  const at = list.findIndex((event) => event.id === id);
  if (!list.length) return '';
  const next = at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + step));
  return list[next]!.id;
}
