/** Facts to words: where a fire may be, and never more exactly than it is known. */
import { destination, distanceM, sectorDistanceM } from './geo';
import { common } from './words';
import type { Fix, Incident, LatLon, Sector, Sighting } from './types';

/** Whether a point may be named at all: false for a bearing without a range and for a camera without a direction. */
export const isPlace = ({ method }: Fix): boolean => method !== 'bearing' && method !== 'unaimed';

/** The one bearing a fix rests on, from its own shape or, in older records, from the narrowest camera. */
export function sectorOf(fix: Fix, sightings: readonly Sighting[]): Sector | null {
  if (fix.spread?.shape === 'sector') return fix.spread;
  if (fix.method !== 'bearing' && fix.method !== 'ranged') return null;
  const sectors = sightings.flatMap(({ locus }) => (locus.shape === 'sector' ? [locus] : []));
  return sectors.reduce<Sector | null>((best, it) => (!best || it.half_width_deg < best.half_width_deg ? it : best), null);
}

export interface Mast {
  at: LatLon;
  camera: string | null;
  /** Null where the server does not say it. */
  name: string | null;
}

/** The mast that a bearing, or a camera without a direction, looks from. */
export function mastOf({ fix, sightings }: Pick<Incident, 'fix' | 'sightings'>): Mast | null {
  const sector = sectorOf(fix, sightings);
  const seen = sightings.find(({ locus }) => (sector ? locus.shape === 'sector' && same(locus.apex, sector.apex) : locus.shape === 'unaimed'));
  const at = sector?.apex ?? (seen && 'apex' in seen.locus ? seen.locus.apex : null);
  const source = seen?.source.kind === 'camera' ? seen.source : null;
  return at && { at, camera: source?.camera ?? null, name: source?.camera_name ?? null };
}
const same = (a: LatLon, b: LatLon): boolean => a.lat_deg === b.lat_deg && a.lon_deg === b.lon_deg;

/** Where the map shows it: a place at its centre, a bearing near its mast, so that no middle of a line looks like a find. */
export function anchor(incident: Pick<Incident, 'fix' | 'sightings'>): LatLon {
  const { fix, sightings } = incident;
  if (isPlace(fix)) return fix.centre;
  const sector = sectorOf(fix, sightings);
  if (sector) return destination(sector.apex, sector.azimuth_deg, sector.near_m + (sector.far_m - sector.near_m) / 8);
  return mastOf(incident)?.at ?? fix.centre;
}

/** Where somebody is sent: to the fire, or to the mast whose bearing it is. Null when neither is known. */
export function goal(incident: Pick<Incident, 'fix' | 'sightings'>): { to: 'fire' | 'mast'; at: LatLon; name: string | null } | null {
  if (isPlace(incident.fix)) return { to: 'fire', at: incident.fix.centre, name: null };
  const mast = mastOf(incident);
  return mast && { to: 'mast', at: mast.at, name: mast.name ?? mast.camera };
}

/** Decimal degrees. Four digits are 11 m, three 110 m, two 1.1 km. */
export const coordinates = (at: LatLon, digits = 5): string => `${at.lat_deg.toFixed(digits)}, ${at.lon_deg.toFixed(digits)}`;
export const digitsFor = (radiusM: number): number => (radiusM < 150 ? 4 : radiusM < 1500 ? 3 : 2);

/** The coordinates with the digits they deserve; null where no point may be named. */
export const fixCoordinates = (fix: Fix): string | null => (isPlace(fix) ? coordinates(fix.centre, digitsFor(fix.radius_m)) : null);

export const accuracy = (fix: Fix): string => (isPlace(fix) ? common().accuracy(Math.round(fix.radius_m)) : '');

const km = (metres: number): string => String(Number((metres / 1000).toFixed(1)));
const range = ({ near_m, far_m }: Sector): string => common().range(km(near_m), km(far_m));
/** Three digits, as spoken on the radio. */
export const bearing = (degrees: number): string => common().bearing(String(Math.round(degrees) % 360).padStart(3, '0'));

/** What the camera knows: direction and range, direction alone, or nothing. Null where it is not a camera's one bearing. */
export function direct(fix: Fix, sightings: readonly Sighting[]): string | null {
  const c = common();
  if (fix.method === 'unaimed') return c.noBearing;
  const sector = sectorOf(fix, sightings);
  if (!sector) return fix.method === 'bearing' ? c.rangeUnknown : null;
  const towards = c.towards(bearing(sector.azimuth_deg));
  return fix.method === 'ranged' ? c.ranged(towards, range(sector)) : c.unranged(towards, range(sector));
}

/** One line for a list or a banner. */
export function where({ fix, sightings }: Pick<Incident, 'fix' | 'sightings'>): string {
  const point = fixCoordinates(fix);
  return [direct(fix, sightings), point && `${point} ${accuracy(fix)}`].filter(Boolean).join(common().separator);
}

/** From somebody's place to the nearest spot at which the fire may be, metres; the server's rule is the same. */
export function fromFireM(from: LatLon, { fix, sightings }: Pick<Incident, 'fix' | 'sightings'>): number {
  const sector = fix.spread?.shape === 'sector' || !isPlace(fix) ? sectorOf(fix, sightings) : null;
  if (sector) return sectorDistanceM(from, sector);
  const reach = fix.spread?.shape === 'ellipse' ? Math.max(fix.spread.along_m, fix.spread.across_m) : fix.radius_m;
  return Math.max(0, distanceM(from, fix.centre) - reach);
}

/** How far a mast is from a place that is one; null for what has no measured range. */
export const measuredM = (from: LatLon, fix: Fix): number | null => (isPlace(fix) ? distanceM(from, fix.centre) : null);
