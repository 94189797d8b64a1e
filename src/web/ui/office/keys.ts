/** Every key has a button too. By `event.code`, so that a Chinese input method does not change the letters. */
import { mute } from './alarm';
import { boxShown, closeUp, fitAll, helpShown, intakeOpen, move, openPanel, panel, select, selected, selectedId } from './desk';
import { toggleIntake } from './intake';
import { shiftShown } from './signing';
import { queue } from '../shared/board';

const actions: Record<string, () => void> = {
  KeyJ: () => move(1),
  KeyK: () => move(-1),
  KeyD: () => openPanel('dispatch'),
  KeyR: () => openPanel('dispatch'),
  KeyF: () => openPanel('false-alarm'),
  KeyA: () => openPanel('acknowledge'),
  KeyX: () => openPanel('close'),
  KeyN: toggleIntake,
  KeyM: mute,
  KeyG: () => fitAll.value++,
  KeyB: () => (boxShown.value = !boxShown.value),
  KeyZ: () => (closeUp.value = !closeUp.value),
  Enter: enter,
  Escape: back,
};

/** Those that still work while a report is written: the others would act on an incident that is out of sight. */
const whileWriting = new Set(['KeyN', 'KeyM', 'KeyG', 'Escape']);

/** Opens the first of the queue; on an open incident, the main action of its state. */
function enter(): void {
  const incident = selected.peek();
  if (!incident) {
    const first = queue.peek()[0];
    if (first) select(first.id);
  } else openPanel(incident.state === 'reported' ? 'close' : 'dispatch');
}

function back(): void {
  if (shiftShown.value) shiftShown.value = false;
  else if (helpShown.value) helpShown.value = false;
  else if (intakeOpen.value) intakeOpen.value = false;
  else panel.value = null;
}

export function startKeys(): void {
  addEventListener('keydown', (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    if (typing && event.code !== 'Escape') return;
    // What is signed for is read with both hands off the queue.
    if (shiftShown.peek() && event.code !== 'Escape') return;
    if (intakeOpen.peek() && event.key !== '?' && !whileWriting.has(event.code)) return;
    // Enter on a focused button is that button's own; on the card already open it goes on to the main action.
    if (event.code === 'Enter' && target.tagName === 'BUTTON' && target.dataset['id'] !== selectedId.value) return;
    if (event.key === '?') helpShown.value = !helpShown.value;
    else {
      const action = actions[event.code];
      if (!action || (event.shiftKey && event.code !== 'Escape')) return;
      action();
    }
    event.preventDefault();
  });
}
