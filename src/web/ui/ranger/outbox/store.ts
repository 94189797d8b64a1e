/** What the phone remembers: taps not yet delivered, the last known incidents. IndexedDB, or memory where there is none. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { RangerView } from '../../shared/types';
import type { Item } from './item';

export interface Store {
  items(): Promise<Item[]>;
  put(item: Item): Promise<void>;
  remove(key: string): Promise<void>;
  view(): Promise<RangerView | undefined>;
  keepView(view: RangerView): Promise<void>;
  /** False when a reload would lose what is kept. */
  durable: boolean;
}

interface Schema extends DBSchema {
  outbox: { key: string; value: Item };
  view: { key: string; value: RangerView };
}

export async function openStore(): Promise<Store> {
  try {
    const db = await openDB<Schema>('huoyan-ranger', 1, {
      upgrade(db) {
        db.createObjectStore('outbox', { keyPath: 'key' });
        db.createObjectStore('view');
      },
    });
    return durable(db);
  } catch {
    return memoryStore();
  }
}

function durable(db: IDBPDatabase<Schema>): Store {
  return {
    durable: true,
    items: () => db.getAll('outbox'),
    put: async (item) => void (await db.put('outbox', item)),
    remove: (key) => db.delete('outbox', key),
    view: () => db.get('view', 'last'),
    keepView: async (view) => void (await db.put('view', view, 'last')),
  };
}

export function memoryStore(): Store {
  const kept = new Map<string, Item>();
  let last: RangerView | undefined;
  return {
    durable: false,
    items: async () => [...kept.values()],
    put: async (item) => void kept.set(item.key, item),
    remove: async (key) => void kept.delete(key),
    view: async () => last,
    keepView: async (view) => void (last = view),
  };
}
