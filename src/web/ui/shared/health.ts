/** Pure: what can be said of cameras and of the program's parts. */
import type { Board, Camera } from './types';

/** Those whose picture would show a smoke. One that only starts has shown nothing yet. */
const SEES: ReadonlySet<Camera['health']> = new Set(['ok', 'late', 'moved', 'resized']);

export const isBlind = ({ health }: Pick<Camera, 'health'>): boolean => !SEES.has(health);

/** Parts that are not well. Cameras are counted one by one where any is blind. */
export function unwell({ health, cameras }: Pick<Board, 'health' | 'cameras'>): Board['health'] {
  const blind = cameras.some(isBlind);
  return health.filter(({ part, ok }) => !ok && !(part === 'cameras' && blind));
}
