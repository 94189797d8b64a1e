/** The offline worker, and whether this browser allows one. */
import { signal } from '@preact/signals';

export type Offline = 'ready' | 'starting' | 'insecure' | 'unsupported';
export const offline = signal<Offline>('starting');

export async function registerWorker(): Promise<void> {
  if (!window.isSecureContext) offline.value = 'insecure';
  else if (!('serviceWorker' in navigator)) offline.value = 'unsupported';
  else {
    try {
      const registration = await navigator.serviceWorker.register('/sw.js', { scope: '/ranger' });
      if (registration.active) offline.value = 'ready';
      await navigator.serviceWorker.ready;
      offline.value = 'ready';
    } catch {
      offline.value = 'unsupported';
    }
  }
}
