/** The rota as a calendar: who is on, when nobody is, and two people swapped with two presses. */
import { useMemo } from 'preact/hooks';
import { Left, Right, Warning } from '../shared/icons';
import { classes } from '../shared/ui';
import { byDay, parts, plusDays, roleName, swapped, turned, weeks, type Day, type Shift as ShiftOf } from './calendar';
import { anchor, busy, changing, gaps, look, mayChange, named, personName, rows, show, span, task, turnTo, word } from './state';
import { Notes } from './table';
import { words } from './words';
import type { RotaGaps } from '../shared/types';

type Gap = RotaGaps['items'][number];

export const hoursOf = ({ begins, ends }: Readonly<Record<string, string>>): string => {
  const w = words();
  return begins || ends ? w.hours(begins || '00:00', ends || '24:00') : '';
};

/** The first press opens a shift; the second one, on another, shows the swap. */
function press(shift: ShiftOf, all: readonly ShiftOf[]): void {
  const open = task.value?.kind === 'shift' ? task.value.key : null;
  if (open === shift.key) return show(null);
  const first = all.find(({ key }) => key === open);
  if (!first || !mayChange.value) return show({ kind: 'shift', key: shift.key });
  if (!swapped(first, shift)) return show({ kind: 'shift', key: shift.key });
  swap(first, shift);
}

function swap(first: ShiftOf, second: ShiftOf): void {
  const fresh = (shift: ShiftOf): ShiftOf => rows.value.find(({ key }) => key === shift.key) ?? shift;
  const title = words().swapOf(personName(first.cells['person'] ?? ''), personName(second.cells['person'] ?? ''));
  void look(changing(title, () => ({ set: swapped(fresh(first), fresh(second)) ?? [] })));
}

