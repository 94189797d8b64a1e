/** Pure: what an incident means at an instant. Everything the faces say about time and order comes from here. */
import { countdown, ms, type Countdown } from './time';
import type { Dispatch, Incident, Person, Sighting, Stage, State, Time, Undelivered } from './types';

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
  if (isLabelled(incident)) return null;
  const running = clockOf(incident, now);
  if (running?.countdown.urgency === 'overdue') return running.what;
  return incident.review_missed && incident.state === 'needs_review' ? 'review' : null;
}

export function markOf(incident: Incident, now: number): Mark {
  return overdueOf(incident, now) ? 'overdue' : incident.state;
}

/** The parts of the queue, most urgent first; the server's order falls into the same parts (`src/web/office/queue.rs`). */
export type Group = 'overdue' | 'relocation' | 'needs_review' | 'dispatched' | 'working' | 'reported' | 'labelled';
export const groups: readonly Group[] = ['overdue', 'relocation', 'needs_review', 'dispatched', 'working', 'reported', 'labelled'];

/** Only labelled, or outside the county: told with a digest or passed on, so nobody is rung for it. */
export function isLabelled({ state, because, sightings }: Incident): boolean {
  if (state !== 'needs_review') return false;
  const says = (code: string): boolean => because.some((it) => it.code === code);
  return says('digest') || (says('outside_county') && !sightings.some(({ source }) => source.kind === 'person'));
}

export function groupOf(incident: Incident, now: number): Group {
  if (isLabelled(incident)) return 'labelled';
  if (overdueOf(incident, now)) return 'overdue';
  if (incident.proposal) return 'relocation';
  const { state } = incident;
  if (state === 'acknowledged' || state === 'arrived') return 'working';
  return state === 'closed' ? 'reported' : state;
}

/** What the room has to react to: incidents that nobody has taken yet, and overdue ones. */
export const isCall = (incident: Incident, now: number): boolean => ['overdue', 'relocation', 'needs_review', 'dispatched'].includes(groupOf(incident, now));

/** Led by another that is open, with nobody of its own on the way: a line on the leader's card, no card of its own. */
export function isLed(incident: Incident, all: readonly Incident[]): boolean {
  const running = incident.dispatch !== null && incident.dispatch.declined === null && incident.dispatch.reported === null;
  return incident.merged_into !== null && !running && all.some((it) => it.id === incident.merged_into && it.state !== 'closed');
}

/**
 * The server's order, as given. Only what a clock has moved to another part since then is shown there, at the end: a page
 * never sorts by a rule of its own.
 */
export function inOrder(incidents: readonly Incident[], now: number): Incident[] {
  const shown = incidents.filter((it) => it.state !== 'closed' && !isLed(it, incidents));
  const parts = shown.map((it) => groupOf(it, now));
  return groups.flatMap((group) => shown.filter((_, i) => parts[i] === group));
}

/** The sighting worth showing first: the most certain one with a picture, else the first of all. */
export function leading(incident: Incident): Sighting | undefined {
  const pictured = incident.sightings.filter((sighting) => sighting.pictures.length > 0);
  return pictured.reduce<Sighting | undefined>((best, s) => (!best || s.confidence > best.confidence ? s : best), undefined) ?? incident.sightings[0];
}

/** Everybody an incident names, so that an id can be said as a name. */
export function peopleOf(incident: Incident): Person[] {
  const dispatches = [...(incident.dispatch ? [incident.dispatch] : []), ...incident.past_dispatches];
  const candidates = [incident.place, ...(incident.proposal ? [incident.proposal.place] : [])].flatMap((it) => it.candidates);
  return [
    ...dispatches.flatMap((it) => [it.ranger, ...it.neighbours.map((near) => near.ranger)]),
    ...incident.suggested,
    ...candidates.flatMap((it) => [it.ranger, it.backup]),
    ...incident.answers.map((it) => it.person),
  ].filter((it): it is Person => it !== null);
}

/** Whom no message reached: each person (or empty role) once, with the last try and all messages it takes to be done. */
export function notReached({ undelivered }: Pick<Incident, 'undelivered'>): { last: Undelivered; messages: string[] }[] {
  const byPerson = new Map<string, { last: Undelivered; messages: string[] }>();
  for (const it of undelivered) {
    const key = it.name ? `${it.name} ${it.phone}` : it.role;
    const before = byPerson.get(key);
    byPerson.set(key, { last: it, messages: [...(before?.messages ?? []), it.message] });
  }
  return [...byPerson.values()];
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
