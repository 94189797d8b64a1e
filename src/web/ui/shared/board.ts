/** The office's picture of the county: fetched whole once, then kept right incident by incident. */
import { computed, signal } from '@preact/signals';
import { get, getTimed, Problem } from './api';
import { now } from './clock';
import { failure } from './describe';
import { groupOf, inOrder } from './incident';
import { follow, STALE_OFFICE_MS, type StreamEvent } from './stream';
import type { Board, Camera, Hotspots, Incident } from './types';

/** Even with a living stream the whole board is read again now and then: cheap, and it heals anything missed. */
const REFRESH_MS = 60_000;
/** After a failed read it is tried again this soon. */
const RETRY_MS = 5000;

export const board = signal<Board | null>(null);
export const problem = signal<string | null>(null);
/** Since when reading fails, by the server's clock. */
export const brokenAt = signal(0);
/** When the board was last read, by the server's clock. */
export const readAt = signal(0);
/** Full records (log and messages) of the incidents that were opened on this page. */
export const details = signal<ReadonlyMap<string, Incident>>(new Map());

/** Why a full record could not be read, by incident. */
export const unread = signal<ReadonlyMap<string, string>>(new Map());

export const cameras = computed<ReadonlyMap<string, Camera>>(() => new Map(board.value?.cameras.map((camera) => [camera.id, camera])));

/** A township's duty room: it is shown what is its own, and offered its own steps. */
export const isTownship = computed(() => (board.value?.townships ?? []).length > 0);
/** Whether an incident is placed where this page acts; of a border's, a township's page only reads. */
export const isHere = ({ place }: Pick<Incident, 'place'>): boolean => !isTownship.value || (place.township !== null && (board.value?.townships ?? []).includes(place.township));

/** In the server's order. */
export const queue = computed(() => (board.value ? inOrder(board.value.incidents, now.value) : []));

/** What an incident is called aloud, when all that is known is its id. */
export const codeOf = (id: string): string | null => (board.value?.incidents.find((it) => it.id === id) ?? details.value.get(id))?.code ?? null;

/** For the map; read apart from the board, which changes with every step. */
export const hotspots = signal<Hotspots>({ items: [], count: 0 });

async function loadHotspots(): Promise<void> {
  try {
    hotspots.value = await get<Hotspots>('/hotspots');
  } catch {
    // The map keeps what it shows; the board says that the line is bad, and its next refresh asks again.
  }
}

let again: ReturnType<typeof setTimeout> | undefined;

export async function loadBoard(): Promise<void> {
  clearTimeout(again);
  try {
    board.value = await getTimed<Board>('/board');
    readAt.value = now.peek();
    problem.value = null;
  } catch (error) {
    if (problem.value === null) brokenAt.value = now.peek();
    problem.value = failure(error);
    clearTimeout(again);
    again = setTimeout(() => void loadBoard(), RETRY_MS);
  }
}

/**
 * An incident fresh from the server takes the place it had; an older version never replaces a newer one. What is new, or
 * has moved to another part of the queue, waits at the end until the server's order is read, which is at once.
 */
export function put(incident: Incident): void {
  const known = board.value;
  if (known) {
    const at = known.incidents.findIndex((it) => it.id === incident.id);
    const before = known.incidents[at];
    const part = (it: Incident): string => groupOf(it, now.peek());
    if (!before || before.version <= incident.version) {
      const moved = before ? part(before) !== part(incident) : incident.state !== 'closed';
      const others = known.incidents.filter((it) => it.id !== incident.id);
      if (incident.state !== 'closed') others.splice(before && !moved ? at : others.length, 0, incident);
      board.value = { ...known, incidents: others };
      if (moved) soon();
    }
  }
  if (incident.log && (details.value.get(incident.id)?.version ?? -1) <= incident.version) {
    details.value = new Map(details.value).set(incident.id, incident);
  }
}

/** It moved to another township: there is nothing of it here any more. */
function forget(id: string): void {
  const known = board.value;
  if (known) board.value = { ...known, incidents: known.incidents.filter((it) => it.id !== id) };
  details.value = new Map([...details.value].filter(([it]) => it !== id));
}

/** Reads under way, and whether their incident has changed since they were asked. */
const reading = new Map<string, boolean>();
/** More changed incidents than this at once are read as one board. */
const READ_AT_ONCE = 8;

/** Its changes come in bursts: one read at a time, and one more for all that came meanwhile. */
async function changed(id: string): Promise<void> {
  if (reading.has(id)) return void reading.set(id, true);
  if (reading.size >= READ_AT_ONCE) return soon();
  do {
    reading.set(id, false);
    await loadIncident(id);
  } while (reading.get(id));
  reading.delete(id);
}

export async function loadIncident(id: string): Promise<void> {
  try {
    put(await get<Incident>(`/incidents/${id}`));
    if (unread.value.has(id)) unread.value = new Map([...unread.value].filter(([it]) => it !== id));
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return forget(id);
    unread.value = new Map(unread.value).set(id, failure(error));
    // The desk may have gone while it answered: what has changed must not wait for the next full reading.
    soon();
  }
}

let pending: ReturnType<typeof setTimeout> | undefined;
/** Health news and floods come in bursts; one read answers all of them. */
function soon(): void {
  pending ??= setTimeout(() => {
    pending = undefined;
    void loadBoard();
  }, 500);
}

function onEvent({ name, data }: StreamEvent): void {
  if (name === 'hotspots') return void loadHotspots();
  if (name !== 'changed') return soon();
  try {
    void changed((JSON.parse(data) as { incident: string }).incident);
  } catch {
    soon();
  }
}

export async function startBoard(): Promise<void> {
  await Promise.all([loadBoard(), loadHotspots()]);
  follow({ onEvent, onReconnect: () => void loadBoard() }, board.value?.cursor, STALE_OFFICE_MS);
  setInterval(() => void Promise.all([loadBoard(), loadHotspots()]), REFRESH_MS);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void loadBoard();
  });
}
