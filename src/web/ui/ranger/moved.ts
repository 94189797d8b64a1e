/** 'The place was corrected': what this phone showed before and what it shows now, until the ranger has read it. */
import { signal } from '@preact/signals';
import { distanceM } from '../shared/geo';
import { isPlace } from '../shared/where';
import type { Fix, Place, RangerIncident } from '../shared/types';

const KEY = 'huoyan.places';
/** Nearer than this is the same place on foot; the server tells the ranger from the same distance on. */
const MOVED_M = 500;

export interface Seen {
  name: string;
  grid: string | null;
  fix: Fix;
}
export interface Move {
  from: Seen;
  to: Seen;
}
interface Memory {
  seen: Record<string, Seen>;
  moves: Record<string, Move>;
}

const seenOf = ({ place, fix }: { place: Place; fix: Fix }): Seen => ({ name: place.name, grid: place.grid, fix });

/** Pure: another grid or name, a bearing that became a place or the other way, or a place farther than an arrival may be off. */
export function differs(a: Seen, b: Seen, radiusM = MOVED_M): boolean {
  const placed = isPlace(a.fix) && isPlace(b.fix);
  return a.grid !== b.grid || a.name !== b.name || isPlace(a.fix) !== isPlace(b.fix) || (placed && distanceM(a.fix.centre, b.fix.centre) > radiusM);
}

/** Pure: what changed since the last look; what is over is forgotten. The oldest place not yet read stays the one before. */
export function watched({ seen, moves }: Memory, incidents: readonly Pick<RangerIncident, 'id' | 'state' | 'mine' | 'place' | 'fix'>[]): Memory {
  const next: Memory = { seen: {}, moves: {} };
  for (const it of incidents) {
    if (it.state === 'closed') continue;
    const [now, before, move] = [seenOf(it), seen[it.id], moves[it.id]];
    next.seen[it.id] = now;
    const from = move?.from ?? before;
    if (from && differs(from, now)) next.moves[it.id] = { from, to: now };
  }
  return next;
}

function remembered(): Memory {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Memory | null;
    return kept?.seen && kept.moves ? kept : { seen: {}, moves: {} };
  } catch {
    return { seen: {}, moves: {} };
  }
}

let memory = remembered();
export const moves = signal<Readonly<Record<string, Move>>>(memory.moves);

function keep(next: Memory): void {
  memory = next;
  moves.value = next.moves;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Private mode: the banner lasts as long as the page.
  }
}

export const watchPlaces = (incidents: readonly RangerIncident[]): void => keep(watched(memory, incidents));

/** The ranger has read it. */
export function readMove(id: string): void {
  const { [id]: _, ...others } = memory.moves;
  keep({ ...memory, moves: others });
}
