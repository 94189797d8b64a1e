/** Judging a strip of pictures: where its player begins, steps and loops, and the line of the score. */
import { ms } from '../shared/time';
import type { StripFrame } from '../shared/types';

/** Two pictures a second: as quick as an eye compares. */
export const PLAY_MS = 500;
/** The alarm is at stake, so the player begins so many pictures before it. */
const LEAD_IN = 4;
/** New pictures come for five minutes after an alarm; then the strip is whole. */
export const GROWS_MS = 6 * 60_000;
export const GROWS_EVERY_MS = 10_000;

const evidenceAt = (frames: readonly StripFrame[]): number => Math.max(0, frames.findIndex((it) => it.is_evidence));

export const firstShown = (frames: readonly StripFrame[]): number => Math.max(0, evidenceAt(frames) - LEAD_IN);

/** Forward from the last begins at the first, and back from the first at the last. */
export const stepped = (at: number, by: number, count: number): number => (count ? (((at + by) % count) + count) % count : 0);

export interface Curve {
  /** `x,y` pairs for a polyline, in parts of the whole: 0..100 to the right and down. */
  points: string;
  /** Where each picture is, to the right. */
  at: number[];
  evidence: number;
}

/** The score in the place over time; where nothing was seen it is 0. */
export function curve(frames: readonly StripFrame[]): Curve {
  const times = frames.map((it) => ms(it.captured_at));
  const from = times[0] ?? 0;
  const whole = Math.max(1, (times[times.length - 1] ?? 0) - from);
  const at = times.map((it) => ((it - from) / whole) * 100);
  const points = frames.map((it, i) => `${(at[i] ?? 0).toFixed(1)},${(100 * (1 - (it.score ?? 0))).toFixed(1)}`).join(' ');
  return { points, at, evidence: at[evidenceAt(frames)] ?? 0 };
}

/** Seconds from the alarm, with their sign. */
export function fromAlarm(frames: readonly StripFrame[], at: number): number {
  const [frame, evidence] = [frames[at], frames[evidenceAt(frames)]];
  return frame && evidence ? Math.round((ms(frame.captured_at) - ms(evidence.captured_at)) / 1000) : 0;
}
