// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Times for people. Pure: the present moment is an argument.

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

const second = 1_000_000; // everything here counts in microseconds

// "2026-05-04 11:02:01" in this computer's time zone.
export function localTime(us: number): string {
  const at = new Date(us / 1000);
  return `${localDate(at)} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

function localDate(at: Date): string {
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

// "11:02:01.4": under a player, where the date is known.
export function localClock(us: number): string {
  return `${localTime(us).slice(11)}.${Math.floor((us % second) / 100_000)}`;
}

// "2026-05-04 03:02:01Z"
export function utcTime(us: number): string {
  return new Date(us / 1000).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

// "UTC+08:00": where localTime() is.
export function zoneName(us: number): string {
  const minutes = -new Date(us / 1000).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

export interface Amount {
  unit: 'second' | 'minute' | 'hour' | 'day';
  count: number;
}

// How long ago, in the largest unit that still says something. Never negative: a camera's clock may
// run a little ahead of ours.
export function ago(nowUs: number, us: number): Amount {
  const seconds = Math.max(0, Math.floor((nowUs - us) / second));
  if (seconds < 60) return { unit: 'second', count: seconds };
  if (seconds < 3600) return { unit: 'minute', count: Math.floor(seconds / 60) };
  if (seconds < 48 * 3600) return { unit: 'hour', count: Math.floor(seconds / 3600) };
  return { unit: 'day', count: Math.floor(seconds / 86400) };
}

// "4.2 s", "1:05", "1:02:03"
export function duration(us: number): string {
  const seconds = Math.max(0, us) / second;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = `${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  return whole < 3600 ? minutes.replace(/^0/, '') : `${Math.floor(whole / 3600)}:${minutes}`;
}

// "0:07" beside a player.
export function position(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
}
