// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Light or dark, as the computer is set. Element Plus wants it as a class.

const dark = window.matchMedia('(prefers-color-scheme: dark)');

const apply = () => document.documentElement.classList.toggle('dark', dark.matches);

export function followColourScheme(): void {
  apply();
  dark.addEventListener('change', apply);
}
