/** Pure: what the wall says. Green means that a fire would be seen and somebody told, so it is the last thing to be said. */
import { isBlind, unwell } from '../shared/health';
import { isCall } from '../shared/incident';
import type { Board, Incident } from '../shared/types';

/** `lost`: no call, but what is shown may be old. `unwell`: no call, but something does not work. */
export type Tone = 'alarm' | 'lost' | 'unwell' | 'calm';

export interface WallState {
  tone: Tone;
  waiting: Incident[];
  blind: number;
  cameras: number;
  /** Names of the parts that are not well. */
  parts: string[];
}

export interface Seen {
  board: Board | null;
  /** In the order of the desk. */
  queue: readonly Incident[];
  stale: boolean;
  /** The last read of the board failed. */
  failing: boolean;
  now: number;
}

export function wallState({ board, queue, stale, failing, now }: Seen): WallState {
  const waiting = queue.filter((it) => isCall(it, now));
  const blind = board?.cameras.filter(isBlind).length ?? 0;
  const parts = board ? unwell(board).map(({ part }) => part) : [];
  const tone = (): Tone => {
    // A dead line or a failing read takes the calm away, never the alarm.
    if (waiting.length > 0) return 'alarm';
    if (stale || failing || !board) return 'lost';
    return blind > 0 || parts.length > 0 ? 'unwell' : 'calm';
  };
  return { tone: tone(), waiting, blind, cameras: board?.cameras.length ?? 0, parts };
}
