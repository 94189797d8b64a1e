/** The registers as read, what is being drafted, and what was shown of it. Nothing is changed but by `commit`. */
import { computed, signal } from '@preact/signals';
import { get, getTimed, post, Problem } from '../shared/api';
import { serverNow } from '../shared/clock';
import { failure } from '../shared/describe';
import { lang } from '../shared/lang';
import { isPlaced, registers } from './fields';
import { cellsOf, nameOf, namedIn, type Cells, type Entry } from './rows';
import { words } from './words';
import type { Brought, Changes, Me, Proposed, Register, RegisterView, RotaGaps } from '../shared/types';
import { endOf, plusDays, weeks, type Day } from './calendar';

export interface Row {
  key: string;
  entry: Entry;
  cells: Cells;
  change: number | null;
  validUntil: string | null;
}

/** What the right-hand side shows. */
export type Task =
  | { kind: 'edit'; key: string | null; base: Cells; entry: Entry | null }
  | { kind: 'shift'; key: string }
  | { kind: 'bring' }
  | { kind: 'history'; register: Register | null; key: string | null };

/** One change, from what it would do to what it did. `send` asks the server, first without changing anything. */
export interface Plan {
  title: string;
  register: Register;
  send: (how: { dryRun: boolean; why: string; seen: number }) => Promise<Proposed | Brought>;
  /** What the reason probably is. */
  why?: string;
}

const fromHash = (): Register => registers.find((it) => it === location.hash.slice(1)) ?? 'duty';

export const me = signal<Me | null>(null);
export const chosen = signal<Register>(fromHash());
export const view = signal<RegisterView | null>(null);
/** Names behind ids, for the rota. */
export const people = signal<ReadonlyMap<string, Cells>>(new Map());
/** Outlines for the map. */
export const grids = signal<RegisterView | null>(null);
export const problem = signal<string | null>(null);
export const query = signal('');
/** The register as it was at the end of this day; null: now. */
export const asOf = signal<Day | null>(null);
export const task = signal<Task | null>(null);
export const shown = signal<'calendar' | 'table'>('calendar');

export const span = signal<'week' | 'month'>('month');
export const anchor = signal<Day>(new Date(serverNow() + 8 * 3_600_000).toISOString().slice(0, 10));
export const gaps = signal<RotaGaps | null>(null);

export const plan = signal<Plan | null>(null);
export const proposed = signal<Proposed | Brought | null>(null);
export const busy = signal(false);
/** Why the last question was refused; the column that the sentence names. */
export const refusal = signal<{ words: string; column: string | null; isConflict: boolean } | null>(null);
/** The change that was just made, for the way back. */
export const made = signal<{ number: number; title: string; register: Register } | null>(null);

/** What was typed and not committed, by register and key: closing a form or opening another one loses nothing. */
export const drafts = new Map<string, { base: Cells; cells: Cells }>();
export const draftKey = (register: Register, key: string | null): string => `${register} ${key ?? ''}`;

export const history = signal<Changes | null>(null);

export const rows = computed<Row[]>(() =>
  (view.value?.items ?? []).map((it) => ({ key: it.key, entry: it.entry as Entry, cells: cellsOf(it.entry as Entry), change: it.change ?? null, validUntil: it.valid_until ?? null })),
);
export const mayChange = computed(() => (view.value?.may_change ?? false) && asOf.value === null);

export const personName = (id: string): string => people.value.get(id)?.['name'] ?? id;
/** The reader's word for what a column of choices holds. */
export const word = (column: string, value: string): string => words().values[column]?.[value] ?? value;
export const named = (key: string, cells: Cells, register: Register = chosen.value): string => nameOf(register, key, cells, personName, (role) => word('role', role));

const at = (): string => (asOf.value === null ? '' : `?at=${encodeURIComponent(endOf(asOf.value))}`);

export async function load(): Promise<void> {
  const register = chosen.value;
  try {
    const [answer] = await Promise.all([
      get<RegisterView>(`/registers/${register}${at()}`),
      register === 'duty' ? loadPeople() : undefined,
      register === 'duty' ? loadGaps() : undefined,
      (isPlaced(register) || register === 'grids') && grids.value === null ? loadGrids() : undefined,
    ]);
    if (register !== chosen.value) return;
    view.value = answer;
    problem.value = null;
  } catch (error) {
    if (register === chosen.value) problem.value = failure(error);
  }
}

async function loadPeople(): Promise<void> {
  const answer = await get<RegisterView>('/registers/people');
  people.value = new Map(answer.items.map((it) => [it.key, cellsOf(it.entry as Entry)]));
}

async function loadGrids(): Promise<void> {
  grids.value = await get<RegisterView>('/registers/grids');
}

export async function loadGaps(): Promise<void> {
  const shownWeeks = weeks(anchor.value, span.value);
  const answer = await get<RotaGaps>(`/rota-gaps?from=${shownWeeks[0]![0]!}&days=${shownWeeks.length * 7}`);
  gaps.value = answer;
}

