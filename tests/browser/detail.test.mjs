// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { enter, until, usAgo, useBrowser, withSite } from './setting.mjs';

useBrowser();

const video = '[data-test="video"]';

async function show(site, page, event) {
  await enter(site, page);
  await page.click(`[data-event="${event.id}"]`);
  await page.waitForSelector('[data-test="facts"]');
}

const advances = async (page, from) =>
  until(page, (seconds) => document.querySelector('[data-test="video"]')?.currentTime > seconds, from);

test('a_clip_begins_three_seconds_before_the_event_and_plays', withSite(async ({ site, page }) => {
  const event = site.addEvent('gate-07', usAgo(300)); // its clip begins 4 s before it
  await show(site, page, event);
  await advances(page, 1);
  const at = await page.$eval(video, (element) => element.currentTime);
  assert.ok(at >= 1 && at < 3, `it is at ${at} s; it should have begun at 1 s`);
  await advances(page, at + 0.5);
  const { error, length } = await page.$eval(video, (element) => ({ error: element.error, length: element.duration }));
  assert.equal(error, null);
  assert.ok(Math.abs(length - 12) < 0.5, `its length is ${length}`);
}));

test('the_event_is_marked_in_the_length_of_the_clip', withSite(async ({ site, page }) => {
  await show(site, page, site.addEvent('gate-07', usAgo(300)));
  await advances(page, 0);
  const mark = await page.$eval('[data-test="event-range"]', (range) => [range.style.left, range.style.width].map(parseFloat));
  assert.ok(Math.abs(mark[0] - 100 / 3) < 1 && Math.abs(mark[1] - 100 / 3) < 1, `marked at ${mark}`);
}));

test('a_click_on_the_timeline_goes_there_and_the_clock_follows', withSite(async ({ site, page }) => {
  const event = site.addEvent('gate-07', usAgo(300));
  await show(site, page, event);
  await advances(page, 0);
  const bar = await (await page.$('[data-test="timeline"]')).boundingBox();
  await page.mouse.click(bar.x + bar.width * 0.75, bar.y + bar.height / 2);
  await advances(page, 8.9);
  const shown = new Date((event.start_us - 4e6) / 1000 + 9000).toLocaleTimeString('en-GB', { timeZone: 'Asia/Shanghai' });
  await page.waitForSelector(`[data-test="wall"] >> text=${shown.slice(0, 5)}`);
  await page.keyboard.press('k'); // the keys still belong to the queue
  assert.ok(await page.$('[data-test="detail"]'));
}));

test('on_a_small_screen_the_clip_is_large_and_can_be_sought', withSite(async ({ site, page }) => {
  await show(site, page, site.addEvent('gate-07', usAgo(300)));
  await advances(page, 0);
  const [clip, bar, snapshot] = await Promise.all([video, '[data-test="timeline"]', '[data-test="enlarge"]'].map(
    async (selector) => (await page.$(selector)).boundingBox()));
  assert.ok(clip.width > 2 * snapshot.width, `the clip is ${clip.width} wide, the snapshot ${snapshot.width}`);
  assert.ok(bar.width > 150 && bar.y + bar.height < 768, `the timeline is ${bar.width} wide`);
}, { viewport: { width: 1024, height: 768 } }));

test('the_snapshot_has_a_box_around_what_moved', withSite(async ({ site, page }) => {
  await show(site, page, site.addEvent('gate-07', usAgo(300)));
  await until(page, () => document.querySelector('[data-test="snapshot"]')?.naturalWidth === 640);
  const [picture, box] = await Promise.all(['snapshot', 'box'].map(async (name) => (await page.$(`[data-test="${name}"]`)).boundingBox()));
  const x = (box.x - picture.x) / picture.width;
  const y = (box.y - picture.y) / picture.height;
  assert.ok(Math.abs(x - 0.42) < 0.02 && Math.abs(y - 0.56) < 0.02, `the box is at ${x}, ${y}`);
  await page.keyboard.press('s');
  await page.waitForSelector(video, { state: 'detached' });
  await page.keyboard.press('Escape');
  await page.waitForSelector(video);
}));

test('an_event_tells_how_far_its_cameras_clock_was_off', withSite(async ({ site, page }) => {
  await show(site, page, site.addEvent('gate-07', usAgo(60), { clock_offset_us: -1_250_000 }));
  assert.match(await page.textContent('[data-test="facts"]'), /时钟偏差.*−1\.25 秒/s);
}));

test('times_are_told_in_local_time_and_utc', withSite(async ({ site, page }) => {
  const event = site.addEvent('gate-07', Date.UTC(2026, 4, 4, 3, 2, 1) * 1000);
  await show(site, page, event);
  const words = await page.textContent('[data-test="facts"]');
  for (const part of ['UTC+08:00', '2026-05-04 11:02:01', '03:02:01Z', '4.0 s', '640323101', '004', event.id])
    assert.ok(words.includes(part), `${part} is missing in: ${words}`);
}));

