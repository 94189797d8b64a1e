/** One line of the event log in the reader's language. Unknown events (a newer server's) show their own name. */
import { arrival, category, evidenceLine, sourceName, type CameraNames } from '../../shared/describe';
import { half } from '../../shared/lang';
import { clockTime, ms } from '../../shared/time';
import { words } from '../words';
import { codeOr, nameOf, roleWord, whoIn } from './people';
import type { Category, Channel, Incident, LogEntry, Role, Sighting } from '../../shared/types';

export interface Registers {
  categories: readonly Category[];
  cameras: CameraNames;
}

export function inWords({ event }: LogEntry, incident: Incident, { categories, cameras }: Registers): string {
  const w = words();
  const l = w.log_;
  const clock = (at: string | null | undefined): string => (at ? clockTime(ms(at)) : '');
  const roles = (tell: Role[]): string => tell.map(roleWord).join(w.join);
  const channel = (it: Channel): string => w.channel[it] ?? it;
  const evidence = (sighting: Sighting): string => evidenceLine(sighting, incident.fix, cameras);
  const seen = (id: string): string => {
    const known = [...incident.sightings, ...incident.struck_out].find((it) => it.id === id);
    return known ? sourceName(known, cameras) : '';
  };
  if (!event) return l.elsewhere;
  switch (event.type) {
    case 'opened':
      return event.split_from ? l.openedFrom(codeOr(event.split_from)) : l.opened;
    case 'sighting_added':
      return l.sighting_added(evidence(event.sighting));
    case 'relocated':
      return event.tell_ranger ? l.relocatedTold(event.place.name) : l.relocated(event.place.name);
    case 'relocation_proposed':
      return l.relocation_proposed(event.place.name, clock(event.answer_by));
    case 'relocation_dismissed':
      return l.relocation_dismissed;
    case 'struck_out':
      return l.struck_out(seen(event.sighting), event.reason);
    case 'reinstated':
      return l.reinstated(seen(event.sighting));
    case 'split_off':
      return l.split_off(event.sightings.length, codeOr(event.into));
    case 'merged':
    case 'unmerged':
    case 'linked':
      return l[event.type](codeOr(event.other));
    case 'merged_into':
      return l.merged_into(codeOr(event.into));
    case 'reminded':
      return l.reminded(evidence(event.sighting));
    case 'review_missed':
      return l.review_missed;
    case 'rang': {
      const what = l.rang(w.matter[event.matter] ?? event.matter, event.round + 1, roles(event.tell), channel(event.channel));
      return event.with ? l.rangWith(what, codeOr(event.with)) : what;
    }
    case 'answered':
      return l.answered(nameOf(event.person, incident), roleWord(event.role));
    case 'undelivered':
      return l.undelivered(whoIn(event.role, event.person, incident), channel(event.channel), half(event.why));
    case 'undelivered_taken':
      return l.undelivered_taken;
    case 'intended':
      return l.intended(w.intent[event.intent] ?? event.intent, clock(event.until));
    case 'intent_over':
      return l.intent_over;
    case 'dispatched': {
      const names = (event.neighbours ?? []).map((it) => nameOf(it.ranger, incident)).join(w.join);
      const ranger = nameOf(event.ranger, incident);
      const sent = event.replaces ? l.redispatched(ranger) : l.dispatched(ranger);
      return names ? l.withNeighbours(sent, names) : sent;
    }
    case 'acknowledged':
      return l.acknowledged;
    case 'declined':
      return l.declined(event.reason);
    case 'arrived': {
      const step = { distance_m: event.distance_m ?? null, unproven: event.unproven ?? null };
      const how = arrival(step);
      return step.unproven ? how : how ? l.arrivedAt(how) : l.arrived;
    }
    case 'reported':
      return l.reported(category(event.verification.category, categories));
    case 'deadline_missed':
      return l.deadline_missed[event.stage] ?? event.stage;
    case 'escalated':
      return l.escalated(roles(event.tell), channel(event.channel));
    case 'sent_back':
      return l.sent_back(event.reason);
    case 'closed': {
      const { category: code, passed_to } = event.closure;
      const what = l.closed(category(code, categories));
      return passed_to ? l.passedTo(what, passed_to.name) : what;
    }
    case 'late_action_kept':
      return l.late_action_kept(event.words);
    case 'photo_added':
      return l.photo_added;
    case 'support_asked':
      return l.support_asked(event.reason);
    case 'noted':
      return l.noted(event.words);
    default:
      return (event satisfies never as { type: string }).type;
  }
}
