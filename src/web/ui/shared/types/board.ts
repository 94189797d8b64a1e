/** What the office and the phone read whole. */
import type { LatLon, SourceKind, Time } from './evidence';
import type { Incident, Person, Role } from './incident';
import type { Camera } from './ops';

export interface Hotspot {
  key: string;
  at: LatLon;
  acquired_at: Time;
  satellite: string;
  instrument: string;
  confidence: 'low' | 'nominal' | 'high';
  frp_mw: number | null;
  scan_km: number | null;
  track_km: number | null;
  incident: string | null;
}
export interface Category {
  code: number;
  zh: string;
  en: string;
  fire: boolean;
  first_page: boolean;
  officer_only: boolean;
  interim: boolean;
}
export interface PassedOn {
  incident: string;
  code: string;
  place: string;
  at: Time;
  centre: LatLon;
  county: string | null;
  phone: string | null;
  sightings: number;
}
export interface Reminded {
  incident: string;
  code: string;
  place: string;
  category: number | null;
  sightings: string[];
  last_seen_at: Time;
}
/** Somebody who could be sent. */
export interface Choice extends Person {
  post: string;
  grid: string | null;
  village: string | null;
  township: string | null;
  /** Codes of what this person is under way to. */
  busy: string[];
  answered_at: Time | null;
  /** Has said to this incident that he cannot go. */
  declined: boolean;
}
export interface People {
  items: Choice[];
  more: number;
}
/** Satellite pixels of the last day, the newest first; `count` may be more than are listed. */
export interface Hotspots {
  items: Hotspot[];
  count: number;
}
export interface Board {
  now: Time;
  cursor: string;
  county: { name: string; centre: LatLon; bounds: [LatLon, LatLon]; grids: GeoJSON.FeatureCollection };
  /** Open ones, in the order in which an officer should work through them. */
  incidents: Incident[];
  cameras: Camera[];
  /** Opened outside the county within the last day: the neighbour's. */
  passed_on: PassedOn[];
  /** New evidence at places closed within the last day. */
  reminded: Reminded[];
  /** Their record cannot be read. */
  unreadable: { incident: string; code: string }[];
  duty: { officer: Person | null; leader: Person | null };
  zero_point: 'dispatched' | 'first_seen';
  categories: Category[];
  /** Kinds of sources whose evidence may send a ranger without a person's look. */
  unattended: SourceKind[];
  health: { part: string; ok: boolean; words: string }[];
}
export interface Me {
  person: string;
  name: string;
  role: 'ranger' | 'officer' | 'ops';
  county: string;
  lang: string;
  now: Time;
}
/** What an incident asks of this ranger: go; go instead if you can; be watchful or ready. */
export type Mine = 'sent' | 'asked' | 'told';
export interface RangerIncident extends Incident {
  mine: Mine;
  told_as: Role | null;
  /** When I last said that I have heard, without being sent. */
  answered_at: Time | null;
}
export interface RangerView {
  me: Me;
  now: Time;
  incidents: RangerIncident[];
  /** When a tap proves an arrival. */
  arrival: { radius_m: number; age_max_s: number };
  duty_phone: string | null;
  categories: Category[];
}
