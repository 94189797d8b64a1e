/** Whether a tap on "arrived" will prove it, by the server's rule, so that the phone can say so before the tap. */
import { fromFireM } from '../shared/where';
import { ageOf, type Fix as Here } from './gps';
import type { Incident, RangerView, Unproven } from '../shared/types';

export interface Proof {
  /** From the nearest spot at which the fire may be; null without a position. */
  metres: number | null;
  /** Why it will count as a claim only. */
  lacks: Unproven | null;
}

/** What the server allows unless it says otherwise. */
const DEFAULT: RangerView['arrival'] = { radius_m: 500, age_max_s: 120 };

export function proof(incident: Pick<Incident, 'fix' | 'sightings'>, here: Here | null, rule: RangerView['arrival'] | undefined): Proof {
  if (!here) return { metres: null, lacks: 'no_position' };
  const { radius_m, age_max_s } = rule ?? DEFAULT;
  const metres = fromFireM(here.at, incident);
  if (ageOf(here) > age_max_s * 1000) return { metres, lacks: 'old' };
  return { metres, lacks: metres > radius_m ? 'far' : null };
}
