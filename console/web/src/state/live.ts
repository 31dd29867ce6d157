// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// One live connection for the whole page, and who listens to it.

import { onScopeDispose, readonly, ref } from 'vue';

import { openStream, type LinkState, type LiveStream } from '../api/stream';
import type { Fact } from '../api/types';
import { useSession } from './session';

const batchMs = 60; // after an outage thousands of facts come at once; the page draws once

const link = ref<LinkState>('connecting');
const sinceUs = ref(0); // when it became so
const listeners = new Set<(facts: Fact[]) => void>();

let stream: LiveStream | undefined;
let waiting: Fact[] = [];

function deliver() {
  const facts = waiting;
  waiting = [];
  for (const listener of listeners) listener(facts);
}

function take(fact: Fact) {
  if (!waiting.length) setTimeout(deliver, batchMs);
  waiting.push(fact);
}

function setLink(state: LinkState) {
  if (state === link.value && sinceUs.value) return;
  link.value = state;
  sinceUs.value = Date.now() * 1000;
}

// Begins after the fact `since`, unless it runs already: a stream that runs has told more.
function start(since: number): void {
  if (stream) return;
  stream = openStream(since, {
    fact: take,
    state: setLink,
    sessionOver: () => {
      stop();
      useSession().over();
    },
    anotherIndex: () => location.reload(),
  });
}

function stop(): void {
  stream?.close();
  stream = undefined;
}

// Until the calling component goes.
function onFacts(listener: (facts: Fact[]) => void): void {
  listeners.add(listener);
  onScopeDispose(() => listeners.delete(listener));
}

export const useLive = () => ({ link: readonly(link), sinceUs: readonly(sinceUs), start, stop, onFacts });
