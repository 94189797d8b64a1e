/** One shift of the rota: who, how to reach them, and what can be done with it. */
import { Cross, Phone } from '../shared/icons';
import { hoursOf } from './rota';
import { changing, look, mayChange, named, people, refusal, rows, show, word } from './state';
import { Origin } from './table';
import { words } from './words';

export function Shift({ id }: { id: string }) {
  const w = words();
  const row = rows.value.find(({ key }) => key === id);
  if (!row) return null;
  const { cells } = row;
  const person = people.value.get(cells['person'] ?? '');
  const title = named(row.key, cells, 'duty');
  return (
    <section class="shift-pane">
      <header class="pane-head">
        <h2>{person?.['name'] ?? cells['person']}</h2>
        <button type="button" class="icon-button" aria-label={w.close} title={w.close} onClick={() => show(null)}>
          <Cross />
        </button>
      </header>
      <div class="pane-scroll">
        <dl class="facts">
          <div>
            <dt>{w.fields['duty']!['date']}</dt>
            <dd>
              {cells['date']} {hoursOf(cells) || w.allDay}
            </dd>
          </div>
          <div>
            <dt>{w.fields['duty']!['role']}</dt>
            <dd>{[word('role', cells['role'] ?? ''), cells['township'], cells['grid']].filter(Boolean).join(' ')}</dd>
          </div>
          {person?.['phone'] && (
            <div>
              <dt>{w.fields['people']!['phone']}</dt>
              <dd>
                <a href={`tel:${person['phone']}`}>
                  <Phone size={13} /> {person['phone']}
                </a>
              </dd>
            </div>
          )}
          <div>
            <dt>{w.lastChange}</dt>
            <dd class="origin">
              <Origin row={row} />
            </dd>
          </div>
        </dl>
        {mayChange.value && <p class="note">{w.swapHint}</p>}
        {refusal.value && (
          <p class="refused" role="alert">
            {refusal.value.words}
          </p>
        )}
      </div>
      {mayChange.value && (
        <footer class="pane-foot">
          <button type="button" class="button" data-action="remove" onClick={() => void look(changing(title, () => ({ remove: [row.key] })))}>
            {w.remove}
          </button>
          <button type="button" class="button button-blue" data-action="edit-shift" onClick={() => show({ kind: 'edit', key: row.key, base: cells, entry: row.entry })}>
            {w.editShift}
          </button>
        </footer>
      )}
    </section>
  );
}
