/** One line of fixed height under the top bar: what is not yet delivered, or what stands in the way. Never pushes the page. */
import { computed, signal } from '@preact/signals';
import { now } from '../shared/clock';
import { clockTime } from '../shared/time';
import { Up } from '../shared/icons';
import { classes } from '../shared/ui';
import { gpsProblem } from './gps';
import { pending } from './outbox/item';
import { items, kept, readAt, sending, sendNow, signedOut } from './state';
import { offline } from './worker';
import { words } from './words';

/** A delivery is confirmed in words this long. */
const DELIVERED_SHOWN_MS = 8000;
const pendingCount = computed(() => pending(items.value).length);
const justSent = signal(false);
let timer: ReturnType<typeof setTimeout>;
let before = 0;
pendingCount.subscribe((count) => {
  if (before > 0 && count === 0) {
    justSent.value = true;
    clearTimeout(timer);
    timer = setTimeout(() => (justSent.value = false), DELIVERED_SHOWN_MS);
  }
  before = count;
});

export function Strip() {
  return <div class="strip">{content()}</div>;
}

function content() {
  const w = words();
  void now.value;
  const waiting = pendingCount.value;
  const refused = items.value.some((item) => item.refused !== null);
  if (signedOut.value) return <p class="strip-red">{kept.value ? w.signedOut : w.notKept}</p>;
  if (refused)
    return (
      <a class="strip-red" href="#/records">
        {w.refused} · {w.tabs.records} {!kept.value && w.notKept}
      </a>
    );
  if (waiting > 0)
    return (
      <p class={classes('strip-amber', !kept.value && 'strip-red')} data-queued={waiting}>
        <Up size={16} />
        <span>{kept.value ? w.queued(waiting) : w.notKept}</span>
        <button type="button" onClick={sendNow} disabled={sending.value}>
          {sending.value ? w.sending : w.sendNow}
        </button>
      </p>
    );
  if (!kept.value) return <p class="strip-red">{w.notKept}</p>;
  if (offline.value === 'insecure') return <p class="strip-red">{w.insecure}</p>;
  if (gpsProblem.value) return <p class="strip-red">{w.noGps}</p>;
  if (offline.value === 'unsupported') return <p class="strip-red">{w.noWorker}</p>;
  if (justSent.value) return <p class="strip-green">{w.allSent}</p>;
  return <p>{readAt.value > 0 && w.asOf(clockTime(readAt.value))}</p>;
}
