/** What the centre's `/api/v1/counties` answers. It is served at the centre's own host only, so the counties' document lacks it. */
import type { Time } from '../shared/types';

export interface Part {
  part: string;
  ok: boolean;
  words: string;
}

export interface Missed {
  incident: string;
  code: string;
  place: string;
  what: 'review' | 'acknowledged' | 'arrived' | 'reported';
  /** The limit; of a review since when somebody should look. */
  at: Time;
}

export interface AtWork {
  /** Without drills. */
  open: number;
  drills: number;
  missed: Missed | null;
  cameras: number;
  silent_cameras: number;
  edges: number;
  unwell_edges: number;
  faults: Part[];
}

export interface CountyLine {
  code: string;
  name: string;
  url: string | null;
  /** Why nothing is known of it. */
  why: string | null;
  at_work: AtWork | null;
}

export interface Overview {
  now: Time;
  /** Those that need somebody first: the server's order. */
  counties: CountyLine[];
  health: Part[];
}
