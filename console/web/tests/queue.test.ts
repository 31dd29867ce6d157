// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { emptyFilter, later, matches, merge, neighbour, reaches, trim } from '../src/lib/queue';
import { at, event, s } from './made';

const ids = (list: { id: string }[]) => list.map((one) => one.id).join(' ');
const open = { state: 'open' } as const;

describe('queue', () => {
  test('the_newest_start_comes_first_whatever_order_facts_come_in', () => {
    const list = merge([], [event('b', { start_us: at }), event('c', { start_us: at + s }), event('a', { start_us: at - s })], emptyFilter);
    expect(ids(list)).toBe('c b a');
  });

  test('a_fact_that_comes_twice_changes_nothing', () => {
    const once = merge([], [event('a')], emptyFilter);
    expect(merge(once, [event('a')], emptyFilter)).toEqual(once);
  });

  test('a_repeated_opening_does_not_reopen_a_closed_event', () => {
    expect(later(event('a'), event('a', { ...open, end_us: at })).state).toBe('closed');
  });

  test('an_older_update_does_not_undo_a_newer_one', () => {
    const newer = event('a', { ...open, end_us: at + 5 * s, snapshot_us: at + 5 * s });
    expect(later(newer, event('a', { ...open, end_us: at + s, snapshot_us: at + s }))).toBe(newer);
  });

  test('an_update_takes_the_newer_snapshot', () => {
    const list = merge([event('a', { ...open, end_us: at })], [event('a', { ...open, snapshot_us: at + 9 * s })], emptyFilter);
    expect(list[0]!.snapshot_us).toBe(at + 9 * s);
  });

  test('a_closed_event_leaves_a_list_of_open_ones', () => {
    const filter = { ...emptyFilter, state: 'open' } as const;
    const list = merge([], [event('a', open), event('b', open)], filter);
    expect(ids(merge(list, [event('a')], filter))).toBe('b');
  });

  test('a_division_filter_is_a_prefix', () => {
    expect(matches({ ...emptyFilter, division: '640323' }, event('a'))).toBe(true);
    expect(matches({ ...emptyFilter, division: '640323102' }, event('a'))).toBe(false);
  });

  test('a_camera_filter_is_exact', () => {
    expect(matches({ ...emptyFilter, camera: 'gate-0' }, event('a'))).toBe(false);
    expect(matches({ ...emptyFilter, camera: 'gate-07' }, event('a'))).toBe(true);
  });

  test('a_kind_filter_is_exact', () => {
    expect(matches({ ...emptyFilter, kind: 'frozen' }, event('a'))).toBe(false);
    expect(matches({ ...emptyFilter, kind: 'frozen' }, event('a', { kind: 'frozen' }))).toBe(true);
  });

  test('news_of_rows_not_fetched_yet_wait_for_them', () => {
    const list = [event('b', { start_us: at })];
    const older = event('a', { start_us: at - s });
    expect(reaches(list, false, older)).toBe(false);
    expect(reaches(list, true, older)).toBe(true);
    expect(reaches([], false, older)).toBe(true);
  });

  test('a_long_list_keeps_its_newest_rows', () => {
    const list = merge([], [0, 1, 2].map((n) => event(`e${n}`, { start_us: at + n })), emptyFilter);
    expect(ids(trim(list, 2))).toBe('e2 e1');
  });

  test('moving_stops_at_both_ends_and_begins_at_the_newest', () => {
    const list = [event('c'), event('b'), event('a')];
    expect(neighbour(list, '', 1)).toBe('c');
    expect(neighbour(list, 'c', 1)).toBe('b');
    expect(neighbour(list, 'a', 1)).toBe('a');
    expect(neighbour(list, 'b', -5)).toBe('c');
    expect(neighbour([], 'b', 1)).toBe('');
  });
});
