// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A month as a calendar shows it, and days as a search takes them. Days are texts, "2026-05-04". Pure, but for
// this computer's time zone.

import type { DayCount } from '../api/types';

const pad = (value: number) => String(value).padStart(2, '0');

export const monthOf = (us: number) => dayOf(us).slice(0, 7); // "2026-05"

// In this computer's time zone.
export function dayOf(us: number): string {
  const at = new Date(us / 1000);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

const partsOf = (text: string) => text.split('-').map(Number) as [number, number, number?];

export function shiftMonth(month: string, by: number): string {
  const [year, number] = partsOf(month);
  const at = new Date(Date.UTC(year, number - 1 + by, 1));
  return at.toISOString().slice(0, 7);
}

// Weeks from Monday on; days of other months are ''.
export function weeksOf(month: string): string[][] {
  const [year, number] = partsOf(month);
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const before = (new Date(Date.UTC(year, number - 1, 1)).getUTCDay() + 6) % 7;
  const days = [...Array<string>(before).fill(''), ...Array.from({ length }, (_, day) => `${month}-${pad(day + 1)}`)];
  while (days.length % 7) days.push('');
  return Array.from({ length: days.length / 7 }, (_, week) => days.slice(week * 7, week * 7 + 7));
}

const localMidnight = (year: number, month: number, day: number) => new Date(year, month - 1, day).getTime() * 1000;

// When a month begins and ends, for a question about its days.
export function monthRange(month: string): { from: number; to: number } {
  const [year, number] = partsOf(month);
  return { from: localMidnight(year, number, 1), to: localMidnight(year, number + 1, 1) };
}

// When a day begins and ends by the site's clock, which may be in another zone than this computer: as the site
// says of this day, else of another one, else as this computer does.
export function dayRange(day: string, counts: DayCount[]): { from: number; to: number } {
  const told = counts.find((one) => one.day === day) ?? counts[0];
  const [year, month, number] = partsOf(day);
  if (told) {
    const later = (Date.parse(day) - Date.parse(told.day)) * 1000;
    return { from: told.from_us + later, to: told.to_us + later };
  }
  return { from: localMidnight(year, month, number!), to: localMidnight(year, month, number! + 1) };
}

// How warm a field is drawn: 0 for none, 1 to 4 by the share of the largest. The square root, because one lively
// day would make all others look alike.
export function warmth(count: number, most: number): number {
  return count > 0 ? Math.max(1, Math.ceil(4 * Math.sqrt(count / Math.max(most, count)))) : 0;
}
