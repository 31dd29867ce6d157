// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The page's two languages: Chinese first, English on request, remembered by this browser.

import { createI18n } from 'vue-i18n';

import { en } from './en';
import { zh } from './zh-CN';

export type Language = 'zh-CN' | 'en';

const storeKey = 'gridwatch.language';

function remembered(): Language {
  try {
    return localStorage.getItem(storeKey) === 'en' ? 'en' : 'zh-CN';
  } catch {
    return 'zh-CN'; // a browser may be set to keep nothing
  }
}

export const i18n = createI18n({
  legacy: false,
  locale: remembered() as string,
  fallbackLocale: 'en',
  messages: { 'zh-CN': zh, en } as Record<string, typeof zh>,
});

document.documentElement.lang = i18n.global.locale.value;

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
  try {
    localStorage.setItem(storeKey, language);
  } catch {
    // Then it lasts until the page is closed.
  }
}
