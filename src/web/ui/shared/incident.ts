/** Pure: what an incident means at an instant. Everything the faces say about time and order comes from here. */
import { countdown, ms, type Countdown } from './time';
import type { Dispatch, Incident, Sighting, Stage, State, Time } from './types';

/** The picture word: one shape for each, so that no state is told by colour alone. */
export type Mark = State | 'overdue';

/** Why an incident is overdue: the first limit that passed without its step. */
export type Overdue = Stage | 'review';

export const stages: readonly Stage[] = ['acknowledged', 'arrived', 'reported'];

const dueOf: Record<Stage, 'acknowledge_by' | 'arrive_by' | 'report_by'> = {
  acknowledged: 'acknowledge_by',
  arrived: 'arrive_by',
  reported: 'report_by',
};

/** The step a dispatch waits for, or null once it has reported. */
export function waitingFor(dispatch: Dispatch): Stage | null {
  if (dispatch.reported) return null;
  if (dispatch.arrived) return 'reported';
  return dispatch.acknowledged ? 'arrived' : 'acknowledged';
}

export interface Clock {
  what: Overdue;
  due: number;
  countdown: Countdown;
}

/** The clock that matters now: the running step's, or the time left for a second look. */
export function clockOf(incident: Incident, now: number): Clock | null {
  const { dispatch, state } = incident;
  if (state === 'closed') return null;
  if (dispatch && state !== 'needs_review') {
    const stage = waitingFor(dispatch);
    return stage && clockFor(stage, dispatch, now);
  }
  if (incident.review_by) return clock('review', ms(incident.review_by), ms(incident.opened_at), now);
  return null;
}

export function clockFor(stage: Stage, dispatch: Dispatch, now: number): Clock {
  return clock(stage, ms(dispatch[dueOf[stage]]), ms(dispatch.zero_at), now);
}

function clock(what: Overdue, due: number, zero: number, now: number): Clock {
  return { what, due, countdown: countdown(due, now, due - zero) };
}

export function overdueOf(incident: Incident, now: number): Overdue | null {
  const running = clockOf(incident, now);
  if (running?.countdown.urgency === 'overdue') return running.what;
  return incident.review_missed && incident.state === 'needs_review' ? 'review' : null;
}

export function markOf(incident: Incident, now: number): Mark {
  return overdueOf(incident, now) ? 'overdue' : incident.state;
}

/** The five groups of the queue, most urgent first. */
export type Group = 'overdue' | 'needs_review' | 'dispatched' | 'working' | 'reported';
export const groups: readonly Group[] = ['overdue', 'needs_review', 'dispatched', 'working', 'reported'];

export function groupOf(incident: Incident, now: number): Group {
  if (overdueOf(incident, now)) return 'overdue';
  const { state } = incident;
  if (state === 'acknowledged' || state === 'arrived') return 'working';
  return state === 'closed' ? 'reported' : state;
}

/** Queue order: groups as listed, then whoever has waited longest or has least time left. */
export function inOrder(incidents: readonly Incident[], now: number): Incident[] {
  const key = (incident: Incident): [number, number] => {
    const group = groupOf(incident, now);
    const due = clockOf(incident, now)?.due;
    const opened = ms(incident.opened_at);
    return [groups.indexOf(group), group === 'needs_review' ? opened : (due ?? opened)];
  };
  return incidents
    .filter((incident) => incident.state !== 'closed')
    .map((incident) => ({ incident, key: key(incident) }))
    .sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1] || (a.incident.id < b.incident.id ? -1 : 1))
    .map(({ incident }) => incident);
}

/** The sighting worth showing first: the most certain one with a picture, else the first of all. */
export function leading(incident: Incident): Sighting | undefined {
  const pictured = incident.sightings.filter((sighting) => sighting.pictures.length > 0);
  return pictured.reduce<Sighting | undefined>((best, s) => (!best || s.confidence > best.confidence ? s : best), undefined) ?? incident.sightings[0];
}

/** A step made long before it arrived: the phone had no signal. Both times are shown then. */
export function sentLate(received: Time, happened: Time | null): happened is Time {
  return happened !== null && ms(received) - ms(happened) > 60_000;
}

/** How many independent eyes saw it. When this grows, the office is told anew: silence was for less than this. */
export function eyes(incident: Incident): number {
  const names = incident.sightings.map(({ source }) =>
    source.kind === 'camera' ? `c:${source.camera}` : source.kind === 'satellite' ? 's' : `${source.kind}`,
  );
  return new Set(names).size;
}
