// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The live connection: facts as they are committed, without loss.
//
// EventSource comes back by itself and says which fact it saw last. It gives up for ever when the
// site refuses it, and it does not notice a cable that was pulled; both are covered here: a refusal
// is looked into (session over?) and tried again more and more slowly, and every `probeEvery` the
// site has to answer a small question.

import { ApiError, api, streamUrl } from './client';
import { factKinds, type Fact } from './types';

const probeEvery = 15_000; // ms
const slowestRetry = 30_000; // ms

export type LinkState = 'connecting' | 'live' | 'reconnecting';

export interface Handlers {
  fact(fact: Fact): void;
  state(state: LinkState): void;
  sessionOver(): void;
  anotherIndex(): void; // the site's facts are numbered anew: what the page shows is of the past
}

export interface LiveStream {
  close(): void;
}

const isOver = (error: unknown) => error instanceof ApiError && error.status === 401;

// Facts after `since`, in order, each once, until close() or the end of the session.
export function openStream(since: number, handlers: Handlers): LiveStream {
  let last = since;
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let lost = false; // the site did not answer the last probe
  let closed = false;

  function connect() {
    source?.close();
    source = new EventSource(streamUrl(last));
    source.onopen = () => {
      failures = 0;
      handlers.state('live');
    };
    source.onerror = lookInto;
    for (const kind of factKinds) source.addEventListener(kind, take);
    source.addEventListener('alert.raised', take);
  }

  function take(message: MessageEvent<string>) {
    const fact = JSON.parse(message.data) as Fact;
    // The site gives each fact once, and after a number that it never gave, its next one.
    if (fact.seq <= last) {
      close();
      handlers.anotherIndex();
      return;
    }
    last = fact.seq;
    handlers.fact(fact);
  }

  function lookInto() {
    handlers.state('reconnecting');
    if (source?.readyState === EventSource.CLOSED) void comeBackLater();
  }

  async function comeBackLater() {
    source?.close();
    if (!(await sessionIsGood()) || closed) return;
    const wait = Math.min(slowestRetry, 1000 * 2 ** failures++);
    clearTimeout(retry);
    retry = setTimeout(connect, wait);
  }

  // False only when the site says so; one that does not answer may be back soon.
  async function sessionIsGood(): Promise<boolean> {
    try {
      await api.session();
    } catch (error) {
      if (isOver(error)) {
        end();
        return false;
      }
    }
    return true;
  }

  function end() {
    if (closed) return;
    close();
    handlers.sessionOver();
  }

  async function probe() {
    try {
      await api.session();
      const waits = source?.readyState === EventSource.CLOSED; // comeBackLater() is at it
      if (lost && !waits && !closed) connect();
      lost = false;
    } catch (error) {
      if (isOver(error)) end();
      else if (!closed) {
        lost = true;
        handlers.state('reconnecting');
      }
    }
  }

  const timer = setInterval(() => void probe(), probeEvery);
  const networkChanged = () => void probe();
  window.addEventListener('offline', networkChanged);
  window.addEventListener('online', networkChanged);

  function close() {
    closed = true;
    source?.close();
    clearInterval(timer);
    clearTimeout(retry);
    window.removeEventListener('offline', networkChanged);
    window.removeEventListener('online', networkChanged);
  }

  handlers.state('connecting');
  connect();
  return { close };
}
