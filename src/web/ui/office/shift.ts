/** The shift on this computer: sound, a lit screen. It survives a reload: a crash or a power cut must not make a silent desk. Who has signed is the server's (`signing.ts`). */
import { computed, effect, signal } from '@preact/signals';
import { board } from '../shared/board';
import { serverNow } from '../shared/clock';
import { audible, playNew, unlock } from '../shared/sound';

export interface Shift {
  /** Who had signed when it began here; null: nobody. */
  officer: string | null;
  /** Server time, milliseconds. */
  since: number;
  sound: boolean;
}
const KEY = 'huoyan.shift';

/** Pure: what an older page or a hand has left there is no shift. */
export function shiftFrom(text: string | null): Shift | null {
  try {
    const it = JSON.parse(text ?? 'null') as Partial<Shift> | null;
    if (typeof it?.since !== 'number' || typeof it.sound !== 'boolean') return null;
    return { officer: typeof it.officer === 'string' ? it.officer : null, since: it.since, sound: it.sound };
  } catch {
    return null;
  }
}

function remembered(): Shift | null {
  try {
    return shiftFrom(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export const shift = signal<Shift | null>(remembered());
/** Nobody has signed for these hours, or somebody else than the one whose shift began here. */
export const awaitsRelief = computed(() => {
  const signed = board.value?.shift;
  if (shift.value === null || !signed) return false;
  return signed.unsigned_since !== null || shift.value.officer !== (signed.current?.officer.name ?? null);
});
/** The shift wants sound and the browser lets it be heard. */
export const sounding = computed(() => audible.value && shift.value?.sound === true);

function keep(it: Shift): void {
  shift.value = it;
  try {
    localStorage.setItem(KEY, JSON.stringify(it));
  } catch {
    // Without storage a reload asks again.
  }
}

/** Of whom this computer's shift is, once the signature is taken. */
export function isOf(officer: string): void {
  if (shift.peek()) keep({ ...shift.peek()!, officer });
}

/** From a press: only then a browser lets a page sound and ask for notifications. */
export async function soundOnHere(): Promise<void> {
  keep({ officer: board.peek()?.shift?.current?.officer.name ?? null, since: serverNow(), sound: true });
  askToNotify();
  await unlock();
  playNew();
}

export function soundOff(): void {
  if (shift.value) keep({ ...shift.value, sound: false });
}

function askToNotify(): void {
  if ('Notification' in window && Notification.permission === 'default') void Notification.requestPermission().catch(() => undefined);
}

/** A dark screen shows no fire. The browser gives the lock back whenever the page is hidden. */
function stayAwake(): void {
  if (shift.value && document.visibilityState === 'visible') void navigator.wakeLock?.request('screen').catch(() => undefined);
}

/** Takes up the shift of before a reload; the first press or key anywhere gives it its sound back. */
export function startShiftKeeping(): void {
  const wake = (): void => {
    if (shift.peek()?.sound && !audible.peek()) void unlock();
  };
  for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, wake);
  document.addEventListener('visibilitychange', stayAwake);
  const begun = computed(() => shift.value !== null);
  effect(() => {
    if (begun.value) stayAwake();
  });
  // Where the browser's settings allow sound without a press.
  wake();
}
