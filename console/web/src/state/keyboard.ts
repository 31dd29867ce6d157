// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Keys for the component that is on the screen: lib/keys.ts says which key means what.

import { onMounted, onUnmounted } from 'vue';

import { actionOf, focusOf, type Action } from '../lib/keys';

// The handler returns whether it used the action; the browser keeps what nobody uses.
export function useKeys(handle: (action: Action) => boolean): void {
  function press(event: KeyboardEvent) {
    if (event.defaultPrevented || event.isComposing) return;
    const action = actionOf(event, focusOf(event.target as Element | null));
    if (action && handle(action)) event.preventDefault();
  }
  onMounted(() => document.addEventListener('keydown', press));
  onUnmounted(() => document.removeEventListener('keydown', press));
}
