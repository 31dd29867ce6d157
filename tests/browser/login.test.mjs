// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { enter, unauthorized, useBrowser, withSite } from './setting.mjs';

useBrowser();

test('a_login_link_opens_the_queue_and_leaves_no_code_in_the_address', withSite(async ({ site, page }) => {
  await enter(site, page);
  assert.equal(new URL(page.url()).hash, '#/queue');
  await page.goBack().catch(() => undefined);
  assert.ok(!page.url().includes('CODE'));
}));

test('a_link_that_was_used_says_so_and_asks_for_a_code', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(unauthorized);
  const link = site.loginLink();
  site.codes.set(link.split('/').pop(), 'spent');
  await page.goto(link);
  const words = await page.textContent('[data-test="login-problem"]');
  assert.match(words, /已经用过/);
  await page.fill('[data-test="code"]', site.loginLink()); // the whole link, as people paste it
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-test="link"]');
}));

test('a_wrong_code_can_be_corrected', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(unauthorized);
  await page.goto(site.url);
  await page.click('[data-test="submit"]');
  assert.match(await page.textContent('[data-test="login-problem"]'), /先输入/);
  await page.fill('[data-test="code"]', 'WRONG');
  await page.click('[data-test="submit"]');
  await page.waitForSelector('text=无效');
  await page.fill('[data-test="code"]', site.loginLink().split('/').pop());
  await page.click('[data-test="submit"]');
  await page.waitForSelector('[data-test="link"]');
}));

test('a_session_survives_a_reload', withSite(async ({ site, page }) => {
  await enter(site, page);
  await page.reload();
  await page.waitForSelector('[data-test="link"][data-state="live"]');
}));

test('a_session_that_ends_leads_to_the_login_and_back_to_the_same_event', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(unauthorized);
  const event = site.addEvent('gate-07', Date.now() * 1000 - 60e6);
  await enter(site, page);
  await page.click(`[data-event="${event.id}"]`);
  await page.waitForSelector('[data-test="facts"]');
  site.endSessions();
  await page.waitForSelector('[data-test="code"]', { timeout: 10_000 });
  assert.match(await page.textContent('[data-test="login-problem"]'), /会话已结束/);
  await page.fill('[data-test="code"]', site.loginLink().split('/').pop());
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-test="facts"]');
  assert.ok(page.url().includes(event.id));
}));

test('signing_out_ends_the_session_at_the_site', withSite(async ({ site, page, allowed }) => {
  allowed.errors.push(unauthorized);
  await enter(site, page);
  await page.click('[data-test="logout"]');
  await page.waitForSelector('[data-test="code"]');
  assert.equal(site.sessions.size, 0);
}));

test('chinese_comes_first_and_english_is_remembered', withSite(async ({ site, page }) => {
  await enter(site, page);
  assert.match(await page.textContent('[data-test="nav-queue"]'), /事件队列/);
  await page.click('[data-test="language"]');
  assert.match(await page.textContent('[data-test="nav-queue"]'), /Queue/);
  await page.reload();
  await page.waitForSelector('text=Queue');
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
}));

test('a_dark_room_gets_a_dark_page', withSite(async ({ site, page }) => {
  await enter(site, page);
  const [red] = (await page.$eval('body', (body) => getComputedStyle(body).backgroundColor)).match(/\d+/g).map(Number);
  assert.ok(red < 60, `background is ${red}`);
}, { colorScheme: 'dark' }));
