/** Keeps on the disk what the memory holds, as well as the disk lets it. Nothing ever waits for it. */
import { signal } from '@preact/signals';
import type { Item } from './item';
import type { Store } from './store';

export class Beside {
  /** Keys of what is not on the disk as it is in memory; tried again with every `again`. */
  readonly failed = signal<ReadonlySet<string>>(new Set());
  private readonly changed = new Set<string>();
  private readonly replaced = new Map<string, string>();
  private writing = false;

  constructor(
    private readonly store: Store,
    /** The item as it is now; `undefined` once it is no longer wanted. */
    private readonly find: (key: string) => Item | undefined,
  ) {}

  touch(key: string): void {
    this.changed.add(key);
    void this.write();
  }

  /** An item has a new key: the old one goes from the disk only once the new one is on it. */
  replace(old: string, fresh: string): void {
    this.replaced.set(fresh, old);
    this.touch(fresh);
  }

  again(): void {
    this.failed.peek().forEach((key) => this.touch(key));
  }

  /** One write after the other, each of the item as it then is: a late answer never stores an older state over a newer. */
  private async write(): Promise<void> {
    if (this.writing) return;
    this.writing = true;
    for (const key of this.changed) {
      this.changed.delete(key);
      const stored = await this.one(key).then(
        () => true,
        () => false,
      );
      if (stored === this.failed.value.has(key)) this.failed.value = new Set(stored ? [...this.failed.value].filter((it) => it !== key) : [...this.failed.value, key]);
    }
    this.writing = false;
  }

  private async one(key: string): Promise<void> {
    const item = this.find(key);
    await (item ? this.store.put(item) : this.store.remove(key));
    const old = this.replaced.get(key);
    if (old === undefined) return;
    this.replaced.delete(key);
    this.touch(old);
  }
}
