/** Pure: instants to words. County time is UTC+8 without summer time, whatever the computer is set to. */
import type { Time } from './types';

const COUNTY_OFFSET_MS = 8 * 3_600_000;
export const MINUTE_MS = 60_000;
/** "Due soon" from three minutes, or from the last fifth of the allowance when that is longer. */
const SOON_MS = 3 * MINUTE_MS;
const SOON_SHARE = 0.2;

export const ms = (time: Time): number => Date.parse(time);
const two = (n: number): string => String(n).padStart(2, '0');
const county = (at: number): Date => new Date(at + COUNTY_OFFSET_MS);

/** 14:07 */
export function hourMinute(at: number): string {
  const d = county(at);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

/** 14:07:32 */
export function clockTime(at: number): string {
  return `${hourMinute(at)}:${two(county(at).getUTCSeconds())}`;
}

export function monthDay(at: number): { month: number; day: number; year: number } {
  const d = county(at);
  return { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate() };
}

export function sameDay(a: number, b: number): boolean {
  return Math.floor((a + COUNTY_OFFSET_MS) / 86_400_000) === Math.floor((b + COUNTY_OFFSET_MS) / 86_400_000);
}

export type Urgency = 'fine' | 'soon' | 'overdue';

export interface Countdown {
  urgency: Urgency;
  /** `07:42`, `1:05:10`; overdue `+02:18`, `+1:05:10`. */
  text: string;
  leftMs: number;
}

/** How a deadline stands at `now`. A deadline reached exactly is passed. */
export function countdown(due: number, now: number, allowance?: number): Countdown {
  const leftMs = due - now;
  if (leftMs <= 0) return { urgency: 'overdue', text: `+${span(-leftMs)}`, leftMs };
  const soon = Math.max(SOON_MS, (allowance ?? 0) * SOON_SHARE);
  // Rounded up, so that 00:00 is only ever shown when the time has run out.
  return { urgency: leftMs <= soon ? 'soon' : 'fine', text: span(Math.ceil(leftMs / 1000) * 1000), leftMs };
}

/** `07:42`, from an hour on `1:05:10`. */
export function span(duration: number): string {
  const s = Math.floor(Math.max(0, duration) / 1000);
  const [h, m, sec] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  return h > 0 ? `${h}:${two(m)}:${two(sec)}` : `${two(m)}:${two(sec)}`;
}
