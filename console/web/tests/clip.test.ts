// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { applyClip, continuation, eventRange, firstClip, inOrder, startOffset, wallAt } from '../src/lib/clip';
import { at, clip, event, s } from './made';

describe('clip', () => {
  test('it_begins_three_seconds_before_the_event', () => {
    expect(startOffset(clip('c'), event('e'))).toBe(2);
  });

  test('a_clip_that_begins_later_than_that_begins_at_its_first_picture', () => {
    expect(startOffset(clip('c', { start_us: at - s }), event('e'))).toBe(0);
  });

  test('the_event_is_marked_where_it_lies_in_the_clip', () => {
    expect(eventRange(clip('c'), event('e'), 15)).toEqual({ from: 5, to: 9 });
  });

  test('an_event_that_goes_on_is_marked_up_to_the_end_of_what_there_is', () => {
    const growing = clip('c', { state: 'recording', end_us: at - 5 * s });
    expect(eventRange(growing, event('e', { state: 'open', end_us: at + s }), 8)).toEqual({ from: 5, to: 8 });
  });

  test('the_mark_never_leaves_the_clip', () => {
    const second = clip('c', { start_us: at + 2 * s });
    expect(eventRange(second, event('e', { end_us: at + 60 * s }), 8)).toEqual({ from: 0, to: 8 });
  });

  test('of_two_clips_the_one_that_holds_the_lead_comes_first', () => {
    const before = clip('before', { start_us: at - 60 * s, end_us: at - s });
    const during = clip('during', { start_us: at - s, end_us: at + 60 * s });
    expect(firstClip([during, before], event('e'))!.id).toBe('before');
  });

  test('a_clip_that_ends_before_the_lead_is_not_where_to_begin', () => {
    const before = clip('before', { start_us: at - 60 * s, end_us: at - 10 * s });
    const during = clip('during', { start_us: at - s, end_us: at + 60 * s });
    expect(firstClip([before, during], event('e'))!.id).toBe('during');
  });

  test('a_recording_clip_has_no_end_yet', () => {
    const growing = clip('c', { state: 'recording', end_us: at - 5 * s });
    expect(firstClip([growing], event('e'))!.id).toBe('c');
  });

  test('an_event_goes_on_in_the_next_clip_where_the_first_one_ended', () => {
    const long = event('e', { end_us: at + 40 * s });
    const second = clip('second', { start_us: at + 5 * s, end_us: at + 60 * s });
    expect(continuation([clip('first'), second], clip('first'), long)!.id).toBe('second');
    expect(startOffset(second, long, clip('first').end_us)).toBe(5);
  });

  test('an_event_that_one_clip_holds_is_not_played_twice', () => {
    const second = clip('second', { start_us: at + 2 * s, end_us: at + 60 * s });
    expect(continuation([clip('first'), second], clip('first'), event('e'))).toBeUndefined();
  });

  test('lost_clips_are_not_offered', () => {
    expect(inOrder([clip('c', { state: 'lost' })])).toEqual([]);
  });

  test('the_player_shows_the_time_of_the_picture', () => {
    expect(wallAt(clip('c'), 2.5)).toBe(at - 2.5 * s);
  });

  test('news_of_a_clip_of_this_camera_and_time_join', () => {
    expect(applyClip([], clip('c'), event('e'))).toHaveLength(1);
    expect(applyClip([], clip('c', { camera: 'other' }), event('e'))).toHaveLength(0);
    expect(applyClip([], clip('c', { start_us: at + 60 * s, end_us: at + 70 * s }), event('e'))).toHaveLength(0);
  });

  test('a_fault_that_goes_on_does_not_gather_the_clips_of_later_days', () => {
    const fault = event('e', { kind: 'covered', state: 'open', end_us: at + 90_000 * s, confirmed_us: at + 11 * s });
    const first = clip('c', { start_us: at + 3 * s, end_us: at + 17 * s });
    const later = clip('d', { start_us: at + 80_000 * s, end_us: at + 80_020 * s });
    expect(applyClip([], first, fault)).toHaveLength(1);
    expect(applyClip([first], later, fault)).toHaveLength(1);
    expect(continuation([first, later], first, fault)).toBeUndefined();
  });

  test('a_repeated_opening_does_not_make_a_closed_clip_record_again', () => {
    const list = applyClip([clip('c')], clip('c', { state: 'recording' }), event('e'));
    expect(list[0]!.state).toBe('closed');
  });
});
