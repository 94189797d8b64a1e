/** Pure: what can be said of cameras and of the program's parts. */
import { ms } from './time';
import type { Board, Camera } from './types';

/** Those whose picture would show a smoke. One that only starts has shown nothing yet. */
const SEES: ReadonlySet<Camera['health']> = new Set(['ok', 'late', 'moved', 'resized']);

export const isBlind = ({ health }: Pick<Camera, 'health'>): boolean => !SEES.has(health);

/** Seconds until the model has a picture of this view from before to compare with, and sees as well as it can; null: it has. */
export const learningS = ({ learning_until }: Pick<Camera, 'learning_until'>, now: number): number | null => {
  const left = learning_until == null ? 0 : Math.ceil((ms(learning_until) - now) / 1000);
  return left > 0 ? left : null;
};

/** Parts that are not well. Cameras are counted one by one where any is blind. */
export function unwell({ health, cameras }: Pick<Board, 'health' | 'cameras'>): Board['health'] {
  const blind = cameras.some(isBlind);
  return health.filter(({ part, ok }) => !ok && !(part === 'cameras' && blind));
}
