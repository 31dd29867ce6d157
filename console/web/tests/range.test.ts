// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { rangeOf, wallIn } from '../src/lib/range';
import { emptySearch } from '../src/lib/search';
import { at, s } from './made';

const wanted = { ...emptySearch, of: 'clips' as const, camera: 'gate', from: at, to: at + 3600 * s };
const pieces = [
  { clip: 'a', from_us: at, to_us: at + 10 * s, at_us: 0, frames: 250 },
  { clip: 'b', from_us: at + 60 * s, to_us: at + 70 * s, at_us: 10 * s, frames: 250 },
];

describe('range', () => {
  test('a_camera_and_a_time_of_at_most_a_day_can_be_played', () => {
    expect(rangeOf(wanted)).toEqual({ camera: 'gate', from: at, to: at + 3600 * s });
    expect(rangeOf({ ...wanted, to: at + 86400 * s })).toBeDefined();
    expect(rangeOf({ ...wanted, to: at + 86401 * s })).toBeUndefined();
    expect(rangeOf({ ...wanted, camera: '' })).toBeUndefined();
    expect(rangeOf({ ...wanted, to: 0 })).toBeUndefined();
    expect(rangeOf({ ...wanted, from: 0 })).toBeUndefined();
    expect(rangeOf({ ...wanted, of: 'events' })).toBeUndefined();
  });

  test('a_second_of_the_film_is_a_moment_and_holes_are_left_out', () => {
    expect(wallIn(pieces, 0)).toBe(at);
    expect(wallIn(pieces, 9.5)).toBe(at + 9.5 * s);
    expect(wallIn(pieces, 10)).toBe(at + 60 * s);
    expect(wallIn(pieces, 15)).toBe(at + 65 * s);
    expect(wallIn(pieces, 99)).toBe(at + 70 * s);
    expect(wallIn([], 3)).toBeUndefined();
  });
});
