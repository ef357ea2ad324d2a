/**
 * Walks an object beside a tree of the fields that a check cares about, so that a check says where to look and what to find, and nothing of how to get there.
 * It deliberately judges nothing: leaves do, and paths are spelled only for what a leaf finds.
 */

/** Judges one value; what it returns is a finding, `undefined` is none. */
export type Leaf<Finding> = (value: unknown, parent: Readonly<Record<string, unknown>>) => Finding | undefined;

/** Fields by name; `*` is every field of a map. Lists are walked entry by entry. */
export interface FieldTree<Finding> {
  readonly [field: string]: FieldTree<Finding> | Leaf<Finding>;
}

/** A finding and where it is, such as `spec.template.spec.containers[game].image`. */
export interface Found<Finding> {
  readonly path: string;
  readonly value: unknown;
  readonly finding: Finding;
}

/** Everything that the leaves of a tree find in an object. @param prefix path of `root` in its object; @default the object itself */
export function findIn<Finding>(tree: FieldTree<Finding>, root: unknown, prefix = ''): Found<Finding>[] {
  const found: Found<Finding>[] = [];
  const path: string[] = prefix === '' ? [] : [prefix];
  const walk = (node: FieldTree<Finding>, value: unknown): void => {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        path.push(entryName(value[index], index));
        walk(node, value[index]);
        path.pop();
      }
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const map = value as Record<string, unknown>;
    for (const field in node) {
      if (field === '*') for (const key in map) visit(node['*'] as FieldTree<Finding> | Leaf<Finding>, map, key);
      else if (map[field] !== undefined) visit(node[field] as FieldTree<Finding> | Leaf<Finding>, map, field);
    }
  };
  const visit = (next: FieldTree<Finding> | Leaf<Finding>, map: Record<string, unknown>, field: string): void => {
    if (typeof next !== 'function') {
      path.push(field);
      walk(next, map[field]);
      path.pop();
      return;
    }
    const finding = next(map[field], map);
    if (finding !== undefined) found.push({ path: joinPath([...path, field]), value: map[field], finding });
  };
  walk(tree, root);
  return found;
}

/** How paths name an entry of a list: by its name, where it has one that is not lost in a reordering. */
export function entryName(entry: unknown, index: number): string {
  const name = (entry as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' ? `[${name}]` : `[${index}]`;
}

/** Fields and list entries as one path; fields that are no plain words are quoted. */
export function joinPath(parts: readonly string[]): string {
  return parts
    .map((part, index) => {
      if (part.startsWith('[') || index === 0) return part;
      return /^[\w-]+$/.test(part) ? `.${part}` : `["${part}"]`;
    })
    .join('');
}

/** Visits every value of plain data, maps and lists before what is in them. `visit` answers whether to go into the value. */
export function visitAll(
  root: Readonly<Record<string, unknown>>,
  visit: (value: unknown, field: string, path: readonly string[]) => boolean,
): void {
  const path: string[] = [];
  const go = (value: unknown, field: string): void => {
    if (!visit(value, field, path)) return;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        // A name is looked up only when a path is spelled: most walks find nothing.
        path.push(`[${index}]`);
        go(value[index], field);
        path.pop();
      }
    } else if (typeof value === 'object' && value !== null) {
      const map = value as Record<string, unknown>;
      for (const key in map) {
        path.push(key);
        go(map[key], key);
        path.pop();
      }
    }
  };
  for (const key in root) {
    path.push(key);
    go(root[key], key);
    path.pop();
  }
}

/** The path of a value that `visitAll` visited, with the names of list entries. */
export function spell(root: Readonly<Record<string, unknown>>, path: readonly string[]): string {
  // biome-ignore lint/suspicious/noExplicitAny: walking plain data.
  let at: any = root;
  const parts = path.map((part) => {
    if (!Array.isArray(at)) {
      at = at?.[part];
      return part;
    }
    const index = Number(part.slice(1, -1));
    at = at[index];
    return entryName(at, index);
  });
  return joinPath(parts);
}
