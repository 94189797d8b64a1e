/** Rings and vibrates for tasks nobody has acknowledged on this phone, every 20 s. SMS and calls reach a closed page. */
import { playNew, unlock } from '../shared/sound';

const AGAIN_MS = 20_000;
const PATTERN = [400, 150, 400];
let waiting = '';
let timer: ReturnType<typeof setInterval> | undefined;

export function ring(ids: readonly string[]): void {
  const now = [...ids].sort().join();
  if (now === waiting) return;
  const more = ids.some((id) => !waiting.includes(id));
  waiting = now;
  clearInterval(timer);
  if (!now) return void navigator.vibrate?.(0);
  if (more) once();
  timer = setInterval(once, AGAIN_MS);
}

export function once(): void {
  playNew();
  navigator.vibrate?.(PATTERN);
}

/** The first touch of the page is the gesture that browsers want before any sound. */
export function unlockOnTouch(): void {
  addEventListener('pointerdown', () => void unlock().catch(() => undefined), { once: true });
}
