/** What the browser keeps for a person between one page and the next. */
export type StoreName = "frames" | "histories" | "conflicts" | "uploads" | "rows" | "pictures" | "snapshots";

const DATABASE = "easel";
const VERSION = 2;
const STORES: StoreName[] = ["frames", "histories", "conflicts", "uploads", "rows", "pictures", "snapshots"];

type Key = (string | number)[];

/**
 * A small face of IndexedDB. Writes are given to the browser at once and in
 * order, so that what was written before a page goes is there for the next one.
 * Keys are lists; a shorter list names everything that begins with it. Without
 * IndexedDB (some private windows) nothing is found and nothing is kept, and
 * `keeps` is false.
 */
export class LocalStore {
  private constructor(
    private readonly db: IDBDatabase | null,
    private readonly lost: (err: unknown) => void,
  ) {}

  /** Opens the database; lost hears of writes that the browser did not take. */
  static open(lost: (err: unknown) => void): Promise<LocalStore> {
    return new Promise((resolve) => {
      let request: IDBOpenDBRequest;
      try {
        request = indexedDB.open(DATABASE, VERSION);
      } catch {
        resolve(new LocalStore(null, lost));
        return;
      }
      request.onupgradeneeded = () => {
        for (const name of STORES) {
          if (!request.result.objectStoreNames.contains(name)) {
            request.result.createObjectStore(name);
          }
        }
      };
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close(); // a newer page needs it
        resolve(new LocalStore(request.result, lost));
      };
      request.onerror = () => resolve(new LocalStore(null, lost));
      request.onblocked = () => resolve(new LocalStore(null, lost));
    });
  }

  get keeps(): boolean {
    return this.db !== null;
  }

  /** Writes and deletes in one transaction, without waiting for it. */
  write(store: StoreName, puts: Iterable<readonly [Key, unknown]>, deletes: Iterable<Key> = []): void {
    if (!this.db) {
      return;
    }
    try {
      const tx = this.db.transaction(store, "readwrite");
      tx.onabort = () => this.lost(tx.error);
      const objects = tx.objectStore(store);
      for (const key of deletes) {
        objects.delete(key);
      }
      for (const [key, value] of puts) {
        objects.put(value, key);
      }
      tx.commit();
    } catch (err) {
      this.lost(err);
    }
  }

  /** Deletes everything whose key begins with prefix. */
  clear(store: StoreName, prefix: Key): void {
    if (this.db) {
      const tx = this.db.transaction(store, "readwrite");
      tx.objectStore(store).delete(under(prefix));
      tx.commit();
    }
  }

  /** The keys that begin with prefix, in order. */
  async keys(store: StoreName, prefix: Key): Promise<Key[]> {
    return (await this.read<IDBValidKey>((objects) => objects.getAllKeys(under(prefix)), store)) as Key[];
  }

  /** The values whose keys begin with prefix, in the order of the keys. */
  async values<T>(store: StoreName, prefix: Key): Promise<T[]> {
    return this.read<T>((objects) => objects.getAll(under(prefix)), store);
  }

  private read<T>(ask: (objects: IDBObjectStore) => IDBRequest<T[]>, store: StoreName): Promise<T[]> {
    return new Promise((resolve) => {
      if (!this.db) {
        resolve([]);
        return;
      }
      const request = ask(this.db.transaction(store, "readonly").objectStore(store));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve([]);
    });
  }
}

/** A list sorts after every string and number, so it ends the range. */
function under(prefix: Key): IDBKeyRange {
  return IDBKeyRange.bound(prefix, [...prefix, []]);
}
