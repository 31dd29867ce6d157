// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cards, enter, isSamePage, until, usAgo, useBrowser, withSite } from './setting.mjs';

useBrowser();

const first = '[data-test="card"]';
const loadedPicture = (selector) => {
  const picture = document.querySelector(`${selector} img`);
  return !!picture && picture.complete && picture.naturalWidth > 0;
};

test('events_are_listed_newest_first_with_pictures_that_really_load', withSite(async ({ site, page }) => {
  const older = site.addEvent('gate-07', usAgo(300));
  const newer = site.addEvent('market-02', usAgo(100));
  await enter(site, page);
  await page.waitForSelector(first);
  assert.deepEqual(await cards(page), [newer.id, older.id]);
  await until(page, loadedPicture, `[data-event="${newer.id}"]`);
  await until(page, loadedPicture, `[data-event="${older.id}"]`);
  const words = await page.textContent(first);
  assert.match(words, /Market/);
  assert.match(words, /640323102 · 011/);
  assert.match(words, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s*1 分钟前/);
}));

test('a_new_event_appears_at_the_top_without_reload', withSite(async ({ site, page }) => {
  site.addEvent('gate-07', usAgo(300));
  await enter(site, page);
  const event = site.openEvent('market-02', usAgo(1));
  await until(page, (id) => document.querySelector('[data-test="card"]')?.dataset.event === id, event.id);
  assert.match(await page.textContent(first), /进行中/);
  assert.ok(await isSamePage(page));
}));

test('the_first_event_ever_replaces_the_empty_page', withSite(async ({ site, page }) => {
  await enter(site, page);
  assert.match(await page.textContent('[data-test="empty"]'), /还没有事件/);
  site.openEvent('gate-07');
  await page.waitForSelector(first);
}));

test('an_update_brings_the_new_picture_and_a_close_the_new_state', withSite(async ({ site, page }) => {
  const event = site.openEvent('gate-07', usAgo(2), { has_snapshot: false, snapshot_us: undefined });
  await enter(site, page);
  assert.match(await page.textContent(first), /暂无快照/);
  const moment = event.start_us + 5e6;
  site.change(event, { has_snapshot: true, snapshot_us: moment, end_us: moment });
  await until(page, (us) => document.querySelector('[data-test="card"] img')?.src.includes(String(us)), moment);
  await until(page, loadedPicture, first);
  site.closeEvent(event, 6);
  await page.waitForSelector(`${first} >> text=已结束`);
  assert.equal((await cards(page)).length, 1);
}));

test('an_outage_is_shown_and_nothing_that_happened_meanwhile_is_missed', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/ERR_|Failed to load/);
  site.addEvent('gate-07', usAgo(300));
  await enter(site, page);
  site.silent = true;
  site.dropStreams();
  await page.waitForSelector('[data-test="link"][data-state="reconnecting"]');
  assert.match(await page.textContent('[data-test="link"]'), /自 \d\d:\d\d:\d\d 起/);
  const missed = [site.openEvent('gate-07', usAgo(3)), site.openEvent('market-02', usAgo(2))];
  site.closeEvent(missed[0], 1);
  site.silent = false;
  await page.waitForSelector('[data-test="link"][data-state="live"]', { timeout: 20_000 });
  await until(page, (count) => document.querySelectorAll('[data-test="card"]').length === count, 3);
  assert.deepEqual((await cards(page)).slice(0, 2), [missed[1].id, missed[0].id]);
  assert.ok(await isSamePage(page));
}));

test('scrolling_down_fetches_older_events_until_there_are_none', withSite(async ({ site, page }) => {
  for (let n = 0; n < 230; n++) site.openEvent('gate-07', usAgo(1000 + n), { state: 'closed', has_snapshot: false });
  await enter(site, page);
  await page.waitForSelector(first);
  for (let n = 0; n < 12; n++) {
    await page.$eval('[data-test="list"]', (list) => list.scrollTo(0, list.scrollHeight));
    await page.waitForTimeout(80);
  }
  await page.waitForSelector('text=没有更早的事件');
  const all = await cards(page);
  assert.equal(all.length, 230);
  assert.equal(new Set(all).size, 230);
}));

