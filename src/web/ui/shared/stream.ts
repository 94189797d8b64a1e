/**
 * `/api/v1/stream` over fetch. EventSource hides the comments that keep the line alive, and those comments are how the
 * page knows that silence means "nothing happened" and not "the line is dead".
 */
import { signal } from '@preact/signals';

/** Two missed heartbeats (15 s each; 5 s for the office) and a little. */
export const STALE_MS = 40_000;
export const STALE_OFFICE_MS = 12_000;
const RETRIES_MS = [0, 1000, 2000, 5000, 10_000];

export interface StreamEvent {
  id: string;
  name: string;
  data: string;
}

/** Pure: text chunks in, events out. `alive` is true when the chunk held anything at all, comments included. */
export class EventParser {
  private rest = '';
  private event: StreamEvent = { id: '', name: 'message', data: '' };

  push(chunk: string): StreamEvent[] {
    const lines = (this.rest + chunk).split(/\r?\n/);
    this.rest = lines.pop() ?? '';
    const events: StreamEvent[] = [];
    for (const line of lines) {
      if (line === '') {
        if (this.event.data) events.push(this.event);
        this.event = { id: this.event.id, name: 'message', data: '' };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') this.event.data += (this.event.data ? '\n' : '') + value;
      else if (field === 'event') this.event.name = value;
      else if (field === 'id') this.event.id = value;
    }
    return events;
  }
}

/** When the stream last said anything, by the device's clock; 0 before the first word. */
export const heardAt = signal(0);
/** True when this silence means a lost connection. */
export const stale = signal(false);

export interface Listener {
  onEvent(event: StreamEvent): void;
  /** After a break: what was missed is fetched whole. */
  onReconnect(): void;
}

export function follow(listener: Listener, from?: string, staleMs = STALE_MS): void {
  let cursor = from ?? '';
  let failures = 0;
  let broken = false;
  let abort = new AbortController();
  /** Last sign of life of the present line, its beginning included. */
  let lineAt = 0;

  async function once(): Promise<void> {
    abort = new AbortController();
    lineAt = Date.now();
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (cursor) headers['Last-Event-ID'] = cursor;
    const response = await fetch('/api/v1/stream', { headers, signal: abort.signal, cache: 'no-store' });
    if (!response.ok || !response.body) throw new Error(String(response.status));
    heard();
    if (broken) listener.onReconnect();
    broken = false;
    failures = 0;
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      lineAt = Date.now();
      heard();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.id) cursor = event.id;
        listener.onEvent(event);
      }
    }
  }

  async function forever(): Promise<void> {
    for (;;) {
      await once().catch(() => undefined);
      broken = true;
      const pause = RETRIES_MS[Math.min(failures++, RETRIES_MS.length - 1)]!;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  heard();
  void forever();
  setInterval(() => {
    stale.value = Date.now() - heardAt.value > staleMs;
    // A half-open line never errors by itself: cut it, so that the loop above tries a new one.
    if (Date.now() - lineAt > staleMs) abort.abort();
  }, 1000);
  addEventListener('online', () => abort.abort());
}

function heard(): void {
  heardAt.value = Date.now();
  stale.value = false;
}
