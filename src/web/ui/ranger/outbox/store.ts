/** What the phone remembers in IndexedDB: taps, drafts and photos, and the last known incidents. Any call may fail at any time. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { RangerView } from '../../shared/types';
import type { Item } from './item';

export interface Store {
  items(): Promise<Item[]>;
  put(item: Item): Promise<void>;
  remove(key: string): Promise<void>;
  view(): Promise<RangerView | undefined>;
  keepView(view: RangerView): Promise<void>;
}

interface Schema extends DBSchema {
  outbox: { key: string; value: Item };
  view: { key: string; value: RangerView };
}
type Database = IDBPDatabase<Schema>;

/** A database that has not answered by then does not count as one. */
const ANSWERS_MS = 5000;

export function openStore(name = 'huoyan-ranger'): Store {
  let opened: Promise<Database> | undefined;
  const open = (): Promise<Database> =>
    openDB<Schema>(name, 1, {
      upgrade(db) {
        db.createObjectStore('outbox', { keyPath: 'key' });
        db.createObjectStore('view');
      },
      terminated: () => (opened = undefined),
    });

  /** The browser closes a database when the disk is full or the system takes its memory: a second try is on a new connection. */
  async function ask<T>(run: (db: Database) => Promise<T>): Promise<T> {
    try {
      return await within(once(run));
    } catch {
      opened?.then((db) => db.close()).catch(() => undefined);
      opened = undefined;
      return within(once(run));
    }
  }
  const once = async <T>(run: (db: Database) => Promise<T>): Promise<T> => run(await (opened ??= open()));

  return {
    items: () => ask((db) => db.getAll('outbox')),
    put: async (item) => void (await ask((db) => db.put('outbox', item))),
    remove: (key) => ask((db) => db.delete('outbox', key)),
    view: () => ask((db) => db.get('view', 'last')),
    keepView: async (view) => void (await ask((db) => db.put('view', view, 'last'))),
  };
}

function within<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error('the database does not answer')), ANSWERS_MS)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
