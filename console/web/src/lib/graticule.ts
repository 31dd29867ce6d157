// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The lines of longitude and latitude on a map that has no other picture. Pure.

// A round number of degrees of which the span holds four to ten.
export function stepFor(span: number): number {
  const raw = span / 10;
  const power = 10 ** Math.floor(Math.log10(raw));
  const digit = [1, 2, 5, 10].find((one) => one * power >= raw * (1 - 1e-9))!;
  return Number((digit * power).toPrecision(1));
}

// The multiples of step from low to high, without the noise of floating point.
export function linesWithin(low: number, high: number, step: number): number[] {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, line) => Number(((first + line) * step).toFixed(decimals)));
}
