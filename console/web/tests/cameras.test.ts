// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { applyState, byUrgency, contains, count } from '../src/lib/cameras';
import { at, camera, s } from './made';

const state = (id: string, status: 'online' | 'offline', since_us = at + s) => ({ camera: id, status, reason: 'no answer', since_us });

describe('cameras', () => {
  test('offline_cameras_come_first_and_disabled_ones_last', () => {
    const list = byUrgency([
      camera('a', { enabled: false, status: 'offline' }),
      camera('b'),
      camera('c', { status: 'unknown' }),
      camera('d', { status: 'offline' }),
    ]);
    expect(list.map((one) => one.id)).toEqual(['d', 'c', 'b', 'a']);
  });

  test('cameras_are_counted_up_as_people_count', () => {
    expect(byUrgency([camera('gate-10'), camera('gate-9')])[0]!.id).toBe('gate-9');
  });

  test('a_fact_changes_the_camera_it_names', () => {
    const list = applyState([camera('a'), camera('b')], state('b', 'offline'))!;
    expect(list[1]).toMatchObject({ status: 'offline', reason: 'no answer', since_us: at + s });
    expect(list[0]!.status).toBe('online');
  });

  test('a_camera_that_goes_offline_is_no_longer_analysed', () => {
    const analysis = { level: 'gate', decoded_share: 0.1, audits: 3, judged_events: 0 };
    const [offline] = applyState([camera('a', { analysis })], state('a', 'offline'))!;
    expect(offline!.analysis).toBeUndefined();
  });

  test('an_older_fact_changes_nothing', () => {
    const list = [camera('a')];
    expect(applyState(list, state('a', 'offline', at - s))).toBe(list);
  });

  test('a_fact_of_an_unknown_camera_asks_for_the_list', () => {
    expect(applyState([camera('a')], state('new', 'online'))).toBeUndefined();
  });

  test('a_disabled_camera_is_not_missed', () => {
    expect(count([camera('a'), camera('b', { enabled: false, status: 'offline' })])).toEqual({ total: 1, online: 1, offline: 0 });
  });

  test('a_search_looks_at_names_ids_places_and_reasons', () => {
    const one = camera('gate-07', { name: '东门', reason: 'wrong password' });
    for (const text of ['GATE', '东', '640323101004', 'password']) expect(contains(one, text)).toBe(true);
    expect(contains(one, 'market')).toBe(false);
  });
});
