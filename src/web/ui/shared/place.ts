/** Pure: a place as people say it (decimal degrees, or degrees with minutes and seconds) to WGS-84, and where it lies. */
import type { LatLon } from './types';

/** North, east, south, west: as letters or as the Chinese words for them. */
const MARKS: [RegExp, string][] = [
  [/\u5317\u7eac?/g, 'N'],
  [/\u4e1c\u7ecf?/g, 'E'],
  [/\u5357\u7eac/g, 'S'],
  [/\u897f\u7ecf/g, 'W'],
];
const NUMBER = /-?\d+(?:\.\d+)?/g;

/** Null for what is not one place. Latitude first, unless letters or the size of the numbers say otherwise. */
export function parsePlace(text: string): LatLon | null {
  // Full-width digits and signs come from Chinese input methods.
  let plain = text.replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0)).toUpperCase();
  for (const [word, letter] of MARKS) plain = plain.replace(word, letter);
  // Between digits a dash is a separator (28-27-09), not a sign.
  const numbers = (plain.replace(/(\d)-/g, '$1 ').match(NUMBER) ?? []).map(Number);
  const half = numbers.length / 2;
  if (half < 1 || half > 3 || !Number.isInteger(half)) return null;
  const [first, second] = [degrees(numbers.slice(0, half)), degrees(numbers.slice(half))];
  if (first === null || second === null) return null;
  const [northSouth, eastWest] = [plain.search(/[NS]/), plain.search(/[EW]/)];
  const lettered = northSouth >= 0 && eastWest >= 0;
  const swapped = lettered ? eastWest < northSouth : Math.abs(first) > 90;
  const lat_deg = (swapped ? second : first) * (/S/.test(plain) ? -1 : 1);
  const lon_deg = (swapped ? first : second) * (/W/.test(plain) ? -1 : 1);
  return Math.abs(lat_deg) <= 90 && Math.abs(lon_deg) <= 180 ? { lat_deg, lon_deg } : null;
}

function degrees([deg, min = 0, sec = 0]: number[]): number | null {
  if (deg === undefined || min < 0 || min >= 60 || sec < 0 || sec >= 60) return null;
  return (deg < 0 ? -1 : 1) * (Math.abs(deg) + min / 60 + sec / 3600);
}

/** The name of the grid a place lies in; null outside all of them. */
export function gridAt({ lat_deg, lon_deg }: LatLon, grids: GeoJSON.FeatureCollection): string | null {
  const inRing = (ring: GeoJSON.Position[]): boolean => {
    let inside = false;
    ring.forEach(([x2 = 0, y2 = 0], i) => {
      const [x1 = 0, y1 = 0] = ring[(i + ring.length - 1) % ring.length]!;
      if (y1 > lat_deg !== y2 > lat_deg && lon_deg < ((x2 - x1) * (lat_deg - y1)) / (y2 - y1) + x1) inside = !inside;
    });
    return inside;
  };
  const inPolygon = ([outer, ...holes]: GeoJSON.Position[][]): boolean => outer !== undefined && inRing(outer) && !holes.some(inRing);
  const found = grids.features.find(({ geometry }) =>
    geometry.type === 'Polygon' ? inPolygon(geometry.coordinates) : geometry.type === 'MultiPolygon' && geometry.coordinates.some(inPolygon),
  );
  const named = found?.properties as { name?: string; code?: string } | null | undefined;
  return found ? (named?.name ?? named?.code ?? '') : null;
}

/** With its township: the name of a village alone may be in several. */
export interface Village {
  name: string;
  village: string;
  /** How many grids it has. */
  grids: number;
}

export function villagesOf(grids: GeoJSON.FeatureCollection | undefined): Village[] {
  const found = new Map<string, Village>();
  for (const { properties } of grids?.features ?? []) {
    const { township, village } = { township: '', village: '', ...(properties as { township?: string; village?: string } | null) };
    if (!village) continue;
    const name = township + village;
    found.set(name, { name, village, grids: (found.get(name)?.grids ?? 0) + 1 });
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, 'zh-CN'));
}

/** The registered village that is meant: by its whole name, or by its own where only one has it. */
export function villageNamed(typed: string, villages: readonly Village[]): Village | undefined {
  const text = typed.trim();
  const named = villages.filter((it) => it.village === text);
  return villages.find((it) => it.name === text) ?? (named.length === 1 ? named[0] : undefined);
}
