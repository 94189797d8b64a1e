import { afterEach, describe, expect, it } from 'vitest';
import { arrival, away, evidenceLine, headlineEvidence } from '../shared/describe';
import { destination, distanceM, sectorDistanceM } from '../shared/geo';
import { lang } from '../shared/lang';
import { anchor, direct, fixCoordinates, fromFireM, goal, isPlace, where } from '../shared/where';
import { bearingFix, incident, sighting } from './incidents';
import type { Fix, Sector, Sighting } from '../shared/types';

afterEach(() => void (lang.value = 'zh'));
const sector = bearingFix.spread as Sector;
const mast = sector.apex;
const bearing = incident('b', { fix: bearingFix, sightings: [{ ...sighting('cam', 0.8), locus: sector }] });
const unaimed: Sighting = { ...sighting('cam', 0.8), locus: { shape: 'unaimed', apex: mast, far_m: 6000 } };
const place = (radius_m: number): Fix => ({ centre: { lat_deg: 28.123456, lon_deg: 110.654321 }, radius_m, method: 'triangulated' });

describe('a bearing without a range', () => {
  it.each(['zh', 'en'] as const)('shows no coordinates and no distance in %s', (language) => {
    lang.value = language;
    expect(isPlace(bearing.fix)).toBe(false);
    expect(fixCoordinates(bearing.fix)).toBeNull();
    for (const said of [where(bearing), headlineEvidence(bearing)]) {
      expect(said).not.toMatch(/\d{2,3}\.\d{2,}, /);
      expect(said).not.toMatch(/约|~/);
    }
  });

  it('is said as what the camera knows', () => {
    expect(where(bearing)).toBe('方位 023°，距离未知（0.2–8公里）');
    lang.value = 'en';
    expect(where(bearing)).toBe('bearing 023°, range unknown (0.2–8 km)');
    expect(evidenceLine(bearing.sightings[0]!, bearing.fix)).toBe('cam 023°, range unknown, score 0.80');
  });

  it('leads to the mast, never to the middle of the line, and stands near it on the map', () => {
    expect(goal(bearing)).toEqual({ to: 'mast', at: mast, name: 'cam' });
    expect(distanceM(mast, anchor(bearing))).toBeLessThan(1500);
  });

  it('takes the narrowest camera where the fix itself has no shape', () => {
    const { spread: _, ...bare } = bearingFix;
    expect(direct({ ...bare }, [sighting('x', 0.9)])).toBe('方位 042°，距离未知（4–8公里）');
  });
});

describe('other fixes', () => {
  it('say bearing and range when the range is measured', () => {
    const fix: Fix = { ...bearingFix, method: 'ranged', radius_m: 400, spread: { ...sector, near_m: 3100, far_m: 3900, range: 'terrain' } };
    expect(where({ fix, sightings: [] })).toMatch(/^方位 023°，测距 3\.1–3\.9公里\u200228\.534, 110\.317 ±400米$/);
  });

  it('say that the direction is not known, and lead to the mast', () => {
    const it = incident('u', { fix: { centre: mast, radius_m: 6000, method: 'unaimed' }, sightings: [unaimed] });
    expect(where(it)).toBe('方位不明');
    expect(goal(it)).toMatchObject({ to: 'mast', at: mast });
  });

  it.each([
    [149, '28.1235, 110.6543'],
    [150, '28.123, 110.654'],
    [1499, '28.123, 110.654'],
    [1500, '28.12, 110.65'],
  ])('with a radius of %d m have the digits of %s', (radius, said) => expect(fixCoordinates(place(radius))).toBe(said));
});

describe('from the fire', () => {
  it('is measured from where it may be, not from a middle', () => {
    expect(fromFireM(destination(mast, 23, 3000), bearing)).toBe(0);
    expect(fromFireM(destination(mast, 23, 9000), bearing)).toBeCloseTo(1000, -1);
    expect(sectorDistanceM(destination(mast, 113, 500), sector)).toBeGreaterThan(400);
    const fix = place(400);
    expect(fromFireM(destination(fix.centre, 90, 1000), { fix, sightings: [] })).toBeCloseTo(600, 0);
  });

  it('is a claim with its reason when it is not proven', () => {
    expect(away(0)).toBe('在可能着火范围内');
    expect(arrival({ distance_m: 1230, unproven: 'far' })).toBe('声称到达（太远，距可能着火范围约1.2公里）');
    expect(arrival({ distance_m: null, unproven: 'no_position' })).toBe('声称到达（无定位）');
    expect(arrival({ distance_m: 120, unproven: null })).toBe('距可能着火范围约120米');
  });
});
