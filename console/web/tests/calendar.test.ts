// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { dayOf, dayRange, monthOf, monthRange, shiftMonth, warmth, weeksOf } from '../src/lib/calendar';

describe('calendar', () => {
  test('a_month_begins_on_its_weekday_and_has_all_its_days', () => {
    const may = weeksOf('2026-05'); // the first is a Friday
    expect(may[0]).toEqual(['', '', '', '', '2026-05-01', '2026-05-02', '2026-05-03']);
    expect(may.flat().filter(Boolean)).toHaveLength(31);
    expect(weeksOf('2028-02').flat().filter(Boolean)).toHaveLength(29);
    for (const week of may) expect(week).toHaveLength(7);
  });

  test('months_go_on_beyond_the_year', () => {
    expect(shiftMonth('2026-12', 1)).toBe('2027-01');
    expect(shiftMonth('2026-01', -1)).toBe('2025-12');
  });

  test('a_month_ends_where_the_next_one_begins', () => {
    const { from, to } = monthRange('2026-12');
    expect(to).toBe(monthRange('2027-01').from);
    expect(monthOf(from)).toBe('2026-12');
    expect(monthOf(to - 1)).toBe('2026-12');
  });

  test('a_day_is_as_long_as_the_site_says_and_else_as_this_computer_says', () => {
    const begin = Date.UTC(2026, 4, 4) * 1000 + 5.5 * 3600e6; // a site half a zone from anywhere
    const told = { day: '2026-05-04', from_us: begin, to_us: begin + 86400e6, count: 3 };
    expect(dayRange('2026-05-04', [told])).toEqual({ from: begin, to: begin + 86400e6 });
    expect(dayRange('2026-05-02', [told])).toEqual({ from: begin - 2 * 86400e6, to: begin - 86400e6 });
    const own = dayRange('2026-05-05', []);
    expect(dayOf(own.from)).toBe('2026-05-05');
    expect(dayOf(own.to)).toBe('2026-05-06');
    expect(dayOf(dayRange('2026-05-31', []).to)).toBe('2026-06-01');
  });

  test('a_day_with_one_event_is_not_drawn_like_one_without', () => {
    expect(warmth(0, 100)).toBe(0);
    expect(warmth(1, 10_000)).toBe(1);
    expect(warmth(10_000, 10_000)).toBe(4);
    expect(warmth(5, 0)).toBe(4);
  });
});
