// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What a search found: rows by the page, and for map and calendar the places and counts around them. Nothing is
// asked before somebody searches.

import { ref, shallowRef, watch, type Ref } from 'vue';

import { api } from '../api/client';
import type { CellCount, DayCount, Placed } from '../api/types';
import { monthRange } from '../lib/calendar';
import { countQuery, listQuery, placesQuery, type Result, type Search } from '../lib/search';
import { explain } from './failure';

const pageSize = 100;

export function useSearch(search: Ref<Search>, month: Ref<string>) {
  const rows = shallowRef<Result[]>([]);
  const places = shallowRef<Placed[]>([]);
  const cells = shallowRef<CellCount[]>([]);
  const days = shallowRef<DayCount[]>([]);
  const cursor = ref('');
  const loading = ref(false);
  const loaded = ref(false);
  const failure = ref('');
  let asked = 0; // the newest search; answers of older ones are dropped
  let askedDays = 0;

  async function run(): Promise<void> {
    const mine = ++asked;
    const wanted = search.value;
    loading.value = true;
    try {
      const [page, where, heat] = await Promise.all([
        api.find<Result>(wanted.of, { ...listQuery(wanted), limit: pageSize }),
        api.places(placesQuery(wanted)),
        api.countCells(countQuery(wanted)),
      ]);
      if (mine !== asked) return;
      rows.value = page.items;
      cursor.value = page.next;
      places.value = where.items;
      cells.value = heat.items;
      loaded.value = true;
      failure.value = '';
    } catch (error) {
      if (mine !== asked) return;
      rows.value = [];
      cursor.value = '';
      failure.value = explain(error);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  async function more(): Promise<void> {
    if (loading.value || !cursor.value) return;
    const mine = ++asked;
    loading.value = true;
    try {
      const page = await api.find<Result>(search.value.of, { ...listQuery(search.value), limit: pageSize, cursor: cursor.value });
      if (mine !== asked) return;
      rows.value = [...rows.value, ...page.items];
      cursor.value = page.next;
      failure.value = '';
    } catch (error) {
      if (mine === asked) failure.value = explain(error);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  // The month that the calendar shows, whatever time is searched.
  async function count(): Promise<void> {
    const mine = ++askedDays;
    try {
      const { items } = await api.countDays({ ...countQuery(search.value), ...monthRange(month.value) });
      if (mine === askedDays) days.value = items;
    } catch (error) {
      if (mine !== askedDays) return;
      days.value = [];
      failure.value = explain(error);
    }
  }

  watch(search, () => void run(), { immediate: true });
  watch([search, month], () => void count(), { immediate: true });
  return { rows, places, cells, days, cursor, loading, loaded, failure, run, more };
}
