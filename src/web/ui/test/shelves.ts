/** Stores for tests: one that keeps, and ones that fail at the calls a test says. */
import type { Item } from '../ranger/outbox/item';
import type { Store } from '../ranger/outbox/store';

/** `fails` is asked before each call, counted from 0: true rejects it. */
export function shelf(fails: (call: number) => boolean = () => false): Store & { kept: Map<string, Item>; calls: number } {
  const kept = new Map<string, Item>();
  const ask = async <T>(run: () => T): Promise<T> => {
    if (fails(store.calls++)) throw new DOMException('full', 'QuotaExceededError');
    return run();
  };
  const store = {
    kept,
    calls: 0,
    items: () => ask(() => [...kept.values()]),
    put: (item: Item) => ask(() => void kept.set(item.key, item)),
    remove: (key: string) => ask(() => void kept.delete(key)),
    view: () => ask(() => undefined),
    keepView: () => ask(() => undefined),
  };
  return store;
}
