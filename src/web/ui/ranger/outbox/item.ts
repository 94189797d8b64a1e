/** Pure: what a tap becomes, in which order taps leave the phone, and what each answer means. */
import type { Mine, Position, Time } from '../../shared/types';

export type Kind = 'acknowledge' | 'decline' | 'arrive' | 'report' | 'photo';

/** Immutable but for delivery marks: what was tapped is what is sent. */
export interface Item {
  /** Idempotency key: the server takes it once, however often it is sent. */
  key: string;
  seq: number;
  kind: Kind;
  incident: string;
  place: string;
  /** Server time as the phone knew it at the tap. */
  happenedAt: Time;
  body: Record<string, unknown>;
  photo?: Blob;
  position: Position | null;
  /** Device time until which sending may wait for a position; a tap itself never waits. */
  holdUntil: number;
  attempts: number;
  /** Why the server will not have it; it stays until the ranger decides. */
  refused: string | null;
  /** Device time of delivery, for the records page. */
  deliveredAt: number | null;
}

export type Outcome = 'delivered' | 'later' | 'signed-out' | 'refused';

/** 409 means "already so": as good as delivered. Only a plain refusal of this very item lets the next one pass. */
export function outcomeOf(status: number): Outcome {
  if ((status >= 200 && status < 300) || status === 409) return 'delivered';
  if (status === 401) return 'signed-out';
  if (status === 0 || status === 408 || status === 425 || status === 429 || status >= 500) return 'later';
  return 'refused';
}

const RETRY_MS = [0, 2000, 5000, 15_000];
const RETRY_ON_MS = 30_000;

/** How long to wait after so many failures in a row. */
export const pause = (failures: number): number => RETRY_MS[failures] ?? RETRY_ON_MS;

export const pending = (items: readonly Item[]): Item[] => items.filter((item) => item.deliveredAt === null && item.refused === null);

/** Words before pictures, each in the order of the taps: an acknowledgement of 1 kB never queues behind a photo. */
export function inOrder(items: readonly Item[]): Item[] {
  return pending(items).sort((a, b) => Number(a.kind === 'photo') - Number(b.kind === 'photo') || a.seq - b.seq);
}

/** `asked`: may go instead; `told`: be watchful or ready; `heard`: has said so, and is not sent. */
export type Step = 'new' | 'acknowledged' | 'arrived' | 'reported' | 'closed' | 'declined' | 'asked' | 'told' | 'heard';
const rank: Step[] = ['new', 'acknowledged', 'arrived', 'reported'];
const stepOf: Record<Kind, Step | null> = { acknowledge: 'acknowledged', arrive: 'arrived', report: 'reported', decline: 'declined', photo: null };
const served: Record<string, Step> = { needs_review: 'new', dispatched: 'new', acknowledged: 'acknowledged', arrived: 'arrived', reported: 'reported', closed: 'closed' };

export interface Staged {
  id: string;
  state: string;
  dispatch: { declined: string | null; claimed?: unknown } | null;
  /** Absent in what an older page kept: then it was dispatched to this ranger. */
  mine?: Mine;
  answered_at?: Time | null;
}

/** The stage the ranger sees: the server's, or further on by what he already tapped. */
export function stageOf(incident: Staged, items: readonly Item[]): Step {
  let stage = served[incident.state] ?? 'new';
  if (stage === 'closed') return stage;
  const own = pending(items).filter((item) => item.incident === incident.id);
  if (incident.mine === 'asked' || incident.mine === 'told') {
    const heard = own.some((item) => item.kind === 'acknowledge') || (incident.mine === 'told' && !!incident.answered_at);
    return heard ? 'heard' : incident.mine;
  }
  if (incident.dispatch?.declined) stage = 'declined';
  // An arrival that its position did not prove stops no clock of the office's, and no ranger from reporting.
  if (incident.dispatch?.claimed && rank.indexOf(stage) < rank.indexOf('arrived')) stage = stage === 'declined' ? stage : 'arrived';
  for (const item of own) {
    const next = item.body['interim'] === true ? 'arrived' : stepOf[item.kind];
    if (next === 'declined') stage = 'declined';
    else if (next && rank.indexOf(next) > rank.indexOf(stage)) stage = next;
  }
  return stage;
}
