/** One line of the event log in the reader's language. Unknown events (a newer server's) show their own name. */
import { category, distance, evidenceLine, type CameraNames } from '../shared/describe';
import { words } from './words';
import type { Category, Incident, LogEntry, Person, Sighting, Stage } from '../shared/types';

interface Registers {
  categories: readonly Category[];
  cameras: CameraNames;
}

export function inWords({ event }: LogEntry, incident: Incident, { categories, cameras }: Registers): string {
  const w = words();
  const l = w.log_;
  const text = (field: string): string => String(event[field] ?? '');
  switch (event.type) {
    case 'opened':
      return l.opened;
    case 'sighting_added':
      return l.sighting_added(evidenceLine(event['sighting'] as Sighting, incident.fix.centre, cameras));
    case 'review_missed':
      return l.review_missed;
    case 'dispatched':
      return l.dispatched(nameOf(text('ranger'), incident));
    case 'acknowledged':
      return l.acknowledged;
    case 'declined':
      return l.declined(text('reason'));
    case 'arrived':
      return typeof event['distance_m'] === 'number' ? l.arrivedAt(distance(event['distance_m'])) : l.arrived;
    case 'reported':
      return l.reported(category((event['verification'] as { category: number }).category, categories));
    case 'deadline_missed':
      return l.deadline_missed[event['stage'] as Stage] ?? text('stage');
    case 'escalated': {
      const roles = (event['tell'] as string[]).map((role) => w.role[role] ?? role);
      return l.escalated(roles.join(w.join), w.channel[event['channel'] as 'sms'] ?? text('channel'));
    }
    case 'sent_back':
      return l.sent_back(text('reason'));
    case 'closed':
      return l.closed(category((event['closure'] as { category: number }).category, categories));
    case 'late_action_kept':
      return l.late_action_kept(text('words'));
    case 'photo_added':
      return l.photo_added;
    case 'noted':
      return l.noted(text('words'));
    default:
      return event.type;
  }
}

/** The log names people by id; whoever was dispatched or suggested is known by name. */
function nameOf(id: string, incident: Incident): string {
  const known: Person[] = [
    ...(incident.dispatch ? [incident.dispatch.ranger] : []),
    ...incident.past_dispatches.map((it) => it.ranger),
    ...incident.suggested,
  ];
  return known.find((person) => person.id === id)?.name ?? id;
}
