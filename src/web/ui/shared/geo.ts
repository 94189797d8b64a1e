/** Pure: places on the earth, WGS-84. The same sphere as the server's `triage::geo`. */
import type { LatLon, Sector } from './types';

const EARTH_RADIUS_M = 6_371_008.8;
const rad = (deg: number): number => (deg * Math.PI) / 180;
const deg = (angle: number): number => (angle * 180) / Math.PI;

export function distanceM(a: LatLon, b: LatLon): number {
  const halfLat = rad(b.lat_deg - a.lat_deg) / 2;
  const halfLon = rad(b.lon_deg - a.lon_deg) / 2;
  const h = Math.sin(halfLat) ** 2 + Math.cos(rad(a.lat_deg)) * Math.cos(rad(b.lat_deg)) * Math.sin(halfLon) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

export function azimuthDeg(from: LatLon, to: LatLon): number {
  const [latA, latB, lon] = [rad(from.lat_deg), rad(to.lat_deg), rad(to.lon_deg - from.lon_deg)];
  const y = Math.sin(lon) * Math.cos(latB);
  const x = Math.cos(latA) * Math.sin(latB) - Math.sin(latA) * Math.cos(latB) * Math.cos(lon);
  return (deg(Math.atan2(y, x)) + 360) % 360;
}

export function destination(from: LatLon, azimuth: number, metres: number): LatLon {
  const [lat, az, angle] = [rad(from.lat_deg), rad(azimuth), metres / EARTH_RADIUS_M];
  const latB = Math.asin(Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(az));
  const lon = Math.atan2(Math.sin(az) * Math.sin(angle) * Math.cos(lat), Math.cos(angle) - Math.sin(lat) * Math.sin(latB));
  return { lat_deg: deg(latB), lon_deg: from.lon_deg + deg(lon) };
}

/** Outline of a ring segment seen from `apex`; the far edge follows the circle in steps of at most 3 degrees. */
export function sector(apex: LatLon, azimuth: number, halfWidth: number, near: number, far: number): LatLon[] {
  const steps = Math.max(2, Math.ceil((2 * halfWidth) / 3));
  const arc = (metres: number): LatLon[] =>
    Array.from({ length: steps + 1 }, (_, i) => destination(apex, azimuth - halfWidth + (2 * halfWidth * i) / steps, metres));
  return near > 0 ? [...arc(far), ...arc(near).reverse()] : [apex, ...arc(far)];
}

/** Outline of an ellipse: half axes along an azimuth and across it. */
export function ellipse(centre: LatLon, along: number, across: number, azimuth: number): LatLon[] {
  return Array.from({ length: 36 }, (_, i) => {
    const [x, y] = [along * Math.cos(rad(i * 10)), across * Math.sin(rad(i * 10))];
    return destination(centre, azimuth + deg(Math.atan2(y, x)), Math.hypot(x, y));
  });
}

/** From a place to the nearest point of a camera's view, metres; 0 inside. Flat, which is enough for a few kilometres. */
export function sectorDistanceM(from: LatLon, { apex, azimuth_deg, half_width_deg, near_m, far_m }: Sector): number {
  const range = distanceM(apex, from);
  const off = Math.abs(((azimuthDeg(apex, from) - azimuth_deg + 540) % 360) - 180);
  if (off <= half_width_deg) return Math.max(0, near_m - range, range - far_m);
  // Beside it: to the nearer edge, from its near to its far end.
  const turn = rad(off - half_width_deg);
  const along = Math.min(far_m, Math.max(near_m, range * Math.cos(turn)));
  return Math.hypot(range * Math.cos(turn) - along, range * Math.sin(turn));
}

/** Four corners of a satellite pixel: `scan` across the track (taken as east-west), `track` along it. */
export function footprint(at: LatLon, scanKm: number, trackKm: number): LatLon[] {
  const dLat = (trackKm * 500) / 111_195;
  const dLon = (scanKm * 500) / (111_195 * Math.cos(rad(at.lat_deg)));
  const corner = (y: number, x: number): LatLon => ({ lat_deg: at.lat_deg + y * dLat, lon_deg: at.lon_deg + x * dLon });
  return [corner(1, -1), corner(1, 1), corner(-1, 1), corner(-1, -1)];
}
