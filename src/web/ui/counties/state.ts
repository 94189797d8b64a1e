/** Pure: how a county stands at a glance, and what is said of all of them. */
import type { CountyLine, Overview } from './types';

/** `lost`: nothing is known of it. `late`: a limit was missed. `unwell`: something is not seen or does not work. */
export type Tone = 'lost' | 'late' | 'unwell' | 'open' | 'calm';

export function toneOf({ at_work: it }: Pick<CountyLine, 'at_work'>): Tone {
  if (!it) return 'lost';
  if (it.missed) return 'late';
  if (it.silent_cameras > 0 || it.unwell_edges > 0 || it.faults.length > 0) return 'unwell';
  return it.open > 0 ? 'open' : 'calm';
}

export interface Sum {
  counties: number;
  lost: number;
  late: number;
  open: number;
}

export function sumOf({ counties }: Pick<Overview, 'counties'>): Sum {
  const count = (tone: Tone): number => counties.filter((it) => toneOf(it) === tone).length;
  const open = counties.reduce((sum, it) => sum + (it.at_work?.open ?? 0), 0);
  return { counties: counties.length, lost: count('lost'), late: count('late'), open };
}
