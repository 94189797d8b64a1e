/** The server's clock on this page. Deadlines follow it, never the computer's own. */
import { signal } from '@preact/signals';
import { ms } from './time';
import type { Time } from './types';

const KEY = 'huoyan.clock';

function remembered(): number {
  try {
    return Number(localStorage.getItem(KEY)) || 0;
  } catch {
    return 0;
  }
}

/** Milliseconds of a clock that nobody can set: for durations. */
export const elapsed = (): number => performance.now();

let offsetMs = remembered();

/** Clocks this near do: nobody acts differently on half a minute, and limits are minutes. */
const APART_MS = 30_000;

/** Milliseconds the server's clock is ahead of this device's; null while they agree, or before the first answer of this visit. */
export const apart = signal<number | null>(null);

/** Pure: what an answer proves of two clocks. Half of its travel time is not known, so it proves nothing of a smaller difference. */
export const provenApart = (aheadMs: number, tookMs: number): number | null => (Math.abs(aheadMs) - tookMs / 2 > APART_MS ? aheadMs : null);

/** Server time as best known, milliseconds. Without any contact yet: the offset of the last visit, else the device's clock. */
export const serverNow = (): number => Date.now() + offsetMs;

/** Ticks once a second; read it in a component to have its clocks run. */
export const now = signal(serverNow());

/** Takes the server's time from an answer; `tookMs` is how long the request took, so half the way is accounted for. */
export function learn(time: Time, tookMs: number): void {
  offsetMs = ms(time) + tookMs / 2 - Date.now();
  now.value = serverNow();
  apart.value = provenApart(offsetMs, tookMs);
  try {
    localStorage.setItem(KEY, String(Math.round(offsetMs)));
  } catch {
    // Private mode: the offset is learnt again at the next answer.
  }
}

/** Each tick lands just after the full server second, so all clocks of a page turn together. */
export function startTicking(): void {
  const tick = (): void => {
    now.value = serverNow();
    setTimeout(tick, 1000 - (((serverNow() % 1000) + 1000) % 1000) + 5);
  };
  tick();
}
