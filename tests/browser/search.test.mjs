// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cards, enter, until, useBrowser, usAgo, withSite } from './setting.mjs';

useBrowser();

const found = (page, ids) => until(page, (wanted) =>
  [...document.querySelectorAll('[data-test="card"]')].map((card) => card.dataset.event).join() === wanted, ids.join());

// Four cameras at the corners of a square of 2 km, one in its middle; an event of each, the newest first.
const corners = { nw: [106.40, 37.80], ne: [106.42, 37.80], sw: [106.40, 37.78], se: [106.42, 37.78], middle: [106.41, 37.79] };

function fill(site) {
  site.cameras = [];
  for (const [id, [lon, lat]] of Object.entries(corners)) site.addCamera({ id, lon, lat, heading_deg: 90, fov_deg: 60, range_m: 100 });
  return Object.fromEntries(Object.keys(corners).map((id, n) => [id, site.addEvent(id, usAgo(3600 * (n + 1)), { score: 0.5 + n / 10 })]));
}

async function search(site, page) {
  const events = fill(site);
  await enter(site, page);
  await page.click('[data-test="nav-search"]');
  await found(page, Object.values(events).map((event) => event.id));
  return events;
}

// The map shows all cameras, so its middle is theirs. Shares of the map's width and height from there.
async function clicks(page, ...points) {
  const box = await page.locator('[data-test="map"]').boundingBox();
  for (const [x, y] of points) await page.mouse.click(box.x + box.width * (0.5 + x), box.y + box.height * (0.5 + y));
}

const sectors = (page) => page.locator('.leaflet-sectors-pane path').count();
const asked = (site, noun) => site.questions.filter((question) => question.startsWith(noun)).at(-1);

test('a_circle_on_the_map_finds_what_is_in_it_and_the_address_keeps_it', withSite(async ({ site, page }) => {
  const events = await search(site, page);
  await page.click('[data-test="draw-near"]');
  await clicks(page, [0, 0]);
  const box = await page.locator('[data-test="map"]').boundingBox();
  await page.mouse.move(box.x + box.width * 0.55, box.y + box.height * 0.5, { steps: 3 });
  await until(page, () => document.querySelectorAll('.leaflet-areas-pane path').length === 2); // its middle, and what it would be
  await clicks(page, [0.08, 0]);
  await found(page, [events.middle.id]);
  assert.match(await page.inputValue('[data-test="area-text"]'), /^106\.4\d*,37\.7\d*,\d+$/);
  assert.match(asked(site, 'places'), /near=106\.4/);
  await page.reload();
  await found(page, [events.middle.id]);
  await page.click('[data-test="search-clear"]');
  await found(page, Object.values(events).map((event) => event.id));
}));

test('an_outline_ends_with_a_double_click_and_a_box_with_its_second_corner', withSite(async ({ site, page }) => {
  const events = await search(site, page);
  await page.keyboard.press('p');
  await clicks(page, [-0.1, -0.1], [0.1, -0.1]);
  const box = await page.locator('[data-test="map"]').boundingBox();
  await page.mouse.dblclick(box.x + box.width * 0.5, box.y + box.height * 0.6);
  await found(page, [events.middle.id]);
  assert.equal(asked(site, 'events').match(/polygon=([^&]*)/)[1].split(';').length, 3);
  await page.keyboard.press('b');
  await clicks(page, [-0.49, -0.49], [0.1, 0.1]);
  await found(page, [events.nw.id, events.middle.id]);
}));

test('a_spot_says_who_could_see_it_and_draws_where_they_look', withSite(async ({ site, page }) => {
  const events = await search(site, page);
  assert.equal(await sectors(page), 5);
  await page.keyboard.press('v');
  await clicks(page, [0, 0]);
  await found(page, [events.middle.id]);
  await until(page, () => document.querySelectorAll('.leaflet-sectors-pane path').length === 1);
  assert.match(asked(site, 'events'), /covers=106\.4/);
}));

test('an_area_is_drawn_and_a_result_is_opened_with_the_keyboard_alone', withSite(async ({ site, page }) => {
  const events = await search(site, page);
  await page.keyboard.press('c');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('.leaflet-map-pane:not(.leaflet-pan-anim)', { state: 'attached' }); // it has come to rest
  await page.keyboard.press('Enter');
  await found(page, [events.middle.id]);
  await page.keyboard.press('j');
  await page.waitForSelector('.leaflet-selected-pane path');
  const chosen = await page.locator('.leaflet-selected-pane path').first().boundingBox();
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('[data-test="video"]')?.currentTime > 0);
  assert.ok(page.url().includes(`#/search/${events.middle.id}`));
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-test="detail"]', { state: 'detached' });
  assert.deepEqual(await page.locator('.leaflet-selected-pane path').first().boundingBox(), chosen, 'the map is as it was left');
}));

