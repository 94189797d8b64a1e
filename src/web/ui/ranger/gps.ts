/** Where the phone is, if it knows quickly. No tap ever waits for it. */
import { signal } from '@preact/signals';
import { elapsed, serverNow } from '../shared/clock';
import type { LatLon, Position } from '../shared/types';

/** A fix older than this says where the ranger was, not where he is. */
const FRESH_MS = 2 * 60_000;
export const WAIT_MS = 5000;

export interface Fix {
  at: LatLon;
  accuracy_m: number;
  /** How old it was when it came: a position handed out again from a cache is as old as it was. */
  ageMs: number;
  /** When it came, on the clock that cannot be set and on the one that runs while the phone sleeps. */
  cameAt: { elapsed: number; wall: number };
}

export const here = signal<Fix | null>(null);
export const gpsProblem = signal(false);

const toFix = ({ coords, timestamp }: GeolocationPosition): Fix => ({
  at: { lat_deg: coords.latitude, lon_deg: coords.longitude },
  accuracy_m: Math.round(coords.accuracy),
  ageMs: Math.min(Math.max(0, Date.now() - timestamp), FRESH_MS),
  cameAt: { elapsed: elapsed(), wall: Date.now() },
});

/** By the clock that says more: a clock set back makes nothing younger, and one that stood while the phone slept neither. */
export const ageOf = ({ ageMs, cameAt }: Fix): number => ageMs + Math.max(elapsed() - cameAt.elapsed, Date.now() - cameAt.wall);

/** On the clock of the tap, which is the server's as the phone knows it: a phone that is wrong by an hour measures no older. */
export const toPosition = (fix: Fix, now = serverNow()): Position => ({
  at: fix.at,
  accuracy_m: fix.accuracy_m,
  measured_at: new Date(now - ageOf(fix)).toISOString(),
});

const isFresh = (fix: Fix): boolean => ageOf(fix) < FRESH_MS;

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
  return fix && isFresh(fix) ? toPosition(fix) : null;
}

/** A position within five seconds, else the last one however old, which says so itself; or none. */
export function soon(): Promise<Position | null> {
  const last = (): Position | null => here.peek() && toPosition(here.peek()!);
  return new Promise((resolve) => {
    if (!('geolocation' in navigator)) return resolve(null);
    setTimeout(() => resolve(last()), WAIT_MS - 100);
    navigator.geolocation.getCurrentPosition(
      (position) => {
        here.value = toFix(position);
        resolve(toPosition(here.value));
      },
      () => resolve(last()),
      { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: FRESH_MS },
    );
  });
}
