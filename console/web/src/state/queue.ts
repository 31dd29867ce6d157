// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The queue on the screen: its rows, its filter, what is loaded and what arrived unseen.

import { computed, readonly, ref, shallowRef } from 'vue';

import { api, type EventFilter } from '../api/client';
import { isEventFact, type Fact, type GridEvent } from '../api/types';
import { emptyFilter, keepRows, merge, reaches, trim } from '../lib/queue';
import { explain, mayPass, retryMs } from './failure';
import { useLive } from './live';

const pageSize = 100;

const rows = shallowRef<GridEvent[]>([]);
const filter = ref<EventFilter>({ ...emptyFilter });
const cursor = ref(''); // of the page after the last row; '' with `complete` false: ask by time
const complete = ref(false);
const loading = ref(false);
const loaded = ref(false); // once, so that "nothing here" is known to be true
const failure = ref('');
const unseen = ref(0); // opened since the operator last looked at the top
const atTop = ref(true);

let asked = 0; // the newest request; answers of older ones are dropped
// What happened while the first page was on its way, and may be missing in it.
let meanwhile: GridEvent[] | undefined;

async function load(): Promise<void> {
  const mine = ++asked;
  loading.value = true;
  meanwhile = [];
  try {
    const page = await api.events(filter.value, { limit: pageSize });
    if (mine !== asked) return;
    rows.value = merge([], page.items, filter.value);
    cursor.value = page.next;
    complete.value = !page.next;
    loaded.value = true;
    failure.value = '';
    unseen.value = 0;
    apply(meanwhile ?? []);
    useLive().start(page.head);
  } catch (error) {
    if (mine !== asked) return;
    failure.value = explain(error);
    if (mayPass(error)) setTimeout(() => mine === asked && void load(), retryMs);
  } finally {
    if (mine === asked) {
      loading.value = false;
      meanwhile = undefined;
    }
  }
}

// Where the next older page begins: the cursor, or after a cut the last row's time.
function following(): { cursor?: string; to?: number } {
  const last = rows.value[rows.value.length - 1];
  return cursor.value || !last ? { cursor: cursor.value } : { to: last.start_us + 1 };
}

async function loadMore(): Promise<void> {
  if (loading.value || complete.value || !loaded.value) return;
  const mine = ++asked;
  loading.value = true;
  try {
    const page = await api.events(filter.value, { ...following(), limit: pageSize });
    if (mine !== asked) return;
    rows.value = merge(rows.value, page.items, filter.value);
    cursor.value = page.next;
    complete.value = !page.next;
    failure.value = '';
  } catch (error) {
    if (mine === asked) failure.value = explain(error);
  } finally {
    if (mine === asked) loading.value = false;
  }
}

function take(facts: Fact[]): void {
  const told = facts.filter(isEventFact).map((fact) => fact.data);
  if (meanwhile) meanwhile.push(...told);
  else apply(told);
}

function apply(told: GridEvent[]): void {
  const known = new Set(rows.value.map((event) => event.id));
  const fitting = told.filter((event) => known.has(event.id) || reaches(rows.value, complete.value, event));
  if (!fitting.length) return;
  rows.value = merge(rows.value, fitting, filter.value);
  const fresh = rows.value.filter((event) => !known.has(event.id)).length;
  if (atTop.value) cutLongList();
  else unseen.value += fresh;
}

// Only while nobody reads further down.
function cutLongList() {
  if (rows.value.length <= keepRows * 1.2) return;
  rows.value = trim(rows.value);
  cursor.value = '';
  complete.value = false;
}

function setFilter(next: EventFilter): void {
  const now = filter.value;
  if (loaded.value && (Object.keys(now) as (keyof EventFilter)[]).every((part) => now[part] === next[part])) return;
  filter.value = { ...next };
  rows.value = [];
  loaded.value = false;
  failure.value = '';
  void load();
}

function setAtTop(is: boolean): void {
  atTop.value = is;
  if (is) unseen.value = 0;
}

export const useQueue = () => ({
  rows: computed(() => rows.value),
  filter: readonly(filter),
  filtered: computed(() => Object.values(filter.value).some(Boolean)),
  complete: readonly(complete),
  loading: readonly(loading),
  loaded: readonly(loaded),
  failure: readonly(failure),
  unseen: readonly(unseen),
  load,
  loadMore,
  take,
  setFilter,
  setAtTop,
});
