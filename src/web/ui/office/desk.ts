/** What the officer looks at and does: selection, the open action panel, sending, undo. */
import { computed, effect, signal } from '@preact/signals';
import { post, uuid } from '../shared/api';
import { board, details, isHere, isTownship, loadIncident, put, queue } from '../shared/board';
import { failure } from '../shared/describe';
import type { Incident } from '../shared/types';

export type Panel = 'dispatch' | 'false-alarm' | 'acknowledge' | 'send-back' | 'close' | 'note';

export const selectedId = signal<string | null>(null);
/** The incident a person has chosen or acted on: what opened by itself nobody may have seen. */
export const lookedAt = signal<string | null>(null);
export const panel = signal<Panel | null>(null);
/** Whether the right pane holds the form of a reported fire instead of the incident. */
export const intakeOpen = signal(false);
export const boxShown = signal(true);
export const closeUp = signal(false);
export const helpShown = signal(false);
/** Counts up to ask the map to show everything (key G). */
export const fitAll = signal(0);

export const selected = computed<Incident | null>(() => {
  const id = selectedId.value;
  if (!id) return null;
  const listed = board.value?.incidents.find((incident) => incident.id === id);
  const full = details.value.get(id);
  // Whichever is newer speaks; the log is added from the full record until its own refresh arrives.
  if (listed && full && listed.version > full.version) return { ...listed, log: full.log ?? [], messages: full.messages ?? [] };
  return full ?? listed ?? null;
});

export function select(id: string, byItself = false): void {
  if (!byItself) lookedAt.value = id;
  if (selectedId.value !== id) {
    panel.value = null;
    closeUp.value = false;
  }
  intakeOpen.value = false;
  selectedId.value = id;
  void loadIncident(id);
}

export function move(step: 1 | -1): void {
  const list = queue.peek();
  if (list.length === 0) return;
  const at = list.findIndex((incident) => incident.id === selectedId.value);
  const next = at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + step));
  select(list[next]!.id);
}

/** The steps of a township on an incident of its own; a note it may add to every one. */
const TOWNSHIP_STEPS: readonly Panel[] = ['acknowledge', 'dispatch', 'send-back'];

/** Which actions the right and the incident's state allow. The server has the last word; this only spares useless buttons. */
export function allowed(incident: Incident): Panel[] {
  const all = allowedBy(incident);
  if (!isTownship.value) return all;
  // Whether anybody is sent at all is the county's second look.
  const own = (it: Panel): boolean => isHere(incident) && TOWNSHIP_STEPS.includes(it) && (it !== 'dispatch' || incident.dispatch !== null);
  return all.filter((it) => it === 'note' || own(it));
}

function allowedBy(incident: Incident): Panel[] {
  switch (incident.state) {
    case 'needs_review':
      return ['dispatch', 'false-alarm', 'note'];
    case 'dispatched':
      return ['acknowledge', 'dispatch', 'false-alarm', 'note'];
    case 'acknowledged':
    case 'arrived':
      return ['dispatch', 'false-alarm', 'note'];
    case 'reported':
      return ['close', 'send-back', 'note'];
    case 'closed':
      return ['note'];
  }
}

export function openPanel(which: Panel): void {
  const incident = selected.peek();
  if (!incident || !allowed(incident).includes(which)) return;
  lookedAt.value = incident.id;
  panel.value = panel.value === which ? null : which;
}

/** One line of the action strip: on its way, waiting to be undone, or failed. It stays until dealt with. */
export interface Task {
  key: string;
  what: string;
  /** Empty when there is nothing to send. */
  path: string;
  body: unknown;
  incident: string;
  status: 'waiting' | 'sending' | 'done' | 'failed';
  /** Device time at which a waiting task is sent. */
  dueAt: number;
  why: string;
}

export const UNDO_MS = 10_000;
const DONE_SHOWN_MS = 4000;
export const tasks = signal<readonly Task[]>([]);

function update(key: string, change: Partial<Task> | null): void {
  tasks.value = tasks.value.flatMap((task) => (task.key !== key ? [task] : change ? [{ ...task, ...change }] : []));
}

/** Sends an action at once, or after ten seconds in which it can be taken back. */
export function act(incident: Pick<Incident, 'id'>, path: string, body: unknown, what: string, undoable = false): void {
  const task: Task = {
    key: uuid(),
    what,
    path: `/incidents/${incident.id}/${path}`,
    body,
    incident: incident.id,
    status: undoable ? 'waiting' : 'sending',
    dueAt: Date.now() + UNDO_MS,
    why: '',
  };
  panel.value = null;
  tasks.value = [...tasks.value, task];
  if (!undoable) void send(task);
}

export async function send(task: Task, keepalive = false): Promise<void> {
  update(task.key, { status: 'sending' });
  try {
    // The key is the task's own: a retry after a lost answer changes nothing twice.
    const incident = await post<Incident>(task.path, task.body, { key: task.key, keepalive });
    put(incident);
    void loadIncident(task.incident);
    update(task.key, { status: 'done' });
    setTimeout(() => update(task.key, null), DONE_SHOWN_MS);
  } catch (error) {
    update(task.key, { status: 'failed', why: failure(error) });
    void loadIncident(task.incident);
  }
}

/** Something that is already done, said for as long as an action that is done. */
export function tell(what: string, incident: string): void {
  const task: Task = { key: uuid(), what, path: '', body: null, incident, status: 'done', dueAt: 0, why: '' };
  tasks.value = [...tasks.value, task];
  setTimeout(() => update(task.key, null), DONE_SHOWN_MS);
}

export const drop = (task: Task): void => update(task.key, null);

/** Sends what waits when its ten seconds are over, and at once when the page goes away. */
export function startSending(): void {
  setInterval(() => {
    for (const task of tasks.value) if (task.status === 'waiting' && Date.now() >= task.dueAt) void send(task);
  }, 250);
  addEventListener('pagehide', () => {
    for (const task of tasks.value) if (task.status === 'waiting') void send(task, true);
  });
  // The first incident opens by itself only when nothing is chosen or written and there is exactly one: no stealing of focus.
  effect(() => {
    if (selectedId.value === null && !intakeOpen.value && queue.value.length === 1) select(queue.value[0]!.id, true);
  });
}
