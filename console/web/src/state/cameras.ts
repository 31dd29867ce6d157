// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The cameras, for their page, the filter and the count in the header.

import { computed, readonly, ref, shallowRef } from 'vue';

import { api } from '../api/client';
import { isCameraFact, type Camera, type Fact } from '../api/types';
import { applyState, byUrgency, count } from '../lib/cameras';
import { explain, mayPass, retryMs } from './failure';

const list = shallowRef<Camera[]>([]);
const loaded = ref(false);
const failure = ref('');

// What happened while the list was on its way, and may be missing in it.
let meanwhile: Fact[] | undefined;

let asked = 0; // the newest request

async function load(): Promise<void> {
  const mine = ++asked;
  meanwhile = [];
  try {
    list.value = (await api.cameras()).items;
    loaded.value = true;
    failure.value = '';
    for (const fact of (meanwhile ?? []).filter(isCameraFact))
      list.value = applyState(list.value, fact.data) ?? list.value;
  } catch (error) {
    failure.value = explain(error);
    if (mayPass(error)) setTimeout(() => mine === asked && void load(), retryMs);
  } finally {
    meanwhile = undefined;
  }
}

function take(facts: Fact[]): void {
  meanwhile?.push(...facts);
  for (const fact of facts.filter(isCameraFact)) {
    const next = applyState(list.value, fact.data);
    if (!next) {
      void load(); // one that was added since
      return;
    }
    list.value = next;
  }
}

export const useCameras = () => ({
  cameras: computed(() => byUrgency(list.value)),
  counts: computed(() => count(list.value)),
  loaded: readonly(loaded),
  failure: readonly(failure),
  load,
  take,
});
