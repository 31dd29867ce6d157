// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { linesWithin, stepFor } from '../src/lib/graticule';
import { beginOf, countQuery, emptySearch, endOf, formatSearch, fromField, isSame, listQuery, neighbourOf, parseSearch, placesQuery, toField, withNoun, type Search } from '../src/lib/search';
import { at, clip, event, s } from './made';

const whole: Search = {
  of: 'events', from: at, to: at + 3600 * s, camera: 'gate-07', division: '640323101', kind: 'covered', state: 'closed', score: 0.5,
  area: { shape: 'polygon', text: '106.4,37.7;106.5,37.7;106.45,37.9' },
};

describe('search', () => {
  test('an_address_gives_the_search_it_was_made_of', () => {
    expect(parseSearch(formatSearch(whole))).toEqual(whole);
    expect(parseSearch(formatSearch(emptySearch))).toEqual(emptySearch);
    const gaps: Search = { ...emptySearch, of: 'gaps', state: 'open', area: { shape: 'covers', text: '106.42,37.785' } };
    expect(parseSearch(formatSearch(gaps))).toEqual(gaps);
  });

  test('nonsense_in_an_address_is_no_filter', () => {
    const query = 'of=faces&from=x&camera=../etc&division=64x&kind=face&state=lost&min_score=7&near=1,2&box=1';
    expect(parseSearch(query)).toEqual({ ...emptySearch, division: '64' });
    expect(parseSearch('from=2000&to=1000').to).toBe(0);
  });

  test('each_request_has_the_filters_that_it_takes_and_no_others', () => {
    expect(listQuery(whole)).toMatchObject({ min_score: 0.5, kind: 'covered', state: 'closed', polygon: whole.area!.text });
    expect(listQuery({ ...whole, of: 'clips' })).not.toHaveProperty('kind');
    expect(listQuery({ ...whole, of: 'clips' })).not.toHaveProperty('min_score');
    expect(Object.keys(placesQuery(whole)).sort()).toEqual(['camera', 'division', 'from', 'polygon', 'to']);
    expect(countQuery(whole)).toMatchObject({ of: 'events', kind: 'covered' });
    expect(countQuery({ ...whole, of: 'gaps' }).kind).toBeUndefined();
    expect(countQuery(whole)).not.toHaveProperty('state');
  });

  test('a_state_that_the_other_noun_has_not_falls_away', () => {
    expect(withNoun({ ...emptySearch, of: 'clips', state: 'lost' }, 'gaps').state).toBe('');
    expect(withNoun({ ...emptySearch, state: 'closed' }, 'clips').state).toBe('closed');
  });

  test('searches_are_the_same_when_they_find_the_same', () => {
    expect(isSame({ ...emptySearch, of: 'gaps', score: 0.5 }, { ...emptySearch, of: 'gaps' })).toBe(true);
    expect(isSame(whole, { ...whole, area: undefined })).toBe(false);
  });

  test('a_time_field_holds_this_computers_time_to_the_second', () => {
    expect(fromField(toField(at))).toBe(at);
    expect(toField(0)).toBe('');
    expect(fromField('')).toBe(0);
    expect(fromField('yesterday')).toBe(0);
  });

  test('rows_of_all_three_nouns_begin_and_end', () => {
    const gap = { ...clip('g'), cause: 'stalled', state: 'open' as const, from_us: at };
    expect(beginOf(event('e'))).toBe(at);
    expect(beginOf(gap)).toBe(at);
    expect(endOf(gap)).toBeUndefined();
    expect(endOf(event('e', { state: 'open' }))).toBeUndefined();
    expect(endOf(clip('c'))).toBe(at + 10 * s);
  });

  test('moving_stays_within_the_results', () => {
    const rows = [event('a'), event('b')];
    expect(neighbourOf(rows, 'a', 1)).toBe('b');
    expect(neighbourOf(rows, 'b', 1)).toBe('b');
    expect(neighbourOf(rows, 'gone', 1)).toBe('a');
    expect(neighbourOf([], 'a', 1)).toBe('');
  });
});

describe('graticule', () => {
  test.each([0.0123, 0.05, 0.1, 0.77, 1, 3.3, 90, 360])('a_span_of_%d_degrees_holds_four_to_eleven_lines', (span) => {
    const lines = linesWithin(106, 106 + span, stepFor(span));
    expect(lines.length).toBeGreaterThanOrEqual(4);
    expect(lines.length).toBeLessThanOrEqual(11);
  });

  test('lines_are_round_numbers', () => {
    expect(linesWithin(106.31, 106.72, 0.1)).toEqual([106.4, 106.5, 106.6, 106.7]);
    expect(linesWithin(-0.25, 0.25, 0.1)).toEqual([-0.2, -0.1, 0, 0.1, 0.2].map((n) => n || expect.closeTo(0)));
  });
});
