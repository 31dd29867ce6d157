// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { applyState, bitRate, byUrgency, contains, count, seconds } from '../src/lib/cameras';
import { at, camera, s } from './made';

const signs = { frame_rate: 24.96, bit_rate: 3.1e6, key_age_us: 1.5 * s, reconnects: 1, clock_offset_us: -120_000 };
const state = (id: string, status: 'online' | 'degraded' | 'offline', since_us = at + s) =>
  ({ camera: id, status, reason: 'no answer', since_us, ...signs });

describe('cameras', () => {
  test('a_bit_rate_is_told_in_the_unit_that_fits', () => {
    expect(bitRate(1_940_000)).toBe('1.9 Mbit/s');
    expect(bitRate(76_094)).toBe('76 kbit/s');
  });

  test('offline_cameras_come_first_then_degraded_and_disabled_ones_last', () => {
    const list = byUrgency([
      camera('a', { enabled: false, status: 'offline' }),
      camera('b'),
      camera('c', { status: 'unknown' }),
      camera('d', { status: 'offline' }),
      camera('e', { status: 'degraded' }),
    ]);
    expect(list.map((one) => one.id)).toEqual(['d', 'e', 'c', 'b', 'a']);
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

  test('a_degraded_camera_goes_on_being_analysed_and_has_its_numbers', () => {
    const analysis = { level: 'gate', decoded_share: 0.1, audits: 3, judged_events: 0 };
    const [degraded] = applyState([camera('a', { analysis })], state('a', 'degraded'))!;
    expect(degraded).toMatchObject({ status: 'degraded', reason: 'no answer', analysis, ...signs });
  });

  test('a_degraded_camera_counts_as_online', () => {
    expect(count([camera('a'), camera('b', { status: 'degraded' })])).toEqual({ total: 2, online: 2, degraded: 1, offline: 0 });
  });

  test('an_offset_says_its_direction', () => {
    expect([seconds(-120_000), seconds(1_500_000), seconds(-3_600_000_000)]).toEqual(['−0.12', '+1.50', '−3600']);
  });

  test('an_older_fact_changes_nothing', () => {
    const list = [camera('a')];
    expect(applyState(list, state('a', 'offline', at - s))).toBe(list);
  });

  test('a_fact_of_an_unknown_camera_asks_for_the_list', () => {
    expect(applyState([camera('a')], state('new', 'online'))).toBeUndefined();
  });

  test('a_disabled_camera_is_not_missed', () => {
    expect(count([camera('a'), camera('b', { enabled: false, status: 'offline' })])).toEqual({ total: 1, online: 1, degraded: 0, offline: 0 });
  });

  test('a_search_looks_at_names_ids_places_and_reasons', () => {
    const one = camera('gate-07', { name: '东门', reason: 'wrong password' });
    for (const text of ['GATE', '东', '640323101004', 'password']) expect(contains(one, text)).toBe(true);
    expect(contains(one, 'market')).toBe(false);
  });
});
