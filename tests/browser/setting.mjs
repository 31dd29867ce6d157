// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What each test file begins with: one browser, one set of media, and for each test a site and a tab.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { launch, missing, open, webRoot } from './chromium.mjs';
import { FakeSite } from './fake-api.mjs';
import { makeMedia } from './media.mjs';

export const reason = missing();
let browser;
let media;

export function useBrowser() {
  before(async () => {
    if (reason) throw new Error(reason);
    media = makeMedia();
    browser = await launch();
  });
  after(() => browser?.close());
}

export const unauthorized = /401 \(Unauthorized\)/;

// Runs a test against a site with two cameras. Whatever it did, the page must have asked nobody but
// the site and failed nowhere unprovoked.
export function withSite(story, options = {}) {
  return async () => {
    const site = await new FakeSite(webRoot, media).start();
    site.addCamera({ id: 'gate-07', name: '东门' });
    site.addCamera({ id: 'market-02', name: 'Market', division: '640323102', grid: '011', scene: 'dusk' });
    const tab = await open(browser, options);
    try {
      await story({ site, ...tab });
      assert.deepEqual(tab.faults, []);
      assert.deepEqual([...tab.origins], [site.url], 'the page asked somebody else');
    } finally {
      await tab.context.close();
      await site.stop();
    }
  };
}

// Signed in and looking at the queue.
export async function enter(site, page) {
  await page.goto(site.loginLink());
  await page.waitForSelector('[data-test="link"][data-state="live"]');
  await page.evaluate(() => (window.stillTheSamePage = true));
}

export const isSamePage = (page) => page.evaluate(() => window.stillTheSamePage === true);

export const cards = (page) => page.$$eval('[data-test="card"]', (all) => all.map((one) => one.dataset.event));

export const usAgo = (seconds) => (Date.now() - seconds * 1000) * 1000;

// Waits until the check gives true.
export const until = (page, check, argument) => page.waitForFunction(check, argument, { timeout: 8000 });
