// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

import feeder from '../../../app/feeder.c?raw';
import strays from '../../../app/strays.c?raw';
import kinds from '../../../core/event.c?raw';
import causes from '../../../core/gap.c?raw';
import vitals from '../../../ingest/vitals.c?raw';
import session from '../../../ingest/session.c?raw';
import { describe, expect, test } from 'vitest';

import { eventKinds } from '../src/api/types';
import { en } from '../src/i18n/en';
import { reasonIn } from '../src/i18n/reasons';
import { zh } from '../src/i18n/zh-CN';

type Tree = { [key: string]: string | Tree };

function texts(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${path}${key}`, value] as [string, string]] : texts(value, `${path}${key}.`),
  );
}

const holes = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join(' ');

describe('words', () => {
  test('both_languages_say_the_same_things', () => {
    const english = new Map(texts(en));
    for (const [key, chinese] of texts(zh)) {
      expect(english.get(key), key).toBeTruthy();
      expect(holes(english.get(key)!), key).toBe(holes(chinese));
    }
    expect(english.size).toBe(texts(zh).length);
  });

  test('every_reason_that_a_camera_can_be_offline_for_is_told_in_chinese', () => {
    const table = /reasons\[\] = \{(.*?)\n\};/s.exec(session)![1]!;
    const body = /find_reason\([^)]*\)\n\{(.*?)\n\}/s.exec(strays)![1]!;
    const texts = [...table.matchAll(/,\s*((?:"[^"]*"\s*)+)\}/g), ...body.matchAll(/return\s+((?:"[^"]*"\s*)+);/g)];
    const reasons = texts.map((found) => found[1]!.replace(/"\s*"|^"|"\s*$/g, ''));
    expect(reasons.length).toBeGreaterThan(20);
    for (const reason of reasons) expect(reasonIn('zh-CN', reason), reason).toMatch(/[\u4e00-\u9fff]/);
  });

  test('every_reason_that_a_camera_can_be_degraded_for_is_told_in_chinese', () => {
    const formats = [...vitals.matchAll(/snprintf\([^"]*((?:"[^"]*"\s*)+)/g)].map((found) => found[1]!.replace(/"\s*"|^"|"\s*$/g, ''));
    expect(formats.length).toBeGreaterThan(5);
    for (const format of formats) {
      const reason = format.replace('%%', '%').replace(/%[.\d]*[fd]/g, '12.5').replace('%s', 'hours');
      const told = reasonIn('zh-CN', reason);
      expect(told, reason).toMatch(/[\u4e00-\u9fff]/);
      expect(told).not.toMatch(/\{|hours/);
      if (format.includes('%.')) expect(told).toContain('12.5');
    }
  });

  test('every_reason_that_the_shared_index_can_be_degraded_for_is_told_in_chinese', () => {
    const sentences = [...feeder.matchAll(/^static const char \w+\[\] =\s*"([^"]*)";/gm)].map((found) => found[1]!);
    expect(sentences.length).toBe(5);
    for (const reason of sentences) expect(reasonIn('zh-CN', reason), reason).toMatch(/[\u4e00-\u9fff]/);
  });

  test('every_kind_of_event_has_a_name_and_every_fault_says_what_to_do', () => {
    const known = [.../kinds\[[A-Z_]*\] = \{([^}]*)\}/.exec(kinds)![1]!.matchAll(/"([^"]+)"/g)].map((found) => found[1]!);
    expect(eventKinds).toEqual(known);
    for (const kind of known) expect((zh.kind as Tree)[kind], kind).toBeTruthy();
    expect(Object.keys(zh.fault).sort()).toEqual(known.filter((kind) => kind !== 'motion').sort());
  });

  test('every_cause_of_a_gap_is_told_in_words', () => {
    const known = [...causes.matchAll(/\[GW_GAP_[A-Z_]+\] = "([^"]+)"/g)].map((found) => found[1]!).filter((cause) => cause !== 'none');
    expect(known.length).toBeGreaterThan(10);
    expect(Object.keys((zh.gap as Tree).cause!).sort()).toEqual(known.sort());
  });

  test('chinese_texts_are_chinese', () => {
    const plain = new Set(['detail.utc', 'clip.info', 'nav.language', 'queue.row']);
    for (const [key, text] of texts(zh)) if (!plain.has(key)) expect(text, key).toMatch(/[\u4e00-\u9fff]/);
  });
});
