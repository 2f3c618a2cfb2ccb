/** A typed list of listeners for each kind of event. */
export class Emitter<Events> {
  private listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls fn for every event of that kind until the returned function is called. */
  on<K extends keyof Events>(kind: K, fn: (event: Events[K]) => void): () => void {
    let set = this.listeners.get(kind);
    if (!set) {
      this.listeners.set(kind, (set = new Set()));
    }
    set.add(fn);
    return () => set.delete(fn);
  }

  emit<K extends keyof Events>(kind: K, event: Events[K]): void {
    for (const fn of [...(this.listeners.get(kind) ?? [])]) {
      (fn as (event: Events[K]) => void)(event);
    }
  }
}
