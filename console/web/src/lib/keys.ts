// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Which key does what. Pure, so that the help dialog and the tests read the same table.

export type Action =
  | 'next'
  | 'previous'
  | 'down'
  | 'up'
  | 'open'
  | 'play'
  | 'close'
  | 'filter'
  | 'help'
  | 'snapshot'
  | 'back'
  | 'forward'
  | 'fullscreen'
  | 'newest'
  | 'circle'
  | 'polygon'
  | 'box'
  | 'covers';

export interface Press {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

interface Binding {
  action: Action;
  keys: string[]; // as KeyboardEvent.key gives them
  shown: string[]; // as the help writes them
}

export const bindings: Binding[] = [
  { action: 'next', keys: ['j', 'ArrowRight'], shown: ['j', '→'] },
  { action: 'previous', keys: ['k', 'ArrowLeft'], shown: ['k', '←'] },
  { action: 'down', keys: ['ArrowDown'], shown: ['↓'] },
  { action: 'up', keys: ['ArrowUp'], shown: ['↑'] },
  { action: 'newest', keys: ['g', 'Home'], shown: ['g', 'Home'] },
  { action: 'open', keys: ['Enter'], shown: ['Enter'] },
  { action: 'close', keys: ['Escape'], shown: ['Esc'] },
  { action: 'play', keys: [' '], shown: ['Space'] },
  { action: 'back', keys: [','], shown: [','] },
  { action: 'forward', keys: ['.'], shown: ['.'] },
  { action: 'snapshot', keys: ['s'], shown: ['s'] },
  { action: 'fullscreen', keys: ['f'], shown: ['f'] },
  { action: 'filter', keys: ['/'], shown: ['/'] },
  { action: 'circle', keys: ['c'], shown: ['c'] },
  { action: 'polygon', keys: ['p'], shown: ['p'] },
  { action: 'box', keys: ['b'], shown: ['b'] },
  { action: 'covers', keys: ['v'], shown: ['v'] },
  { action: 'help', keys: ['?'], shown: ['?'] },
];

export type Focus = 'page' | 'text' | 'control';

// What this key press means, undefined for nothing of ours. In a text field only Esc is; on a button
// or link Enter and Space stay what they are everywhere.
export function actionOf(press: Press, focus: Focus): Action | undefined {
  if (press.ctrlKey || press.altKey || press.metaKey) return undefined;
  if (focus === 'text') return press.key === 'Escape' ? 'close' : undefined;
  if (focus === 'control' && (press.key === 'Enter' || press.key === ' ')) return undefined;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  return bindings.find((binding) => binding.keys.includes(key))?.action;
}

// Where the focus is. `data-keys="page"` marks elements (rows of the queue, the player) on which our
// keys go first.
export function focusOf(element: Element | null): Focus {
  if (!element || element === document.body) return 'page';
  if (element.closest('[data-keys="page"]')) return 'page';
  if (element.matches('input:not([type=radio]):not([type=checkbox]):not([type=range]), textarea, [contenteditable]'))
    return 'text';
  return element.matches('a, button, input, [role=button], [tabindex]') ? 'control' : 'page';
}
