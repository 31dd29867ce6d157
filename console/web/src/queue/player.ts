// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Plays one clip around one event: begins shortly before it, follows a clip that is still recording,
// and puts failures into words. ClipPlayer.vue draws it.

import { onUnmounted, ref, watch, type Ref } from 'vue';

import { mediaStatus, mediaUrl } from '../api/client';
import type { Clip, GridEvent } from '../api/types';
import { startOffset } from '../lib/clip';
import { useSession } from '../state/session';

// Keys of the messages below `clip.` in i18n; '' while all is well.
export type Problem = '' | 'noneYet' | 'missing' | 'gone' | 'unreadable' | 'unreachable' | 'codec' | 'broken';

const askAgainMs = 3000; // while the first part is not on the disk yet, or the site is away
const rates = [1, 2, 4];

const passing: Problem[] = ['unreachable', 'unreadable'];

const byStatus: Record<number, Problem> = { 0: 'unreachable', 404: 'missing', 410: 'gone', 503: 'unreadable' };

// `beginUs` is the wall time to begin at; 0: shortly before the event.
export function usePlayer(
  video: Ref<HTMLVideoElement | null>,
  clip: Ref<Clip>,
  event: Ref<GridEvent>,
  beginUs: Ref<number>,
) {
  const src = ref('');
  const now = ref(0); // seconds within the clip
  const length = ref(0);
  const playing = ref(false);
  const atEnd = ref(false);
  const rate = ref(1);
  const problem = ref<Problem>('');

  let part = 0; // a clip that grew is another file to the browser, so its address has to differ
  let again: ReturnType<typeof setTimeout> | undefined;

  function load(at: number) {
    clearTimeout(again);
    now.value = at; // stays when the loading fails
    problem.value = '';
    atEnd.value = false;
    src.value = `${mediaUrl(clip.value.id)}?part=${++part}`;
  }

  const recordedSeconds = () => Math.max(0, (clip.value.end_us - clip.value.start_us) / 1e6);

  // What is told by an element that was just taken away comes too late.
  function measured() {
    const element = video.value;
    if (!element) return;
    length.value = Number.isFinite(element.duration) ? element.duration : recordedSeconds();
  }

  function ready() {
    const element = video.value;
    if (!element) return;
    measured();
    element.currentTime = Math.min(now.value, Math.max(0, length.value - 0.5));
    element.playbackRate = rate.value;
    start();
  }

  // A refusal needs no words: a failure comes as an error event, and where a browser does not play by
  // itself the play button stays.
  const start = () => void video.value?.play().catch(() => undefined);

  function toggle() {
    const element = video.value;
    if (!element || problem.value) return;
    if (atEnd.value) replay();
    else if (element.paused) start();
    else element.pause();
  }

  function seek(seconds: number) {
    const element = video.value;
    if (!element || !length.value) return;
    element.currentTime = Math.min(length.value, Math.max(0, seconds));
    atEnd.value = false;
  }

  function replay() {
    seek(startOffset(clip.value, event.value));
    start();
  }

  function faster() {
    rate.value = rates[(rates.indexOf(rate.value) + 1) % rates.length]!;
    if (video.value) video.value.playbackRate = rate.value;
  }

  function failed() {
    moved();
    playing.value = false;
    if (src.value) void explain(video.value?.error?.code === MediaError.MEDIA_ERR_NETWORK);
  }

  // What the site says of the clip decides what to tell, and whether to go on by itself. `cut`: the clip
  // is good, only its way here was not.
  async function explain(cut: boolean) {
    const asked = part;
    const status = await mediaStatus(clip.value.id);
    if (asked !== part) return;
    if (status === 401) useSession().over();
    if (status === 200 && cut) {
      again = setTimeout(() => load(now.value), 1000); // never at once: the next one may be cut too
      return;
    }
    problem.value = byStatus[status] ?? (clip.value.codec === 'h264' ? 'broken' : 'codec');
    if (passing.includes(problem.value)) {
      again = setTimeout(() => void explain(true), askAgainMs);
    } else if (clip.value.state === 'recording' && problem.value !== 'codec') {
      problem.value = 'noneYet';
      again = setTimeout(() => load(now.value), askAgainMs);
    }
  }

  // Told by the browser a few times a second, and asked where the exact place matters. A file that is
  // being changed stands at 0 until its length is known.
  function moved() {
    if (video.value?.readyState) now.value = video.value.currentTime;
  }

  watch(
    () => clip.value.id,
    () => load(startOffset(clip.value, event.value, beginUs.value)),
    { immediate: true },
  );
  // Closed now: the whole of it, from where the viewer is.
  watch(
    () => clip.value.state,
    (state, before) => {
      if (before !== 'recording' || state === 'recording') return;
      moved();
      load(now.value);
    },
  );
  onUnmounted(() => {
    clearTimeout(again);
    part++; // drops answers that are on their way
    video.value?.removeAttribute('src'); // ends the download
    video.value?.load();
  });

  const listeners = {
    loadedmetadata: ready,
    durationchange: measured,
    timeupdate: moved,
    play: () => ((playing.value = true), (atEnd.value = false)),
    pause: () => (playing.value = false),
    ended: () => (atEnd.value = true),
    error: failed,
  };
  return { src, now, length, playing, atEnd, rate, problem, listeners, load, toggle, seek, replay, faster };
}
