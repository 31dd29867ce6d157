// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Small real media for the fake site, made by ffmpeg: a drawn street with a van passing through, as
// fragmented H.264 mp4 like the program's clips, and pictures out of it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const clipSeconds = 12;
const size = { width: 640, height: 360 };

// Colours of sky, wall, road and van: cameras differ, so that a mix-up shows.
const scenes = {
  day: ['0xb9cfdd', '0x9a8f80', '0x5c6166', '0xd8dde0'],
  dusk: ['0x5b6884', '0x6d6166', '0x3c4148', '0xc08a4a'],
  night: ['0x141a26', '0x252a33', '0x1b1f25', '0x8fa3b8'],
};

function drawing([sky, wall, road, van]) {
  const box = (x, y, w, h, colour) => `drawbox=x=${x}:y=${y}:w=${w}:h=${h}:color=${colour}:t=fill`;
  const windows = [40, 110, 180, 400, 470, 540].map((x) => box(x, 90, 34, 44, `${sky}@0.75`));
  const dashes = [0, 130, 260, 390, 520].map((x) => box(x, 272, 70, 5, 'white@0.55'));
  const street = [box(0, 60, 640, 120, wall), ...windows, box(0, 180, 640, 18, `${wall}@0.6`),
    box(0, 198, 640, 162, road), ...dashes, box(300, 40, 5, 160, 'black@0.6'), box(288, 40, 30, 8, 'black@0.6')];
  // The van stands out of sight, passes between seconds 4 and 8, and is gone.
  const at = `(t-4)/4*760-120`;
  const body = `[1:v]${box(0, 0, 120, 56, van)},${box(84, 8, 30, 20, '0x22303c')},${box(14, 48, 20, 8, 'black')},${box(86, 48, 20, 8, 'black')}[van]`;
  return `[0:v]${street.join(',')},noise=alls=3:allf=t[street];${body};[street][van]overlay=x='${at}':y=208:eval=frame,format=yuv420p[v]`;
}

function make(folder, name, colours) {
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], { cwd: folder });
  ffmpeg('-f', 'lavfi', '-i', `color=${colours[0]}:size=${size.width}x${size.height}:rate=25:duration=${clipSeconds}`,
    '-f', 'lavfi', '-i', 'color=gray:size=120x56:rate=25', '-filter_complex', drawing(colours), '-map', '[v]',
    '-t', String(clipSeconds), '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '24', '-g', '50', '-bf', '0',
    '-movflags', '+frag_keyframe+empty_moov+default_base_moof', `${name}.mp4`);
  ffmpeg('-ss', '6', '-i', `${name}.mp4`, '-frames:v', '1', '-update', '1', '-q:v', '3', `${name}.jpg`);
  ffmpeg('-i', `${name}.jpg`, '-vf', 'scale=320:-2', '-update', '1', `${name}.thumb.jpg`);
  const read = (ending) => readFileSync(join(folder, name + ending));
  return { clip: read('.mp4'), snapshot: read('.jpg'), thumbnail: read('.thumb.jpg') };
}

// {day, dusk, night}, each {clip, snapshot, thumbnail}.
export function makeMedia() {
  const folder = mkdtempSync(join(tmpdir(), 'gridwatch-media-'));
  try {
    return Object.fromEntries(Object.entries(scenes).map(([name, colours]) => [name, make(folder, name, colours)]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// Of an mp4 made as above: what a camera that is still recording would have on the disk, whole fragments only.
export function firstFragments(clip, count) {
  let at = 0;
  for (let found = 0; at < clip.length; at += clip.readUInt32BE(at)) {
    if (clip.toString('latin1', at + 4, at + 8) === 'moof' && found++ === count) break;
  }
  return clip.subarray(0, at);
}
