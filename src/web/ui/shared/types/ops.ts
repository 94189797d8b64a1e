/** Cameras, thresholds, what-if. */
import type { LatLon, Time } from './evidence';

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
  /** Null: never surveyed, it gives no bearing. */
  azimuth_deg: number | null;
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
