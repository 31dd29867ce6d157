// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The gaps that belong to an event: those of its camera around its time. Pure.

import { isFault, type Gap, type GridEvent } from '../api/types';

const around = 10e6; // microseconds before and after an event in which a gap matters to it

// An event that goes on has no end; of a fault only its beginning is looked at.
export function gapRange(event: GridEvent): { from: number; to?: number } {
  const from = event.start_us - around;
  if (isFault(event)) return { from, to: event.confirmed_us + around };
  return event.state === 'open' ? { from } : { from, to: event.end_us + around };
}

export function inOrder(gaps: Gap[]): Gap[] {
  return [...gaps].sort((a, b) => a.from_us - b.from_us);
}

// The gaps of an event after news of one: changed, or new and of the same camera and time.
export function applyGap(gaps: Gap[], told: Gap, event: GridEvent): Gap[] {
  const others = gaps.filter((gap) => gap.id !== told.id);
  const known = gaps.find((gap) => gap.id === told.id);
  if (known) return known.state === 'closed' ? gaps : inOrder([...others, told]);
  const { from, to = Infinity } = gapRange(event);
  const touches = told.camera === event.camera && told.from_us < to && (told.to_us ?? Infinity) > from;
  return touches ? inOrder([...others, told]) : gaps;
}
