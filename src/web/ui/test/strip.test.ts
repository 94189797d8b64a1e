import { describe, expect, it } from 'vitest';
import { curve, firstShown, fromAlarm, stepped } from '../office/strip';
import type { StripFrame } from '../shared/types';

/** Pictures every ten seconds from three minutes before the alarm to a minute after it. */
const frames = (alarm = 18, count = 25): StripFrame[] =>
  Array.from({ length: count }, (_, n) => ({
    picture: `p${n}`,
    captured_at: new Date(Date.UTC(2026, 3, 5, 6, 0, 10 * n)).toISOString(),
    stream: 'screened',
    is_evidence: n === alarm,
    score: n > alarm - 3 ? 0.8 : null,
    bbox: null,
  }));

describe('the player of a strip', () => {
  it('begins two seconds of play before the alarm', () => {
    expect(firstShown(frames())).toBe(14);
    expect(firstShown(frames(1, 4))).toBe(0);
    expect(firstShown(frames(-1, 4))).toBe(0);
  });

  it('steps round at both ends', () => {
    expect([stepped(24, 1, 25), stepped(0, -1, 25), stepped(3, 1, 25), stepped(0, 1, 0)]).toEqual([0, 24, 4, 0]);
  });

  it('says how long before or after the alarm a picture was taken', () => {
    const all = frames();
    expect([fromAlarm(all, 0), fromAlarm(all, 18), fromAlarm(all, 24), fromAlarm(all, 99)]).toEqual([-180, 0, 60, 0]);
  });

  it('draws the score over time, low where nothing was seen, with the alarm at its time', () => {
    const { points, at, evidence } = curve(frames());
    expect([at[0], at[24], evidence]).toEqual([0, 100, 75]);
    expect(points.startsWith('0.0,100.0 ')).toBe(true);
    expect(points.endsWith(' 100.0,20.0')).toBe(true);
    expect(curve([]).points).toBe('');
  });
});
