// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which page the address names. Pure: text to route and back.
//
//   #/queue   #/queue/EVENT   #/queue?camera=…&division=…&kind=…&state=…
//   #/search   #/search/RESULT?of=…&from=…&near=…   #/cameras   #/login/CODE

import type { EventFilter } from '../api/client';
import { eventKinds } from '../api/types';
import { emptyFilter } from './queue';
import { formatSearch, parseSearch, type Search } from './search';

export type Route =
  | { page: 'queue'; event: string; filter: EventFilter }
  | { page: 'search'; result: string; search: Search }
  | { page: 'cameras' }
  | { page: 'login'; code: string };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [page, argument = ''] = path.split('/');
  if (page === 'login') return { page, code: decode(argument) };
  if (page === 'cameras') return { page };
  if (page === 'search') return { page, result: decode(argument), search: parseSearch(query) };
  return { page: 'queue', event: decode(argument), filter: parseFilter(query) };
}

export function formatRoute(route: Route): string {
  if (route.page === 'login') return `#/login/${encodeURIComponent(route.code)}`;
  if (route.page === 'cameras') return '#/cameras';
  if (route.page === 'search') return address('search', route.result, formatSearch(route.search));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(route.filter)) if (value) query.set(name, value);
  return address('queue', route.event, String(query));
}

const address = (page: string, opened: string, query: string) =>
  `#/${page}${opened ? `/${encodeURIComponent(opened)}` : ''}${query ? `?${query}` : ''}`;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ''; // a lone % is no address of ours
  }
}

function parseFilter(query: string): EventFilter {
  const given = new URLSearchParams(query);
  const state = given.get('state');
  const kind = given.get('kind') ?? '';
  return {
    ...emptyFilter,
    camera: given.get('camera') ?? '',
    division: (given.get('division') ?? '').replace(/\D/g, '').slice(0, 12),
    kind: eventKinds.includes(kind) ? kind : '',
    state: state === 'open' || state === 'closed' ? state : '',
  };
}
