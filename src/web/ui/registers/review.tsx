/** What a change would do, before it is made: old and new, what follows, and why. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Right, Warning } from '../shared/icons';
import { fields } from './fields';
import { cellsOf, whole, type Cell, type Cells, type Entry } from './rows';
import { busy, chosen, commit, drop, lookAgain, named, people, personName, plan, proposed, refusal, rows, task, word } from './state';
import { when } from './table';
import { words } from './words';
import type { Brought, Proposed, Register } from '../shared/types';

const LISTED = 50;

export function Review() {
  const w = words();
  const next = plan.value;
  const known = proposed.value;
  const [why, setWhy] = useState(next?.why ?? '');
  const reason = useRef<HTMLInputElement>(null);
  // From the keyboard: look, reason, Enter.
  useEffect(() => reason.current?.focus(), []);
  if (!next || !known) return null;
  const { added, changed, removed } = known.diff;
  const nothing = added.length + changed.length + removed.length === 0;
  const brought = 'rejected' in known ? (known as Brought) : null;
  const wrong = refusal.value;
  return (
    <form
      class="review"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!nothing && why.trim()) void commit(why.trim());
      }}
    >
      <header class="pane-head">
        <h2>{next.title}</h2>
      </header>
      <div class="pane-scroll" tabIndex={0} role="region" aria-label={w.review}>
        {brought && <BroughtSums it={brought} />}
        {nothing ? <p class="quiet">{w.unchanged}</p> : <DiffView it={known} register={next.register} />}
        {brought && brought.diff.dated.length > 0 && <DatedView it={brought} register={next.register} />}
        {known.follows.length > 0 && (
          <section class="follows">
            <h3>{w.follows}</h3>
            <ul>
              {known.follows.map(({ effect, words: said }) => (
                <li key={`${effect} ${said}`} class={`effect-${effect}`} data-effect={effect}>
                  <b>
                    {(effect === 'opens' || effect === 'cancels') && <Warning size={13} />} {w.effect[effect]}
                  </b>{' '}
                  {said}
                </li>
              ))}
            </ul>
          </section>
        )}
        {wrong && (
          <div class="refused" role="alert">
            <p>{wrong.words}</p>
            {wrong.isConflict && task.value && <p class="quiet">{w.conflictKept}</p>}
          </div>
        )}
        {!nothing && (
          <div class="input">
            <label for="why">
              {w.why} <small>{w.required}</small>
            </label>
            <input ref={reason} id="why" type="text" maxLength={200} autoComplete="off" placeholder={w.whyHint} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
            <div class="chips">
              {w.whys.map((it) => (
                <button key={it} type="button" class="chip" aria-pressed={why === it} onClick={() => setWhy(it)}>
                  {it}
                </button>
              ))}
            </div>
          </div>
        )}
      </div>
      <footer class="pane-foot">
        <button type="button" class="button" data-action="back" onClick={drop}>
          {task.value ? w.back : w.close}
        </button>
        {wrong?.isConflict ? (
          <button type="button" class="button button-blue" data-action="look-again" disabled={busy.value} onClick={() => void lookAgain()}>
            {w.lookAgain}
          </button>
        ) : (
          <button type="submit" class="button button-red" data-action="commit" disabled={busy.value || nothing || !why.trim()}>
            {busy.value ? w.committing : w.commit}
          </button>
        )}
      </footer>
    </form>
  );
}

function BroughtSums({ it }: { it: Brought }) {
  const w = words();
  return (
    <>
      <p class="sums">
        <span>{w.acceptedRows(it.accepted)}</span>
        <span>{w.newRows(it.diff.added.length)}</span>
        <span>{w.changedRows(it.diff.changed.length)}</span>
        <span>{w.removedRows(it.diff.removed.length)}</span>
        <span class={it.rejected.length > 0 ? 'wrong' : ''} data-rejected={it.rejected.length}>
          {w.rejectedRows(it.rejected.length)}
        </span>
      </p>
      {it.rejected.length > 0 && (
        <ul class="rejected">
          {it.rejected.slice(0, LISTED).map(({ line, reason }) => (
            <li key={`${line} ${reason}`}>{w.rejectedLine(line, reason)}</li>
          ))}
          {it.rejected.length > LISTED && <li>{w.andMore(it.rejected.length - LISTED)}</li>}
        </ul>
      )}
      {it.warnings.map((warning) => (
        <p key={warning} class="note">
          {warning}
        </p>
      ))}
    </>
  );
}

function DiffView({ it, register }: { it: Proposed; register: Register }) {
  const w = words();
  const { added, changed, removed } = it.diff;
  const fresh = (key: string): Cells => (it.entries[key] ? cellsOf(it.entries[key] as Entry) : {});
  const held = (key: string): Cells => (register === chosen.value ? (rows.value.find((row) => row.key === key)?.cells ?? {}) : {});
  const name = (key: string): string => named(key, { ...held(key), ...fresh(key) }, register);
  return (
    <div class="diff">
      {changed.slice(0, LISTED).map(({ key, cells }) => (
        <Change key={key} name={named(key, Object.keys(held(key)).length > 0 ? held(key) : fresh(key), register)} cells={cells} register={register} kind="changed" />
      ))}
      {added.slice(0, LISTED).map((key) => (
        <Change key={key} name={name(key)} cells={whole(register, fresh(key), 'new')} register={register} kind="new" />
      ))}
      {removed.slice(0, LISTED).map((key) => (
        <Change key={key} name={name(key)} cells={whole(register, held(key), 'gone')} register={register} kind="gone" />
      ))}
      {Math.max(added.length, changed.length, removed.length) > LISTED && <p class="quiet">{w.andMore([added, changed, removed].reduce((sum, list) => sum + Math.max(0, list.length - LISTED), 0))}</p>}
    </div>
  );
}

/** What of a sheet waits for its day, or ends by itself. */
function DatedView({ it, register }: { it: Brought; register: Register }) {
  const w = words();
  const { dated } = it.diff;
  const name = (key: string): string => named(key, it.entries[key] ? cellsOf(it.entries[key] as Entry) : {}, register);
  return (
    <section class="follows">
      <h3>{w.dated}</h3>
      <ul>
        {dated.slice(0, LISTED).map(({ key, valid_from, valid_until }) => (
          <li key={`${key} ${valid_from} ${valid_until}`} data-dated={key}>
            {w.datedLine(name(key), valid_from ? when(valid_from) : null, valid_until ? when(valid_until) : null)}
          </li>
        ))}
      </ul>
      {dated.length > LISTED && <p class="quiet">{w.andMore(dated.length - LISTED)}</p>}
    </section>
  );
}

