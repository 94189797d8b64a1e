/** What can be done with the register that is shown. */
import { asOf, chosen, download, goTo, mayChange, query, rows, show, shown, task, view, yesterday } from './state';
import { words } from './words';

export function Toolbar() {
  const w = words();
  const isTable = chosen.value !== 'county';
  const isRota = chosen.value === 'duty' && asOf.value === null;
  const wrong = view.value?.problems.length ?? 0;
  return (
    <header class="toolbar">
      <h1>
        {w.of[chosen.value]} <small>{view.value && w.count(rows.value.length)}</small> {wrong > 0 && <small class="wrong">{w.problemCount(wrong)}</small>}
      </h1>
      {isRota && (
        <div class="segments" role="group" aria-label={w.of['duty']}>
          {(['calendar', 'table'] as const).map((it) => (
            <button key={it} type="button" aria-pressed={shown.value === it} data-shown={it} onClick={() => (shown.value = it)}>
              {w[it]}
            </button>
          ))}
        </div>
      )}
      {isTable && !(isRota && shown.value === 'calendar') && (
        <input type="search" class="search" aria-label={w.search} placeholder={w.searchHint} value={query.value} onInput={(event) => (query.value = event.currentTarget.value)} />
      )}
      <span class="toolbar-right">
        {isTable && mayChange.value && chosen.value !== 'grids' && (
          <button type="button" class="button button-blue" data-action="add" onClick={() => show({ kind: 'edit', key: null, base: {}, entry: null })}>
            {w.add}
          </button>
        )}
        {isTable && mayChange.value && (
          <button type="button" class="button" data-action="bring" aria-expanded={task.value?.kind === 'bring'} onClick={() => show({ kind: 'bring' })}>
            {w.bring}
          </button>
        )}
        {isTable && (
          <a class="button" href={download()} download title={w.takeOutHint}>
            {w.takeOut}
          </a>
        )}
        <button type="button" class="button" data-action="history" aria-expanded={task.value?.kind === 'history'} onClick={() => show({ kind: 'history', register: chosen.value, key: null })}>
          {w.history}
        </button>
        <label class="as-of" title={w.asOfHint}>
          {w.asOf}{' '}
          <input type="date" value={asOf.value ?? ''} max={yesterday()} onChange={(event) => goTo(event.currentTarget.value || null)} />
        </label>
      </span>
    </header>
  );
}
