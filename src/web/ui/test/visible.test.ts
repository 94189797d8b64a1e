import { describe, expect, it } from 'vitest';
import { metres, percentOf } from '../ops/visible';

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
