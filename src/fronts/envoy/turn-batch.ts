/** Defers what arrives in one turn of the event loop until the turn is over. */

/**
 * Collects items, and hands over all that came in one turn of the event loop once the turn's input is read. Code that
 * does one thing many times stays in the processor's caches: deciding and answering Checks in batches costs a seventh less
 * than one by one, and a turn with a single Check costs nothing extra (docs/decisions/0003-transport.md).
 *
 * @param handle gets the items in the order in which they came; must not throw
 * @param afterTurn calls back when the input of this turn is read
 */
export function createTurnBatch<Item>(
  handle: (items: readonly Item[]) => void,
  afterTurn: (run: () => void) => void = setImmediate,
): (item: Item) => void {
  let items: Item[] = [];
  const run = (): void => {
    const batch = items;
    items = [];
    handle(batch);
  };
  return (item) => {
    items.push(item);
    if (items.length === 1) afterTurn(run);
  };
}
