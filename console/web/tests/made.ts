// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Events, clips and cameras for tests: the ordinary ones, with what a test says otherwise.

import type { Camera, Clip, GridEvent } from '../src/api/types';

export const at = 1_777_863_721_000_000; // 2026-05-04T03:02:01Z
export const s = 1_000_000;

const place = { division: '640323101', grid: '004', camera_name: 'East gate' };

export const event = (id: string, more: Partial<GridEvent> = {}): GridEvent => ({
  id,
  camera: 'gate-07',
  kind: 'motion',
  state: 'closed',
  start_us: at,
  end_us: at + 4 * s,
  confirmed_us: at + s,
  score: 0.5,
  box: [0.1, 0.2, 0.3, 0.4],
  zones: [],
  interrupted: false,
  clock_offset_us: null,
  has_snapshot: true,
  snapshot_us: at + s,
  ...place,
  ...more,
});

export const clip = (id: string, more: Partial<Clip> = {}): Clip => ({
  id,
  camera: 'gate-07',
  state: 'closed',
  start_us: at - 5 * s,
  end_us: at + 10 * s,
  size_bytes: 1000,
  frames: 375,
  codec: 'h264',
  width: 640,
  height: 360,
  truncated: false,
  clock_offset_us: null,
  ...place,
  ...more,
});

export const camera = (id: string, more: Partial<Camera> = {}): Camera => ({
  id,
  name: id,
  division: '640323101',
  grid: '004',
  url: 'rtsp://10.0.0.7/ch1',
  record: 'events',
  enabled: true,
  status: 'online',
  reason: '',
  since_us: at,
  ...more,
});
