/** The shapes of `/api/v1`, as written in ../../api.md. */

export type Time = string;
export interface LatLon {
  lat_deg: number;
  lon_deg: number;
}
export type State = 'needs_review' | 'dispatched' | 'acknowledged' | 'arrived' | 'reported' | 'closed';
export type Stage = 'acknowledged' | 'arrived' | 'reported';
export type Bbox = [x: number, y: number, w: number, h: number];

export interface Position {
  at: LatLon;
  accuracy_m: number;
}
export interface Means {
  means: 'phone' | 'sms_reply' | 'key_press' | 'proxy' | 'implied';
  reason?: string;
}
export interface Step {
  received_at: Time;
  happened_at: Time | null;
  means: Means;
  late: boolean;
  position: Position | null;
}

export type Locus =
  | { shape: 'disc'; centre: LatLon; radius_m: number }
  | { shape: 'sector'; apex: LatLon; azimuth_deg: number; half_width_deg: number; near_m: number; far_m: number };

export interface CameraSource {
  kind: 'camera';
  camera: string;
  /** The camera's name, where the server gives it: a ranger has no list of cameras to look it up in. */
  camera_name?: string;
  pose: string;
  class: 'smoke' | 'fire';
  bbox: Bbox;
  model: { name: string; version: string };
  thresholds_version: number;
}
export interface SatelliteSource {
  kind: 'satellite';
  hotspot_key: string;
  satellite: string;
  instrument: string;
  frp_mw: number | null;
  pixels: number;
}
export type Source =
  | CameraSource
  | SatelliteSource
  | { kind: 'person'; who: string; words: string }
  | { kind: 'system'; name: string; device: string };

export type Label =
  | { label: 'known_heat_source' | 'approved_burn' | 'masked'; name: string }
  | { label: 'border'; neighbours: string[] }
  | { label: 'outside_county' };

export interface Sighting {
  id: string;
  source: Source;
  observed_at: Time;
  locus: Locus;
  confidence: number;
  pictures: string[];
  drill: boolean;
  labels: Label[];
}
export interface Person {
  id: string;
  name: string;
  role: string;
  phone: string | null;
  distance_m: number | null;
}
export interface Dispatch {
  id: string;
  ranger: Person;
  dispatched_at: Time;
  zero_at: Time;
  acknowledge_by: Time;
  arrive_by: Time;
  report_by: Time;
  acknowledged: Step | null;
  arrived: Step | null;
  reported: Step | null;
  declined: string | null;
  missed: Stage[];
}
export const falseAlarms = ['cooking_smoke', 'incense', 'factory_smoke', 'fog_or_cloud', 'dust', 'glare', 'dirty_lens', 'unclear'] as const;
export type FalseAlarm = (typeof falseAlarms)[number];
export type Flames = 'none' | 'small' | 'large';

export type Actor = { kind: 'system' } | { kind: 'ranger' | 'officer'; person: string };
export interface LogEntry {
  at: Time;
  actor: Actor;
  name: string | null;
  happened_at: Time | null;
  event: { type: string; [field: string]: unknown };
}
export interface Message {
  id: string;
  created_at: Time;
  to: string;
  role: string;
  channel: 'sms' | 'voice' | 'wecom';
  status: 'queued' | 'sent' | 'failed';
  attempts: number;
  words: string;
  error: string | null;
  sent_at: Time | null;
}
export interface Verification {
  category: number;
  flames: Flames | null;
  area_mu: number | null;
  extinguished: boolean | null;
  words: string;
  photos: string[];
  no_photo_reason: string | null;
}
export interface Incident {
  id: string;
  /** Short number people say aloud. */
  code: string;
  version: number;
  state: State;
  drill: boolean;
  opened_at: Time;
  first_seen_at: Time;
  last_seen_at: Time;
  fix: { centre: LatLon; radius_m: number; method: 'bearing' | 'triangulated' | 'satellite' | 'reported' };
  place: { name: string; grid: string | null; village: string | null; township: string | null; unique: boolean; labels: Label[] };
  suggested: Person[];
  sightings: Sighting[];
  priority: { score: number; reasons: { code: string; points: number; value: string }[] };
  review_by: Time | null;
  review_missed: boolean;
  dispatch: Dispatch | null;
  past_dispatches: Dispatch[];
  verification: Verification | null;
  closure: { category: number; false_alarm: FalseAlarm | null; words: string } | null;
  closed_at: Time | null;
  log?: LogEntry[];
  messages?: Message[];
}

export type Health = 'ok' | 'starting' | 'late' | 'frozen' | 'black' | 'overexposed' | 'blurred' | 'covered' | 'fog' | 'moved' | 'resized' | 'undecodable' | 'offline' | 'bad_password' | 'misconfigured';

/** What a camera sees of rendered plumes; widths are shares of the picture's width. */
export interface SelfTest {
  camera: string;
  asked_at: Time | null;
  last: { at: Time; threshold: number; smallest: number | null; sizes: { width: number; places: number; found: number }[] } | null;
}
export interface Camera {
  id: string;
  name: string;
  at: LatLon;
  azimuth_deg: number;
  field_of_view_deg: number;
  range_m: number;
  health: Health;
  health_since: Time | null;
  detail: string | null;
  /** Why the main stream gave no picture; the camera is watched all the same. */
  main_detail: string | null;
  last_frame_at: Time | null;
  last_scores: { smoke: number; fire: number } | null;
  /** Cadences since the program started, with and without a look. */
  slots_met: number;
  slots_missed: number;
  /** Pictures of the main stream, since the program started. */
  main_fetched: number;
  alarms_today: number;
  url: string;
  main_url: string | null;
}
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
export interface Thresholds {
  version: number;
  smoke: number;
  fire: number;
  needed: number;
  window: number;
  hysteresis: number;
  cooldown: string;
  area_min: number;
  area_max: number;
}
/** By the model's evaluation, with the ends of the 95 % interval. */
export interface Estimate {
  value: number;
  lower: number;
  upper: number;
}
export interface Point {
  smoke: number;
  fire: number;
  needed: number;
  window: number;
  expected: { false_alarms_per_camera_day: Estimate; event_recall: Estimate; minutes_to_alarm: Estimate };
}
export type PointName = 'quiet' | 'balanced' | 'eager';
export type Points = { default: PointName } & Record<PointName, Point>;
export interface Category {
  code: number;
  zh: string;
  en: string;
  fire: boolean;
  first_page: boolean;
  officer_only: boolean;
  interim: boolean;
}
export interface Board {
  now: Time;
  cursor: string;
  county: { name: string; centre: LatLon; bounds: [LatLon, LatLon]; grids: GeoJSON.FeatureCollection };
  incidents: Incident[];
  cameras: Camera[];
  hotspots: Hotspot[];
  duty: { officer: Person | null; leader: Person | null };
  zero_point: 'dispatched' | 'first_seen';
  categories: Category[];
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
export interface RangerView {
  me: Me;
  now: Time;
  incidents: Incident[];
  duty_phone: string | null;
  categories: Category[];
}
export interface Count {
  alarms: number;
  confirmed: number;
  false_alarms: number;
  unverified: number;
}
export interface Alert {
  camera: string;
  at: Time;
  class: 'smoke' | 'fire';
  confidence: number;
}
export interface WhatIf {
  now: Count;
  then: Count;
  lost: Alert[];
  gained: Alert[];
  frames: number;
}
export interface Published {
  thresholds: Thresholds;
  by: string;
  at: Time;
  reason: string;
}
