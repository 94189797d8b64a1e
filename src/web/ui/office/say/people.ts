/** Ids to names, as far as this page knows them. */
import { board, codeOf } from '../../shared/board';
import { peopleOf } from '../../shared/incident';
import { words } from '../words';
import type { Incident, Owner, Person, Role } from '../../shared/types';

export const roleWord = (role: Role): string => words().role[role] ?? role;

export function personOf(id: string, incident: Incident): Person | null {
  const duty = board.value?.duty;
  return [...peopleOf(incident), duty?.officer, duty?.leader].find((it) => it?.id === id) ?? null;
}

export const nameOf = (id: string, incident: Incident): string => personOf(id, incident)?.name ?? id;

/** A person in a role; the role alone where this page does not know the name. */
export const whoIn = (role: Role, id: string | null | undefined, incident: Incident): string => [roleWord(role), id && personOf(id, incident)?.name].filter(Boolean).join(' ');

/** The short number of an incident; its id's end where the board does not hold it. */
export const codeOr = (id: string): string => codeOf(id) ?? id.slice(-6);

export function ownerName({ who }: Owner, incident: Incident): { name: string; phone: string | null } {
  if ('person' in who) {
    const person = personOf(who.person, incident);
    return { name: person?.name ?? who.person, phone: person?.phone ?? null };
  }
  if ('incident' in who) return { name: codeOr(who.incident), phone: null };
  const duty = board.value?.duty;
  const holder = who.role === 'county_duty' ? duty?.officer : who.role === 'county_leader' ? duty?.leader : null;
  return { name: [roleWord(who.role), holder?.name].filter(Boolean).join(' '), phone: holder?.phone ?? null };
}
