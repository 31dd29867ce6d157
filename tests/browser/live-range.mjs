// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A joined range in Chromium: GRIDWATCH_URL is a fresh login link of a site with recordings,
// GRIDWATCH_RANGE the path of a range of ten seconds over three clips with different parameter sets.
// tests/integration/test_joined.py runs it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, missingBrowser, open } from './chromium.mjs';

const { GRIDWATCH_URL: link, GRIDWATCH_RANGE: path } = process.env;
if (!link || !path) throw new Error('GRIDWATCH_URL or GRIDWATCH_RANGE is not set');

let browser;
let page;
const statuses = [];

before(async () => {
  if (missingBrowser()) throw new Error(missingBrowser());
  browser = await launch();
  ({ page } = await open(browser));
  page.setDefaultTimeout(15000);
  await page.goto(link);
  await page.waitForSelector('[data-test="link"]');
  page.on('response', (response) => response.url().includes('/clips/media') && statuses.push(response.status()));
  await page.evaluate((source) => {
    document.body.innerHTML = '<video muted></video>';
    document.querySelector('video').src = source;
  }, path);
});
after(() => browser?.close());

const look = () => page.$eval('video', (video) => ({
  at: video.currentTime, length: video.duration, width: video.videoWidth, error: video.error && video.error.message,
}));

// What the picture at this second looks like: an average of its rows, which move to the left with time.
async function seek(second) {
  return page.$eval('video', async (video, to) => {
    const there = new Promise((resolve, reject) => {
      video.onseeked = resolve;
      video.onerror = () => reject(new Error(video.error.message));
    });
    video.currentTime = to;
    await there;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const drawing = canvas.getContext('2d');
    drawing.drawImage(video, 0, 0);
    const { data } = drawing.getImageData(0, 0, canvas.width, 1);
    return { at: video.currentTime, row: Array.from({ length: canvas.width }, (_, x) => data[4 * x]) };
  }, second);
}

test('it_is_as_long_as_the_range', async () => {
  await page.waitForFunction(() => document.querySelector('video').readyState >= 2);
  const { length, width, error } = await look();
  assert.equal(error, null);
  assert.ok(Math.abs(length - 10) < 0.05, `${length} s`);
  assert.equal(width, 160);
});

test('seeking_goes_to_any_clip_forwards_and_back', async () => {
  const rows = new Map();
  for (const second of [9.1, 0.5, 5.3, 1.5, 6.9, 8.6, 4.3]) {
    const { at, row } = await seek(second);
    assert.ok(Math.abs(at - second) < 0.01, `asked for ${second}, got ${at}`);
    rows.set(second, row);
  }
  for (const [second, row] of rows) {
    const spread = Math.max(...row) - Math.min(...row);
    assert.ok(spread > 30, `at ${second} s there is no picture: ${spread}`);
  }
});

test('it_plays_over_the_borders_to_its_end', async () => {
  await seek(3.5);
  await page.$eval('video', (video) => {
    video.playbackRate = 4;
    return video.play();
  });
  await page.waitForFunction(() => document.querySelector('video').ended);
  const { error, at } = await look();
  assert.equal(error, null);
  assert.ok(Math.abs(at - 10) < 0.1, `it ended at ${at} s`);
});

test('it_was_sent_in_few_requests', () => {
  assert.ok(statuses.length > 0 && statuses.length < 20, `${statuses.length} requests`);
  assert.ok(statuses.every((status) => status === 200 || status === 206), statuses.join(' '));
});

test('the_search_page_plays_it_and_says_what_time_it_shows', async () => {
  const asked = new URL(path, link).searchParams;
  await page.goto(new URL(`/#/search/whole?of=clips&${asked}`, link).href);
  await page.reload();
  await page.waitForFunction(() => document.querySelector('[data-test="range-view"] video')?.currentTime > 0.2);
  const clock = await page.textContent('[data-test="range-wall"]');
  const shown = await page.evaluate((text) => Date.parse(text.replace(' ', 'T')) * 1000, clock);
  assert.ok(shown >= Number(asked.get('from')) - 1e5 && shown < Number(asked.get('to')), clock); // tenths are cut
});
