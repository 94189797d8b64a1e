/** From a plume's share of the picture's width to metres on the ground. */
import type { Camera, SelfTest } from '../shared/types';

export const distancesKm = [1, 3, 5] as const;

/** Width in metres of what fills `share` of the picture's width at `km`, rounded as a person would say it. */
export function metres(share: number, fieldOfViewDeg: number, km: number): number {
  const exact = 2 * km * 1000 * Math.tan((share * fieldOfViewDeg * Math.PI) / 360);
  return exact < 20 ? Math.round(exact) : exact < 200 ? Math.round(exact / 5) * 5 : Math.round(exact / 50) * 50;
}

export const percentOf = (share: number): string => `${Math.round(share * 1000) / 10}%`;

/** Of the cadences since the start, how many brought a look: never rounded up to all. Null while none was missed. */
export const onTime = ({ slots_met, slots_missed }: Camera): string | null =>
  slots_missed === 0 ? null : `${Math.floor((slots_met * 1000) / (slots_met + slots_missed)) / 10}%`;

/** What an office may confirm: the picture is right as it is now. */
export const acceptable = (camera: Camera): boolean => camera.health === 'moved' || camera.health === 'resized' || camera.health === 'blurred';

export const testOf = (tests: readonly SelfTest[], camera: string): SelfTest | null => tests.find((test) => test.camera === camera) ?? null;

/** The smallest plume seen at either scale, as a share of the picture's width; null: none was. */
export function smallestOf({ whole, tile }: NonNullable<SelfTest['last']>): number | null {
  const seen = [whole.smallest, tile?.smallest].filter((it) => it != null);
  return seen.length === 0 ? null : Math.min(...seen);
}