test('news_do_not_move_what_somebody_reads_further_down', withSite(async ({ site, page }) => {
  for (let n = 0; n < 90; n++) site.openEvent('gate-07', usAgo(1000 + n), { state: 'closed', has_snapshot: false });
  await enter(site, page);
  await page.waitForSelector(first);
  await page.$eval('[data-test="list"]', (list) => list.scrollTo(0, 900));
  await page.waitForTimeout(100);
  for (let n = 3; n > 0; n--) site.openEvent('market-02', usAgo(n));
  await page.waitForSelector('[data-test="unseen"] >> text=3');
  await page.click('[data-test="unseen"]');
  await until(page, () => document.querySelector('[data-test="list"]').scrollTop === 0);
  await page.waitForSelector('[data-test="unseen"]', { state: 'detached' });
}));

test('filters_narrow_the_list_live_and_survive_a_reload', withSite(async ({ site, page }) => {
  const gate = site.addEvent('gate-07', usAgo(300));
  const market = site.addEvent('market-02', usAgo(200));
  const live = site.openEvent('market-02', usAgo(2));
  const shows = (ids) => until(page, (wanted) => [...document.querySelectorAll('[data-test="card"]')].map((one) => one.dataset.event).join() === wanted, ids.join());
  await enter(site, page);
  await shows([live.id, market.id, gate.id]);
  await page.fill('[data-test="filter-division"] input, input[data-test="filter-division"]', '640323101');
  await shows([gate.id]);
  site.openEvent('market-02', usAgo(1));
  const second = site.openEvent('gate-07', usAgo(1));
  await shows([second.id, gate.id]);
  await page.reload();
  await shows([second.id, gate.id]);
  await page.click('[data-test="filter-clear"]');
  await page.click('[data-test="filter-state"] >> text=进行中');
  await page.waitForSelector(`[data-event="${live.id}"]`);
  site.closeEvent(live, 3);
  await page.waitForSelector(`[data-event="${live.id}"]`, { state: 'detached' });
  await page.fill('[data-test="filter-division"] input, input[data-test="filter-division"]', '99');
  assert.match(await page.textContent('[data-test="empty"]'), /没有符合筛选/);
}));

test('a_fault_of_the_picture_says_what_it_is_and_has_no_box', withSite(async ({ site, page }) => {
  const motion = site.addEvent('gate-07', usAgo(300));
  const fault = site.openEvent('gate-07', usAgo(60), { kind: 'covered', box: [0, 0, 1, 1] });
  const shows = (ids) => until(page, (wanted) => [...document.querySelectorAll('[data-test="card"]')].map((one) => one.dataset.event).join() === wanted, ids.join());
  await enter(site, page);
  await shows([fault.id, motion.id]);
  assert.match(await page.textContent(`[data-event="${fault.id}"]`), /镜头被遮挡/);
  await page.selectOption('[data-test="filter-kind"]', 'covered');
  await shows([fault.id]);
  await page.reload();
  await shows([fault.id]);
  await page.click(`[data-event="${fault.id}"]`);
  await page.waitForSelector('[data-test="snapshot"]');
  assert.match(await page.textContent('[data-test="fault"]'), /请到现场查看/);
  assert.equal(await page.$('[data-test="box"]'), null);
  await page.selectOption('[data-test="filter-kind"]', 'frozen');
  assert.match(await page.textContent('[data-test="empty"]'), /没有符合筛选/);
}));

test('an_event_that_opens_while_a_list_is_on_its_way_is_not_lost', withSite(async ({ site, page }) => {
  const old = site.addEvent('gate-07', usAgo(300));
  await enter(site, page);
  await page.waitForSelector(first);
  site.hold();
  await page.click('[data-test="filter-state"] >> text=已结束');
  await page.waitForSelector(first, { state: 'detached' });
  await page.waitForTimeout(200);
  const event = site.openEvent('gate-07', usAgo(2));
  site.closeEvent(event, 1);
  await page.waitForTimeout(300);
  site.release();
  await page.waitForSelector(`[data-event="${event.id}"]`);
  assert.deepEqual(await cards(page), [event.id, old.id]);
}));

test('a_camera_is_chosen_by_typing_part_of_its_name', withSite(async ({ site, page }) => {
  site.addEvent('gate-07', usAgo(300));
  const market = site.addEvent('market-02', usAgo(200));
  await enter(site, page);
  await page.keyboard.press('/');
  await page.keyboard.type('mark');
  await page.click('.el-autocomplete-suggestion >> text=market-02');
  await until(page, () => document.querySelectorAll('[data-test="card"]').length === 1);
  assert.deepEqual(await cards(page), [market.id]);
}));

