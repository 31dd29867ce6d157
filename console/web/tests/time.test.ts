// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { ago, duration, localTime, position, utcTime, zoneName } from '../src/lib/time';
import { at, s } from './made';

describe('time', () => {
  test('utc_times_say_that_they_are', () => {
    expect(utcTime(at)).toBe('2026-05-04 03:02:01Z');
  });

  test('local_and_utc_name_the_same_moment', () => {
    const zone = zoneName(at).replace('UTC', '').replace('−', '-');
    expect(new Date(`${localTime(at).replace(' ', 'T')}${zone}`).getTime()).toBe(at / 1000);
  });

  test.each([
    [0, 'second', 0],
    [59 * s, 'second', 59],
    [60 * s, 'minute', 1],
    [3599 * s, 'minute', 59],
    [3600 * s, 'hour', 1],
    [47 * 3600 * s, 'hour', 47],
    [72 * 3600 * s, 'day', 3],
  ])('after_%i_us_it_was_that_long_ago', (passed, unit, count) => {
    expect(ago(at + passed, at)).toEqual({ unit, count });
  });

  test('a_camera_whose_clock_is_ahead_is_not_in_the_future', () => {
    expect(ago(at, at + 3 * s)).toEqual({ unit: 'second', count: 0 });
  });

  test.each([
    [0, '0.0 s'],
    [4.24 * s, '4.2 s'],
    [59.96 * s, '1:00'],
    [65 * s, '1:05'],
    [3723 * s, '1:02:03'],
    [-s, '0.0 s'],
  ])('a_duration_of_%i_us_is_written_as_%s', (us, text) => {
    expect(duration(us)).toBe(text);
  });

  test('a_position_counts_whole_seconds', () => {
    expect(position(67.9)).toBe('1:07');
    expect(position(-1)).toBe('0:00');
  });
});
