/** Pure: the rota as days, and what a swap makes of two shifts. Dates are the county's, as texts. */
import { roleOf } from './fields';
import type { Cells } from './rows';

export interface Shift {
  key: string;
  cells: Cells;
}
export type Day = string;

const two = (n: number): string => String(n).padStart(2, '0');
const at = (day: Day): Date => new Date(`${day}T00:00:00Z`);
const dayOf = (date: Date): Day => `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;

export function plusDays(day: Day, days: number): Day {
  const date = at(day);
  date.setUTCDate(date.getUTCDate() + days);
  return dayOf(date);
}

export const parts = (day: Day): { year: number; month: number; day: number } => {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return { year, month, day: date };
};

/** Monday. */
export const weekOf = (day: Day): Day => plusDays(day, -((at(day).getUTCDay() + 6) % 7));

/** Whole weeks, each Monday to Sunday: one, or all that the month touches. */
export function weeks(day: Day, span: 'week' | 'month'): Day[][] {
  const month = day.slice(0, 7);
  let monday = weekOf(span === 'week' ? day : `${month}-01`);
  const rows: Day[][] = [];
  do {
    rows.push(Array.from({ length: 7 }, (_, n) => plusDays(monday, n)));
    monday = plusDays(monday, 7);
  } while (span === 'month' && monday.slice(0, 7) === month);
  return rows;
}

/** The same day of the next or the last month, or its last one; a week on or back. */
export function turned(day: Day, span: 'week' | 'month', by: 1 | -1): Day {
  if (span === 'week') return plusDays(day, 7 * by);
  const { year, month } = parts(day);
  const first = new Date(Date.UTC(year, month - 1 + by, 1));
  const last = new Date(Date.UTC(year, month + by, 0)).getUTCDate();
  return `${dayOf(first).slice(0, 8)}${two(Math.min(parts(day).day, last))}`;
}

/** Every day from the first to the last one, at most a season of them. */
export function days(first: Day, last: Day, most = 100): Day[] {
  const list: Day[] = [];
  for (let day = first; day <= last && list.length < most; day = plusDays(day, 1)) list.push(day);
  return list;
}

const rank = Object.values(roleOf);
export const roleName = (cells: Cells): string => roleOf[cells['role'] ?? ''] ?? '';

/** Shifts by their day; the leader first, then by role, hour and township. */
export function byDay(shifts: readonly Shift[]): ReadonlyMap<Day, Shift[]> {
  const map = new Map<Day, Shift[]>();
  for (const shift of shifts) {
    const day = shift.cells['date'] ?? '';
    map.set(day, [...(map.get(day) ?? []), shift]);
  }
  const order = ({ cells }: Shift): string => [rank.indexOf(roleName(cells)), cells['begins'] ?? '', cells['township'] ?? '', cells['grid'] ?? ''].join('\n');
  for (const list of map.values()) list.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return map;
}

/** Both rows with each other's person; null when it is the same one. */
export function swapped(a: Shift, b: Shift): [Cells, Cells] | null {
  const [one, other] = [a.cells['person'] ?? '', b.cells['person'] ?? ''];
  return one === other ? null : [{ ...a.cells, person: other }, { ...b.cells, person: one }];
}

const COUNTY_OFFSET = '+08:00';
/** The first moment of a day, and the first one after it, in county time. */
export const beginOf = (day: Day): string => new Date(`${day}T00:00:00${COUNTY_OFFSET}`).toISOString();
export const endOf = (day: Day): string => beginOf(plusDays(day, 1));
