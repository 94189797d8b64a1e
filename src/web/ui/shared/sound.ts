/** Tones made on the spot. Browsers allow none before a gesture, so `unlock` is called from a button. */
import { signal } from '@preact/signals';

type Tone = [frequency: number, start: number, length: number];
const NEW: Tone[] = [0, 0.5, 1].flatMap((at): Tone[] => [
  [880, at, 0.18],
  [660, at + 0.2, 0.2],
]);
const OVERDUE: Tone[] = [0, 0.22, 0.44, 0.66].map((at): Tone => [520, at, 0.12]);
const LOST: Tone[] = [0, 0.35, 0.7].map((at): Tone => [300, at, 0.25]);
const FAILED: Tone[] = [
  [660, 0, 0.2],
  [440, 0.22, 0.2],
  [330, 0.44, 0.3],
];
const SOFT: Tone[] = [[440, 0, 0.35]];

let context: AudioContext | undefined;
/** Whether a tone played now would be heard. */
export const audible = signal(false);

export async function unlock(): Promise<void> {
  context ??= new AudioContext();
  context.onstatechange = () => (audible.value = context?.state === 'running');
  await context.resume();
  audible.value = context.state === 'running';
}

function play(tones: Tone[], volume: number): void {
  if (!context || context.state !== 'running') return;
  for (const [frequency, start, length] of tones) {
    const at = context.currentTime + start;
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = frequency;
    oscillator.type = 'triangle';
    // Ramps, because a tone cut at full level clicks.
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(volume, at + 0.02);
    gain.gain.setValueAtTime(volume, at + length - 0.03);
    gain.gain.linearRampToValueAtTime(0, at + length);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + length);
  }
}

export const playNew = (): void => play(NEW, 0.5);
export const playOverdue = (): void => play(OVERDUE, 0.5);
export const playLost = (): void => play(LOST, 0.5);
export const playFailed = (): void => play(FAILED, 0.5);
export const playSoft = (): void => play(SOFT, 0.2);
