/** Where the phone is, if it knows quickly. No tap ever waits for it. */
import { signal } from '@preact/signals';
import type { Position } from '../shared/types';

/** A fix older than this says where the ranger was, not where he is. */
const FRESH_MS = 2 * 60_000;
export const WAIT_MS = 5000;

export interface Fix extends Position {
  /** Device time. */
  takenAt: number;
}

export const here = signal<Fix | null>(null);
export const gpsProblem = signal(false);

const toFix = ({ coords }: GeolocationPosition): Fix => ({
  at: { lat_deg: coords.latitude, lon_deg: coords.longitude },
  accuracy_m: Math.round(coords.accuracy),
  takenAt: Date.now(),
});

let watching: number | undefined;

/** Watches only while there is somewhere to go: a fix costs battery. */
export function watch(on: boolean): void {
  if (!('geolocation' in navigator)) {
    gpsProblem.value = true;
    return;
  }
  if (on && watching === undefined) {
    watching = navigator.geolocation.watchPosition(
      (position) => {
        here.value = toFix(position);
        gpsProblem.value = false;
      },
      (error) => (gpsProblem.value = error.code === error.PERMISSION_DENIED),
      { enableHighAccuracy: true, maximumAge: 15_000 },
    );
  } else if (!on && watching !== undefined) {
    navigator.geolocation.clearWatch(watching);
    watching = undefined;
  }
}

export function known(): Position | null {
  const fix = here.peek();
  return fix && Date.now() - fix.takenAt < FRESH_MS ? { at: fix.at, accuracy_m: fix.accuracy_m } : null;
}

/** A position within five seconds, or none. */
export function soon(): Promise<Position | null> {
  return new Promise((resolve) => {
    if (!('geolocation' in navigator)) return resolve(null);
    setTimeout(() => resolve(null), WAIT_MS);
    navigator.geolocation.getCurrentPosition(
      (position) => {
        const { at, accuracy_m } = toFix(position);
        resolve({ at, accuracy_m });
      },
      () => resolve(null),
      { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: FRESH_MS },
    );
  });
}
