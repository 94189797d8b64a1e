/** Who changed what, when and why; and each change taken back. */
import { now } from '../shared/clock';
import { stamp } from '../shared/describe';
import { Cross } from '../shared/icons';
import { Loading } from '../shared/ui';
import { Change } from './review';
import { cellsOf, whole, type Entry } from './rows';
import { busy, chosen, history, loadHistory, look, named, plan, refusal, rows, show, undoing, type Task } from './state';
import { when } from './table';
import { words } from './words';
import type { Changes } from '../shared/types';

type Made = Changes['items'][number];
type Fact = Made['facts'][number];

export function History({ task }: { task: Extract<Task, { kind: 'history' }> }) {
  const w = words();
  const list = history.value;
  const row = rows.value.find(({ key }) => key === task.key);
  const what = row ? named(row.key, row.cells) : task.register ? w.of[task.register]! : w.wholeHistory;
  return (
    <section class="history">
      <header class="pane-head">
        <h2>{w.historyOf(what)}</h2>
        <button type="button" class="icon-button" aria-label={w.close} title={w.close} onClick={() => show(null)}>
          <Cross />
        </button>
      </header>
      <div class="pane-scroll" tabIndex={0} role="region" aria-label={w.history}>
        <div class="segments" role="group" aria-label={w.history}>
          <button type="button" aria-pressed={task.register !== null && task.key === null} onClick={() => show({ kind: 'history', register: chosen.value, key: null })}>
            {w.onlyThis}
          </button>
          <button type="button" aria-pressed={task.register === null} onClick={() => show({ kind: 'history', register: null, key: null })}>
            {w.wholeHistory}
          </button>
        </div>
        {refusal.value && !plan.value && (
          <p class="refused" role="alert">
            {refusal.value.words}
          </p>
        )}
        {!list ? <Loading /> : list.items.length === 0 ? <p class="quiet empty">{w.noChanges}</p> : list.items.map((it) => <One key={it.number} it={it} />)}
        {list && list.next !== null && (
          <button type="button" class="button more" onClick={() => void loadHistory(true)}>
            {w.older}
          </button>
        )}
      </div>
    </section>
  );
}

function One({ it }: { it: Made }) {
  const w = words();
  return (
    <article class="made-one" data-change={it.number}>
      <header>
        <h3>
          {it.by_name} <small>{stamp(it.at, now.value)}</small> <small>{w.changeHead(it.number)}</small>
        </h3>
        <button type="button" class="link" data-action="undo" disabled={busy.value} onClick={() => void look(undoing(it.number, it.facts[0]?.register ?? chosen.value))}>
          {w.undo}
        </button>
      </header>
      <p>{it.why}</p>
      <details open={it.entries <= 2}>
        <summary>{w.entriesOf(it.entries)}</summary>
        {it.facts.map((fact) => (
          <FactView key={`${fact.register} ${fact.key} ${fact.valid_from}`} fact={fact} />
        ))}
        {it.entries > it.facts.length && <p class="quiet">{w.andMore(it.entries - it.facts.length)}</p>}
      </details>
    </article>
  );
}

function FactView({ fact }: { fact: Fact }) {
  const w = words();
  const [before, entry] = [fact.before as Entry | null, fact.entry as Entry | null];
  const cells = cellsOf(entry ?? before ?? {});
  const name = `${w.of[fact.register]} ${named(fact.key, cells, fact.register)}`;
  const kind = !entry ? 'gone' : before ? 'changed' : 'new';
  const diff = kind === 'changed' ? (fact.diff.changed[0]?.cells ?? []) : whole(fact.register, cells, kind);
  return (
    <>
      <Change name={name} cells={diff} register={fact.register} kind={kind} />
      {(fact.valid_from ?? fact.valid_until) && (
        <p class="quiet">{[fact.valid_from && `${w.validFrom} ${when(fact.valid_from)}`, fact.valid_until && w.validUntil(when(fact.valid_until))].filter(Boolean).join(' ')}</p>
      )}
    </>
  );
}
