// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Makes docs/screenshot.png anew: the page with drawn scenes. Run it by hand after the page has changed:
//
//   node tests/browser/screenshot.mjs [OUTPUT.png] [en]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { scenes } from './artwork.mjs';
import { launch, open, webRoot } from './chromium.mjs';
import { FakeSite } from './fake-api.mjs';
import { clipSeconds } from './media.mjs';

const output = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../../docs/screenshot.png');

async function drawInto(file, page, svg) {
  await page.setContent(`<style>body{margin:0;background:transparent}svg{display:block}</style>${svg}`);
  await (await page.$('svg')).screenshot({ path: file, omitBackground: true });
}

async function film(folder, page, name, scene) {
  const file = (ending) => join(folder, name + ending);
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
  await drawInto(file('.still.png'), page, scene.still);
  await drawInto(file('.moves.png'), page, scene.moves);
  ffmpeg('-loop', '1', '-framerate', '25', '-i', file('.still.png'), '-loop', '1', '-framerate', '25', '-i', file('.moves.png'),
    '-filter_complex', `[0:v][1:v]overlay=x='(t-4)/4*1200-240':y=372:eval=frame,noise=alls=4:allf=t,format=yuv420p`,
    '-t', String(clipSeconds), '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-g', '50', '-bf', '0',
    '-movflags', '+frag_keyframe+empty_moov+default_base_moof', file('.mp4'));
  ffmpeg('-ss', '6', '-i', file('.mp4'), '-frames:v', '1', '-update', '1', '-q:v', '3', file('.jpg'));
  ffmpeg('-i', file('.jpg'), '-vf', 'scale=320:-2', '-update', '1', '-q:v', '3', file('.thumb.jpg'));
  return { clip: readFileSync(file('.mp4')), snapshot: readFileSync(file('.jpg')), thumbnail: readFileSync(file('.thumb.jpg')) };
}

function fill(site) {
  const cameras = [
    { id: 'gate-07', name: '东门岗亭', grid: '004', scene: 'day' },
    { id: 'market-02', name: '集贸市场北口', division: '640323102', grid: '011', scene: 'dusk' },
    { id: 'bridge-01', name: '北大桥', division: '640323101005', grid: '009', scene: 'night' },
    { id: 'school-03', name: '小学路口', division: '640323103', grid: '021', scene: 'morning' },
  ];
  for (const camera of cameras) site.addCamera(camera);
  for (const camera of cameras) site.setCamera(camera.id, 'online');
  const now = Date.now() * 1000;
  const order = [1, 3, 0, 2, 0, 1, 3, 2, 0, 3];
  order.forEach((camera, n) => {
    const van = cameras[camera].scene === 'day' || cameras[camera].scene === 'night';
    site.addEvent(cameras[camera].id, now - (35 + n * 71 + (n % 3) * 12) * 1e6, {
      score: 0.4 + ((n * 37) % 55) / 100, box: van ? [0.37, 0.69, 0.24, 0.22] : [0.375, 0.72, 0.185, 0.2] });
  });
  site.openClip(site.openEvent('gate-07', now - 6e6, { score: 0.71 }));
}

const folder = mkdtempSync(join(tmpdir(), 'gridwatch-art-'));
const browser = await launch();
const site = new FakeSite(webRoot, {});
try {
  const { page, context } = await open(browser);
  for (const [name, scene] of Object.entries(scenes)) site.media[name] = await film(folder, page, name, scene);
  await context.close();
  await site.start();
  fill(site);
  const tab = await open(browser, { viewport: { width: 1366, height: 640 } });
  await tab.page.goto(site.loginLink());
  if (process.argv[3] === 'en') await tab.page.click('[data-test="language"]');
  await tab.page.click('[data-test="card"] >> nth=1');
  await tab.page.waitForFunction(() => document.querySelector('video')?.currentTime > 5.4);
  await tab.page.mouse.move(5, 700);
  const whole = join(folder, 'page.png');
  await tab.page.screenshot({ path: whole });
  const palette = 'split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=dither=none'; // a third of the size
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-i', whole, '-vf', palette, '-update', '1', output]);
} finally {
  await browser.close();
  await site.stop();
  rmSync(folder, { recursive: true });
}
