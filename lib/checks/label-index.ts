/**
 * Label selectors as Kubernetes evaluates them, over things whose labels may be known in part only, and an index that answers them without looking at everything.
 * It deliberately knows no kind: pods, Services and namespaces are all things with labels.
 */

/** A value that an operator decides when it makes the pod (a name, a hash): it may be anything. */
export const ANY_VALUE = Symbol('any value');

/** A label's value; a list means one of these, such as `primary` or `replica`. */
export type KnownValue = string | readonly string[] | typeof ANY_VALUE;

export type KnownLabels = Readonly<Record<string, KnownValue>>;

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

/** Whether the selector may match: an empty one matches everything, as in the API. */
export function matches(selector: LabelSelector, labels: KnownLabels): boolean {
  for (const key in selector.matchLabels) {
    if (!canBe(labels[key], selector.matchLabels[key] as string)) return false;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
    if (operator === 'In' && !values.some((each) => canBe(value, each))) return false;
    if (operator === 'NotIn' && value !== undefined && canOnlyBe(value, values)) return false;
  }
  return true;
}

function canBe(known: KnownValue | undefined, wanted: string): boolean {
  return known === wanted || known === ANY_VALUE || (Array.isArray(known) && known.includes(wanted));
}

function canOnlyBe(known: KnownValue, values: readonly string[]): boolean {
  if (known === ANY_VALUE) return false;
  return (typeof known === 'string' ? [known] : known).every((each) => values.includes(each));
}

interface Entry<T> {
  readonly labels: KnownLabels;
  readonly item: T;
}

/** Things that carry a label. */
interface Carriers<T> {
  /** By value, those that carry exactly this one. */
  readonly exact: Map<string, Entry<T>[]>;
  /** Those whose value is not known exactly. */
  readonly open: Entry<T>[];
}

/** Up to so many things are looked at one by one: most indexes are of one namespace, which has a few pods. */
const FEW = 8;

/** Things by label, so that asking for one among thousands looks at few. */
export class LabelIndex<T> {
  private readonly all: Entry<T>[] = [];
  private readonly byKey = new Map<string, Carriers<T>>();
  /** How many of `all` are in `byKey`. */
  private indexed = 0;

  add(labels: KnownLabels, item: T): void {
    this.all.push({ labels, item });
  }

  private index(): void {
    for (; this.indexed < this.all.length; this.indexed++) {
      const entry = this.all[this.indexed] as Entry<T>;
      for (const key in entry.labels) {
        const value = entry.labels[key];
        let carriers = this.byKey.get(key);
        if (!carriers) {
          carriers = { exact: new Map(), open: [] };
          this.byKey.set(key, carriers);
        }
        if (typeof value !== 'string') carriers.open.push(entry);
        else {
          const list = carriers.exact.get(value);
          if (list) list.push(entry);
          else carriers.exact.set(value, [entry]);
        }
      }
    }
  }

  /** Those that the selector matches, in the order in which they were added unless some labels are known in part only. */
  select(selector: LabelSelector): T[] {
    const found: T[] = [];
    for (const list of this.candidates(selector)) {
      for (const { labels, item } of list) if (matches(selector, labels)) found.push(item);
    }
    return found;
  }

  /** Whether the selector matches anything. */
  some(selector: LabelSelector): boolean {
    return this.candidates(selector).some((list) => list.some(({ labels }) => matches(selector, labels)));
  }

  /** The shortest lists that hold every match. */
  private candidates(selector: LabelSelector): readonly (readonly Entry<T>[])[] {
    let best: readonly (readonly Entry<T>[])[] = [this.all];
    let size = this.all.length;
    if (size <= FEW) return best;
    this.index();
    for (const key in selector.matchLabels) {
      const carriers = this.byKey.get(key);
      const exact = carriers?.exact.get(selector.matchLabels[key] as string) ?? [];
      const open = carriers?.open ?? [];
      const length = exact.length + open.length;
      if (length < size) [best, size] = [[exact, open], length];
    }
    return best;
  }
}

/** A selector as sentences name it: `app=broker, role in (a, b)`. */
export function describeSelector(selector: LabelSelector): string {
  const parts = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values }) => `${key} ${operator}${values ? ` (${values.join(', ')})` : ''}`),
  ];
  return parts.length === 0 ? 'everything' : parts.join(', ');
}
