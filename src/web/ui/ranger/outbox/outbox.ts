/**
 * Every tap is stored before anything else happens, then sent in order until the server has it. Nothing here waits for
 * the network, and nothing is forgotten by a reload.
 */
import { signal } from '@preact/signals';
import { inOrder, outcomeOf, pause, type Item } from './item';
import type { Store } from './store';

export interface Answer {
  status: number;
  /** The server's sentence when it refuses. */
  words: string;
}
export type Deliver = (item: Item) => Promise<Answer>;

/** Delivered items stay on the records page this long. */
const RECORD_MS = 3 * 86_400_000;

export class Outbox {
  readonly items = signal<readonly Item[]>([]);
  readonly busy = signal(false);
  readonly signedOut = signal(false);
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: Store,
    private readonly deliver: Deliver,
    private readonly clock: () => number = Date.now,
  ) {}

  async load(): Promise<void> {
    const kept = await this.store.items();
    for (const item of kept) {
      if (item.deliveredAt !== null && this.clock() - item.deliveredAt > RECORD_MS) await this.store.remove(item.key);
    }
    this.items.value = (await this.store.items()).sort((a, b) => a.seq - b.seq);
  }

  async add(item: Omit<Item, 'seq' | 'attempts' | 'refused' | 'deliveredAt'>): Promise<Item> {
    const seq = 1 + Math.max(0, ...this.items.value.map((it) => it.seq));
    const stored: Item = { ...item, seq, attempts: 0, refused: null, deliveredAt: null };
    // Shown at once, stored next, sent last: the tap answers within a frame even on a slow disk.
    this.items.value = [...this.items.value, stored];
    await this.store.put(stored);
    void this.flush();
    return stored;
  }

  /** A position that came within the hold time joins the item; later ones are not invented into it. */
  async locate(key: string, position: Item['position']): Promise<void> {
    const item = this.find(key);
    if (item && item.deliveredAt === null && item.attempts === 0) await this.change(item, { position, holdUntil: 0 });
    void this.flush();
  }

  /** Tries now: a tap on "send now", the network's return, the page's return, or the timer. */
  async flush(): Promise<void> {
    if (this.busy.value) return;
    clearTimeout(this.timer);
    this.busy.value = true;
    let wait: number | null = null;
    try {
      for (let next = this.next(); next; next = this.next()) {
        const hold = next.holdUntil - this.clock();
        if (hold > 0) {
          wait = hold;
          break;
        }
        if (!(await this.one(next))) {
          wait = pause(++this.failures);
          break;
        }
        this.failures = 0;
      }
    } finally {
      this.busy.value = false;
    }
    if (wait !== null) this.timer = setTimeout(() => void this.flush(), wait);
  }

  /** The ranger's decision about an item the server refused. */
  async decide(item: Item, again: boolean): Promise<void> {
    if (again) {
      await this.change(item, { refused: null });
      return this.flush();
    }
    await this.store.remove(item.key);
    this.items.value = this.items.value.filter((it) => it.key !== item.key);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private next(): Item | undefined {
    return inOrder(this.items.value)[0];
  }

  /** True when the item is dealt with and the next may go. */
  private async one(item: Item): Promise<boolean> {
    const tried = await this.change(item, { attempts: item.attempts + 1 });
    const { status, words } = await this.deliver(tried);
    const outcome = outcomeOf(status);
    this.signedOut.value = outcome === 'signed-out';
    if (outcome === 'delivered') {
      const { photo: _, ...rest } = tried;
      await this.change(rest, { deliveredAt: this.clock() });
      return true;
    }
    if (outcome === 'refused') {
      await this.change(tried, { refused: words });
      return true;
    }
    return false;
  }

  private find(key: string): Item | undefined {
    return this.items.value.find((it) => it.key === key);
  }

  private async change(item: Item, change: Partial<Item>): Promise<Item> {
    const changed = { ...item, ...change };
    await this.store.put(changed);
    this.items.value = this.items.value.map((it) => (it.key === item.key ? changed : it));
    return changed;
  }
}
