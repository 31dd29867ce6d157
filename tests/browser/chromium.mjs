// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Chromium for the tests: found, started with an empty profile, and watched for what a page must not
// do: ask another origin, fail a script, break the content policy.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, '../../console/web');

export const webRoot = process.env.GRIDWATCH_WEB_ROOT ?? join(web, 'dist');
const program = process.env.GRIDWATCH_CHROMIUM ?? '/usr/bin/chromium';

// Why the tests cannot run here; undefined when they can.
export function missing() {
  if (!existsSync(join(webRoot, 'index.html'))) return `the page is not built in ${webRoot}; run console/web/build.sh`;
  return missingBrowser();
}

export function missingBrowser() {
  if (!existsSync(join(web, 'node_modules/playwright-core'))) return 'console/web/node_modules is not there; run console/web/build.sh';
  if (!existsSync(program)) return `${program} is not there; install chromium or set GRIDWATCH_CHROMIUM`;
  return undefined;
}

export async function launch() {
  const { chromium } = createRequire(join(web, 'package.json'))('playwright-core');
  return chromium.launch({
    executablePath: program,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

// A tab in a profile of its own. `faults` collects what must not happen.
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...options });
  const page = await context.newPage();
  const faults = [];
  const allowed = { errors: [] }; // patterns of console errors that a test provokes
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (message.type() === 'error' && !allowed.errors.some((pattern) => pattern.test(text))) faults.push(`console: ${text}`);
  });
  const origins = new Set();
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http')) origins.add(url.origin);
  });
  return { context, page, faults, allowed, origins };
}

export const test = (name) => `[data-test="${name}"]`;
