/** Pure: entries as cells, and what a draft makes of them. */
import { fields } from './fields';
import { zh } from './words/zh';
import type { Register } from '../shared/types';

export type Cells = Readonly<Record<string, string>>;
export type Entry = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value));

/** Column → text; of a GeoJSON feature its properties. */
export function cellsOf(entry: Entry): Cells {
  const of = (entry['properties'] ?? entry) as Entry;
  return Object.fromEntries(Object.entries(of).map(([column, value]) => [column, text(value)]));
}

/** The entry that says these cells, empty ones left out. A grid keeps its shape. */
export function entryOf(cells: Cells, entry: Entry | null): Entry {
  const filled = Object.fromEntries(Object.entries(cells).filter(([, cell]) => cell.trim() !== ''));
  return entry && 'geometry' in entry ? { ...entry, properties: { ...(entry['properties'] as Entry), ...filled } } : filled;
}

/** What a person calls an entry. */
export function nameOf(register: Register, key: string, cells: Cells, person: (id: string) => string, word: (value: string) => string = (it) => it): string {
  if (register !== 'duty') return cells['name'] || key;
  const { date = '', role = '', township, grid, person: id = '' } = cells;
  return [date, word(role), township, grid, person(id)].filter(Boolean).join(' ');
}

/** Every word that is typed must stand in some cell. */
export function matches(cells: Cells, query: string): boolean {
  const all = Object.values(cells).join('\n').toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

/** What was typed, on top of the newest entry: a cell that was not touched follows it. */
export function rebased(base: Cells, mine: Cells, fresh: Cells): Cells {
  const columns = [...new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(fresh)])];
  const touched = (column: string): boolean => (mine[column] ?? '') !== (base[column] ?? '');
  return Object.fromEntries(columns.map((column) => [column, (touched(column) ? mine : fresh)[column] ?? '']));
}

/** The old entry goes when a cell that identifies it is another. */
export const isOther = (register: Register, base: Cells, mine: Cells): boolean => fields[register].some(({ key, column }) => key && (base[column] ?? '') !== (mine[column] ?? ''));

/** The column that a sentence of the server names, by its header in the office's sheets. */
export function namedIn(register: Register, sentence: string): string | null {
  const headers = Object.entries(zh.fields[register] ?? {});
  return headers.find(([, header]) => sentence.includes(`\u201c${header}\u201d`) || sentence.includes(`"${header}"`))?.[0] ?? null;
}

export interface Cell {
  column: string;
  before: string;
  after: string;
}

/** A new or a removed entry as a diff of all its cells, in the order of the form. */
export function whole(register: Register, cells: Cells, is: 'new' | 'gone'): Cell[] {
  const order = fields[register].map(({ column }) => column);
  const listed = [...order.filter((column) => cells[column]), ...Object.keys(cells).filter((column) => !order.includes(column) && cells[column])];
  return listed.map((column) => ({ column, before: is === 'gone' ? (cells[column] ?? '') : '', after: is === 'new' ? (cells[column] ?? '') : '' }));
}
