import { describe, expect, it } from 'vitest';
import { azimuthDeg, destination, distanceM, footprint, sector } from '../shared/geo';

const yuanling = { lat_deg: 28.4526, lon_deg: 110.3938 };

describe('places', () => {
  it('goes out and comes back', () => {
    const there = destination(yuanling, 42, 6300);
    expect(distanceM(yuanling, there)).toBeCloseTo(6300, 3);
    expect(azimuthDeg(yuanling, there)).toBeCloseTo(42, 6);
  });

  it('draws a cone from the camera and a ring segment when its near edge is known', () => {
    expect(sector(yuanling, 10, 3, 0, 5000)[0]).toEqual(yuanling);
    expect(sector(yuanling, 10, 3, 2000, 5000).every((p) => distanceM(yuanling, p) > 1999)).toBe(true);
  });

  it('draws a satellite pixel of the stated size', () => {
    const [nw, ne, se] = footprint(yuanling, 0.42, 0.38);
    expect(distanceM(nw!, ne!)).toBeCloseTo(420, -1);
    expect(distanceM(ne!, se!)).toBeCloseTo(380, -1);
  });
});
