// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { createApp } from 'vue';

import App from './App.vue';
import { i18n } from './i18n';
import { followColourScheme } from './state/appearance';
import './elements';
import './styles/tokens.css';
import './styles/base.css';

followColourScheme();
createApp(App).use(i18n).mount('#app');
