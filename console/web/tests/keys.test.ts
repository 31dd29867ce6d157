// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { describe, expect, test } from 'vitest';

import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh-CN';
import { actionOf, bindings } from '../src/lib/keys';

const press = (key: string, more = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, ...more });

describe('keys', () => {
  test.each([
    ['j', 'next'],
    ['k', 'previous'],
    ['ArrowDown', 'down'],
    ['Enter', 'open'],
    [' ', 'play'],
    ['Escape', 'close'],
    ['/', 'filter'],
    ['?', 'help'],
  ])('%s_means_%s', (key, action) => {
    expect(actionOf(press(key), 'page')).toBe(action);
  });

  test('caps_lock_does_not_matter', () => {
    expect(actionOf(press('J'), 'page')).toBe('next');
  });

  test('typing_into_a_field_is_no_command_but_esc_leaves_it', () => {
    expect(actionOf(press('j'), 'text')).toBeUndefined();
    expect(actionOf(press('?'), 'text')).toBeUndefined();
    expect(actionOf(press('Escape'), 'text')).toBe('close');
  });

  test('a_focused_button_keeps_enter_and_space', () => {
    expect(actionOf(press(' '), 'control')).toBeUndefined();
    expect(actionOf(press('Enter'), 'control')).toBeUndefined();
    expect(actionOf(press('j'), 'control')).toBe('next');
  });

  test('shortcuts_of_the_browser_stay_the_browsers', () => {
    expect(actionOf(press('f', { ctrlKey: true }), 'page')).toBeUndefined();
    expect(actionOf(press('ArrowLeft', { altKey: true }), 'page')).toBeUndefined();
  });

  test('no_key_has_two_meanings', () => {
    const keys = bindings.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('the_help_explains_every_key_in_both_languages', () => {
    for (const { action } of bindings) {
      expect(zh.keys[action]).toBeTruthy();
      expect(en.keys[action]).toBeTruthy();
    }
  });
});
