// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The list of cameras, kept true by facts. Pure.

import type { Camera, CameraState, CameraStatus } from '../api/types';

const urgency = { offline: 0, degraded: 1, unknown: 2, online: 3 };

// Whether pictures come.
export const delivers = (status: CameraStatus) => status === 'online' || status === 'degraded';

// Those that need a person first; the others by id.
export function byUrgency(cameras: Camera[]): Camera[] {
  return [...cameras].sort(
    (a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id, undefined, { numeric: true }),
  );
}

// A camera that somebody switched off waits for nobody.
const rank = (camera: Camera) => (camera.enabled ? urgency[camera.status] : 4);

// Undefined when the state is of a camera that is not in the list: then it has to be fetched again.
export function applyState(cameras: Camera[], told: CameraState): Camera[] | undefined {
  const known = cameras.find((camera) => camera.id === told.camera);
  if (!known) return undefined;
  if ((known.since_us ?? 0) > told.since_us) return cameras;
  const analysis = delivers(told.status) ? known.analysis : undefined;
  return cameras.map((camera) => (camera === known ? { ...camera, ...signsOf(told), analysis } : camera));
}

// What a fact says of a camera; not its place, which facts may tell too.
function signsOf(told: CameraState): Partial<Camera> {
  const { status, reason, since_us, frame_rate, bit_rate, key_age_us, reconnects, clock_offset_us } = told;
  return { status, reason, since_us, frame_rate, bit_rate, key_age_us, reconnects, clock_offset_us };
}

// "+0.12": seconds, with the sign that tells ahead from behind.
export function seconds(us: number): string {
  const size = Math.abs(us) / 1_000_000;
  const sign = us < 0 ? '−' : '+';
  return `${sign}${size < 10 ? size.toFixed(2) : Math.round(size)}`;
}

// "1.9 Mbit/s", "76 kbit/s".
export const bitRate = (bits: number) =>
  bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`;

export function contains(camera: Camera, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return [camera.id, camera.name, camera.division + camera.grid, camera.reason].some((value) =>
    value.toLowerCase().includes(wanted),
  );
}

export interface Counts {
  total: number; // of those that are to be connected
  online: number; // and degraded
  degraded: number;
  offline: number;
}

export function count(cameras: Camera[]): Counts {
  const enabled = cameras.filter((camera) => camera.enabled);
  const of = (status: string) => enabled.filter((camera) => camera.status === status).length;
  const degraded = of('degraded');
  return { total: enabled.length, online: of('online') + degraded, degraded, offline: of('offline') };
}
