/**
 * Walks an object beside a tree of the fields that a check cares about, so that a check says where to look and what to find, and nothing of how to get there.
 * It deliberately judges nothing: leaves do, and paths are spelled only for what a leaf finds.
 */

import { isShared } from '../emit/shared';

/** Judges one value; what it returns is a finding, `undefined` is none. */
export type Leaf<Finding> = (value: unknown, parent: Readonly<Record<string, unknown>>) => Finding | undefined;

/** Fields by name; `*` is every other field of a map. Lists are walked entry by entry. */
export interface FieldTree<Finding> {
  readonly [field: string]: FieldTree<Finding> | Leaf<Finding>;
}

/** A finding and where it is, such as `spec.template.spec.containers[game].image`. */
export interface Found<Finding> {
  readonly path: string;
  readonly value: unknown;
  readonly finding: Finding;
}

/** A tree made ready for walking: it follows the fields that an object has, because asking for those that it lacks costs most. */
export class FieldWalk<Finding> {
  private readonly fields = new Map<string, FieldWalk<Finding> | Leaf<Finding>>();

  constructor(tree: FieldTree<Finding>) {
    for (const [field, next] of Object.entries(tree)) this.fields.set(field, typeof next === 'function' ? next : new FieldWalk(next));
  }

  /**
   * Everything that the leaves find in an object.
   * @param clean parts without a finding; give one to all objects of a run, so that parts that many hold are walked once
   */
  find(root: unknown, clean: CleanParts = new Map()): Found<Finding>[] {
    // Nearly every object is right, so a first look asks only whether there is anything to find.
    if (!this.some(root, clean)) return [];
    const found: Found<Finding>[] = [];
    this.collect(root, [], found);
    return found;
  }

  private next(field: string): FieldWalk<Finding> | Leaf<Finding> | undefined {
    return this.fields.get(field) ?? this.fields.get('*');
  }

  private some(value: unknown, clean: CleanParts): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (!isShared(value)) return this.someWithin(value, clean);
    if (clean.get(value) === this) return false;
    const found = this.someWithin(value, clean);
    if (!found) clean.set(value, this);
    return found;
  }

  private someWithin(value: object, clean: CleanParts): boolean {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) if (this.some(value[index], clean)) return true;
      return false;
    }
    const map = value as Record<string, unknown>;
    for (const field in map) {
      const next = this.next(field);
      if (next === undefined || map[field] === undefined) continue;
      if (typeof next === 'function' ? next(map[field], map) !== undefined : next.some(map[field], clean)) return true;
    }
    return false;
  }

  private collect(value: unknown, path: readonly string[], found: Found<Finding>[]): void {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      value.forEach((entry, index) => {
        this.collect(entry, [...path, entryName(entry, index)], found);
      });
      return;
    }
    const map = value as Record<string, unknown>;
    for (const field in map) {
      const next = this.next(field);
      if (next === undefined || map[field] === undefined) continue;
      if (typeof next === 'function') {
        const finding = next(map[field], map);
        if (finding !== undefined) found.push({ path: joinPath([...path, field]), value: map[field], finding });
      } else next.collect(map[field], [...path, field], found);
    }
  }
}

/** Shared parts (lib/emit/shared.ts) in which a walk found nothing. */
export type CleanParts = Map<object, unknown>;

/** How paths name an entry of a list: by its name, where it has one that is not lost in a reordering. */
export function entryName(entry: unknown, index: number): string {
  const { name: own, metadata } = (entry ?? {}) as { name?: unknown; metadata?: { name?: unknown } };
  const name = own ?? metadata?.name;
  return typeof name === 'string' && name !== '' ? `[${name}]` : `[${index}]`;
}

/** Fields and list entries as one path; fields that are no plain words are quoted. */
function joinPath(parts: readonly string[]): string {
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
