/** One entry as a form. What is wrong with it, the server says, beside the field that it names. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Cross } from '../shared/icons';
import { classes } from '../shared/ui';
import { beginOf, days, endOf } from './calendar';
import { choices, fields, isPlaced, type Field } from './fields';
import { CountyShape } from './shape';
import { entryOf, isOther, rebased, type Cells, type Entry } from './rows';
import { busy, changing, chosen, draftKey, drafts, grids, look, mayChange, named, people, personName, plan, refusal, rows, show, word, type Task } from './state';
import { Origin } from './table';
import { CameraVisit } from './visit';
import { words } from './words';

type Edit = Extract<Task, { kind: 'edit' }>;

export function EntryForm({ task }: { task: Edit }) {
  const w = words();
  const register = chosen.value;
  const id = draftKey(register, task.key);
  // A shift that is added on another day is another shift.
  const [kept] = useState(() => {
    const it = drafts.get(id);
    return it && (task.key !== null || !task.base['date'] || it.cells['date'] === task.base['date']) ? it : null;
  });
  const [resumed, setResumed] = useState(kept !== null);
  const [{ base, cells }, setDraft] = useState(kept ?? { base: task.base, cells: task.base });
  const [valid, setValid] = useState({ from: '', until: '' });
  const [last, setLast] = useState('');
  const row = rows.value.find(({ key }) => key === task.key);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('.inputs:not(:disabled) :is(input, select, textarea), .icon-button')?.focus(), []);
  const isNew = task.key === null;
  const edit = (change: Cells): void => {
    const draft = { base, cells: { ...cells, ...change } };
    drafts.set(id, draft);
    setDraft(draft);
  };
  const clear = (): void => {
    drafts.delete(id);
    setResumed(false);
    setDraft({ base: task.base, cells: task.base });
  };
  const title = isNew ? w.newEntry(w.of[register]!) : named(task.key!, base);

  const body = () => {
    const held = rows.value.find(({ key }) => key === task.key);
    // What somebody else has changed meanwhile stays, unless it was touched here, too.
    const mine = isNew || !held ? cells : rebased(base, cells, held.cells);
    const each: Entry[] = isNew && register === 'duty' && last > (mine['date'] ?? '') ? days(mine['date'] ?? '', last).map((date) => entryOf({ ...mine, date }, null)) : [entryOf(mine, held?.entry ?? task.entry)];
    return {
      set: each,
      remove: !isNew && isOther(register, base, mine) ? [task.key!] : [],
      ...(valid.from ? { valid_from: beginOf(valid.from) } : {}),
      ...(valid.until ? { valid_until: endOf(valid.until) } : {}),
    };
  };
  const see = (): void => void look(changing(title, body));
  const remove = (): void => void look(changing(title, () => ({ remove: [task.key!], ...(valid.from ? { valid_from: beginOf(valid.from) } : {}), ...(valid.until ? { valid_until: endOf(valid.until) } : {}) })));
  const mine = fields[register];
  const wrong = plan.value ? null : refusal.value;
  const input = (field: Field) => (
    <Input key={field.column} field={field} cells={cells} edit={edit} wrong={wrong?.column === field.column ? wrong.words : null} />
  );
  const rare = mine.filter(({ rare: it }) => it);
  return (
    <form
      ref={form}
      class="entry"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        see();
      }}
    >
      <header class="pane-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" aria-label={w.close} title={w.close} onClick={() => show(null)}>
          <Cross />
        </button>
      </header>
      <div class="pane-scroll">
        {resumed && (
          <p class="note">
            <span>{w.resumed}</span>
            <button type="button" class="link" onClick={clear}>
              {w.startOver}
            </button>
          </p>
        )}
        {row && (
          <p class="origin-line">
            {w.lastChange} <Origin row={row} />{' '}
            <button type="button" class="link" data-action="entry-history" onClick={() => show({ kind: 'history', register, key: row.key })}>
              {w.history}
            </button>
          </p>
        )}
        {(register === 'grids' || isPlaced(register)) && grids.value && (
          <CountyShape code={register === 'grids' ? (cells['code'] ?? null) : null} at={isPlaced(register) ? cells : null} pick={mayChange.value && isPlaced(register) ? edit : null} open={register === 'grids' ? openGrid : null} />
        )}
        <fieldset class="inputs" disabled={!mayChange.value}>
          <legend class="visually-hidden">{title}</legend>
          <div class="columns">
            {mine.filter(({ rare: it }) => !it).map(input)}
            {isNew && register === 'duty' && (
              <label class="input">
                <span>{w.untilDay}</span>
                <input type="date" value={last} min={cells['date'] ?? ''} data-field="last_day" onInput={(event) => setLast(event.currentTarget.value)} />
                <small>{w.untilDayHint}</small>
              </label>
            )}
          </div>
          {rare.length > 0 && (
            <details class="rare" open={rare.some(({ column }) => column === wrong?.column)}>
              <summary>{w.more}</summary>
              <div class="columns">{rare.map(input)}</div>
            </details>
          )}
          {register === 'cameras' && mayChange.value && <CameraVisit cells={cells} edit={edit} />}
          {register !== 'duty' && (
            <details class="rare">
              <summary>{w.validity}</summary>
              <p class="quiet">{w.validityHint}</p>
              <div class="span">
                <label class="input">
                  <span>{w.validFrom}</span>
                  <input type="date" value={valid.from} onInput={(event) => setValid({ ...valid, from: event.currentTarget.value })} />
                </label>
                <label class="input">
                  <span>{w.validTo}</span>
                  <input type="date" value={valid.until} data-field="valid_until" onInput={(event) => setValid({ ...valid, until: event.currentTarget.value })} />
                </label>
              </div>
            </details>
          )}
        </fieldset>
        {register === 'duty' && <PeopleList />}
        {wrong && wrong.column === null && (
          <p class="refused" role="alert">
            {wrong.words}
          </p>
        )}
        {!isNew && isOther(register, base, cells) && <p class="quiet">{w.keyChanged}</p>}
      </div>
      {mayChange.value && (
        <footer class="pane-foot">
          {!isNew && (
            <button type="button" class="button" data-action="remove" disabled={busy.value} onClick={remove}>
              {w.remove}
            </button>
          )}
          <button type="submit" class="button button-blue" data-action="look" disabled={busy.value}>
            {w.look}
          </button>
        </footer>
      )}
    </form>
  );
}

function openGrid(code: string): void {
  const row = rows.value.find(({ key }) => key === code);
  if (row) show({ kind: 'edit', key: code, base: row.cells, entry: row.entry });
}

function Input({ field, cells, edit, wrong }: { field: Field; cells: Cells; edit: (change: Cells) => void; wrong: string | null }) {
  const w = words();
  const register = chosen.value;
  const { column, kind } = field;
  const value = cells[column] ?? '';
  const id = `field-${column}`;
  const hint = w.hints[`${register}.${column}`];
  const shared = {
    id,
    value,
    'data-field': column,
    'aria-invalid': wrong !== null,
    'aria-describedby': `${id}-hint`,
    onInput: (event: { currentTarget: { value: string } }) => edit({ [column]: event.currentTarget.value }),
  };
  return (
    <div class={classes('input', (kind === 'long' || kind === 'person' || wrong !== null) && 'input-wide', wrong !== null && 'input-wrong')}>
      <label for={id}>
        {w.fields[register]?.[column]} {field.required && <small>{w.required}</small>}
      </label>
      {kind === 'choice' ? (
        <select {...shared}>
          <option value="">{w.choose}</option>
          {choices(column).map((it) => (
            <option key={it} value={it}>
              {word(column, it)}
            </option>
          ))}
        </select>
      ) : kind === 'long' ? (
        <textarea {...shared} rows={2} spellcheck={false} />
      ) : (
        <input {...shared} type={kind === 'date' ? 'date' : kind === 'time' ? 'time' : 'text'} autoComplete="off" spellcheck={false} list={kind === 'person' ? 'people' : undefined} />
      )}
      <small id={`${id}-hint`}>
        {wrong ? (
          <span class="refused-here" role="alert">
            {wrong}
          </span>
        ) : kind === 'person' && personName(value) !== value ? (
          <b>{personName(value)}</b>
        ) : (
          hint
        )}
      </small>
    </div>
  );
}

/** Whom the rota may name. */
function PeopleList() {
  return (
    <datalist id="people">
      {[...people.value].map(([id, it]) => (
        <option key={id} value={id}>
          {[it['name'], it['post'], it['township'], it['grid']].filter(Boolean).join(' ')}
        </option>
      ))}
    </datalist>
  );
}