export function choose(register: Register): void {
  if (register === chosen.value && view.value !== null) return;
  chosen.value = register;
  view.value = null;
  query.value = '';
  asOf.value = null;
  made.value = null;
  drop();
  task.value = null;
  location.hash = register;
  void load();
}

export function show(next: Task | null): void {
  drop();
  task.value = next;
  if (next?.kind === 'history') void loadHistory(false);
}

/** Leaves a review without a change; what was typed stays in its form. */
export function drop(): void {
  plan.value = null;
  proposed.value = null;
  refusal.value = null;
}

/** Asks what a plan would do, and changes nothing. */
export async function look(next: Plan): Promise<void> {
  await asking(async () => {
    proposed.value = await next.send({ dryRun: true, why: '', seen: view.value?.seen ?? 0 });
    plan.value = next;
    made.value = null;
  });
}

/** The newest register, and the same question again. */
export async function lookAgain(): Promise<void> {
  const next = plan.value;
  await load();
  if (next) await look(next);
}

export async function commit(why: string): Promise<boolean> {
  const next = plan.value;
  const known = proposed.value;
  if (!next || !known) return false;
  const isDone = await asking(async () => {
    const done = await next.send({ dryRun: false, why, seen: known.seen });
    drop();
    const open = task.value;
    if (open?.kind === 'edit') drafts.delete(draftKey(next.register, open.key));
    task.value = open?.kind === 'history' ? open : null;
    made.value = { number: done.seen, title: next.title, register: next.register };
  });
  if (isDone) await Promise.all([load(), task.value?.kind === 'history' ? loadHistory(false) : undefined]);
  return isDone;
}

async function asking(work: () => Promise<void>): Promise<boolean> {
  if (busy.value) return false;
  busy.value = true;
  refusal.value = null;
  try {
    await work();
    return true;
  } catch (error) {
    const told = failure(error);
    refusal.value = { words: told, column: namedIn(chosen.value, told), isConflict: error instanceof Problem && error.code === 'conflict' };
    return false;
  } finally {
    busy.value = false;
  }
}

/** Sets and removes entries of the register that is shown. */
export const changing = (title: string, body: () => { set?: readonly Entry[]; remove?: readonly string[]; valid_from?: string; valid_until?: string }): Plan => {
  const register = chosen.value;
  return { title, register, send: ({ dryRun, why, seen }) => post<Proposed>(`/registers/${register}`, { ...body(), why, seen, dry_run: dryRun }) };
};

export const undoing = (number: number, register: Register): Plan => ({
  title: words().undoOf(number),
  register,
  why: words().undoWhy(number),
  send: ({ dryRun, why }) => post<Proposed>('/register-changes/undo', { number, why, dry_run: dryRun }),
});

/** The server reads the sheet, whatever it is. */
export function bringing(sheet: Blob, name: string, replace: boolean): Plan {
  const register = chosen.value;
  return {
    title: words().bringInto(words().of[register]!),
    register,
    send: ({ dryRun, why, seen }) => {
      const asked = new URLSearchParams({ name, replace: String(replace), dry_run: String(dryRun), why, ...(dryRun ? {} : { seen: String(seen) }) });
      return post<Brought>(`/registers/${register}/file?${asked.toString()}`, sheet, { type: 'application/octet-stream', timeoutMs: 90_000 });
    },
  };
}

export async function loadHistory(older: boolean): Promise<void> {
  const of = task.value;
  if (of?.kind !== 'history') return;
  const before = older ? history.value?.next : null;
  if (!older) history.value = null;
  const asked = new URLSearchParams({ ...(before ? { before: String(before) } : {}), ...(of.register ? { register: of.register } : {}), ...(of.key ? { key: of.key } : {}) });
  try {
    const page = await get<Changes>(`/register-changes?${asked.toString()}`);
    if (task.value !== of) return;
    history.value = older && history.value ? { ...page, items: [...history.value.items, ...page.items] } : page;
  } catch (error) {
    problem.value = failure(error);
  }
}

export function turnTo(day: Day): void {
  anchor.value = day;
  void loadGaps().catch((error: unknown) => (problem.value = failure(error)));
}

export function goTo(day: Day | null): void {
  asOf.value = day;
  show(null);
  void load();
}

export const download = (): string => `/api/v1/registers/${chosen.value}/file${at()}`;
export const yesterday = (): Day => plusDays(gaps.value?.today ?? anchor.value, -1);

/** Others change the registers, too; a question that was shown stays as it was shown. */
const REFRESH_MS = 60_000;
const refresh = (): void => {
  if (document.visibilityState === 'visible' && plan.value === null && !busy.value) void load();
};

export async function start(): Promise<void> {
  setInterval(refresh, REFRESH_MS);
  document.addEventListener('visibilitychange', refresh);
  addEventListener('hashchange', () => choose(fromHash()));
  lang.subscribe(() => void load());
  me.value = await getTimed<Me>('/me').catch(() => null);
}
