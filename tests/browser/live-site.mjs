// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The page against a real site that runs: GRIDWATCH_URL is a fresh login link of it. The site needs a
// camera on which something moves from time to time. tests/integration/test_browser_live.py runs it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, missingBrowser, open } from './chromium.mjs';

const link = process.env.GRIDWATCH_URL;
if (!link) throw new Error('GRIDWATCH_URL is not set: give the login link of a running site');
const patience = Number(process.env.GRIDWATCH_PATIENCE_S ?? 90) * 1000; // until something moves

let browser;
let tab;

before(async () => {
  if (missingBrowser()) throw new Error(missingBrowser());
  browser = await launch();
  tab = await open(browser);
  tab.page.setDefaultTimeout(patience);
  await tab.page.goto(link);
  await tab.page.waitForSelector('[data-test="link"][data-state="live"]');
  await tab.page.evaluate(() => (window.stillTheSamePage = true));
});
after(() => browser?.close());

test('the_queue_shows_a_picture_that_really_loaded', async () => {
  await tab.page.waitForFunction(() => {
    const picture = document.querySelector('[data-test="card"] img');
    return !!picture && picture.complete && picture.naturalWidth > 0;
  });
});

test('a_new_event_arrives_without_reload', async () => {
  const known = await tab.page.$$eval('[data-test="card"]', (all) => all.map((one) => one.dataset.event));
  await tab.page.waitForFunction(
    (before) => [...document.querySelectorAll('[data-test="card"]')].some((one) => !before.includes(one.dataset.event)),
    known,
  );
  assert.equal(await tab.page.evaluate(() => window.stillTheSamePage), true);
});

test('the_clip_of_a_closed_event_plays_and_has_an_end', async () => {
  const { page } = tab;
  await page.waitForFunction(() => document.querySelector('[data-test="card"]:not(.live)'));
  await page.click('[data-test="card"]:not(.live)');
  await page.waitForSelector('[data-test="clip"]:not([data-state="recording"])');
  await page.waitForFunction(() => document.querySelector('[data-test="video"]')?.currentTime > 0);
  const begun = await page.$eval('[data-test="video"]', (video) => video.currentTime);
  await page.waitForFunction((at) => document.querySelector('[data-test="video"]').currentTime > at + 0.5, begun);
  const { error, length, width } = await page.$eval('[data-test="video"]', (video) => ({
    error: video.error && video.error.message,
    length: video.duration,
    width: video.videoWidth,
  }));
  assert.equal(error, null);
  assert.ok(Number.isFinite(length) && length > 3, `its length is ${length} s`);
  assert.ok(width > 0, 'it has no picture');
});

test('the_snapshot_loads_with_its_box', async () => {
  await tab.page.waitForFunction(() => document.querySelector('[data-test="snapshot"]')?.naturalWidth > 0);
  assert.ok(await tab.page.$('[data-test="box"]'));
});

test('a_camera_is_shown_online', async () => {
  await tab.page.click('[data-test="nav-cameras"]');
  await tab.page.waitForSelector('[data-camera][data-status="online"]');
});

test('the_page_asked_nobody_but_the_site_and_failed_nowhere', () => {
  assert.deepEqual([...tab.origins], [new URL(link).origin]);
  assert.deepEqual(tab.faults, []);
});
