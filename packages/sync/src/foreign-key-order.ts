import type { ForeignKey, TableName } from "./model.ts";
import { nameOf } from "./model.ts";

/**
 * Parents before children: the level of each table is above those of all that it references. Tables that reference each other in
 * a circle, or themselves, are named: for them no order will do. Pure.
 */
export function foreignKeyOrder(
  tables: readonly TableName[],
  foreignKeys: readonly ForeignKey[],
): { readonly levels: ReadonlyMap<string, number>; readonly circular: ReadonlySet<string> } {
  const names = new Set(tables.map(nameOf));
  const parents = new Map<string, Set<string>>([...names].map((name) => [name, new Set<string>()]));
  const circular = new Set<string>();
  for (const { table, references } of foreignKeys) {
    const child = nameOf(table);
    const parent = nameOf(references);
    if (!names.has(child) || !names.has(parent)) continue;
    if (child === parent) circular.add(child);
    else parents.get(child)?.add(parent);
  }
  const levels = new Map<string, number>();
  let left = [...names];
  for (let level = 0; left.length > 0; level += 1) {
    const free = left.filter((name) => [...(parents.get(name) ?? [])].every((parent) => levels.has(parent)));
    // what waits for itself: the rest goes on as if it did not
    const next = free.length > 0 ? free : left;
    if (free.length === 0) for (const name of onCircle(left, parents)) circular.add(name);
    for (const name of next) levels.set(name, level);
    const done = new Set(next);
    left = left.filter((name) => !done.has(name));
  }
  return { levels, circular };
}

/** Those that can be reached from themselves. */
function onCircle(names: readonly string[], parents: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  return names.filter((start) => {
    const seen = new Set<string>();
    const queue = [...(parents.get(start) ?? [])];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (name === start) return true;
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(...(parents.get(name) ?? []));
    }
    return false;
  });
}
