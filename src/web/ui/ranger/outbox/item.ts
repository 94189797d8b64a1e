/** Pure: what a tap becomes, in which order taps leave the phone, and what each answer means. */
import type { Mine, Position, Time } from '../../shared/types';

export type Kind = 'acknowledge' | 'decline' | 'arrive' | 'report' | 'photo' | 'support';

/** Immutable but for delivery marks: what was tapped is what is sent. A draft may change until the ranger sends it. */
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
  attempts: number;
  /** Why the server will not have it; it stays until the ranger decides. */
  refused: string | null;
  /** Server time of delivery as the phone knew it, for the records page. */
  deliveredAt: number | null;
  /** A report being written, and its photos: kept like everything else, sent only when the ranger says so. */
  draft?: boolean;
}

export type Outcome = 'delivered' | 'later' | 'refused' | 'new-key';

/**
 * A 409 says by its code whether the matter is over, whether the key stands for something else, or whether to try again: what is
 * not known to be settled is sent again. Signed out, everything waits for the next login.
 */
export function outcomeOf(status: number, code = ''): Outcome {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 409) return conflicts[code] ?? 'later';
  if (status === 0 || status === 401 || status === 408 || status === 425 || status === 429 || status >= 500) return 'later';
  return 'refused';
}
const conflicts: Record<string, Outcome> = { closed: 'delivered', not_now: 'refused', key_reused: 'new-key' };

const RETRY_MS = [0, 2000, 5000, 15_000];
const RETRY_ON_MS = 30_000;

/** How long to wait after so many failures in a row. */
export const pause = (failures: number): number => RETRY_MS[failures] ?? RETRY_ON_MS;

export const pending = (items: readonly Item[]): Item[] => items.filter((item) => !item.draft && item.deliveredAt === null && item.refused === null);
/** What would be lost if the phone forgot it now. */
export const unsent = (items: readonly Item[]): Item[] => items.filter((item) => item.deliveredAt === null);

/** What leaves in order: the words about one incident, and its photos. Lanes never wait for another incident's. */
const laneOf = (item: Item): string => (item.kind === 'photo' ? `${item.incident} photos` : item.incident);
export const lanes = (items: readonly Item[]): string[] => [...new Set(pending(items).map(laneOf))];

/** What a lane sends next. Photos go when the words are through, first those that were tried least: one bad photo stops no other. */
export function next(items: readonly Item[], lane: string): Item | undefined {
  const waiting = pending(items);
  const own = waiting.filter((item) => laneOf(item) === lane);
  const [first] = own.sort((a, b) => (a.kind === 'photo' ? a.attempts - b.attempts : 0) || a.seq - b.seq);
  const wordsFirst = first?.kind === 'photo' && waiting.some((item) => item.incident === first.incident && item.kind !== 'photo');
  return wordsFirst ? undefined : first;
}

/** `asked`: may go instead; `told`: be watchful or ready; `heard`: has said so, and is not sent. */
export type Step = 'new' | 'acknowledged' | 'arrived' | 'reported' | 'closed' | 'declined' | 'asked' | 'told' | 'heard';
const rank: Step[] = ['new', 'acknowledged', 'arrived', 'reported'];
const stepOf: Record<Kind, Step | null> = { acknowledge: 'acknowledged', arrive: 'arrived', report: 'reported', decline: 'declined', photo: null, support: null };
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
