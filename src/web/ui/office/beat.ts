/** Pure: which tone is due at a tick. What could not be heard is not remembered as told. */

export type Tone = 'lost' | 'new' | 'failed' | 'overdue' | 'soft';

export interface Scene {
  /** Server time, milliseconds. */
  t: number;
  /** Nothing is heard of the server. */
  lost: boolean;
  /** Incidents that nobody has looked at. */
  waiting: readonly string[];
  /** People whom no message reached. */
  unreached: readonly string[];
  late: number;
  /** Cameras that are not well. */
  ailing: number;
}

export interface Told {
  lostAt: number | null;
  newAt: number;
  overdueAt: number;
  waiting: readonly string[];
  unreached: readonly string[];
  /** Before the first look nobody knows how many there were. */
  ailing: number | null;
}

export const untold: Told = { lostAt: null, newAt: 0, overdueAt: 0, waiting: [], unreached: [], ailing: null };

const REPEAT_LOST_MS = 20_000;
const REPEAT_NEW_MS = 20_000;
const REPEAT_OVERDUE_MS = 60_000;

export function beat(told: Told, { t, lost, waiting, unreached, late, ailing }: Scene): { tone: Tone | null; told: Told } {
  const unheard = (now: readonly string[], before: readonly string[]): boolean => now.some((it) => !before.includes(it));
  const due = (): Tone | null => {
    if (lost && (told.lostAt === null || t - told.lostAt >= REPEAT_LOST_MS)) return 'lost';
    // Something just arrived: at once, not at the next repeat.
    if (unheard(waiting, told.waiting)) return 'new';
    if (unheard(unreached, told.unreached)) return 'failed';
    if (waiting.length > 0 && t - told.newAt >= REPEAT_NEW_MS) return 'new';
    if (late > 0 && t - told.overdueAt >= REPEAT_OVERDUE_MS) return 'overdue';
    return told.ailing !== null && ailing > told.ailing ? 'soft' : null;
  };
  const tone = due();
  // One tone a tick: the others keep their turn.
  const heard = (which: Tone, now: readonly string[], before: readonly string[]): readonly string[] => (tone === which ? now : now.filter((it) => before.includes(it)));
  return {
    tone,
    told: {
      lostAt: tone === 'lost' ? t : lost ? told.lostAt : null,
      newAt: tone === 'new' ? t : told.newAt,
      overdueAt: tone === 'overdue' ? t : told.overdueAt,
      waiting: heard('new', waiting, told.waiting),
      unreached: heard('failed', unreached, told.unreached),
      ailing: tone === null || tone === 'soft' ? ailing : told.ailing,
    },
  };
}
