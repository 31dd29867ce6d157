// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Areas that a search is narrowed to, as they are drawn, typed and asked for. WGS-84 degrees, metres. Pure.

export type Point = readonly [lon: number, lat: number];

// In the order of the tools; each is a filter of the API.
export const shapes = ['near', 'polygon', 'box', 'covers'] as const;
export type Shape = (typeof shapes)[number];

// The text is the filter's value: what docs/ref/api.md says.
export interface Area {
  shape: Shape;
  text: string;
}

export const maxPoints = 64; // of a polygon

const numbersIn = (text: string) =>
  /^[-+.\d,\s]+$/.test(text) ? text.split(',').map((part) => (part.trim() ? Number(part) : NaN)) : [NaN];
const isPoint = ([lon, lat]: Point) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90; // not of NaN
const round = (degrees: number) => Number(degrees.toFixed(6)); // a decimetre
const written = ([lon, lat]: Point) => `${round(lon)},${round(lat)}`;

function pointsOf(text: string): Point[] {
  return text
    .replace(/;\s*$/, '')
    .split(';')
    .map((part) => numbersIn(part))
    .map((numbers) => (numbers.length === 2 ? [numbers[0]!, numbers[1]!] : [NaN, NaN]));
}

// The corners of a shape, as numbers: a circle's middle, a polygon's points, a box's low and high corner, the
// point to be seen. Undefined when the text is none.
export function cornersOf({ shape, text }: Area): Point[] | undefined {
  const numbers = numbersIn(text.trim());
  const point = (at: number): Point => [numbers[at] ?? NaN, numbers[at + 1] ?? NaN];
  let corners: Point[];
  if (shape === 'polygon') {
    corners = pointsOf(text.trim());
    if (corners.length < 3 || corners.length > maxPoints) return undefined;
  } else if (shape === 'near') {
    const radius = radiusOf({ shape, text });
    if (numbers.length !== 3 || !(radius > 0 && radius <= 1e6)) return undefined;
    corners = [point(0)];
  } else if (shape === 'box') {
    corners = [point(0), point(2)];
    if (numbers.length !== 4 || !(corners[0]![1] < corners[1]![1]) || corners[0]![0] === corners[1]![0]) return undefined;
  } else {
    if (numbers.length !== 2) return undefined;
    corners = [point(0)];
  }
  return corners.every(isPoint) ? corners : undefined;
}

export const radiusOf = ({ text }: Area): number => numbersIn(text.trim())[2] ?? NaN; // of a circle

export const isArea = (area: Area): boolean => cornersOf(area) !== undefined;

// A box from west eastwards to east, in degrees that go on beyond 180 where it crosses the date line.
export function edgesOf([low, high]: Point[]): { west: number; south: number; east: number; north: number } {
  const [west, south] = low!;
  const [east, north] = high!;
  return { west, south, east: east < west ? east + 360 : east, north };
}

// --- drawing --------------------------------------------------------------------------------------

// What is being drawn: points so far.
export interface Sketch {
  shape: Shape;
  points: Point[];
}

// The area that the points make, undefined as long as some are missing. Of a polygon, points are added until
// somebody says that it is done.
export function areaOf({ shape, points }: Sketch): Area | undefined {
  const [first, second] = points;
  if (!first) return undefined;
  if (shape === 'covers') return made(shape, written(first));
  if (!second) return undefined;
  if (shape === 'near') return made(shape, `${written(first)},${Math.max(1, Math.round(distance(first, second)))}`);
  if (shape === 'polygon') return made(shape, points.map(written).join(';'));
  const [west, east] = [Math.min(first[0], second[0]), Math.max(first[0], second[0])];
  const [south, north] = [Math.min(first[1], second[1]), Math.max(first[1], second[1])];
  return made(shape, `${written([west, south])},${written([east, north])}`);
}

function made(shape: Shape, text: string): Area | undefined {
  const area = { shape, text };
  return isArea(area) ? area : undefined;
}

// The sketch with one more point, and the area when that was the last one.
export function addPoint(sketch: Sketch, point: Point): { sketch: Sketch; area?: Area } {
  const last = sketch.points[sketch.points.length - 1];
  if (last && written(last) === written(point)) return { sketch }; // a double click
  if (sketch.points.length === maxPoints) return { sketch };
  const next = { ...sketch, points: [...sketch.points, point] };
  return sketch.shape === 'polygon' ? { sketch: next } : { sketch: next, area: areaOf(next) };
}

// --- on the globe ---------------------------------------------------------------------------------

const earth = 6371008.8; // metres, mean radius, as the site counts
const radians = Math.PI / 180;

export function distance(a: Point, b: Point): number {
  const halfLat = Math.sin(((b[1] - a[1]) * radians) / 2);
  const halfLon = Math.sin(((b[0] - a[0]) * radians) / 2);
  const haversine = halfLat * halfLat + Math.cos(a[1] * radians) * Math.cos(b[1] * radians) * halfLon * halfLon;
  return 2 * earth * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

// The point so many metres away, clockwise from north.
export function reach([lon, lat]: Point, bearing: number, metres: number): Point {
  const angle = metres / earth;
  const [sinLat, cosLat] = [Math.sin(lat * radians), Math.cos(lat * radians)];
  const sinTo = sinLat * Math.cos(angle) + cosLat * Math.sin(angle) * Math.cos(bearing * radians);
  const east = Math.sin(bearing * radians) * Math.sin(angle) * cosLat;
  const turned = Math.atan2(east, Math.cos(angle) - sinLat * sinTo);
  return [lon + turned / radians, Math.asin(sinTo) / radians];
}

export interface View {
  lon?: number;
  lat?: number;
  heading_deg?: number;
  fov_deg?: number;
  range_m?: number;
}

// What a camera sees, as an outline: a sector, or a circle when it looks all round or nobody knows where.
// Undefined when its position or range is not known.
export function sectorOf({ lon, lat, heading_deg = 0, fov_deg = 0, range_m = 0 }: View): Point[] | undefined {
  if (lon === undefined || lat === undefined || !range_m) return undefined;
  const apex: Point = [lon, lat];
  const whole = !fov_deg || fov_deg >= 360;
  const width = whole ? 360 : fov_deg;
  const steps = Math.max(2, Math.ceil(width / 6));
  const from = heading_deg - width / 2;
  const arc = Array.from({ length: steps + 1 }, (_, step) => reach(apex, from + (width * step) / steps, range_m));
  return whole ? arc : [apex, ...arc];
}
