// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import type { Gap } from '../src/api/types';
import { applyGap, gapRange } from '../src/lib/gap';
import { event } from './made';

const second = 1e6;
const start = 1_777_863_721e6;
const moved = event('e', { camera: 'gate', start_us: start, end_us: start + 20 * second, state: 'closed' });

function gap(id: string, from: number, to?: number, camera = 'gate'): Gap {
  const made = { id, camera, cause: 'stalled', division: '', grid: '', camera_name: '', from_us: start + from * second };
  return to === undefined ? { ...made, state: 'open' } : { ...made, state: 'closed', to_us: start + to * second };
}

describe('gaps', () => {
  test('an_event_that_goes_on_has_gaps_up_to_now', () => {
    expect(gapRange({ ...moved, state: 'open' })).toEqual({ from: start - 10 * second });
    expect(gapRange(moved).to).toBe(start + 30 * second);
  });

  test('a_fault_has_gaps_only_around_its_beginning', () => {
    const fault = { ...moved, kind: 'black', confirmed_us: start + second };
    expect(gapRange(fault).to).toBe(start + 11 * second);
  });

  test('a_gap_that_closes_is_the_same_gap_and_stays_closed', () => {
    const open = applyGap([], gap('a', 5), moved);
    expect(open).toHaveLength(1);
    const closed = applyGap(open, gap('a', 5, 8), moved);
    expect(closed).toEqual([gap('a', 5, 8)]);
    expect(applyGap(closed, gap('a', 5), moved)).toBe(closed);
  });

  test('gaps_of_other_cameras_and_times_are_not_of_this_event', () => {
    const none: Gap[] = [];
    expect(applyGap(none, gap('a', 5, 8, 'yard'), moved)).toBe(none);
    expect(applyGap(none, gap('a', 40, 50), moved)).toBe(none);
    expect(applyGap(none, gap('a', -60, -30), moved)).toBe(none);
  });

  test('the_earliest_gap_comes_first', () => {
    const gaps = applyGap(applyGap([], gap('b', 9, 10), moved), gap('a', 1, 2), moved);
    expect(gaps.map((one) => one.id)).toEqual(['a', 'b']);
  });
});
