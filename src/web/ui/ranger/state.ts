/** The ranger's page: last known incidents, the outbox, the route, the line to the server. */
import { computed, effect, signal } from '@preact/signals';
import { getTimed, post, Problem, uuid } from '../shared/api';
import { serverNow } from '../shared/clock';
import { failure } from '../shared/describe';
import { follow } from '../shared/stream';
import { known, soon, WAIT_MS, watch } from './gps';
import { stageOf, type Item, type Kind, type Step } from './outbox/item';
import { Outbox, type Answer } from './outbox/outbox';
import { openStore } from './outbox/store';
import { ring } from './ring';
import { watchPlaces } from './moved';
import type { Incident, RangerIncident, RangerView } from '../shared/types';

/** While the stream works this only heals; without it, it is the line. */
const POLL_MS = 20_000;

export const view = signal<RangerView | null>(null);
export const connected = signal(navigator.onLine);
export const signedOut = signal(false);
export const readAt = signal(0);

const store = openStore();
export const outbox = new Outbox(store, deliver, serverNow);
export const { items, busy: sending, kept } = outbox;

/** `#/i/ID`, `#/i/ID/report`, `#/records`, `#/settings`: the phone's back button works. */
export const route = signal(location.hash.slice(1) || '/');
addEventListener('hashchange', () => (route.value = location.hash.slice(1) || '/'));
export const go = (path: string): void => void (location.hash = path);

export const stage = (incident: RangerIncident): Step => stageOf(incident, items.value);
export const open = computed(() => (view.value?.incidents ?? []).filter((it) => !['closed', 'declined'].includes(stage(it))));
export const ended = computed(() => (view.value?.incidents ?? []).filter((it) => ['closed', 'declined'].includes(stage(it))));

let loading: Promise<void> | null = null;
let again = false;

/** One read at a time: what asks meanwhile is answered by one more. */
function load(): Promise<void> {
  if (loading) {
    again = true;
    return loading;
  }
  loading = read().finally(() => {
    loading = null;
    if (again) {
      again = false;
      void load();
    }
  });
  return loading;
}

async function read(): Promise<void> {
  try {
    const fresh = await getTimed<RangerView>('/ranger');
    const before = new Map(view.value?.incidents.map((it) => [it.id, it]));
    const incidents = fresh.incidents.map((it) => {
      const old = before.get(it.id);
      return old && old.version > it.version ? old : it;
    });
    keep({ ...fresh, incidents });
    connected.value = true;
    signedOut.value = false;
    readAt.value = serverNow();
    outbox.flush();
  } catch (error) {
    connected.value = false;
    signedOut.value = error instanceof Problem && error.status === 401;
  }
}

function keep(next: RangerView): void {
  view.value = next;
  watchPlaces(next.incidents);
  void store.keepView(next).catch(() => undefined);
}

/** Sends one item; an incident in the answer takes its place before the item leaves the list, so no stage flickers back. */
async function deliver(item: Item): Promise<Answer> {
  const path = `/incidents/${item.incident}/${item.kind === 'photo' ? 'photos' : item.kind}`;
  const { interim: _, ...body } = item.body;
  try {
    if (item.kind === 'photo') await post(path, item.photo, { key: item.key, type: 'image/jpeg', timeoutMs: 90_000 });
    else {
      const position = item.position ? { position: item.position } : {};
      const incident = await post<Incident>(path, { ...body, happened_at: item.happenedAt, ...position }, { key: item.key });
      const last = view.value;
      if (last && incident?.id) keep({ ...last, incidents: last.incidents.map((it) => (it.id === incident.id ? taken(it, incident, last.me.person) : it)) });
      // Who was asked or told learns only from the list what that made of him.
      if (last?.incidents.some((it) => it.id === item.incident && it.mine !== 'sent')) void load();
    }
    connected.value = true;
    return { status: 200, code: '', words: '' };
  } catch (error) {
    const [status, code] = error instanceof Problem ? [error.status, error.code] : [0, ''];
    if (status === 0) connected.value = false;
    if (status === 401) signedOut.value = true;
    if (status === 409) void load();
    return { status, code, words: failure(error) };
  }
}

/** The answer to an action does not say whose it is: the dispatch does. */
function taken(before: RangerIncident, incident: Incident, me: string): RangerIncident {
  const sent = incident.dispatch?.ranger.id === me;
  return { ...before, ...incident, mine: sent ? 'sent' : before.mine, told_as: sent ? null : before.told_as };
}

/** What every tap carries: which, about what, when and from where. */
export function tapped(kind: Kind, incident: RangerIncident, body: Record<string, unknown> = {}) {
  const position = kind === 'photo' ? null : known();
  return { key: uuid(), kind, incident: incident.id, place: incident.place.name, happenedAt: new Date(serverNow()).toISOString(), body, position };
}

/** One tap, taken at once. */
export function tap(kind: Kind, incident: RangerIncident, body: Record<string, unknown> = {}, photo?: Blob): void {
  if (navigator.vibrate) navigator.vibrate(40);
  const item = tapped(kind, incident, body);
  outbox.add(photo ? { ...item, photo } : item, waitFor(item));
}

/** A step without a position waits a moment for one; a refusal needs none. */
export function waitFor({ key, kind, position }: Pick<Item, 'key' | 'kind' | 'position'>): number {
  if (position || kind === 'photo' || kind === 'decline') return 0;
  void soon().then((found) => outbox.locate(key, found));
  return WAIT_MS;
}

export const sendNow = (): void => {
  outbox.flush(true);
  void load();
};

export async function start(): Promise<void> {
  // What is kept is shown first; a disk that does not answer delays nothing but itself.
  const kept = Promise.all([outbox.load(), store.view().then((last) => (view.value ??= last ?? null), () => undefined)]);
  const wake = (): void => {
    outbox.flush();
    void load();
  };
  void load();
  follow({ onEvent: () => void load(), onReconnect: () => void load() });
  setInterval(wake, POLL_MS);
  addEventListener('online', wake);
  addEventListener('offline', () => (connected.value = false));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake();
  });
  void navigator.storage?.persist?.().catch(() => false);
  // What was acknowledged on an earlier page rings no more.
  await kept;
  effect(() => watch(open.value.length > 0 && open.value.some((it) => !['reported', 'told', 'heard'].includes(stage(it)))));
  effect(() => ring(open.value.filter((it) => ['new', 'asked'].includes(stage(it))).map((it) => it.id)));
}
