/** The shift: in the header who has it, on a press the panel in which it is signed and handed over. */
import { useState } from 'preact/hooks';
import { get } from '../shared/api';
import { board, queue } from '../shared/board';
import { now } from '../shared/clock';
import { failure, stamp } from '../shared/describe';
import { unwell } from '../shared/health';
import { notReached } from '../shared/incident';
import { lang } from '../shared/lang';
import { hourMinute, ms } from '../shared/time';
import { classes } from '../shared/ui';
import { common } from '../shared/words';
import { partName } from './say/parts';
import { handOver, logOut, openedSince, refused, shiftShown, standing, takeOver, takeWithout, toRead } from './signing';
import { shiftWords } from './words/shift';
import { words } from './words';
import type { People, ShiftState } from '../shared/types';

type Current = NonNullable<ShiftState['current']>;

export function DutyButton() {
  const w = shiftWords();
  const shift = board.value?.shift;
  if (!shift) return null;
  const { current, unsigned_since, rota } = shift;
  const unsigned = unsigned_since ? w.unsigned(hourMinute(ms(unsigned_since))) : null;
  return (
    <button
      type="button"
      class={classes('header-button', 'duty-button', (unsigned || !current) && 'duty-unsigned')}
      data-action="shift-panel"
      title={[current && how(current), rota ? w.rota(rota.name) : w.rotaNobody].filter(Boolean).join(' · ')}
      onClick={() => (shiftShown.value = true)}
    >
      <span>{words().officer}</span> <b>{unsigned ?? current?.officer.name ?? w.nobody}</b>
      {current && !unsigned && <small>{current.handover ? w.waits : hourMinute(ms(current.since))}</small>}
    </button>
  );
}

function how({ taken, before }: Current): string {
  const w = shiftWords().how;
  const name = before?.name ?? '';
  switch (taken.how) {
    case 'started':
      return w.started;
    case 'handed_over':
      return w.handed_over(name);
    case 'without_handover':
      return w.without_handover(name, taken.why);
    case 'signed_for_both':
      return w.signed_for_both(name, taken.why);
  }
}

export function ShiftPanel() {
  const w = shiftWords();
  const shift = board.value?.shift;
  if (!shiftShown.value || !shift) return null;
  const { current, rota, me } = shift;
  const at = standing(shift);
  const close = (): void => {
    shiftShown.value = false;
    refused.value = null;
  };
  return (
    <div class="veil" onClick={close}>
      <div class="help shift-panel" role="dialog" aria-modal="true" aria-label={w.title} onClick={(event) => event.stopPropagation()}>
        <h2>{w.title}</h2>
        <p>
          <b>{current ? (current.officer.id === me.id ? w.mine(stamp(current.since, now.value)) : w.since(current.officer.name, stamp(current.since, now.value))) : w.nobody}</b>
          {current && <span class="dim"> {how(current)}</span>}
        </p>
        <p class="dim">
          {[rota ? w.rota(rota.name) : w.rotaNobody, `${words().leader} ${board.value?.duty.leader?.name ?? words().nobody}`, w.login(me.name)].join(' · ')}
        </p>
        {at === 'nobody' && <Sign word={w.take} act={() => takeOver()} />}
        {at === 'mine' && <HandOver />}
        {at === 'mine_handed_over' && current?.handover && (
          <>
            <p>{w.signed(stamp(current.handover.at, now.value))}</p>
            <Sign word={w.takeBack} act={() => takeOver()} />
          </>
        )}
        {at === 'handed_over' && current && <TakeOver current={current} />}
        {at === 'held' && current && <Held name={current.officer.name} />}
        {refused.value && (
          <p class="not-well" role="alert">
            {refused.value}
          </p>
        )}
        <p class="shift-foot">
          <button type="button" class="link" data-action="log-out" title={w.logOutHint} onClick={() => void logOut()}>
            {w.logOut}
          </button>
          <button type="button" class="link" autoFocus onClick={close}>
            {common().close} <kbd>Esc</kbd>
          </button>
        </p>
      </div>
    </div>
  );
}

function Sign({ word, act, off = false }: { word: string; act: () => Promise<boolean>; off?: boolean }) {
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    setBusy(true);
    if (await act()) shiftShown.value = false;
    setBusy(false);
  };
  return (
    <button type="button" class="button button-red button-wide" data-action="sign" disabled={off || busy} onClick={() => void press()}>
      {word}
    </button>
  );
}

