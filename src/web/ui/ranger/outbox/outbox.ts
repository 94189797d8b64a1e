/**
 * What is tapped is sent from memory and stored beside it: neither waits for the other, and a full or broken disk costs a
 * sentence, never a tap. Each incident has its own lanes, so that what fails for one delays no other.
 */
import { batch, computed, signal } from '@preact/signals';
import { uuid } from '../../shared/api';
import { Beside } from './beside';
import { lanes, next, outcomeOf, pause, unsent, type Item } from './item';
import type { Store } from './store';

export interface Answer {
  status: number;
  /** The stable code of a refusal. */
  code: string;
  /** The server's sentence when it refuses. */
  words: string;
}
export type Deliver = (item: Item) => Promise<Answer>;
export type Tapped = Omit<Item, 'seq' | 'attempts' | 'refused' | 'deliveredAt'>;

/** Delivered items that stay on the records page. A number, not a time: the phone's clock may jump. */
const RECORDS_KEPT = 60;

interface Lane {
  busy: boolean;
  failures: number;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

export class Outbox {
  readonly items = signal<readonly Item[]>([]);
  private readonly sending = signal(0);
  readonly busy = computed(() => this.sending.value > 0);
  private readonly beside: Beside;
  /** Nothing unsent would die with the page. */
  readonly kept = computed(() => unsent(this.items.value).every((item) => !this.beside.failed.value.has(item.key)));
  private readonly lanes = new Map<string, Lane>();
  /** Taps that wait for a position: durations of this page, so that no clock's jump and no reload makes them longer. */
  private readonly held = new Map<string, ReturnType<typeof setTimeout>>();
  private loaded = false;

  constructor(
    private readonly store: Store,
    private readonly deliver: Deliver,
    private readonly clock: () => number = Date.now,
  ) {
    this.beside = new Beside(store, (key) => this.find(key));
  }

  /** Takes in what earlier pages left, before what was tapped meanwhile. When the disk does not answer, the next flush asks again. */
  async load(): Promise<void> {
    const stored = await this.store.items().catch(() => null);
    if (!stored || this.loaded) return;
    this.loaded = true;
    const tapped = this.items.value;
    const older = stored.filter((item) => !tapped.some((it) => it.key === item.key)).sort((a, b) => a.seq - b.seq);
    const last = Math.max(0, ...older.map((item) => item.seq));
    this.items.value = [...older, ...tapped.map((item) => ({ ...item, seq: item.seq + last }))];
    tapped.forEach((item) => this.beside.touch(item.key));
    const records = older.filter((item) => item.deliveredAt !== null);
    records.slice(0, -RECORDS_KEPT).forEach((item) => this.drop(item.key));
    this.run();
  }

  /** `holdMs`: how long it may wait for a position; a tap itself never waits. */
  add(tapped: Tapped, holdMs = 0): void {
    const item: Item = { ...tapped, seq: this.nextSeq(), attempts: 0, refused: null, deliveredAt: null };
    this.items.value = [...this.items.value, item];
    this.beside.touch(item.key);
    if (!item.draft) this.go(item.key, holdMs);
  }

  /** A draft is to be sent: it takes its place behind everything tapped before. */
  release(key: string, change: Partial<Item>, holdMs = 0): void {
    this.change(key, { ...change, draft: false, seq: this.nextSeq() });
    this.go(key, holdMs);
  }

  drop(key: string): void {
    this.items.value = this.items.value.filter((item) => item.key !== key);
    this.beside.touch(key);
  }

  /** A position that came within the hold joins the item; later ones are not invented into it. */
  locate(key: string, position: Item['position']): void {
    if (this.held.has(key)) this.change(key, { position });
    this.unhold(key);
    this.run();
  }

  /** Tries now: the network's return, the page's return. `all`: a tap on "send now", which waits for no position either. */
  flush(all = false): void {
    if (all) [...this.held.keys()].forEach((key) => this.unhold(key));
    this.lanes.forEach((lane) => {
      clearTimeout(lane.timer);
      lane.timer = undefined;
    });
    this.beside.again();
    if (!this.loaded) void this.load();
    this.run();
  }

  /** The ranger's decision about an item the server refused. */
  decide(item: Item, again: boolean): void {
    if (!again) return this.drop(item.key);
    this.change(item.key, { refused: null });
    this.run();
  }

  stop(): void {
    this.lanes.forEach((lane) => clearTimeout(lane.timer));
    this.held.forEach((timer) => clearTimeout(timer));
  }

  private go(key: string, holdMs: number): void {
    if (holdMs > 0) this.held.set(key, setTimeout(() => this.locate(key, this.find(key)?.position ?? null), holdMs));
    this.run();
  }

  private unhold(key: string): void {
    clearTimeout(this.held.get(key));
    this.held.delete(key);
  }

  private run(): void {
    for (const name of lanes(this.items.value)) void this.send(name);
  }

  private async send(name: string): Promise<void> {
    const lane: Lane = this.lanes.get(name) ?? { busy: false, failures: 0 };
    this.lanes.set(name, lane);
    if (lane.busy || lane.timer !== undefined) return;
    lane.busy = true;
    let sent = false;
    for (let item = next(this.items.value, name); item && !this.held.has(item.key); item = next(this.items.value, name)) {
      sent = await this.one(item);
      if (!sent) {
        lane.timer = setTimeout(() => {
          lane.timer = undefined;
          void this.send(name);
        }, pause(++lane.failures));
        break;
      }
      lane.failures = 0;
    }
    lane.busy = false;
    // Words that are through let the photos go.
    if (sent) this.run();
  }

  /** True when the item is dealt with and the next may go. */
  private async one(item: Item): Promise<boolean> {
    const tried = { ...item, attempts: item.attempts + 1 };
    this.items.value = this.items.value.map((it) => (it.key === item.key ? tried : it));
    this.sending.value++;
    const { status, code, words } = await this.deliver(tried).catch(() => ({ status: 0, code: '', words: '' }));
    const outcome = outcomeOf(status, code);
    return batch(() => {
      this.sending.value--;
      if (outcome === 'delivered') this.change(item.key, { deliveredAt: this.clock() });
      else if (outcome === 'refused') this.change(item.key, { refused: words });
      else if (outcome === 'new-key') this.rekey(item.key);
      return outcome === 'delivered' || outcome === 'refused';
    });
  }

  /** The key stands for something else at the server, which has therefore not taken this. */
  private rekey(key: string): void {
    const fresh = uuid();
    this.items.value = this.items.value.map((item) => (item.key === key ? { ...item, key: fresh } : item));
    this.beside.replace(key, fresh);
  }

  private nextSeq(): number {
    return 1 + Math.max(0, ...this.items.value.map((item) => item.seq));
  }

  private find(key: string): Item | undefined {
    return this.items.value.find((item) => item.key === key);
  }

  /** A delivered photo is the server's: the phone keeps the line about it. */
  change(key: string, change: Partial<Item>): void {
    this.items.value = this.items.value.map((item) => {
      if (item.key !== key) return item;
      const { photo, ...changed } = { ...item, ...change };
      return photo && changed.deliveredAt === null ? { ...changed, photo } : changed;
    });
    this.beside.touch(key);
  }
}
