// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import { effectScope, ref } from 'vue';
import { describe, expect, test } from 'vitest';

import { usePlayer } from '../src/queue/player';
import { clip, event } from './made';

describe('player', () => {
  test('what_a_video_that_is_gone_still_had_to_tell_harms_nothing', () => {
    const scope = effectScope();
    const player = scope.run(() => usePlayer(ref(null), ref(clip('c')), ref(event('e')), ref(0)))!;
    const { loadedmetadata, durationchange, timeupdate } = player.listeners;
    for (const told of [loadedmetadata, durationchange, timeupdate]) expect(told).not.toThrow();
    expect(player.length.value).toBe(0);
    scope.stop();
  });
});
