/**
 * Pure: the coordinate systems of Chinese maps. Places are WGS-84 everywhere inside; an officer may type what a caller's
 * map shows. The same public formulas as the server's `triage::datum`, here only to show which grid is meant.
 */
import type { Datum, LatLon } from './types';

const rad = (deg: number): number => (deg * Math.PI) / 180;
const deg = (angle: number): number => (angle * 180) / Math.PI;

/** GCJ-02 (AMap, Tencent) of a place in WGS-84. */
export function toGcj02({ lat_deg, lon_deg }: LatLon): LatLon {
  const [x, y] = [lon_deg - 105, lat_deg - 35];
  const wave = (v: number): number => ((20 * Math.sin(6 * Math.PI * v) + 20 * Math.sin(2 * Math.PI * v)) * 2) / 3;
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + wave(x);
  dLat += ((20 * Math.sin(Math.PI * y) + 40 * Math.sin((Math.PI * y) / 3)) * 2) / 3;
  dLat += ((160 * Math.sin((Math.PI * y) / 12) + 320 * Math.sin((Math.PI * y) / 30)) * 2) / 3;
  let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + wave(x);
  dLon += ((20 * Math.sin(Math.PI * x) + 40 * Math.sin((Math.PI * x) / 3)) * 2) / 3;
  dLon += ((150 * Math.sin((Math.PI * x) / 12) + 300 * Math.sin((Math.PI * x) / 30)) * 2) / 3;
  const [axis, eccentricity] = [6_378_245, 0.00669342162296594];
  const magic = 1 - eccentricity * Math.sin(rad(lat_deg)) ** 2;
  return {
    lat_deg: lat_deg + deg((dLat * magic * Math.sqrt(magic)) / (axis * (1 - eccentricity))),
    lon_deg: lon_deg + deg((dLon * Math.sqrt(magic)) / (axis * Math.cos(rad(lat_deg)))),
  };
}

/** BD-09 (Baidu) of a place in GCJ-02. */
function toBd09({ lat_deg, lon_deg }: LatLon): LatLon {
  const turn = (Math.PI * 3000) / 180;
  const radius = Math.hypot(lon_deg, lat_deg) + 0.00002 * Math.sin(lat_deg * turn);
  const angle = Math.atan2(lat_deg, lon_deg) + 0.000003 * Math.cos(lon_deg * turn);
  return { lat_deg: radius * Math.sin(angle) + 0.006, lon_deg: radius * Math.cos(angle) + 0.0065 };
}

const there: Record<Datum, (at: LatLon) => LatLon> = { wgs84: (at) => at, gcj02: toGcj02, bd09: (at) => toBd09(toGcj02(at)) };

/** There is no formula for the way back, but nearby the shift is nearly the same. */
export function toWgs84(datum: Datum, given: LatLon): LatLon {
  let at = given;
  for (let turn = 0; turn < 5; turn++) {
    const shown = there[datum](at);
    at = { lat_deg: at.lat_deg + given.lat_deg - shown.lat_deg, lon_deg: at.lon_deg + given.lon_deg - shown.lon_deg };
  }
  return at;
}
