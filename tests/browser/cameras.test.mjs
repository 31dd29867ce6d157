// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { enter, isSamePage, until, usAgo, useBrowser, withSite } from './setting.mjs';

useBrowser();

const row = (id) => `[data-camera="${id}"]`;

test('cameras_change_their_status_without_reload_and_say_why', withSite(async ({ site, page }) => {
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  await page.waitForSelector(`${row('gate-07')}[data-status="online"]`);
  site.setCamera('gate-07', 'offline', 'nobody answers at this address');
  await page.waitForSelector(`${row('gate-07')}[data-status="offline"]`);
  assert.match(await page.textContent(row('gate-07')), /nobody answers.*\d{4}-\d\d-\d\d/s);
  const order = await page.$$eval('[data-camera]', (rows) => rows.map((one) => one.dataset.camera));
  assert.deepEqual(order, ['gate-07', 'market-02'], 'offline cameras come first');
  assert.match(await page.textContent('[data-test="nav-cameras"]'), /1\/2/);
  site.setCamera('gate-07', 'online');
  await page.waitForSelector(`${row('gate-07')}[data-status="online"]`);
  assert.ok(await isSamePage(page));
}));

test('a_degraded_camera_says_what_is_wrong_and_how_it_delivers', withSite(async ({ site, page }) => {
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  await page.waitForSelector(`${row('gate-07')}[data-status="online"]`);
  const reason = 'its clock is ahead of ours by 8.0 hours, so times come from arrival; let it set its clock by NTP';
  site.setCamera('gate-07', 'degraded', reason, { frame_rate: 12.5, bit_rate: 1.9e6, key_age_us: 1.5e6, reconnects: 4, clock_offset_us: 28.8e9 });
  await page.waitForSelector(`${row('gate-07')}[data-status="degraded"]`);
  const text = await page.textContent(row('gate-07'));
  assert.match(text, /异常.*快 8\.0 小时.*NTP.*12\.5.*1\.9 Mbit\/s.*\+28800/s);
  assert.match(await page.getAttribute(`${row('gate-07')} [data-test="signs"]`, 'title'), /1\.5.*4/);
  assert.match(await page.textContent('[data-test="nav-cameras"]'), /2\/2/, 'it counts as online');
  site.setCamera('gate-07', 'online');
  await page.waitForSelector(`${row('gate-07')}[data-status="online"]`);
  assert.ok(await isSamePage(page));
}));

test('a_camera_that_is_added_appears_when_it_is_first_heard_of', withSite(async ({ site, page }) => {
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  await page.waitForSelector(row('gate-07'));
  site.addCamera({ id: 'bridge-01', name: 'Bridge', scene: 'night' });
  site.setCamera('bridge-01', 'online');
  await page.waitForSelector(row('bridge-01'));
}));

test('a_county_of_cameras_is_searched_and_drawn_in_parts', withSite(async ({ site, page }) => {
  for (let n = 0; n < 3000; n++) site.addCamera({ id: `c-${n}`, name: `路口 ${n}` });
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  await page.waitForSelector(row('c-1'));
  assert.equal(await page.locator('[data-camera]').count(), 200);
  await page.keyboard.press('/');
  await page.keyboard.type('路口 2999');
  await page.waitForSelector(row('c-2999'));
  assert.equal(await page.locator('[data-camera]').count(), 1);
}));

test('a_long_name_is_shown_whole_and_pushes_nothing_off_a_small_screen', withSite(async ({ site, page }) => {
  const name = '花马池镇长城村卫生院北门外机动车道与非机动车道隔离带监控点<script>alert(1)</script>';
  site.addCamera({ id: 'long', name });
  site.setCamera('long', 'offline', 'nobody listens at that address; check host and port');
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  await page.waitForSelector(row('long'));
  assert.ok((await page.textContent(row('long'))).includes(name));
  const edge = await page.$eval(`${row('long')} a`, (link) => link.getBoundingClientRect().right);
  assert.ok(edge <= 1024, `the last column ends at ${edge} of 1024 pixels`);
}, { viewport: { width: 1024, height: 768 } }));

test('a_camera_says_how_it_is_analysed_what_that_costs_and_what_speaks_for_it', withSite(async ({ site, page }) => {
  const proven = { level: 'gate', decoded_share: 0.068, audits: 41, judged_events: 18, miss_rate: 0, miss_rate_high: 0.12 };
  site.setAnalysis('gate-07', proven);
  site.setAnalysis('market-02', { level: 'full', decoded_share: 1, audits: 0, judged_events: 0, detect_online: false });
  site.addCamera({ id: 'bridge-01', name: 'Bridge' });
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  const cell = (id) => `${row(id)} [data-test="analysis"]`;
  await page.waitForSelector(cell('gate-07'));
  assert.match(await page.textContent(cell('gate-07')), /码流.*7%/s);
  const reason = await page.getAttribute(`${cell('gate-07')} [title]`, 'title');
  for (const number of ['41', '18', '0%', '12%']) assert.ok(reason.includes(number), `${reason} lacks ${number}`);
  assert.match(await page.textContent(cell('market-02')), /全解码.*100%.*子码流断开/s);
  assert.equal((await page.textContent(cell('bridge-01'))).trim(), '');
  site.setCamera('gate-07', 'offline', 'nobody answers at this address');
  await until(page, (selector) => document.querySelector(selector).textContent.trim() === '', cell('gate-07'));
}));

test('from_a_camera_to_its_events', withSite(async ({ site, page }) => {
  site.addEvent('gate-07', usAgo(300));
  const event = site.addEvent('market-02', usAgo(200));
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  await page.click(`${row('market-02')} a`);
  await page.waitForSelector(`[data-event="${event.id}"]`);
  assert.equal(await page.locator('[data-test="card"]').count(), 1);
}));

test('a_site_without_cameras_says_how_to_add_one', withSite(async ({ site, page }) => {
  site.cameras = [];
  await enter(site, page);
  await page.click('[data-test="nav-cameras"]');
  assert.match(await page.textContent('[data-test="empty"]'), /gridwatch camera add/);
}));
