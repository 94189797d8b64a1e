/** When the desk makes itself heard. Silence is never an acknowledgement: muting ends by itself after a minute. */
import { computed, effect, signal } from '@preact/signals';
import { board, queue } from '../shared/board';
import { now, serverNow } from '../shared/clock';
import { eyes, groupOf, isLabelled } from '../shared/incident';
import { audible, playNew, playOverdue, playSoft, unlock } from '../shared/sound';
import { selectedId } from './desk';
import type { Incident } from '../shared/types';

const REPEAT_NEW_MS = 20_000;
const REPEAT_OVERDUE_MS = 60_000;
const MUTE_MS = 60_000;
const SEEN_KEY = 'huoyan.seen';

export const onShift = signal(false);
export const soundWanted = signal(true);
const mutedUntil = signal(0);
export const muteLeftMs = computed(() => Math.max(0, mutedUntil.value - now.value));

/** An incident counts as opened for the eyes it had; a further camera or satellite makes it new again. */
const sight = (incident: Incident): string => `${incident.id}:${eyes(incident)}`;
const seen = signal<ReadonlySet<string>>(new Set(readSeen()));

function readSeen(): string[] {
  try {
    return JSON.parse(sessionStorage.getItem(SEEN_KEY) ?? '[]') as string[];
  } catch {
    return [];
  }
}

const fresh = (incident: Incident): boolean =>
  (incident.state === 'needs_review' || incident.state === 'dispatched') && !seen.value.has(sight(incident));

/** What is only labelled is told with a digest: it is marked new, and makes no sound. */
export const unseen = computed(() => queue.value.filter((it) => fresh(it) && !isLabelled(it)));
export const isUnseen = (incident: Incident): boolean => fresh(incident);
export const overdue = computed(() => queue.value.filter((incident) => groupOf(incident, now.value) === 'overdue'));

export async function startShift(): Promise<void> {
  onShift.value = true;
  soundWanted.value = true;
  await unlock();
  playNew();
}

export const mute = (): void => void (mutedUntil.value = serverNow() + MUTE_MS);

export function startAlarm(): void {
  effect(() => {
    const incident = board.value?.incidents.find((it) => it.id === selectedId.value);
    if (!incident || seen.peek().has(sight(incident))) return;
    seen.value = new Set(seen.peek()).add(sight(incident));
    try {
      sessionStorage.setItem(SEEN_KEY, JSON.stringify([...seen.value].slice(-500)));
    } catch {
      // Without storage a reload asks for one more look.
    }
  });

  let [newAt, overdueAt, lost] = [0, 0, -1];
  let known: readonly string[] = [];
  effect(() => {
    const t = now.value;
    const waiting = unseen.value.map(sight);
    const late = overdue.value.length;
    const notOk = board.value?.cameras.filter((camera) => camera.health !== 'ok' && camera.health !== 'starting').length ?? 0;
    if (!onShift.value || !soundWanted.value || !audible.value || muteLeftMs.value > 0) return;
    // Something just arrived: sound at once, not at the next beat.
    const arrived = waiting.some((it) => !known.includes(it));
    if (arrived || (waiting.length > 0 && t - newAt >= REPEAT_NEW_MS)) {
      newAt = t;
      playNew();
    } else if (late > 0 && t - overdueAt >= REPEAT_OVERDUE_MS) {
      overdueAt = t;
      playOverdue();
    } else if (lost >= 0 && notOk > lost) playSoft();
    known = waiting;
    lost = notOk;
  });
}
