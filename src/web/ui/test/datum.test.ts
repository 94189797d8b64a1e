import { describe, expect, it } from 'vitest';
import { toGcj02, toWgs84 } from '../shared/datum';
import { distanceM } from '../shared/geo';

const yuanling = { lat_deg: 28.4526, lon_deg: 110.3938 };

describe('coordinate systems', () => {
  it('shifts to GCJ-02 by the 602 m known for Yuanling', () => {
    expect(distanceM(yuanling, toGcj02(yuanling))).toBeGreaterThan(590);
    expect(distanceM(yuanling, toGcj02(yuanling))).toBeLessThan(615);
  });

  // The figures of the library gcoord.
  it('finds the way back from what Baidu shows', () => {
    const beijing = { lat_deg: 39.914266, lon_deg: 116.403988 };
    expect(distanceM(toWgs84('bd09', { lat_deg: 39.92196580126834, lon_deg: 116.41661560068297 }), beijing)).toBeLessThan(0.5);
    expect(distanceM(toWgs84('gcj02', toGcj02(yuanling)), yuanling)).toBeLessThan(0.01);
    expect(toWgs84('wgs84', yuanling)).toEqual(yuanling);
  });
});
