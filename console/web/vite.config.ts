// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { defineConfig } from 'vite';
import vue from '@vitejs/plugin-vue';

// For working on the page: `npm run dev` passes the API on to a console that runs already.
const site = process.env.GRIDWATCH_DEV_SITE ?? 'http://127.0.0.1:8471';

export default defineConfig({
  plugins: [vue()],
  define: {
    __VUE_OPTIONS_API__: 'true', // Element Plus has a few components that need it
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    target: ['chrome87', 'firefox86', 'safari14'], // offices keep their PCs for long
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the console's content policy and caching work on files
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  // A test reads the site's own sentences.
  server: { proxy: { '/api': site }, fs: { allow: ['.', '../../core', '../../ingest', '../../app'] } },
  test: { include: ['tests/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
