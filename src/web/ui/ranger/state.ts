/** The ranger's page: last known incidents, the outbox, the route, the line to the server. */
import { computed, effect, signal } from '@preact/signals';
import { getTimed, post, Problem, uuid } from '../shared/api';
import { serverNow } from '../shared/clock';
import { failure } from '../shared/describe';
import { follow } from '../shared/stream';
import { known, soon, WAIT_MS, watch } from './gps';
import { stageOf, type Item, type Kind, type Step } from './outbox/item';
import { Outbox, type Answer } from './outbox/outbox';
import { openStore, type Store } from './outbox/store';
import { ring } from './ring';
import { watchPlaces } from './moved';
import type { Incident, RangerIncident, RangerView } from '../shared/types';

/** While the stream works this only heals; without it, it is the line. */
const POLL_MS = 20_000;

export const view = signal<RangerView | null>(null);
export const connected = signal(navigator.onLine);
export const signedOut = signal(false);
export const readAt = signal(0);
export const durable = signal(true);

let store: Store;
const outbox = signal<Outbox | null>(null);
export const items = computed<readonly Item[]>(() => outbox.value?.items.value ?? []);
export const sending = computed(() => outbox.value?.busy.value ?? false);

/** `#/i/ID`, `#/i/ID/report`, `#/records`, `#/settings`: the phone's back button works. */
export const route = signal(location.hash.slice(1) || '/');
addEventListener('hashchange', () => (route.value = location.hash.slice(1) || '/'));
export const go = (path: string): void => void (location.hash = path);

export const stage = (incident: RangerIncident): Step => stageOf(incident, items.value);
export const open = computed(() => (view.value?.incidents ?? []).filter((it) => !['closed', 'declined'].includes(stage(it))));
export const ended = computed(() => (view.value?.incidents ?? []).filter((it) => ['closed', 'declined'].includes(stage(it))));

async function load(): Promise<void> {
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
    void outbox.value?.flush();
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
    return { status: 200, words: '' };
  } catch (error) {
    const status = error instanceof Problem ? error.status : 0;
    if (status === 0) connected.value = false;
    if (status === 409) void load();
    return { status, words: failure(error) };
  }
}

/** The answer to an action does not say whose it is: the dispatch does. */
function taken(before: RangerIncident, incident: Incident, me: string): RangerIncident {
  const sent = incident.dispatch?.ranger.id === me;
  return { ...incident, mine: sent ? 'sent' : before.mine, told_as: sent ? null : before.told_as, answered_at: before.answered_at };
}

/** One tap: stored with the time it happened, then everything else. */
export async function tap(kind: Kind, incident: RangerIncident, body: Record<string, unknown> = {}, photo?: Blob): Promise<void> {
  if (navigator.vibrate) navigator.vibrate(40);
  const position = kind === 'photo' ? null : known();
  const wants = kind !== 'photo' && kind !== 'decline' && !position;
  const key = uuid();
  const item = {
    key,
    kind,
    incident: incident.id,
    place: incident.place.name,
    happenedAt: new Date(serverNow()).toISOString(),
    body,
    position,
    holdUntil: wants ? Date.now() + WAIT_MS : 0,
    ...(photo ? { photo } : {}),
  };
  await outbox.value?.add(item);
  if (wants) void soon().then((found) => outbox.value?.locate(key, found));
}

export const sendNow = (): void => void load().then(() => outbox.value?.flush());
export const decide = (item: Item, again: boolean): void => void outbox.value?.decide(item, again);

export async function start(): Promise<void> {
  store = await openStore();
  durable.value = store.durable;
  const box = new Outbox(store, deliver);
  await box.load();
  view.value = (await store.view().catch(() => undefined)) ?? null;
  outbox.value = box;
  effect(() => watch(open.value.length > 0 && open.value.some((it) => !['reported', 'told', 'heard'].includes(stage(it)))));
  effect(() => ring(open.value.filter((it) => ['new', 'asked'].includes(stage(it))).map((it) => it.id)));
  await load();
  follow({ onEvent: () => void load(), onReconnect: () => void load() });
  setInterval(() => void load(), POLL_MS);
  addEventListener('online', sendNow);
  addEventListener('offline', () => (connected.value = false));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') sendNow();
  });
  void navigator.storage?.persist?.().catch(() => false);
}
