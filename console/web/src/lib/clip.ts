// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Where an event lies in its clips. Pure. Seconds are within a clip, `_us` is wall time.

import { isFault, type Clip, type GridEvent } from '../api/types';

export const lead = 3; // seconds that a viewer sees before the event begins

export interface Range {
  from: number; // seconds within the clip
  to: number;
}

const secondsBetween = (fromUs: number, toUs: number) => (toUs - fromUs) / 1e6;

export const playable = (clip: Clip) => clip.state !== 'lost';

// Oldest first, without those that were lost, each once.
export function inOrder(clips: Clip[]): Clip[] {
  const byId = new Map(clips.map((clip) => [clip.id, clip]));
  return [...byId.values()].filter(playable).sort((a, b) => a.start_us - b.start_us);
}

// Which clip to begin with: the last one that has begun when the lead does; else the first.
export function firstClip(clips: Clip[], event: GridEvent): Clip | undefined {
  const ordered = inOrder(clips);
  const wanted = event.start_us - lead * 1e6;
  const begun = ordered.filter((clip) => clip.start_us <= wanted && !isOver(clip, wanted));
  return begun[begun.length - 1] ?? ordered.find((clip) => !isOver(clip, event.start_us)) ?? ordered[0];
}

function isOver(clip: Clip, us: number): boolean {
  return clip.state !== 'recording' && clip.end_us <= us;
}

// Where to begin in it: at `fromUs` if given, else `lead` seconds before the event; or at its first
// picture.
export function startOffset(clip: Clip, event: GridEvent, fromUs = 0): number {
  return Math.max(0, secondsBetween(clip.start_us, fromUs || event.start_us - lead * 1e6));
}

// A fault may last for weeks; what shows it is its beginning, until the moment when it was sure.
const shownUntil = (event: GridEvent) => (isFault(event) ? event.confirmed_us : event.end_us);
const goesOn = (event: GridEvent) => event.state === 'open' && !isFault(event);

// The clip in which an event goes on that this one does not hold to its end.
export function continuation(clips: Clip[], clip: Clip, event: GridEvent): Clip | undefined {
  if (!goesOn(event) && shownUntil(event) <= clip.end_us) return undefined;
  return inOrder(clips).find((one) => one.start_us > clip.start_us && !isOver(one, clip.end_us));
}

// The part of the clip in which something moved, at least a visible sliver of it.
export function eventRange(clip: Clip, event: GridEvent, length: number): Range {
  const from = Math.min(length, Math.max(0, secondsBetween(clip.start_us, event.start_us)));
  const end = event.state === 'open' && clip.state === 'recording' ? length : secondsBetween(clip.start_us, event.end_us);
  return { from, to: Math.min(length, Math.max(from, end)) };
}

// Wall time of what the player shows.
export const wallAt = (clip: Clip, seconds: number) => clip.start_us + Math.round(seconds * 1e6);

// The clips of an event after news of one: changed, or new and of the same camera and time.
export function applyClip(clips: Clip[], told: Clip, event: GridEvent): Clip[] {
  const known = clips.some((clip) => clip.id === told.id);
  if (known) return clips.map((clip) => (clip.id === told.id ? laterClip(clip, told) : clip));
  const covers =
    told.camera === event.camera &&
    (goesOn(event) || told.start_us <= shownUntil(event)) &&
    !isOver(told, event.start_us);
  return covers ? inOrder([...clips, told]) : clips;
}

function laterClip(known: Clip, told: Clip): Clip {
  return known.state !== 'recording' && told.state === 'recording' ? known : told;
}

// "812 kB", "1.4 MB"
export const fileSize = (bytes: number) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
