/** The browser tab speaks when the page is behind another one. */
import { effect } from '@preact/signals';
import { board } from '../shared/board';
import { now } from '../shared/clock';
import { common } from '../shared/words';
import { overdue, unseen } from './alarm';
import { words } from './words';

export function startTitle(): void {
  effect(() => {
    const w = words();
    const plain = `${w.title} · ${board.value?.county.name ?? ''} · ${common().product}`;
    const [fresh, late] = [unseen.value.length, overdue.value.length];
    const call = late > 0 ? w.blink(late, w.counts.overdue) : fresh > 0 ? w.blink(fresh, w.counts.needs_review) : null;
    // Alternates each two seconds: slow enough for everyone, quick enough to be noticed.
    document.title = call && Math.floor(now.value / 2000) % 2 === 0 ? call : plain;
  });
}
