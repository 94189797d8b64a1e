/** Tells the server that somebody is deciding, so that nothing is sent by itself meanwhile. A courtesy: it may fail unseen. */
import { effect } from '@preact/signals';
import { post } from '../shared/api';
import { isTownship, put } from '../shared/board';
import { now } from '../shared/clock';
import { panel, selected, tasks, type Panel } from './desk';
import type { Incident, IntentKind } from '../shared/types';

/** Renewed this often while the panel stays open. The server holds for a minute, and for five in all. */
const RENEW_MS = 30_000;
const intentOf: Partial<Record<Panel, IntentKind>> = { dispatch: 'dispatch', 'false-alarm': 'false_alarm' };

export interface Deciding {
  incident: string;
  intent: IntentKind;
}

/** Pure: what is being decided, on the open panel or in the ten seconds of an undo. */
export function deciding(open: Panel | null, chosen: Pick<Incident, 'id' | 'state'> | null, waiting: readonly { incident: string; path: string; status: string }[]): Deciding[] {
  const intent = open && chosen?.state === 'needs_review' ? intentOf[open] : undefined;
  const undoable = waiting.filter((it) => it.status === 'waiting' && it.path.endsWith('/false-alarm'));
  const all: Deciding[] = undoable.map((it) => ({ incident: it.incident, intent: 'false_alarm' }));
  if (intent && chosen && !all.some((it) => it.incident === chosen.id)) all.push({ incident: chosen.id, intent });
  return all;
}

export function startIntents(): void {
  const sentAt = new Map<string, number>();
  effect(() => {
    if (isTownship.value) return;
    const t = now.value;
    const current = deciding(panel.value, selected.value, tasks.value);
    for (const { incident, intent } of current) {
      const key = `${incident} ${intent}`;
      // Closing and opening again within that time is the same decision, and still held.
      if (t - (sentAt.get(key) ?? -Infinity) < RENEW_MS) continue;
      sentAt.set(key, t);
      void post<Incident>(`/incidents/${incident}/intent`, { intent }).then(put, () => undefined);
    }
  });
}
