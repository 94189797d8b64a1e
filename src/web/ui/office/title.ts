/** The browser tab, and the desktop where it was allowed, speak when the page is behind another one. */
import { effect } from '@preact/signals';
import { board } from '../shared/board';
import { now } from '../shared/clock';
import { common } from '../shared/words';
import { lost, overdue, unheard, unseen } from './alarm';
import { shift } from './shift';
import { words } from './words';

export interface Calls {
  lost: boolean;
  unheard: boolean;
  late: number;
  fresh: number;
}

/** Pure: what the title flashes, the gravest alone; null when all is quiet. */
export function callOf({ lost, unheard, late, fresh }: Calls): string | null {
  const w = words();
  if (lost) return w.titleLost;
  if (unheard) return w.titleUnheard;
  if (late > 0) return w.blink(late, w.counts.overdue);
  return fresh > 0 ? w.blink(fresh, w.counts.needs_review) : null;
}

/** Pure: something has come; what only went away disturbs nobody. */
export const grew = (before: Calls, after: Calls): boolean =>
  (after.lost && !before.lost) || (after.unheard && !before.unheard) || after.late > before.late || after.fresh > before.fresh;

export function startTitle(): void {
  let before: Calls = { lost: false, unheard: false, late: 0, fresh: 0 };
  effect(() => {
    const w = words();
    const plain = `${w.title} · ${board.value?.county.name ?? ''} · ${common().product}`;
    const calls = { lost: lost.value, unheard: unheard.value, late: overdue.value.length, fresh: unseen.value.length };
    const call = callOf(calls);
    // Alternates each two seconds: slow enough for everyone, quick enough to be noticed.
    document.title = call && Math.floor(now.value / 2000) % 2 === 0 ? call : plain;
    if (call && shift.value && grew(before, calls)) onDesktop(call, plain);
    before = calls;
  });
}

/** Silent, for the page has its own tones; one at a time, for the newest says it all. */
function onDesktop(call: string, plain: string): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  try {
    const note = new Notification(call, { body: plain, tag: 'huoyan', silent: true, requireInteraction: true });
    note.onclick = () => {
      window.focus();
      note.close();
    };
  } catch {
    // Some browsers allow them to service workers only.
  }
}
