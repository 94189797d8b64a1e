/** When the desk makes itself heard. Silence is never an acknowledgement: muting ends by itself after a minute. */
import { computed, effect, signal } from '@preact/signals';
import { board, brokenAt, problem, queue } from '../shared/board';
import { now, serverNow } from '../shared/clock';
import { eyes, groupOf, isCall, isLabelled, notReached } from '../shared/incident';
import { playFailed, playLost, playNew, playOverdue, playSoft } from '../shared/sound';
import { stale } from '../shared/stream';
import { beat, untold, type Tone } from './beat';
import { lookedAt } from './desk';
import { shift, sounding } from './shift';
import type { Incident } from '../shared/types';

const MUTE_MS = 60_000;
/** Time of failing reads after which the server counts as lost; a restart takes less. */
const FAILING_MAX_MS = 10_000;
const SEEN_KEY = 'huoyan.seen';

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
/** Whom no message reached, each person of an incident once. */
export const unreached = computed(() => queue.value.flatMap((it) => notReached(it).map(({ last }) => `${it.id}:${last.name || last.role}`)));

/** Nothing is heard of the server, or it no longer gives the board. */
export const lost = computed(() => stale.value || (problem.value !== null && now.value - brokenAt.value >= FAILING_MAX_MS));

/** Something should be heard and cannot be: then the page shouts. */
export const unheard = computed(
  () => !sounding.value && (shift.value?.sound === true || lost.value || unreached.value.length > 0 || queue.value.some((it) => isCall(it, now.value))),
);

export const mute = (): void => void (mutedUntil.value = serverNow() + MUTE_MS);

const play: Record<Tone, () => void> = { lost: playLost, new: playNew, failed: playFailed, overdue: playOverdue, soft: playSoft };

export function startAlarm(): void {
  effect(() => {
    const incident = board.value?.incidents.find((it) => it.id === lookedAt.value);
    if (!incident || seen.peek().has(sight(incident))) return;
    seen.value = new Set(seen.peek()).add(sight(incident));
    try {
      sessionStorage.setItem(SEEN_KEY, JSON.stringify([...seen.value].slice(-500)));
    } catch {
      // Without storage a reload asks for one more look.
    }
  });

  let told = untold;
  effect(() => {
    const scene = {
      t: now.value,
      lost: lost.value,
      waiting: unseen.value.map(sight),
      unreached: unreached.value,
      late: overdue.value.length,
      ailing: board.value?.cameras.filter(({ health }) => health !== 'ok' && health !== 'starting').length ?? 0,
    };
    if (!sounding.value || muteLeftMs.value > 0) return;
    const due = beat(told, scene);
    told = due.told;
    if (due.tone) play[due.tone]();
  });
}