/** What whoever takes over takes: as the other signed it. */
function TakeOver({ current }: { current: Current }) {
  const w = shiftWords();
  const { handover } = current;
  if (!handover) return null;
  const { at, note, open, unreached, burns, faults } = handover;
  const since = openedSince(handover, queue.value);
  return (
    <>
      <p>{w.waitsFor(current.officer.name, stamp(at, now.value))}</p>
      <ul class="shift-list">
        <li>{open.length > 0 ? w.open(open.length) : w.noneOpen}</li>
        {open.map((it) => (
          <li key={it.incident}>
            {it.drill && common().drill} {it.code} {it.place} · {common().state[it.state]}
          </li>
        ))}
        {unreached.length > 0 && <li>{w.unreached(unreached.map((it) => `${it.code} ${it.name}`).join(words().join))}</li>}
        {burns.length > 0 && <li>{w.burns(burns.join(words().join))}</li>}
        {faults.map((it) => (
          <li key={it.part}>{words().partProblem(partName(it.part), it[lang.value])}</li>
        ))}
        {note && <li>{w.noteSaid(note)}</li>}
      </ul>
      {since.length > 0 && (
        <>
          <p class="not-well">{w.openedSince(since.length)}</p>
          <ul class="shift-list">
            {since.map((it) => (
              <li key={it.id} data-since={it.id}>
                {it.drill && common().drill} {it.code} {it.place.name} · {common().state[it.state]}
              </li>
            ))}
          </ul>
        </>
      )}
      <Sign word={w.takeOver(current.officer.name)} act={() => takeOver(since)} />
    </>
  );
}

/** Another has it and has not signed. */
function Held({ name }: { name: string }) {
  const w = shiftWords();
  const [why, setWhy] = useState('');
  return (
    <>
      <p>{w.notSigned(name)}</p>
      <details>
        <summary>{w.gone}</summary>
        <input class="field-input" aria-label={w.goneWhy} placeholder={w.goneWhy} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
        <Sign word={w.takeWithout} act={() => takeWithout(why)} off={why.trim() === ''} />
      </details>
    </>
  );
}

function HandOver() {
  const w = shiftWords();
  const open = toRead(queue.value);
  const [read, setRead] = useState<ReadonlySet<string>>(new Set());
  const [note, setNote] = useState('');
  const left = open.filter(({ id }) => !read.has(id)).length;
  const tick = (id: string): void => {
    const next = new Set(read);
    if (!next.delete(id)) next.add(id);
    setRead(next);
  };
  const parts = board.value ? unwell(board.value) : [];
  return (
    <>
      <p class="panel-title">{open.length > 0 ? w.open(open.length) : w.noneOpen}</p>
      <p class="dim">{w.handOverHint}</p>
      <ul class="shift-list">
        {open.map((it) => (
          <li key={it.id}>
            <label>
              <input type="checkbox" checked={read.has(it.id)} data-read={it.id} onChange={() => tick(it.id)} /> {it.code} {it.place.name} · {common().state[it.state]}
              {notReached(it).length > 0 && <b class="not-well"> {words().undeliveredCount(notReached(it).length)}</b>}
            </label>
          </li>
        ))}
        {parts.map((it) => (
          <li key={it.part} class="dim">
            {words().partProblem(partName(it.part), it.words)}
          </li>
        ))}
      </ul>
      <input class="field-input" aria-label={w.note} placeholder={w.note} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      <Sign word={left > 0 ? w.readAll : w.sign} act={() => handOver(note, null)} off={left > 0} />
      <ForThem note={note} off={left > 0} />
    </>
  );
}

/** One signature for both, said as such. */
function ForThem({ note, off }: { note: string; off: boolean }) {
  const w = shiftWords();
  const [asked, setAsked] = useState('');
  const [found, setFound] = useState<People['items']>([]);
  const [who, setWho] = useState<{ id: string; name: string } | null>(null);
  const [why, setWhy] = useState('');
  const search = async (q: string): Promise<void> => {
    setAsked(q);
    setWho(null);
    try {
      setFound(q.trim() === '' ? [] : (await get<People>(`/people?q=${encodeURIComponent(q)}`)).items.slice(0, 5));
    } catch (error) {
      refused.value = failure(error);
    }
  };
  return (
    <details>
      <summary>{w.forThem}</summary>
      <input class="field-input" aria-label={w.forThemWho} placeholder={w.forThemWho} value={asked} onInput={(event) => void search(event.currentTarget.value)} />
      <div class="chips">
        {found.map((it) => (
          <button key={it.id} type="button" class="chip" aria-pressed={who?.id === it.id} onClick={() => setWho(it)}>
            {w.found(it.name, it.post)}
          </button>
        ))}
      </div>
      <input class="field-input" aria-label={w.forThemWhy} placeholder={w.forThemWhy} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
      {who && <Sign word={w.signForThem(who.name)} act={() => handOver(note, { person: who.id, why })} off={off || why.trim() === ''} />}
    </details>
  );
}

/** What is done here is recorded under this login: where that is not who has the shift, it is said. */
export function LoginBar() {
  const shift = board.value?.shift;
  if (!shift?.current || shift.current.officer.id === shift.me.id) return null;
  return (
    <button type="button" class="bar bar-login" data-bar="login" onClick={() => (shiftShown.value = true)}>
      {shiftWords().otherLogin(shift.me.name, shift.current.officer.name)}
    </button>
  );
}
