/** Where a fire may be, and who saw it. */
export type Time = string;
export interface LatLon {
  lat_deg: number;
  lon_deg: number;
}
export type Bbox = [x: number, y: number, w: number, h: number];

export interface Position {
  at: LatLon;
  accuracy_m: number;
  /** When the phone measured it, on the clock of the tap; without it a position proves no arrival. */
  measured_at?: Time | null;
}

/** What a camera's range rests on. `unknown`: not measured, `near_m..far_m` is all that the camera sees. */
export type RangeBasis = 'unknown' | 'flat_ground' | 'terrain';

export interface Sector {
  shape: 'sector';
  apex: LatLon;
  azimuth_deg: number;
  half_width_deg: number;
  near_m: number;
  far_m: number;
  range?: RangeBasis;
}
export type Locus =
  | { shape: 'disc'; centre: LatLon; radius_m: number }
  /** A satellite pixel: `scan_m` nearly east-west, `track_m` nearly north-south. */
  | { shape: 'pixel'; centre: LatLon; scan_m: number; track_m: number }
  | Sector
  /** A camera that does not know where it looks. */
  | { shape: 'unaimed'; apex: LatLon; far_m: number };

export type Spread = { shape: 'ellipse'; along_m: number; across_m: number; azimuth_deg: number } | Sector;

/** `bearing` (no range) and `unaimed` (no direction) are no places: `centre` is only the middle of the doubt. */
export type Method = 'bearing' | 'ranged' | 'triangulated' | 'satellite' | 'reported' | 'unaimed';
export interface Fix {
  centre: LatLon;
  radius_m: number;
  method: Method;
  /** The shape of the doubt; absent: a circle. */
  spread?: Spread | null;
}

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

export type SourceKind = Source['kind'];

export type Label =
  | { label: 'known_heat_source' | 'approved_burn' | 'masked'; name: string }
  | { label: 'border'; neighbours: string[] }
  | { label: 'outside_county' }
  /** Somebody looked at this very place within the last day and found no forest fire. */
  | { label: 'verified_lately'; code: string; category: number }
  /** How often the place was closed as no forest fire. */
  | { label: 'static_heat'; checks: number; until: Time }
  | { label: 'no_bearing'; camera: string };

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
