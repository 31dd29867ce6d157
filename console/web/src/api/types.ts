// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The API's nouns as docs/ref/api.md defines them. `_us` is microseconds since 1970, UTC.

export type EventState = 'open' | 'closed';
export type ClipState = 'recording' | 'closed' | 'repaired' | 'lost';
export type CameraStatus = 'online' | 'degraded' | 'offline' | 'unknown';

// Something moved; all others are faults of the camera's picture. In the order of the filter.
export const eventKinds = ['motion', 'covered', 'black', 'over-bright', 'frozen', 'blurred', 'moved'];

export interface Place {
  division: string;
  grid: string;
  camera_name: string;
  lon?: number;
  lat?: number;
  heading_deg?: number; // clockwise from north
  fov_deg?: number; // absent: all round, or nobody knows
  range_m?: number;
  height_m?: number;
}

// Where a camera was, and since when.
export interface Placed extends Place {
  camera: string;
  since_us: number;
  until_us?: number; // not while it is there
  registered: boolean;
}

// A day of the site's clock on which something began.
export interface DayCount {
  day: string; // "2026-05-04"
  from_us: number;
  to_us: number;
  count: number;
}

export interface CellCount {
  division: string;
  grid: string;
  lon?: number; // middle of its cameras
  lat?: number;
  count: number;
}

export interface GridEvent extends Place {
  id: string;
  camera: string;
  kind: string; // one of eventKinds, or one that a newer site knows
  state: EventState;
  start_us: number;
  end_us: number;
  confirmed_us: number;
  score: number;
  box: [number, number, number, number]; // x, y, w, h in fractions of the picture
  zones: string[];
  interrupted: boolean;
  clock_offset_us: number | null; // how far the camera's clock was ahead of the site's
  has_snapshot: boolean;
  snapshot_us?: number;
}

export const isFault = (event: GridEvent) => event.kind !== 'motion';

export interface Clip extends Place {
  id: string;
  camera: string;
  state: ClipState;
  start_us: number;
  end_us: number;
  size_bytes: number;
  frames: number;
  codec: string;
  width: number;
  height: number;
  truncated: boolean;
  clock_offset_us: number | null;
}

// A time in which a camera should have been recorded and was not.
export interface Gap extends Place {
  id: string;
  camera: string;
  cause: string; // one of docs/ref/api.md, or one that a newer site knows
  state: 'open' | 'closed';
  from_us: number;
  to_us?: number; // not while it is open
}

export interface EventWithClips extends GridEvent {
  clips: Clip[];
}

// How a camera is analysed just now, what speaks for that and what it costs.
export interface Analysis {
  level: string; // gate, keyframes or full
  decoded_share: number; // of the last minutes' packets
  audits: number;
  judged_events: number;
  miss_rate?: number; // of these events
  miss_rate_high?: number;
  detect_online?: boolean; // only with a detect_url
}

// How a camera delivers; null where nothing is known.
export interface Signs {
  frame_rate: number; // pictures a second, of the last 10 s
  bit_rate: number; // bits a second
  key_age_us: number | null; // since the last keyframe
  reconnects: number;
  clock_offset_us: number | null;
}

// The signs are there while it delivers.
export interface Camera extends Partial<Signs> {
  id: string;
  name: string;
  division: string;
  grid: string;
  url: string;
  detect_url?: string;
  record: string;
  enabled: boolean;
  lon?: number;
  lat?: number;
  status: CameraStatus;
  reason: string;
  since_us?: number;
  analysis?: Analysis; // while it is online and a worker has told
}

export interface CameraState extends Signs {
  camera: string;
  status: CameraStatus;
  reason: string;
  since_us: number;
}

export interface Page<T> {
  items: T[];
  next: string;
  head: number;
}

// What comes in one piece; `total` may be more than there is room for.
export interface Whole<T> {
  items: T[];
  total: number;
}

// A part of a range: `at_us` is where it begins in the film.
export interface Piece {
  clip: string;
  from_us: number;
  to_us: number;
  at_us: number;
  frames: number;
}

export interface Timeline {
  items: Piece[];
  unreadable: number; // clips that were left out
}

export interface Session {
  expires_us: number;
  site: { name: string; division: string };
}

export type EventFactKind = 'event.opened' | 'event.updated' | 'event.closed';
export type ClipFactKind = 'clip.opened' | 'clip.closed';
export type CameraFactKind = 'camera.online' | 'camera.degraded' | 'camera.offline';
export type GapFactKind = 'gap.opened' | 'gap.closed';

interface FactOf<Kind extends string, Data> {
  seq: number;
  kind: Kind;
  wall_us: number;
  camera: string;
  data: Data;
}

export type EventFact = FactOf<EventFactKind, GridEvent>;
export type ClipFact = FactOf<ClipFactKind, Clip>;
export type CameraFact = FactOf<CameraFactKind, CameraState>;
export type GapFact = FactOf<GapFactKind, Gap>;
export type Fact = EventFact | ClipFact | CameraFact | GapFact;

// Kinds that the page listens to. `alert.raised` repeats what `event.opened` said.
export const factKinds: Fact['kind'][] = [
  'event.opened',
  'event.updated',
  'event.closed',
  'clip.opened',
  'clip.closed',
  'camera.online',
  'camera.degraded',
  'camera.offline',
  'gap.opened',
  'gap.closed',
];

export const isEventFact = (fact: Fact): fact is EventFact => fact.kind.startsWith('event.');
export const isClipFact = (fact: Fact): fact is ClipFact => fact.kind.startsWith('clip.');
export const isCameraFact = (fact: Fact): fact is CameraFact => fact.kind.startsWith('camera.');
export const isGapFact = (fact: Fact): fact is GapFact => fact.kind.startsWith('gap.');