export function Calendar() {
  const w = words();
  const shifts = useMemo(() => byDay(rows.value), [rows.value]);
  const missing = useMemo(() => gapsByDay(gaps.value), [gaps.value]);
  const table = weeks(anchor.value, span.value);
  const today = gaps.value?.today ?? '';
  const { year, month } = parts(anchor.value);
  const open = task.value?.kind === 'shift' ? task.value.key : null;
  return (
    <div class="rota" data-span={span.value}>
      <div class="rota-head">
        <button type="button" class="icon-button" aria-label={w.earlier} onClick={() => turnTo(turned(anchor.value, span.value, -1))}>
          <Left />
        </button>
        <h2 aria-live="polite">{w.monthName(year, month)}</h2>
        <button type="button" class="icon-button" aria-label={w.later} onClick={() => turnTo(turned(anchor.value, span.value, 1))}>
          <Right />
        </button>
        <button type="button" class="button" disabled={today === ''} onClick={() => turnTo(today)}>
          {w.today}
        </button>
        <div class="segments" role="group" aria-label={w.calendar}>
          {(['week', 'month'] as const).map((it) => (
            <button
              key={it}
              type="button"
              aria-pressed={span.value === it}
              data-span={it}
              onClick={() => {
                span.value = it;
                turnTo(anchor.value);
              }}
            >
              {w[it]}
            </button>
          ))}
        </div>
        {open && mayChange.value && (
          <p class="swap-hint" role="status">
            {w.swapHint}
          </p>
        )}
      </div>
      <div class="rota-scroll" tabIndex={0} role="region" aria-label={w.calendar}>
        <Notes />
        <table class="days">
          <thead>
            <tr>
              {w.weekdays.map((it) => (
                <th key={it} scope="col">
                  {it}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.map((week) => (
              <tr key={week[0]}>
                {week.map((day) => (
                  <DayCell key={day} day={day} today={today} shifts={shifts.get(day) ?? []} missing={missing.get(day) ?? []} isBeside={span.value === 'month' && day.slice(0, 7) !== anchor.value.slice(0, 7)} all={rows.value} open={open} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface DayProps {
  day: Day;
  today: Day;
  shifts: readonly ShiftOf[];
  missing: readonly Gap[];
  isBeside: boolean;
  all: readonly ShiftOf[];
  open: string | null;
}

function DayCell({ day, today, shifts, missing, isBeside, all, open }: DayProps) {
  const w = words();
  const { month, day: date } = parts(day);
  const isTownship = (it: ShiftOf): boolean => roleName(it.cells) === 'township_duty';
  const townships = shifts.filter(isTownship);
  const townshipGaps = missing.filter(({ township }) => township !== null);
  // A day that nobody has planned yet is told once; tonight and tomorrow are told in full.
  const isUnplanned = shifts.length === 0 && missing.length > 0 && day > plusDays(today, 1);
  const chip = (shift: ShiftOf) => <Chip key={shift.key} shift={shift} isOpen={open === shift.key} press={() => press(shift, all)} />;
  return (
    <td class={classes('day', day === today && 'day-today', day < today && 'day-over', isBeside && 'day-beside')} data-day={day}>
      <div class="day-head">
        <span class="day-date">
          {date === 1 || span.value === 'week' ? w.dayName(month, date) : date} {day === today && <b>{w.today}</b>}
        </span>
        {mayChange.value && (
          <button type="button" class="day-add" aria-label={w.addShift(w.dayName(month, date))} title={w.addShift(w.dayName(month, date))} onClick={() => show({ kind: 'edit', key: null, base: { date: day }, entry: null })}>
            +
          </button>
        )}
      </div>
      {shifts.filter((it) => !isTownship(it)).map(chip)}
      {isUnplanned && (
        <span class="gap gap-empty" data-gap="all">
          {w.unplanned}
        </span>
      )}
      {(isUnplanned ? [] : missing)
        .filter(({ township }) => township === null)
        .map(({ role, since }) => (
          <span key={`${role} ${since}`} class="gap" data-gap={role}>
            <Warning size={12} /> {w.gap(w.roles[role] ?? role, since ?? null)}
          </span>
        ))}
      {townships.length > 0 &&
        (townships.length <= 2 || span.value === 'week' ? (
          townships.map(chip)
        ) : (
          <details class="townships" open={townships.some(({ key }) => key === open)}>
            <summary>{w.townshipShifts(townships.length)}</summary>
            {townships.map(chip)}
          </details>
        ))}
      {!isUnplanned && townshipGaps.length > 0 && <TownshipGaps list={townshipGaps} />}
    </td>
  );
}

function TownshipGaps({ list }: { list: readonly Gap[] }) {
  const names = [...new Set(list.map(({ township, since }) => [township, since].filter(Boolean).join(' ')))];
  return (
    <details class="townships">
      <summary class="gap-some">{words().gapTownships(new Set(list.map(({ township }) => township)).size)}</summary>
      <ul>
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </details>
  );
}

function Chip({ shift, isOpen, press: pressed }: { shift: ShiftOf; isOpen: boolean; press: () => void }) {
  const { cells } = shift;
  const role = roleName(cells);
  const where = [cells['township'], cells['grid']].filter(Boolean).join(' ');
  return (
    <button type="button" class={classes('shift-chip', `shift-${role}`)} aria-pressed={isOpen} disabled={busy.value} data-shift={shift.key} title={named(shift.key, cells, 'duty')} onClick={pressed}>
      <small>{[where || word('role', cells['role'] ?? ''), hoursOf(cells)].filter(Boolean).join(' ')}</small>
      <b>{personName(cells['person'] ?? '')}</b>
    </button>
  );
}

function gapsByDay(answer: RotaGaps | null): ReadonlyMap<Day, Gap[]> {
  const map = new Map<Day, Gap[]>();
  for (const gap of answer?.items ?? []) {
    const list = map.get(gap.date) ?? [];
    // Nobody the whole day says it for every hour of it.
    const isSaid = list.some((it) => it.role === gap.role && it.township === gap.township && it.since === null);
    map.set(gap.date, isSaid ? list : [...list, gap]);
  }
  return map;
}
