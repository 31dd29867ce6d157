// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One event, the clips that cover it and the gaps around it, kept true while somebody looks at it.

import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue';

import { api } from '../api/client';
import { isClipFact, isEventFact, isGapFact, type Clip, type Fact, type Gap, type GridEvent } from '../api/types';
import { applyClip, inOrder } from '../lib/clip';
import { applyGap, gapRange, inOrder as gapsInOrder } from '../lib/gap';
import { later } from '../lib/queue';
import { explain, mayPass, retryMs } from './failure';
import { useLive } from './live';

const settle = 120; // ms; somebody who holds a key down passes events without asking for each

export function useDetail(id: Ref<string>) {
  const event = shallowRef<GridEvent>();
  const clips = shallowRef<Clip[]>([]);
  const gaps = shallowRef<Gap[]>([]);
  const failure = ref('');
  let timer: ReturnType<typeof setTimeout> | undefined;
  // What happened while the answer was on its way, and may be missing in it.
  let meanwhile: Fact[] | undefined;

  async function load(): Promise<void> {
    const wanted = id.value;
    clearTimeout(timer);
    meanwhile = [];
    try {
      const { clips: covering, ...told } = await api.event(wanted);
      if (wanted !== id.value) return;
      event.value = later(event.value?.id === told.id ? event.value : undefined, told);
      clips.value = inOrder(covering);
      apply(meanwhile ?? []);
      failure.value = '';
      await loadGaps(event.value);
    } catch (error) {
      if (wanted !== id.value) return;
      failure.value = explain(error);
      if (mayPass(error)) timer = setTimeout(() => void load(), retryMs);
    } finally {
      if (wanted === id.value) meanwhile = undefined;
    }
  }

  async function loadGaps(shown: GridEvent): Promise<void> {
    const { items } = await api.gaps({ camera: shown.camera, ...gapRange(shown) });
    if (shown.id !== id.value) return;
    gaps.value = gapsInOrder(items);
    apply(meanwhile ?? []);
  }

  function take(facts: Fact[]): void {
    meanwhile?.push(...facts);
    apply(facts);
  }

  function apply(facts: Fact[]): void {
    for (const fact of facts) {
      const shown = event.value;
      if (!shown) return;
      if (isEventFact(fact) && fact.data.id === shown.id) event.value = later(shown, fact.data);
      else if (isClipFact(fact)) clips.value = applyClip(clips.value, fact.data, shown);
      else if (isGapFact(fact)) gaps.value = applyGap(gaps.value, fact.data, shown);
    }
  }

  watch(
    id,
    () => {
      event.value = undefined;
      clips.value = [];
      gaps.value = [];
      failure.value = '';
      clearTimeout(timer);
      if (id.value) timer = setTimeout(() => void load(), settle);
    },
    { immediate: true },
  );
  useLive().onFacts(take);
  onScopeDispose(() => clearTimeout(timer));
  return { event, clips, gaps, failure, load };
}
