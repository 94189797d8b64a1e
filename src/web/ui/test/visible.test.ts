import { describe, expect, it } from 'vitest';
import { learningS } from '../shared/health';
import { metres, onTime, percentOf } from '../ops/visible';
import type { Camera } from '../shared/types';

describe('the size of a plume', () => {
  it('grows with its distance and its share of the view', () => {
    for (const [share, fov, km, expected] of [
      [0.01, 60, 1, 10],
      [0.04, 60, 3, 125],
      [0.16, 60, 5, 850],
      [0.04, 30, 3, 65],
    ] as const)
      expect(metres(share, fov, km)).toBe(expected);
  });
  it('is written in percent', () => {
    expect([0.01, 0.125].map(percentOf)).toEqual(['1%', '12.5%']);
  });
});

describe('the share of looks in time', () => {
  const camera = (slots_met: number, slots_missed: number): Camera => ({ slots_met, slots_missed }) as Camera;
  it('is silent while none was missed, and never rounds a miss away', () => {
    expect(onTime(camera(0, 0))).toBeNull();
    expect(onTime(camera(12, 0))).toBeNull();
    expect(onTime(camera(9_999, 1))).toBe('99.9%');
    expect(onTime(camera(0, 4))).toBe('0%');
  });
});

describe('a camera that gets to know its view', () => {
  const now = Date.parse('2026-11-21T06:00:00Z');
  it('says the seconds that are left, and nothing when it is over', () => {
    expect(learningS({ learning_until: '2026-11-21T06:02:30.2Z' }, now)).toBe(151);
    expect(learningS({ learning_until: '2026-11-21T06:00:00Z' }, now)).toBeNull();
    expect(learningS({ learning_until: null }, now)).toBeNull();
  });
});
