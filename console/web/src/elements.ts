// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The few parts of Element Plus that the page uses, each with its own style, so that an old PC loads
// nothing else. A new one is added here.

import 'element-plus/theme-chalk/base.css';
import 'element-plus/theme-chalk/dark/css-vars.css';
import 'element-plus/theme-chalk/el-alert.css';
import 'element-plus/theme-chalk/el-autocomplete.css';
import 'element-plus/theme-chalk/el-button.css';
import 'element-plus/theme-chalk/el-dialog.css';
import 'element-plus/theme-chalk/el-input.css';
import 'element-plus/theme-chalk/el-overlay.css';
import 'element-plus/theme-chalk/el-popper.css';
import 'element-plus/theme-chalk/el-radio-button.css';
import 'element-plus/theme-chalk/el-radio-group.css';
import 'element-plus/theme-chalk/el-scrollbar.css';

export { ElAlert } from 'element-plus/es/components/alert/index.mjs';
export { ElAutocomplete } from 'element-plus/es/components/autocomplete/index.mjs';
export { ElButton } from 'element-plus/es/components/button/index.mjs';
export { ElConfigProvider } from 'element-plus/es/components/config-provider/index.mjs';
export { ElDialog } from 'element-plus/es/components/dialog/index.mjs';
export { ElInput } from 'element-plus/es/components/input/index.mjs';
export { ElRadioButton, ElRadioGroup } from 'element-plus/es/components/radio/index.mjs';
