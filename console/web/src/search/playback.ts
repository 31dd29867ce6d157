// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What the search page's keys do to a video beside the results: ClipView.vue, RangeView.vue.

import type { Ref } from 'vue';

export const playback = (video: Ref<HTMLVideoElement | undefined>) => ({
  toggle() {
    if (video.value?.paused) void video.value.play();
    else video.value?.pause();
  },
  step(seconds: number) {
    if (video.value) video.value.currentTime += seconds;
  },
  fullscreen: () => void video.value?.requestFullscreen?.(),
});
