// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A site made of memory, which answers as docs/ref/api.md says: the page's tests command it to open
// and close events, to fall silent, to forget sessions.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

import { clipSeconds, firstFragments } from './media.mjs';

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png' };
// As console/static.c sends it.
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
  "media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const areas = ['near', 'polygon', 'box', 'covers'];

const iso = (us) => new Date(us / 1000).toISOString().replace('Z', '000Z');
const hex = (value, width) => value.toString(16).padStart(width, '0');

export class FakeSite {
  constructor(webRoot, media) {
    Object.assign(this, { webRoot, media, cameras: [], events: [], clips: [], gaps: [], facts: [], streams: new Set() });
    this.codes = new Map(); // code → 'good' or 'spent'
    this.sessions = new Set();
    this.requests = [];
    this.questions = []; // the same with their arguments
    this.silent = false; // refuses every connection's request, as a network that is cut
    this.made = 0;
    this.held = undefined; // answers that were made and wait: [] holds them, release() sends them
    this.shift = 0; // ms that the site's clock is ahead
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  async start() {
    await new Promise((ready) => this.server.listen(0, '127.0.0.1', ready));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    this.dropStreams();
    this.server.closeAllConnections?.();
    await new Promise((done) => this.server.close(done));
  }

  // --- what tests command -----------------------------------------------------------------------

  loginLink() {
    const code = `CODE${++this.made}`;
    this.codes.set(code, 'good');
    return `${this.url}/#/login/${code}`;
  }

  id(us) {
    const time = hex(Math.floor(us / 1000), 12);
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${hex(++this.made, 12)}`;
  }

  addCamera(camera) {
    this.cameras.push({ name: camera.id, division: '640323101', grid: '004', url: `rtsp://10.0.7.${this.cameras.length + 1}/stream1`,
      record: 'events', enabled: true, status: 'online', reason: '', scene: 'day', ...camera });
  }

  setAnalysis(id, analysis) {
    this.cameras.find((one) => one.id === id).analysis = analysis;
  }

  setCamera(id, status, reason = '', signs = { frame_rate: 25, bit_rate: 3e6, key_age_us: 1e6, reconnects: 0, clock_offset_us: null }) {
    const camera = this.cameras.find((one) => one.id === id);
    const since_us = Date.now() * 1000;
    Object.assign(camera, { status, reason, since_us, since: iso(since_us), ...signs });
    this.tell(`camera.${status}`, id, { camera: id, status, reason, since: iso(since_us), since_us, ...signs });
  }

  placeOf(id) {
    const { division, grid, name, lon, lat, heading_deg, fov_deg, range_m } = this.cameras.find((one) => one.id === id);
    return { division, grid, camera_name: name, lon, lat, heading_deg, fov_deg, range_m };
  }

  openEvent(camera, start_us = Date.now() * 1000 - 1_000_000, more = {}) {
    const event = { id: this.id(start_us), camera, kind: 'motion', state: 'open', start_us, end_us: start_us + 400_000,
      confirmed_us: start_us + 400_000, score: 0.62, box: [0.42, 0.56, 0.21, 0.2], zones: [], interrupted: false, clock_offset_us: null,
      has_snapshot: true, snapshot_us: start_us + 300_000, ...this.placeOf(camera), ...more };
    this.events.push(event);
    this.tell('event.opened', camera, timed(event));
    return event;
  }

  change(event, changes, kind = 'event.updated') {
    Object.assign(event, changes);
    this.tell(kind, event.camera, timed(event));
  }

  closeEvent(event, seconds = 4) {
    this.change(event, { state: 'closed', end_us: event.start_us + seconds * 1e6 }, 'event.closed');
  }

  // A clip that began `lead` seconds before the event: 4, as the drawn van comes after 4.
  openClip(event, lead = 4) {
    const start_us = event.start_us - lead * 1e6;
    const clip = { id: this.id(start_us), camera: event.camera, state: 'recording', start_us, end_us: start_us, size_bytes: 0,
      frames: 0, codec: 'h264', width: 640, height: 360, truncated: false, clock_offset_us: null, ...this.placeOf(event.camera) };
    this.clips.push(clip);
    this.tell('clip.opened', clip.camera, timed(clip));
    return clip;
  }

  closeClip(clip, state = 'closed') {
    Object.assign(clip, { state, end_us: clip.start_us + clipSeconds * 1e6, frames: clipSeconds * 25,
      size_bytes: this.mediaOf(clip.camera).clip.length });
    this.tell('clip.closed', clip.camera, timed(clip));
  }

  openGap(camera, from_us, cause) {
    const gap = { id: this.id(from_us), camera, cause, state: 'open', from_us, from: iso(from_us), ...this.placeOf(camera) };
    this.gaps.push(gap);
    this.tell('gap.opened', camera, { ...gap });
    return gap;
  }

  closeGap(gap, to_us) {
    Object.assign(gap, { state: 'closed', to_us, to: iso(to_us) });
    this.tell('gap.closed', gap.camera, { ...gap });
  }

  // A whole event of the past, with its clip.
  addEvent(camera, start_us, more = {}) {
    const event = this.openEvent(camera, start_us, more);
    this.closeClip(this.openClip(event));
    this.closeEvent(event);
    return event;
  }

  // From now on answers are made at once and sent when release() says so, as on a slow network.
  hold() {
    this.held = [];
  }

  release() {
    for (const send of this.held) send();
    this.held = undefined;
  }

  endSessions() {
    this.sessions.clear();
    this.endStreams();
  }

  // As the site ends a stream: whole.
  endStreams() {
    for (const stream of this.streams) stream.end();
    this.streams.clear();
  }

  // As a network ends it: in the middle.
  dropStreams() {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  // A page's next stream; "live" on the page may still be of the one that was dropped.
  async nextStream() {
    while (!this.streams.size) await new Promise((again) => setTimeout(again, 20));
  }

  // --- facts ------------------------------------------------------------------------------------

  tell(kind, camera, data) {
    this.facts.push({ seq: this.facts.length + 1, kind, wall_us: Date.now() * 1000, camera, data: structuredClone(data) });
    for (const stream of this.streams) this.feed(stream);
  }

  feed(stream) {
    for (; stream.since < this.facts.length; stream.since++) {
      const fact = this.facts[stream.since];
      stream.write(`id: ${fact.seq}\nevent: ${fact.kind}\ndata: ${JSON.stringify(fact)}\n\n`);
    }
  }

  // --- HTTP -------------------------------------------------------------------------------------

  async answer(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    this.questions.push(url.pathname.slice(8) + decodeURIComponent(url.search));
    if (this.silent) return void request.socket.destroy();
    response.setHeader('Date', new Date(Date.now() + this.shift).toUTCString());
    if (!url.pathname.startsWith('/api/v1/')) return this.sendPage(url.pathname, response);
    const [noun, id, part] = url.pathname.slice(8).split('/');
    if (noun === 'session' && request.method === 'POST') return this.login(request, response);
    const cookie = /gridwatch_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    if (!this.sessions.has(cookie)) return problem(response, 401, 'sign in first');
    if (noun === 'session') return this.session(request, response, cookie);
    if (noun === 'stream') return this.stream(request, response, url);
    if (this.held) this.delay(response);
    if (noun === 'cameras') return json(response, { items: this.cameras.map(({ scene, ...camera }) => camera) });
    if (noun === 'events' && !id) return this.list(response, url.searchParams);
    if (noun === 'events') return this.event(response, id, part);
    if (noun === 'gaps' && !id) return this.listGaps(response, url.searchParams);
    if (noun === 'clips' && !id) return this.listClips(response, url.searchParams);
    if (noun === 'places') return this.places(response, url.searchParams);
    if (noun === 'counts') return this.count(response, id, url.searchParams);
    if (noun === 'clips' && id === 'timeline') return this.timeline(response, url.searchParams);
    if (noun === 'clips' && id === 'media') return this.range(request, response, url.searchParams);
    if (noun === 'clips' && part === 'media') return this.clip(request, response, id);
    return problem(response, 404, 'no such thing');
  }

  delay(response) {
    const end = response.end.bind(response);
    response.end = (body) => void this.held.push(() => end(body));
  }

  async login(request, response) {
    let body = '';
    for await (const piece of request) body += piece;
    const { code } = JSON.parse(body);
    if (this.codes.get(code) !== 'good') return problem(response, 401, 'unknown, used or too old');
    this.codes.set(code, 'spent');
    const token = `T${++this.made}`;
    this.sessions.add(token);
    response.setHeader('Set-Cookie', `gridwatch_session=${token}; Path=/; HttpOnly; SameSite=Strict`);
    return json(response, { token, expires_us: (Date.now() + 12 * 3600e3) * 1000 });
  }

  session(request, response, cookie) {
    if (request.method !== 'DELETE')
      return json(response, { expires_us: (Date.now() + 12 * 3600e3) * 1000, site: { name: '示范县', division: '640323' } });
    this.sessions.delete(cookie);
    this.endStreams();
    return response.writeHead(204).end();
  }

  stream(request, response, url) {
    const since = Number(request.headers['last-event-id'] ?? url.searchParams.get('since') ?? this.facts.length);
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 300\n\n');
    response.since = Math.min(since, this.facts.length);
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    this.feed(response);
  }

  list(response, query) {
    const known = new Set(['camera', 'division', 'state', 'limit', 'cursor', 'to', 'from', 'kind', 'min_score', ...areas]);
    for (const [name, value] of query)
      if (!known.has(name) || value === '') return problem(response, 400, `${name}: no such filter, or empty`);
    const limit = Number(query.get('limit') ?? 100);
    const fits = (event) =>
      (!query.has('state') || event.state === query.get('state')) &&
      (!query.has('kind') || event.kind === query.get('kind')) &&
      event.score >= Number(query.get('min_score')) &&
      (!query.has('from') || event.end_us > Number(query.get('from'))) &&
      this.isWithin(event.camera, query) &&
      (!query.has('to') || event.start_us < Number(query.get('to'))) &&
      (!query.has('cursor') || `${event.start_us}` < query.get('cursor'));
    const all = this.events.filter(fits).sort((a, b) => b.start_us - a.start_us);
    const items = all.slice(0, limit);
    const next = all.length > limit ? `${items[items.length - 1].start_us}` : '';
    return json(response, { items: items.map(timed), next, head: this.facts.length });
  }

  event(response, id, part) {
    const event = this.events.find((one) => one.id === id);
    if (!event) return problem(response, 404, 'no such event');
    if (part && !event.has_snapshot) return problem(response, 404, 'this event has no snapshot yet');
    if (part) return response.writeHead(200, { 'Content-Type': 'image/jpeg', 'Cache-Control': 'no-store' }).end(this.mediaOf(event.camera)[part]);
    const covers = (clip) => clip.camera === event.camera && clip.start_us <= event.end_us &&
      (clip.state === 'recording' || clip.end_us > event.start_us);
    return json(response, { ...timed(event), clips: this.clips.filter(covers).map(timed) });
  }

  // --- places -----------------------------------------------------------------------------------

  // Whether the place filters of a question leave this camera in.
  isWithin(id, query) {
    const camera = this.cameras.find((one) => one.id === id);
    const numbers = (name) => query.get(name).split(/[,;]/).map(Number);
    const metres = (lon, lat) => 111195 * Math.hypot((camera.lon - lon) * Math.cos((lat * Math.PI) / 180), camera.lat - lat);
    if (query.has('camera') && query.get('camera') !== id) return false;
    if (!(camera.division + camera.grid).startsWith(query.get('division') ?? '')) return false;
    if (!areas.some((name) => query.has(name))) return true;
    if (camera.lon === undefined) return false;
    if (query.has('near')) return metres(...numbers('near')) <= numbers('near')[2];
    if (query.has('covers')) return metres(...numbers('covers')) <= (camera.range_m ?? 0);
    const all = numbers(query.has('box') ? 'box' : 'polygon'); // of a polygon, the box around it will do here
    const [lons, lats] = [0, 1].map((axis) => all.filter((_, n) => n % 2 === axis));
    return camera.lon >= Math.min(...lons) && camera.lon <= Math.max(...lons) && camera.lat >= Math.min(...lats) && camera.lat <= Math.max(...lats);
  }

  places(response, query) {
    const items = this.cameras.filter((camera) => this.isWithin(camera.id, query)).map(({ id, name, division, grid, lon, lat, heading_deg, fov_deg, range_m }) =>
      ({ camera: id, camera_name: name, division, grid, lon, lat, heading_deg, fov_deg, range_m, since: iso(0), since_us: 0, registered: true }));
    return json(response, { items, total: items.length });
  }

  // Days are those of Asia/Shanghai, as in the tests' browser.
  count(response, by, query) {
    const nouns = { events: this.events, clips: this.clips, gaps: this.gaps }[query.get('of')];
    const begin = (noun) => noun.from_us ?? noun.start_us;
    const found = nouns.filter((noun) => this.isWithin(noun.camera, query) && (!query.has('kind') || noun.kind === query.get('kind')) &&
      begin(noun) >= Number(query.get('from')) && begin(noun) < Number(query.get('to') ?? Infinity));
    const counted = new Map();
    for (const noun of found) {
      const key = by === 'days' ? Math.floor((begin(noun) / 1e6 + 8 * 3600) / 86400) : noun.camera;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
    const day = (number, count) => {
      const from_us = (number * 86400 - 8 * 3600) * 1e6;
      return { day: new Date(number * 86400e3).toISOString().slice(0, 10), from: iso(from_us), from_us, to: iso(from_us + 86400e6), to_us: from_us + 86400e6, count };
    };
    const cell = (id, count) => {
      const { division, grid, lon, lat } = this.cameras.find((one) => one.id === id);
      return { division, grid, lon, lat, count };
    };
    const items = [...counted].sort().map(([key, count]) => (by === 'days' ? day(key, count) : cell(key, count)));
    return json(response, { items, total: items.length });
  }

  listClips(response, query) {
    const fits = (clip) => this.isWithin(clip.camera, query) && (!query.has('state') || clip.state === query.get('state')) &&
      clip.start_us < Number(query.get('to') ?? Infinity) && clip.end_us > Number(query.get('from'));
    const items = this.clips.filter(fits).sort((a, b) => b.start_us - a.start_us).map(timed);
    return json(response, { items, next: '', head: this.facts.length });
  }

  listGaps(response, query) {
    const [from, to] = [Number(query.get('from')), Number(query.get('to') ?? Infinity)];
    const fits = (gap) => this.isWithin(gap.camera, query) && gap.from_us < to && (gap.to_us ?? Infinity) > from;
    return json(response, { items: this.gaps.filter(fits), next: '', head: this.facts.length });
  }

  mediaOf(camera) {
    return this.media[this.cameras.find((one) => one.id === camera).scene];
  }

  clip(request, response, id) {
    const clip = this.clips.find((one) => one.id === id);
    if (!clip) return problem(response, 404, 'no such clip');
    if (clip.state === 'lost') return problem(response, 410, 'this clip is lost');
    const whole = this.mediaOf(clip.camera).clip;
    return this.film(request, response, clip.state === 'recording' ? firstFragments(whole, 3) : whole);
  }

  // Every clip of the camera and time as a piece; what is played is one of them, which is enough to see it play.
  timeline(response, query) {
    const [from, to] = [Number(query.get('from')), Number(query.get('to'))];
    const clips = this.clips.filter((clip) => clip.camera === query.get('camera') && clip.start_us < to && clip.end_us > from)
      .sort((a, b) => a.start_us - b.start_us);
    if (!clips.length) return problem(response, 404, 'nothing was recorded in this time');
    let at_us = 0;
    const items = clips.map(({ id, start_us, end_us }) => {
      const piece = { clip: id, from_us: start_us, to_us: end_us, at_us, frames: 300 };
      at_us += end_us - start_us;
      return piece;
    });
    return json(response, { items, size_bytes: 1, frames: 300 * items.length, unreadable: 0 });
  }

  range(request, response, query) {
    return this.film(request, response, this.mediaOf(query.get('camera')).clip);
  }

  film(request, response, bytes) {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const headers = { 'Content-Type': 'video/mp4', 'Accept-Ranges': 'bytes', 'Cache-Control': 'private, no-cache' };
    if (range && Number(range[1]) >= bytes.length)
      return response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
    const from = range ? Number(range[1]) : 0;
    const to = range && range[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
    if (range) headers['Content-Range'] = `bytes ${from}-${to}/${bytes.length}`;
    headers['Content-Length'] = to - from + 1;
    return response.writeHead(range ? 206 : 200, headers).end(request.method === 'HEAD' ? undefined : bytes.subarray(from, to + 1));
  }

  async sendPage(path, response) {
    const file = join(this.webRoot, normalize(path === '/' ? '/index.html' : path));
    try {
      const body = await readFile(file);
      response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy,
        'X-Content-Type-Options': 'nosniff', 'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' });
      response.end(body);
    } catch {
      response.writeHead(404).end('There is no such page.\n');
    }
  }
}

function timed(noun) {
  return { ...noun, start: iso(noun.start_us), end: iso(noun.end_us) };
}

function json(response, body) {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
}

function problem(response, status, detail) {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ title: 'problem', status, detail }));
}
