/** Pure: the columns of each register as a form and a table show them. What a cell may hold, the server says. */
import { zh } from './words/zh';
import type { Register } from '../shared/types';

export type Kind = 'text' | 'choice' | 'date' | 'time' | 'person' | 'long';

export interface Field {
  column: string;
  kind: Kind;
  required?: true;
  /** Identifies the entry: another value is another entry. */
  key?: true;
  /** Shown in the table. */
  listed?: true;
  /** Rarely needed: behind "more". */
  rare?: true;
}

/** The words that the server writes for a column; the reader's stand beside them. */
export const choices = (column: string): string[] => Object.keys(zh.values[column] ?? {});

const roles = ['county_leader', 'county_duty', 'ranger', 'backup_ranger', 'township_duty'] as const;
/** The role of the program behind each word of the rota, most important first. */
export const roleOf: Readonly<Record<string, string>> = Object.fromEntries(choices('role').map((word, place) => [word, roles[place] ?? '']));

const place: Field[] = [
  { column: 'longitude', kind: 'text', required: true },
  { column: 'latitude', kind: 'text', required: true },
];

/** What somebody has issued for some ground and time: a ban, a signal, a danger level. */
const notice = (what: Field, ends = false): Field[] => [
  { column: 'area', kind: 'text', key: true, listed: true },
  what,
  { column: 'from', kind: 'text', required: true, key: true, listed: true },
  { column: 'until', kind: 'text', listed: true, ...(ends ? { required: true as const } : {}) },
  { column: 'issuer', kind: 'text', required: true, listed: true },
  { column: 'why', kind: 'long' },
];

export const fields: Readonly<Record<Register, readonly Field[]>> = {
  county: [],
  // Set by the configuration, read here only as changes.
  shift: [],
  policy: [],
  bans: notice({ column: 'name', kind: 'text', key: true, listed: true }, true),
  signals: notice({ column: 'signal', kind: 'choice', required: true, listed: true }),
  danger: notice({ column: 'level', kind: 'choice', required: true, listed: true }),
  people: [
    { column: 'id', kind: 'text', required: true, key: true, listed: true },
    { column: 'name', kind: 'text', required: true, listed: true },
    { column: 'phone', kind: 'text', listed: true },
    { column: 'post', kind: 'choice', required: true, listed: true },
    { column: 'grid', kind: 'text', listed: true },
    { column: 'village', kind: 'text', listed: true },
    { column: 'township', kind: 'text', listed: true },
  ],
  duty: [
    { column: 'date', kind: 'date', required: true, key: true, listed: true },
    { column: 'role', kind: 'choice', required: true, key: true, listed: true },
    { column: 'person', kind: 'person', required: true, listed: true },
    { column: 'begins', kind: 'time', key: true, listed: true },
    { column: 'ends', kind: 'time', listed: true },
    { column: 'township', kind: 'text', key: true, listed: true },
    { column: 'grid', kind: 'text', key: true, listed: true },
  ],
  cameras: [
    { column: 'id', kind: 'text', required: true, key: true, listed: true },
    { column: 'name', kind: 'text', listed: true },
    ...place,
    { column: 'azimuth', kind: 'text', listed: true },
    { column: 'height', kind: 'text' },
    { column: 'fieldofview', kind: 'text' },
    { column: 'url', kind: 'long', required: true, listed: true },
    { column: 'main_url', kind: 'long' },
    { column: 'user', kind: 'text' },
    { column: 'masks', kind: 'long' },
    { column: 'pose', kind: 'text', key: true, rare: true },
    { column: 'azimutherror', kind: 'text', rare: true },
    { column: 'tilt', kind: 'text', rare: true },
    { column: 'range', kind: 'text', rare: true },
    { column: 'pipeline', kind: 'text', rare: true },
    { column: 'horizon', kind: 'text', rare: true },
  ],
  burns: [
    { column: 'name', kind: 'text', required: true, key: true, listed: true },
    { column: 'from', kind: 'text', required: true, key: true, listed: true },
    { column: 'to', kind: 'text', required: true, listed: true },
    { column: 'approver', kind: 'text', required: true, listed: true },
    ...place,
    { column: 'radius', kind: 'text' },
  ],
  heat_sources: [
    { column: 'name', kind: 'text', required: true, key: true, listed: true },
    { column: 'expires', kind: 'text', required: true, listed: true },
    ...place.map((it): Field => ({ ...it, listed: true })),
    { column: 'radius', kind: 'text', listed: true },
  ],
  grids: [
    { column: 'code', kind: 'text', required: true, key: true, listed: true },
    { column: 'name', kind: 'text', listed: true },
    { column: 'village', kind: 'text', listed: true },
    { column: 'township', kind: 'text', required: true, listed: true },
  ],
};

/** In the order of a duty room's day. */
export const registers: readonly Register[] = ['duty', 'people', 'bans', 'burns', 'signals', 'danger', 'heat_sources', 'cameras', 'grids', 'county'];
/** Whose entries are points that the map can take. */
export const isPlaced = (register: Register): boolean => fields[register].some(({ column }) => column === 'longitude');
