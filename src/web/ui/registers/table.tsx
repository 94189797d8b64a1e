/** The entries in force: plain columns, what is wrong with each, and who changed it last. */
import { useMemo, useState } from 'preact/hooks';
import { now } from '../shared/clock';
import { date, stamp } from '../shared/describe';
import { Warning } from '../shared/icons';
import { hourMinute, ms } from '../shared/time';
import { classes } from '../shared/ui';
import { fields, type Field } from './fields';
import { cellsOf, matches, type Cells, type Entry } from './rows';
import { chosen, named, personName, query, rows, show, task, view, word, type Row } from './state';
import { words } from './words';

const PAGE = 200;

/** A cell as it is read: words of the register in the reader's language, people by name. */
export function Cell({ field, cells }: { field: Pick<Field, 'column' | 'kind'>; cells: Cells }) {
  const value = cells[field.column] ?? '';
  if (field.kind === 'choice') return <>{word(field.column, value)}</>;
  if (field.kind === 'person')
    return (
      <>
        {personName(value)} {personName(value) !== value && <small>{value}</small>}
      </>
    );
  return <>{value}</>;
}

export function Table() {
  const w = words();
  const register = chosen.value;
  const [most, setMost] = useState(PAGE);
  const found = useMemo(
    () => {
      const matching = rows.value.filter((row) => matches({ ...row.cells, name_: named(row.key, row.cells) }, query.value));
      // Of a rota the newest days first; the others are in the order of their sheet.
      return register === 'duty' ? matching.sort((a, b) => ((a.cells['date'] ?? '') < (b.cells['date'] ?? '') ? 1 : -1)) : matching;
    },
    [rows.value, query.value, register],
  );
  const wrong = useMemo(() => byKey(), [view.value]);
  if (register === 'county') return <County />;
  const columns = fields[register].filter(({ listed }) => listed);
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={w.of[register]}>
      <Notes />
      {query.value && <p class="quiet found">{w.found(found.length, rows.value.length)}</p>}
      {found.length === 0 ? (
        <p class="quiet empty">{rows.value.length === 0 ? w.nothing : w.notFound}</p>
      ) : (
        <table class="entries">
          <thead>
            <tr>
              {columns.map(({ column }) => (
                <th key={column} scope="col">
                  {w.fields[register]?.[column]}
                </th>
              ))}
              <th scope="col">{w.last}</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, most).map((row) => (
              <Line key={row.key} row={row} columns={columns} wrong={wrong.get(row.key) ?? []} />
            ))}
          </tbody>
        </table>
      )}
      {found.length > most && (
        <button type="button" class="button more" onClick={() => setMost(most + PAGE)}>
          {w.showMore(Math.min(PAGE, found.length - most))}
        </button>
      )}
    </div>
  );
}

/** What is wrong with each entry. */
function byKey(): ReadonlyMap<string, string[]> {
  const map = new Map<string, string[]>();
  for (const { key, words: why } of view.value?.problems ?? []) if (key !== null) map.set(key, [...(map.get(key) ?? []), why]);
  return map;
}

const openRow = (row: Row): void => show({ kind: 'edit', key: row.key, base: row.cells, entry: row.entry });

function Line({ row, columns, wrong }: { row: Row; columns: readonly Field[]; wrong: readonly string[] }) {
  const w = words();
  const isOpen = task.value?.kind === 'edit' && task.value.key === row.key;
  return (
    <tr class={classes(isOpen && 'chosen')} data-key={row.key} onClick={() => openRow(row)}>
      {columns.map((field, place) => (
        <td key={field.column} class={classes(field.kind === 'long' && 'long')}>
          {place === 0 ? (
            <button type="button" class="name" aria-pressed={isOpen} onClick={() => openRow(row)}>
              <Cell field={field} cells={row.cells} />
            </button>
          ) : (
            <Cell field={field} cells={row.cells} />
          )}
          {place === 0 &&
            wrong.map((why) => (
              <small key={why} class="wrong">
                <Warning size={12} /> {why}
              </small>
            ))}
          {place === 0 && row.validUntil && <small class="until">{w.validUntil(when(row.validUntil))}</small>}
        </td>
      ))}
      <td class="origin">
        <Origin row={row} />
      </td>
    </tr>
  );
}

export const when = (time: string): string => `${date(ms(time))} ${hourMinute(ms(time))}`;

export function Origin({ row }: { row: Row }) {
  const origin = view.value?.origins.find(({ number }) => number === row.change);
  if (!origin) return null;
  return (
    <>
      {origin.by_name} <small>{stamp(origin.at, now.value)}</small>
      <small class="origin-why">{origin.why}</small>
    </>
  );
}

/** What concerns the register as a whole: lines of its file, gaps, what begins later. */
export function Notes() {
  const w = words();
  const whole = view.value?.problems.filter(({ key }) => key === null) ?? [];
  const ahead = view.value?.ahead ?? [];
  const register = chosen.value;
  return (
    <>
      {whole.length > 0 && (
        <details class="notes" open={whole.length <= 3}>
          <summary>
            <Warning size={14} /> {w.problemCount(whole.length)}
          </summary>
          <ul>
            {whole.map((it) => (
              <li key={`${it.line} ${it.words}`}>{it.line === null ? it.words : w.problemLine(it.line, it.words)}</li>
            ))}
          </ul>
        </details>
      )}
      {ahead.length > 0 && (
        <details class="notes notes-ahead" open={ahead.length <= 3}>
          <summary>
            {w.ahead} {ahead.length}
          </summary>
          <ul>
            {ahead.map((it) => {
              const entry = (it.entry ?? it.before) as Entry | null;
              return <li key={`${it.key} ${it.valid_from}`}>{w.aheadLine(named(it.key, entry ? cellsOf(entry) : {}, register), when(it.valid_from!), it.valid_until ? when(it.valid_until) : null)}</li>;
            })}
          </ul>
        </details>
      )}
    </>
  );
}

function County() {
  const w = words();
  const cells = rows.value[0]?.cells ?? {};
  return (
    <div class="table-frame">
      <Notes />
      <dl class="county-cells">
        {Object.entries(cells).map(([column, value]) => (
          <div key={column}>
            <dt>{w.fields['county']?.[column] ?? column}</dt>
            <dd>{column === 'outline' ? w.outlinePoints((value.match(/\[-?\d/g) ?? []).length) : value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
