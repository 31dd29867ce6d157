// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The list of cameras, kept true by facts. Pure.

import type { Camera, CameraState } from '../api/types';

const urgency = { offline: 0, unknown: 1, online: 2 };

// Those that need a person first; the others by id.
export function byUrgency(cameras: Camera[]): Camera[] {
  return [...cameras].sort(
    (a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id, undefined, { numeric: true }),
  );
}

// A camera that somebody switched off waits for nobody.
const rank = (camera: Camera) => (camera.enabled ? urgency[camera.status] : 3);

// Undefined when the state is of a camera that is not in the list: then it has to be fetched again.
export function applyState(cameras: Camera[], told: CameraState): Camera[] | undefined {
  const known = cameras.find((camera) => camera.id === told.camera);
  if (!known) return undefined;
  if ((known.since_us ?? 0) > told.since_us) return cameras;
  const { status, reason, since_us } = told;
  const analysis = status === 'online' ? known.analysis : undefined;
  return cameras.map((camera) => (camera === known ? { ...camera, status, reason, since_us, analysis } : camera));
}

export function contains(camera: Camera, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return [camera.id, camera.name, camera.division + camera.grid, camera.reason].some((value) =>
    value.toLowerCase().includes(wanted),
  );
}

export interface Counts {
  total: number; // of those that are to be connected
  online: number;
  offline: number;
}

export function count(cameras: Camera[]): Counts {
  const enabled = cameras.filter((camera) => camera.enabled);
  const of = (status: string) => enabled.filter((camera) => camera.status === status).length;
  return { total: enabled.length, online: of('online'), offline: of('offline') };
}