test('a_day_is_as_warm_as_its_count_and_a_click_searches_it', withSite(async ({ site, page }) => {
  fill(site);
  const noon = Date.UTC(2026, 4, 4, 4) * 1000;
  const old = [0, 1, 2].map((n) => site.addEvent('middle', noon - n * 60e6));
  await enter(site, page);
  await page.goto(`${site.url}/#/search?from=${noon - 3600e6}&to=${noon + 3600e6}`);
  await found(page, old.map((event) => event.id));
  const day = (date) => page.locator(`[data-day="${date}"]`);
  await page.waitForSelector('[data-day="2026-05-04"][data-count="3"]');
  assert.match(await day('2026-05-04').getAttribute('class'), /warm-4/);
  await day('2026-05-05').click();
  await page.waitForSelector('[data-test="empty"]');
  await day('2026-05-04').click();
  await found(page, old.map((event) => event.id));
  assert.equal(asked(site, 'events').match(/to=(\d+)/)[1] - asked(site, 'events').match(/from=(\d+)/)[1], 86400e6);
}));

test('clips_play_and_gaps_tell_their_cause', withSite(async ({ site, page }) => {
  await search(site, page);
  site.closeGap(site.openGap('middle', usAgo(7200), 'stalled'), usAgo(7100));
  await page.click('[data-test="search-of"] >> text=录像片段');
  await page.waitForSelector('[data-test="results"] .row');
  await page.click('[data-test="results"] .row >> nth=0');
  await until(page, () => document.querySelector('[data-test="clip-view"] video')?.currentTime > 0);
  await page.keyboard.press('Escape');
  await page.click('[data-test="search-of"] >> text=录像缺口');
  await page.waitForSelector('[data-test="results"] .row.gap');
  assert.match(await page.textContent('[data-test="results"] .row.gap'), /middle.*1:40.*已连接但没有画面/s);
  assert.equal((await cards(page)).length, 1);
}));

test('all_of_a_cameras_time_plays_as_one_film_with_its_clock', withSite(async ({ site, page, allowed }) => {
  await search(site, page);
  const { start_us, end_us } = site.clips.find((clip) => clip.camera === 'middle');
  const time = (camera) => `?of=clips&camera=${camera}&from=${start_us - 60e6}&to=${end_us + 60e6}`;
  await page.goto(`${site.url}/#/search${time('middle')}`);
  await page.click('[data-test="play-whole"]');
  await until(page, () => document.querySelector('[data-test="range-view"] video')?.currentTime > 0);
  assert.ok(page.url().includes('#/search/whole?'));
  const clock = await page.textContent('[data-test="range-wall"]');
  const shown = await page.evaluate((text) => Date.parse(text.replace(' ', 'T')) * 1000, clock);
  assert.ok(shown >= start_us - 1e6 && shown <= end_us, clock);
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-test="range-view"]', { state: 'detached' });
  allowed.errors.push(/404 \(Not Found\)/);
  await page.goto(`${site.url}/#/search/whole${time('nobody')}`);
  await page.waitForSelector('[data-test="range-problem"]');
}));

test('a_typed_area_is_taken_or_refused_with_the_form_it_needs', withSite(async ({ site, page }) => {
  const events = await search(site, page);
  const field = '[data-test="area-text"]';
  await page.fill(field, '106.41 37.79');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-test="area-wrong"]');
  await page.fill(field, '106.41,37.79,50');
  await page.keyboard.press('Enter');
  await found(page, [events.middle.id]);
  await page.waitForSelector('[data-test="area-wrong"]', { state: 'detached' });
}));

test('a_county_without_positions_is_searched_by_division', withSite(async ({ site, page }) => {
  const events = ['gate-07', 'market-02'].map((id, n) => site.addEvent(id, usAgo(600 + n)));
  await enter(site, page);
  await page.click('[data-test="nav-search"]');
  await page.waitForSelector('[data-test="nowhere"]');
  await page.fill('[data-test="search-division"]', '640323102011');
  await page.keyboard.press('Enter');
  await found(page, [events[1].id]);
}));
