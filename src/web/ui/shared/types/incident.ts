/** One fire as we believe it, what is done about it, and what is still to do. */
import type { Fix, Label, Position, Sighting, Time } from './evidence';

export type State = 'needs_review' | 'dispatched' | 'acknowledged' | 'arrived' | 'reported' | 'closed';
export type Stage = 'acknowledged' | 'arrived' | 'reported';

export interface Means {
  means: 'phone' | 'sms_reply' | 'key_press' | 'proxy' | 'implied';
  reason?: string;
}

/** Why a position does not prove an arrival. */
export type Unproven = 'far' | 'old' | 'no_position';
export interface Step {
  received_at: Time;
  happened_at: Time | null;
  means: Means;
  late: boolean;
  position: Position | null;
  /** Of an arrival: from the nearest place at which the fire may be, metres. */
  distance_m: number | null;
  unproven: Unproven | null;
}

/** `ranger`, `backup_ranger`, `village_chief`, `township_duty`, `county_duty`, `county_leader`, `next_duty`. */
export type Role = string;
export type Channel = 'sms' | 'voice' | 'wecom';

export interface Person {
  id: string;
  name: string;
  role: Role;
  phone: string | null;
  distance_m: number | null;
}
/** A reason in a stable code; see `triage/sending.rs`. */
export interface Because {
  code: string;
  value: string;
}
/** Told of a fire that may be in his grid; `go`: asked to go as well. */
export interface Neighbour {
  grid: string;
  ranger: Person;
  go: boolean;
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
  /** The grid he was sent to. */
  grid: string | null;
  /** A tap whose position did not prove the arrival. It takes no step. */
  claimed: Step | null;
  neighbours: Neighbour[];
}

export interface Candidate {
  grid: string;
  name: string;
  /** Share of the doubt that lies in this grid, 0 to 1. */
  weight: number;
  ranger: Person | null;
  backup: Person | null;
}
export interface County {
  name: string;
  phone: string | null;
}
export interface Place {
  name: string;
  grid: string | null;
  village: string | null;
  township: string | null;
  unique: boolean;
  labels: Label[];
  /** Grids the fire may be in, the likeliest first. */
  candidates: Candidate[];
  /** Whose county it is when it is not ours. */
  neighbour: County | null;
}

export type Matter = 'review' | 'declined' | 'relocation' | 'overdue' | 'report_review' | 'supplement' | 'support';
export interface Waiting {
  matter: Matter;
  since: Time;
  /** When somebody is rung, first or next. */
  due_at: Time;
  rounds: number;
}
export type Owner = { who: { person: string } | { role: Role } | { incident: string }; until: Time } & (
  | { task: 'step'; of: Stage }
  | { task: 'matter'; of: Matter }
  | { task: 'led' }
);
export type IntentKind = 'dispatch' | 'false_alarm';
export interface Intent {
  intent: IntentKind;
  by: string | null;
  until: Time;
  since: Time;
}
export interface Undelivered {
  message: string;
  /** Empty when nobody stands in the role. */
  name: string;
  role: Role;
  phone: string | null;
  channel: Channel;
  why: string;
  at: Time;
  /** Who is told instead, and by what. `person` null: the person who stands in the role. */
  next: { role: Role; person: string | null; channel: Channel } | null;
}
export interface Answered {
  person: Person;
  role: Role;
  at: Time;
  means: Means;
}

export const falseAlarms = ['cooking_smoke', 'incense', 'factory_smoke', 'fog_or_cloud', 'dust', 'glare', 'dirty_lens', 'unclear'] as const;
export type FalseAlarm = (typeof falseAlarms)[number];
export type Flames = 'none' | 'small' | 'large';

export type Actor = { kind: 'system' } | { kind: 'ranger' | 'officer'; person: string };
export interface LogEntry {
  /** Its place in this incident's log, from 1. */
  version: number;
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
  /** The whole number, where somebody has to phone because the text has not gone out. */
  phone: string | null;
  role: Role;
  channel: Channel;
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
  fix: Fix;
  place: Place;
  suggested: Person[];
  /** Who has to act next and until when; null when closed. */
  owner: Owner | null;
  /** Why he was sent, or why nobody was; the most decisive first. */
  because: Because[];
  waiting: Waiting[];
  /** A better place that waits for an officer's word. */
  proposal: { fix: Fix; place: Place } | null;
  intent: Intent | null;
  undelivered: Undelivered[];
  answers: Answered[];
  /** Other incidents that could be the same fire. */
  links: string[];
  /** Incidents whose evidence counts here. */
  merged: string[];
  merged_into: string | null;
  split_from: string | null;
  /** Evidence that belongs to no fire here. */
  struck_out: Sighting[];
  /** New evidence at this place since the closing. */
  reminders: number;
  /** Some of many: what opened it, the surest with a picture, and the newest. */
  sightings: Sighting[];
  /** How many there are. Absent in what an older page kept. */
  sightings_count?: number;
  priority: { score: number; reasons: { code: string; points: number; value: string }[] };
  review_by: Time | null;
  review_missed: boolean;
  dispatch: Dispatch | null;
  past_dispatches: Dispatch[];
  verification: Verification | null;
  /** Why the office sent the report back; null once it is completed. Absent in what an older page kept. */
  sent_back?: string | null;
  closure: { category: number; false_alarm: FalseAlarm | null; words: string; passed_to?: County | null } | null;
  closed_at: Time | null;
  /** The newest lines; there are `version` of them. */
  log?: LogEntry[];
  messages?: Message[];
}