const kindOf = (register: Register, column: string): string | undefined => fields[register].find((it) => it.column === column)?.kind;

/** One entry: its name, and each cell that is another. */
export function Change({ name, cells, register, kind }: { name: string; cells: readonly Cell[]; register: Register; kind: 'new' | 'changed' | 'gone' }) {
  const w = words();
  const said = (column: string, value: string): string => {
    const of = kindOf(register, column);
    if (of === 'person' && people.value.has(value)) return `${personName(value)} ${value}`;
    return of === 'choice' ? word(column, value) : value;
  };
  return (
    <article class={`change change-${kind}`}>
      <h3>
        {name} {kind !== 'changed' && <small>{kind === 'new' ? w.addedWord : w.removedWord}</small>}
      </h3>
      <dl>
        {cells.map(({ column, before, after }) => (
          <div key={column}>
            <dt>{w.fields[register]?.[column] ?? column}</dt>
            <dd>
              {kind !== 'new' && <del>{before === '' ? w.empty : said(column, before)}</del>}
              {kind === 'changed' && <Right size={12} />}
              {kind !== 'gone' && <ins>{after === '' ? w.empty : before === after ? w.hidden : said(column, after)}</ins>}
            </dd>
          </div>
        ))}
      </dl>
    </article>
  );
}
