/** Small incidents for tests: only what a test says differs from a quiet one. */
import type { Dispatch, Fix, Incident, Sighting, Step } from '../shared/types';

export const T0 = Date.parse('2026-11-21T06:00:00Z');
export const iso = (minutes: number): string => new Date(T0 + minutes * 60_000).toISOString();
const person = { id: 'zhou', name: 'Zhou', role: 'ranger', phone: null, distance_m: null };

export const step = (minutes: number): Step => ({ received_at: iso(minutes), happened_at: null, means: { means: 'phone' }, late: false, position: null, distance_m: null, unproven: null });

export function dispatch(zero: number, change: Partial<Dispatch> = {}): Dispatch {
  return {
    id: 'd', ranger: person, dispatched_at: iso(zero), zero_at: iso(zero), acknowledge_by: iso(zero + 10), arrive_by: iso(zero + 30), report_by: iso(zero + 60),
    acknowledged: null, arrived: null, reported: null, declined: null, missed: [], grid: null, claimed: null, neighbours: [], ...change,
  };
}

export function sighting(camera: string, confidence: number, pictures: string[] = ['p']): Sighting {
  return {
    id: camera + confidence, observed_at: iso(0), confidence, drill: false, labels: [], pictures,
    locus: { shape: 'sector', apex: { lat_deg: 28.5, lon_deg: 110.3 }, azimuth_deg: 42, half_width_deg: 2, near_m: 4000, far_m: 8000 },
    source: { kind: 'camera', camera, pose: 'default', class: 'smoke', bbox: [0, 0, 0.1, 0.1], model: { name: 'smoke', version: '1' }, thresholds_version: 1 },
  };
}

/** One bearing of 23 degrees whose range nobody measured. */
export const bearingFix: Fix = {
  centre: { lat_deg: 28.5343, lon_deg: 110.3165 }, radius_m: 3800, method: 'bearing',
  spread: { shape: 'sector', apex: { lat_deg: 28.5, lon_deg: 110.3 }, azimuth_deg: 23, half_width_deg: 2, near_m: 200, far_m: 8000, range: 'unknown' },
};

export function incident(id: string, change: Partial<Incident> = {}): Incident {
  return {
    id, code: `1121-${id}`, version: 1, state: 'needs_review', drill: false, opened_at: iso(0), first_seen_at: iso(0), last_seen_at: iso(0),
    fix: { centre: { lat_deg: 28.54, lon_deg: 110.34 }, radius_m: 400, method: 'bearing' },
    place: { name: id, grid: null, village: null, township: null, unique: true, labels: [], candidates: [], neighbour: null },
    owner: null, because: [], waiting: [], proposal: null, intent: null, undelivered: [], answers: [], owes_answer: false,
    in_force: { danger: [], signals: [], bans: [] }, links: [], merged: [], merged_into: null, split_from: null, struck_out: [], reminders: 0, suggested: [], sightings: [], priority: { score: 50, reasons: [] }, review_by: null, review_missed: false,
    dispatch: null, past_dispatches: [], verification: null, closure: null, closed_at: null, ...change,
  };
}
