/** Whom to send: those suggested first, and anybody else of the register by a search. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../shared/api';
import { now } from '../../shared/clock';
import { distanceTo, failure, stamp } from '../../shared/describe';
import { lang } from '../../shared/lang';
import { classes } from '../../shared/ui';
import { common } from '../../shared/words';
import { act } from '../desk';
import { roleWord } from '../say/people';
import { words } from '../words';
import type { Choice, Incident, People, Person } from '../../shared/types';

const QUICK = 4;
const TYPING_MS = 250;

export function DispatchPanel({ incident }: { incident: Incident }) {
  const w = words();
  const running = incident.state !== 'needs_review' ? incident.dispatch?.ranger.id : undefined;
  const declined = new Set([incident.dispatch, ...incident.past_dispatches].flatMap((it) => (it?.declined ? [it.ranger.id] : [])));
  const quick = incident.suggested.filter((it) => it.id !== running).slice(0, QUICK);
  const [person, choose] = useState<Person | null>((quick.find((it) => !declined.has(it.id)) ?? quick[0]) || null);
  const go = useRef<HTMLButtonElement>(null);
  const search = useRef<HTMLInputElement>(null);
  // In the same turn as the key that opened the panel: a quick D, Enter must not fall in between.
  useLayoutEffect(() => (go.current ?? search.current)?.focus(), []);
  const what = person && (running ? w.reassignTo(person.name) : w.dispatchTo(person.name));
  const row = (it: Person | Choice) => <Row key={it.id} person={it} incident={incident} declined={declined.has(it.id)} chosen={person?.id === it.id} onChoose={() => choose(it)} />;
  return (
    <div class="panel" role="group" aria-label={running ? w.reassign : w.dispatch}>
      {quick.length === 0 && <p class="not-well">{w.nobodySuggested}</p>}
      <div class="people" role="radiogroup" aria-label={w.ranger}>
        {quick.map(row)}
      </div>
      <Search
        incident={incident}
        input={search}
        known={[...quick.map((it) => it.id), ...(running ? [running] : [])]}
        row={row}
        onFirst={(it) => {
          choose(it);
          go.current?.focus();
        }}
      />
      {person && what && (
        <button ref={go} type="button" class="button button-red button-wide" data-confirm="dispatch" onClick={() => act(incident, 'dispatch', { ranger: person.id }, what)}>
          {what} <kbd>{w.enterDoes}</kbd>
        </button>
      )}
    </div>
  );
}

interface SearchProps {
  incident: Incident;
  input: { current: HTMLInputElement | null };
  known: readonly string[];
  row: (choice: Choice) => preact.ComponentChild;
  onFirst: (choice: Choice) => void;
}

function Search({ incident, input, known, row, onFirst }: SearchProps) {
  const w = words();
  const [q, setQ] = useState<string | null>(null);
  const [found, setFound] = useState<People | null>(null);
  const [why, setWhy] = useState('');
  useEffect(() => {
    if (q === null) return;
    let last = true;
    const timer = setTimeout(() => {
      get<People>(`/people?incident=${encodeURIComponent(incident.id)}&q=${encodeURIComponent(q.trim())}`).then(
        (people) => last && (setFound(people), setWhy('')),
        (error: unknown) => last && setWhy(failure(error)),
      );
    }, TYPING_MS);
    return () => {
      last = false;
      clearTimeout(timer);
    };
  }, [q, incident.id]);
  const others = found?.items.filter((it) => !known.includes(it.id)) ?? [];
  return (
    <>
      <input
        ref={input}
        class="people-search"
        type="search"
        autoComplete="off"
        aria-label={w.findPerson}
        placeholder={w.findPerson}
        value={q ?? ''}
        onFocus={() => setQ(q ?? '')}
        onInput={(event) => setQ(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.isComposing || !others[0]) return;
          event.preventDefault();
          onFirst(others[0]);
        }}
      />
      {why && (
        <p class="not-well" role="alert">
          {why}
        </p>
      )}
      {q !== null && found && (
        <div class="people people-found" role="radiogroup" aria-label={w.othersFound} tabIndex={0}>
          {others.length === 0 && <p class="dim">{w.nobodyFound}</p>}
          {others.map(row)}
          {found.more > 0 && <p class="dim">{w.morePeople(found.more)}</p>}
        </div>
      )}
    </>
  );
}

interface RowProps {
  person: Person | Choice;
  incident: Incident;
  declined: boolean;
  chosen: boolean;
  onChoose: () => void;
}

function Row({ person, incident, declined, chosen, onChoose }: RowProps) {
  const w = words();
  const more = 'post' in person ? person : null;
  const far = distanceTo(person.distance_m, incident.fix);
  const post = more && lang.value === 'zh' ? more.post : roleWord(person.role);
  const place = more && [more.township, more.village, more.grid].filter(Boolean).join(' ');
  const last = more?.answered_at ? w.answeredAt(stamp(more.answered_at, now.value)) : null;
  return (
    <label class={classes('person', chosen && 'person-chosen')} data-person={person.id}>
      <input type="radio" name="ranger" value={person.id} checked={chosen} onChange={onChoose} />
      <b>{person.name}</b>
      <span>{post}</span>
      <span title={w.gridDistanceHint}>{far ?? common().rangeUnknown}</span>
      <span class="mono">{person.phone ?? w.noPhone}</span>
      {(more || declined) && (
        <small class="person-more">
          {(declined || more?.declined) && <em class="tag tag-red">{w.declinedHere}</em>}
          {more && more.busy.length > 0 && <em class="tag">{w.busyWith(more.busy.join(w.join))}</em>}
          {[place, last].filter(Boolean).join(' · ')}
        </small>
      )}
    </label>
  );
}
