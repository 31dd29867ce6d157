// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a camera recorded in some time, as one film. Pure.

import type { Piece } from '../api/types';
import type { Search } from './search';

const longestUs = 24 * 3600e6; // that the site puts together

export const whole = 'whole'; // in the address, where else the id of what is open stands

export interface Range {
  camera: string;
  from: number;
  to: number;
}

// The range that a search for clips means; undefined while it is of no camera or time, or too long.
export function rangeOf(search: Search): Range | undefined {
  const { of, camera, from, to } = search;
  return of === 'clips' && camera && from && to > from && to - from <= longestUs ? { camera, from, to } : undefined;
}

// Wall time of what the film shows at a second of it: holes are left out of it.
export function wallIn(pieces: Piece[], seconds: number): number | undefined {
  const at = Math.round(seconds * 1e6);
  const piece = pieces.filter((one) => one.at_us <= at).pop() ?? pieces[0];
  return piece && Math.min(piece.to_us, piece.from_us + Math.max(0, at - piece.at_us));
}
