// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The address bar as a value: lib/route.ts says what it means.

import { readonly, ref } from 'vue';

import { formatRoute, parseRoute, type Route } from '../lib/route';

const route = ref<Route>(parseRoute(location.hash));

window.addEventListener('hashchange', () => (route.value = parseRoute(location.hash)));

function go(to: Route, how: 'push' | 'replace' = 'push') {
  const hash = formatRoute(to);
  if (hash === location.hash) return;
  if (how === 'push') history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
  route.value = to;
}

window.addEventListener('popstate', () => (route.value = parseRoute(location.hash)));

export const useRoute = () => ({ route: readonly(route), go });
