// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { emptyFilter } from '../src/lib/queue';
import { emptySearch } from '../src/lib/search';
import { formatRoute, parseRoute, type Route } from '../src/lib/route';

describe('route', () => {
  test.each<Route>([
    { page: 'queue', event: '', filter: emptyFilter },
    { page: 'queue', event: '0190a5c2-1', filter: { camera: 'gate-07', division: '640323', kind: 'over-bright', state: 'open' } },
    { page: 'search', result: '', search: emptySearch },
    { page: 'search', result: '0190a5c2-1', search: { ...emptySearch, of: 'clips', area: { shape: 'near', text: '106.42,37.785,500' } } },
    { page: 'cameras' },
    { page: 'login', code: 'a b/c' },
  ])('an_address_names_the_page_it_was_made_of: %o', (route) => {
    expect(parseRoute(formatRoute(route))).toEqual(route);
  });

  test('an_unknown_address_is_the_queue', () => {
    expect(parseRoute('')).toEqual({ page: 'queue', event: '', filter: emptyFilter });
    expect(parseRoute('#/nowhere')).toMatchObject({ page: 'queue' });
  });

  test('nonsense_in_an_address_becomes_no_filter', () => {
    expect(parseRoute('#/queue?division=64x0&kind=face&state=boiling&colour=red')).toMatchObject({
      filter: { camera: '', division: '640', kind: '', state: '' },
    });
    expect(parseRoute('#/queue/%E0%A4%A')).toMatchObject({ event: '' });
  });
});