test('words_that_fit_one_camera_are_a_filter_and_others_do_not_look_like_one', withSite(async ({ site, page }) => {
  site.addEvent('gate-07', usAgo(300));
  const market = site.addEvent('market-02', usAgo(200));
  await enter(site, page);
  await page.waitForSelector(first);
  const field = '.filters .camera input';
  const say = async (words) => {
    await page.keyboard.press('/');
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
  };
  await say('nobody');
  await until(page, (selector) => document.querySelector(selector).value === '', field);
  assert.equal((await cards(page)).length, 2);
  await page.keyboard.press('Escape');
  await say('mark');
  await until(page, () => document.querySelectorAll('[data-test="card"]').length === 1);
  assert.deepEqual(await cards(page), [market.id]);
  assert.equal(await page.inputValue(field), 'market-02');
}));

test('the_queue_can_be_worked_through_with_the_keyboard_alone', withSite(async ({ site, page }) => {
  const events = [400, 300, 200].map((ago) => site.addEvent('gate-07', usAgo(ago))).reverse();
  await enter(site, page);
  await page.waitForSelector(first);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.event), events[1].id);
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('[data-test="video"]')?.currentTime > 0);
  assert.ok(page.url().includes(events[1].id));
  await page.keyboard.press(' ');
  await until(page, () => document.querySelector('[data-test="video"]').paused);
  await page.keyboard.press(' ');
  await until(page, () => !document.querySelector('[data-test="video"]').paused);
  await page.keyboard.press('j');
  await until(page, (id) => location.hash.includes(id), events[2].id);
  await page.keyboard.press('k');
  await page.keyboard.press('k');
  await until(page, (id) => location.hash.includes(id), events[0].id);
  await page.keyboard.press('?');
  await page.waitForSelector('[data-test="keys"]', { state: 'visible' });
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-test="keys"]', { state: 'hidden' });
  assert.ok(await page.$('[data-test="detail"]'), 'Esc closed the dialog and nothing else');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-test="detail"]', { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.event), events[0].id);
}));

test('a_night_of_missed_facts_is_caught_up_within_seconds', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/ERR_INCOMPLETE/);
  await enter(site, page);
  site.dropStreams();
  for (let n = 0; n < 1500; n++) site.closeEvent(site.openEvent('gate-07', usAgo(2000 - n), { has_snapshot: false }), 1);
  await until(page, (id) => document.querySelector('[data-test="card"]')?.dataset.event === id, site.events[1499].id);
  const rows = (await cards(page)).length;
  assert.ok(rows <= 600, `${rows} rows are too many for an old PC`);
  await page.$eval('[data-test="list"]', (list) => list.scrollTo(0, list.scrollHeight));
  await until(page, (count) => document.querySelectorAll('[data-test="card"]').length > count, rows);
}));

test('a_list_that_did_not_come_is_asked_for_until_it_does', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/ERR_|Failed to load/);
  const event = site.addEvent('gate-07', usAgo(300));
  await enter(site, page);
  await page.waitForSelector(first);
  site.silent = true;
  await page.click('[data-test="filter-state"] >> text=已结束');
  await page.waitForSelector('[data-test="failure"]');
  site.silent = false;
  await page.waitForSelector(`[data-event="${event.id}"]`, { timeout: 8000 });
  await page.waitForSelector('[data-test="failure"]', { state: 'detached' });
}));

test('a_site_that_numbers_its_facts_anew_is_read_anew', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(/ERR_INCOMPLETE/);
  const old = [0, 1, 2].map((n) => site.addEvent('gate-07', usAgo(300 + n)));
  await enter(site, page);
  for (const { id } of old) await until(page, loadedPicture, `[data-event="${id}"]`);
  site.facts.length = site.events.length = 0;
  site.dropStreams();
  const event = site.openEvent('market-02');
  await site.nextStream();
  site.change(event, { score: 0.9 });
  await until(page, (id) => document.querySelectorAll('[data-test="card"]').length === 1 && !!document.querySelector(`[data-event="${id}"]`), event.id);
}));

test('a_site_without_cameras_says_how_to_add_one', withSite(async ({ site, page }) => {
  site.cameras = [];
  await enter(site, page);
  assert.match(await page.textContent('[data-test="empty"]'), /gridwatch camera add/);
}));

test('a_computer_with_a_wrong_clock_shows_ages_by_the_sites', withSite(async ({ site, page }) => {
  site.shift = 600_000;
  site.addEvent('gate-07', (Date.now() + 600_000 - 30_000) * 1000);
  await enter(site, page);
  await page.waitForSelector('text=/本机时钟与站点相差 (10:0|9:5)/');
  await page.waitForSelector(`${first} >> text=/3\\d 秒前/`);
}));
