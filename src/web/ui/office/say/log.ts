/** One line of the event log in the reader's language. Unknown events (a newer server's) show their own name. */
import { arrival, category, evidenceLine, sourceName, type CameraNames } from '../../shared/describe';
import { half } from '../../shared/lang';
import { clockTime, ms } from '../../shared/time';
import { words } from '../words';
import { codeOr, nameOf, roleWord, whoIn } from './people';
import type { Category, Incident, LogEntry, Matter, Neighbour, Sighting, Stage, Unproven } from '../../shared/types';

export interface Registers {
  categories: readonly Category[];
  cameras: CameraNames;
}

export function inWords({ event }: LogEntry, incident: Incident, { categories, cameras }: Registers): string {
  const w = words();
  const l = w.log_;
  const text = (field: string): string => String(event[field] ?? '');
  const clock = (field: string): string => (event[field] ? clockTime(ms(text(field))) : '');
  const place = (): string => (event['place'] as { name?: string } | undefined)?.name ?? '';
  const roles = (): string => ((event['tell'] as string[] | undefined) ?? []).map(roleWord).join(w.join);
  const channel = (): string => w.channel[event['channel'] as 'sms'] ?? text('channel');
  const evidence = (sighting: unknown): string => evidenceLine(sighting as Sighting, incident.fix, cameras);
  const seen = (id: string): string => {
    const known = [...incident.sightings, ...incident.struck_out].find((it) => it.id === id);
    return known ? sourceName(known, cameras) : '';
  };
  switch (event.type) {
    case 'opened':
      return event['split_from'] ? l.openedFrom(codeOr(text('split_from'))) : l.opened;
    case 'sighting_added':
      return l.sighting_added(evidence(event['sighting']));
    case 'relocated':
      return event['tell_ranger'] ? l.relocatedTold(place()) : l.relocated(place());
    case 'relocation_proposed':
      return l.relocation_proposed(place(), clock('answer_by'));
    case 'relocation_dismissed':
      return l.relocation_dismissed;
    case 'struck_out':
      return l.struck_out(seen(text('sighting')), text('reason'));
    case 'reinstated':
      return l.reinstated(seen(text('sighting')));
    case 'split_off':
      return l.split_off((event['sightings'] as unknown[]).length, codeOr(text('into')));
    case 'merged':
    case 'unmerged':
    case 'linked':
      return l[event.type](codeOr(text('other')));
    case 'merged_into':
      return l.merged_into(codeOr(text('into')));
    case 'reminded':
      return l.reminded(evidence(event['sighting']));
    case 'review_missed':
      return l.review_missed;
    case 'rang': {
      const matter = w.matter[event['matter'] as Matter] ?? text('matter');
      const what = l.rang(matter, Number(event['round']) + 1, roles(), channel());
      return event['with'] ? l.rangWith(what, codeOr(text('with'))) : what;
    }
    case 'answered':
      return l.answered(nameOf(text('person'), incident), roleWord(text('role')));
    case 'undelivered':
      return l.undelivered(whoIn(text('role'), text('person'), incident), channel(), half(text('why')));
    case 'undelivered_taken':
      return l.undelivered_taken;
    case 'intended':
      return l.intended(w.intent[event['intent'] as 'dispatch'] ?? text('intent'), clock('until'));
    case 'intent_over':
      return l.intent_over;
    case 'dispatched': {
      const near = (event['neighbours'] as Neighbour[] | undefined) ?? [];
      const names = near.map((it) => nameOf(String(it.ranger), incident)).join(w.join);
      const sent = event['replaces'] ? l.redispatched(nameOf(text('ranger'), incident)) : l.dispatched(nameOf(text('ranger'), incident));
      return names ? l.withNeighbours(sent, names) : sent;
    }
    case 'acknowledged':
      return l.acknowledged;
    case 'declined':
      return l.declined(text('reason'));
    case 'arrived': {
      const step = { distance_m: (event['distance_m'] as number | null | undefined) ?? null, unproven: (event['unproven'] as Unproven | undefined) ?? null };
      const how = arrival(step);
      return step.unproven ? how : how ? l.arrivedAt(how) : l.arrived;
    }
    case 'reported':
      return l.reported(category((event['verification'] as { category: number }).category, categories));
    case 'deadline_missed':
      return l.deadline_missed[event['stage'] as Stage] ?? text('stage');
    case 'escalated':
      return l.escalated(roles(), channel());
    case 'sent_back':
      return l.sent_back(text('reason'));
    case 'closed': {
      const closure = event['closure'] as { category: number; passed_to?: { name: string } | null };
      const what = l.closed(category(closure.category, categories));
      return closure.passed_to ? l.passedTo(what, closure.passed_to.name) : what;
    }
    case 'late_action_kept':
      return l.late_action_kept(text('words'));
    case 'photo_added':
      return l.photo_added;
    case 'support_asked':
      return l.support_asked(text('reason'));
    case 'noted':
      return l.noted(text('words'));
    default:
      return event.type;
  }
}