test('a_clip_that_records_plays_what_there_is_and_the_rest_once_it_is_closed', withSite(async ({ site, page }) => {
  const event = site.openEvent('gate-07', usAgo(3));
  const clip = site.openClip(event);
  await show(site, page, event);
  await page.waitForSelector('[data-test="clip-note"] >> text=仍在录制');
  await advances(page, 0.5);
  const short = await page.$eval(video, (element) => element.duration);
  site.closeEvent(event, 4);
  site.closeClip(clip);
  await until(page, () => document.querySelector('[data-test="video"]').duration > 11);
  assert.ok(short < 8, `at first there were ${short} s`);
  assert.equal(await page.$('[data-test="clip-note"]'), null);
  await page.waitForSelector('[data-test="clip"][data-state="closed"]');
}));

test('a_player_goes_on_where_it_was_once_the_site_is_back', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/ERR_FAILED/);
  const event = site.openEvent('gate-07', usAgo(8));
  const clip = site.openClip(event);
  await show(site, page, event);
  await advances(page, 2);
  const media = '**/media*';
  await page.route(media, (request) => request.abort());
  site.closeClip(clip);
  await page.waitForSelector('[data-problem="unreachable"]');
  await page.unroute(media);
  await page.waitForSelector('[data-problem]', { state: 'detached' });
  const at = await page.$eval(video, async (element) => {
    while (!element.readyState) await new Promise((soon) => setTimeout(soon, 20));
    return element.currentTime;
  });
  assert.ok(at > 1.9, `it went on at ${at} s`);
}));

test('a_clip_that_closes_while_its_event_is_on_its_way_does_not_record_for_ever', withSite(async ({ site, page }) => {
  const event = site.openEvent('gate-07', usAgo(3));
  const clip = site.openClip(event);
  await enter(site, page);
  site.hold();
  await page.click(`[data-event="${event.id}"]`);
  await page.waitForTimeout(400);
  site.closeEvent(event, 4);
  site.closeClip(clip);
  await page.waitForTimeout(300);
  site.release();
  await page.waitForSelector('[data-test="clip"][data-state="closed"]');
  await until(page, () => document.querySelector('[data-test="video"]').duration > 11);
}));

test('a_clip_that_comes_later_than_its_event_is_shown_by_itself', withSite(async ({ site, page }) => {
  const event = site.openEvent('gate-07', usAgo(3));
  await show(site, page, event);
  await page.waitForSelector('[data-test="no-clip"]');
  site.openClip(event);
  await advances(page, 0);
}));

test('an_event_that_goes_on_in_a_second_clip_is_played_to_its_end', withSite(async ({ site, page }) => {
  const event = site.openEvent('gate-07', usAgo(300));
  site.closeClip(site.openClip(event, 10));
  site.closeEvent(event, 8);
  const second = site.openClip(event, -2);
  site.closeClip(second);
  await show(site, page, event);
  assert.equal(await page.locator('[data-test="clip"]').count(), 2);
  await until(page, () => document.querySelector('[data-test="video"]').currentTime >= 7);
  await until(page, (id) => document.querySelector('[data-test="video"]').dataset.clip === id, second.id);
  await advances(page, 0.2);
}));

test('a_lost_clip_is_not_offered', withSite(async ({ site, page }) => {
  const event = site.openEvent('gate-07', usAgo(300));
  site.closeClip(site.openClip(event), 'lost');
  site.closeEvent(event);
  await show(site, page, event);
  assert.match(await page.textContent('[data-test="no-clip"]'), /没有覆盖/);
}));

test('a_clip_whose_file_is_missing_says_so', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/404/);
  const event = site.addEvent('gate-07', usAgo(300));
  await enter(site, page);
  const whole = site.clip;
  site.clip = (request, response) => whole.call(site, request, response, 'nothing');
  await page.click(`[data-event="${event.id}"]`);
  await page.waitForSelector('[data-test="clip-problem"][data-problem="missing"]');
}));

test('an_event_that_retention_has_taken_says_so', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/404/);
  await enter(site, page);
  await page.goto(`${site.url}/#/queue/0190a5c2-0000-7000-8000-000000000000`);
  await page.waitForSelector('[data-test="detail-failure"] >> text=找不到');
}));

test('a_gap_beside_an_event_says_since_when_and_why_and_closes_by_itself', withSite(async ({ site, page }) => {
  const event = site.addEvent('gate-07', usAgo(300));
  const other = site.openGap('gate-07', usAgo(7200), 'disk-full');
  site.closeGap(other, usAgo(7000));
  const gap = site.openGap('gate-07', event.end_us + 2e6, 'stalled');
  await show(site, page, event);
  await page.waitForSelector('[data-test="gap"][data-state="open"][data-cause="stalled"]');
  assert.equal((await page.$$('[data-test="gap"]')).length, 1);
  assert.match(await page.textContent('[data-test="gap"]'), /[\u4e00-\u9fff]/);
  site.closeGap(gap, gap.from_us + 90e6);
  await page.waitForSelector('[data-test="gap"][data-state="closed"] >> text=1:30');
}));
