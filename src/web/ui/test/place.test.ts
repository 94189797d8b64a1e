import { describe, expect, it } from 'vitest';
import { gridAt, parsePlace, villageNamed, villagesOf } from '../shared/place';

describe('a place as people say it', () => {
  it.each([
    ['28.4526, 110.3938'],
    ['28.4526 110.3938'],
    ['28.4526，110.3938'],
    ['２８．４５２６　１１０．３９３８'],
    ['110.3938, 28.4526'],
    ['E110.3938 N28.4526'],
    ['北纬28.4526 东经110.3938'],
    ['东经110.3938度，北纬28.4526度'],
    ['28°27\'09.36"N 110°23\'37.68"E'],
    ['28°27′09.36″ 110°23′37.68″'],
    ['110°23′37.68″E, 28°27′09.36″N'],
    ['28度27分9.36秒，110度23分37.68秒'],
    ['28-27-09.36 110-23-37.68'],
    ["28°27.156' 110°23.628'"],
  ])('reads %s', (said) => {
    const place = parsePlace(said);
    expect(place?.lat_deg).toBeCloseTo(28.4526, 5);
    expect(place?.lon_deg).toBeCloseTo(110.3938, 5);
  });

  it('reads the other halves of the earth', () => expect(parsePlace('33°30′S 70°36′W')).toEqual({ lat_deg: -33.5, lon_deg: -70.6 }));

  it.each([[''], ['28.4526'], ['大坪村后山'], ['28 61 110 20'], ['28.45 110.39 300'], ['128.4, 210.3'], ['1 2 3 4 5 6 7 8']])('does not guess at "%s"', (said) =>
    expect(parsePlace(said)).toBeNull(),
  );
});

describe('the grid under a place', () => {
  const square = (x: number, y: number, size: number): GeoJSON.Position[] => [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]];
  const grids: GeoJSON.FeatureCollection = {
    type: 'FeatureCollection',
    features: [
      { type: 'Feature', properties: { code: 'G1', name: 'with a hole' }, geometry: { type: 'Polygon', coordinates: [square(0, 0, 10), square(4, 4, 2)] } },
      { type: 'Feature', properties: { code: 'G2' }, geometry: { type: 'MultiPolygon', coordinates: [[square(20, 0, 1)], [square(30, 0, 1)]] } },
    ],
  };
  it.each([
    [1, 1, 'with a hole'],
    [5, 5, null],
    [0.5, 30.5, 'G2'],
    [0.5, 25, null],
  ])('at %d, %d is %s', (lat_deg, lon_deg, name) => expect(gridAt({ lat_deg, lon_deg }, grids)).toBe(name));
});

describe('the village a caller names', () => {
  const grid = (township: string, village: string): GeoJSON.Feature => ({ type: 'Feature', properties: { township, village }, geometry: { type: 'Point', coordinates: [110, 28] } });
  const features = [grid('龙潭镇', '向阳村'), grid('龙潭镇', '向阳村'), grid('官庄镇', '向阳村'), grid('官庄镇', '大坪村'), grid('官庄镇', '')];
  const villages = villagesOf({ type: 'FeatureCollection', features });
  it('is listed once, with its township and its grids', () =>
    expect(Object.fromEntries(villages.map((it) => [it.name, it.grids]))).toEqual({ 龙潭镇向阳村: 2, 官庄镇向阳村: 1, 官庄镇大坪村: 1 }));
  it.each([
    ['龙潭镇向阳村', '龙潭镇向阳村'],
    [' 大坪村 ', '官庄镇大坪村'],
    ['向阳村', undefined],
    ['', undefined],
    ['没有村', undefined],
  ])('%s is %s', (typed, name) => expect(villageNamed(typed, villages)?.name).toBe(name));
  it('is none without registers', () => expect(villagesOf(undefined)).toEqual([]));
});
