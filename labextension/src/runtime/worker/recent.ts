/** Keeps what was used last. */
export class Recent<T> {
  /** What was used last is the last one. */
  private readonly items = new Map<number, T>();

  /** @param most - how many are kept. */
  constructor(private readonly most: number) {}

  /** Returns the item with a number. `make` makes it if it is not kept. */
  get(index: number, make: () => T): T {
    const item = this.items.has(index) ? this.items.get(index)! : make();
    this.items.delete(index);
    this.items.set(index, item);
    if (this.items.size > this.most) {
      this.items.delete(this.items.keys().next().value!);
    }
    return item;
  }
}
