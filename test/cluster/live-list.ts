/**
 * A collection of an API server as it is at this moment: listed once, then kept by a watch, so that waiting for a change costs the server nothing.
 * It deliberately keeps no history; whoever must see every version of an object is told each one as it comes.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import type { Client } from './client';

/** Milliseconds before a watch that ended (the server closes them after some minutes) begins anew. */
const PAUSE = 200;

export class LiveList {
  private readonly objects = new Map<string, PlainObject>();
  private stopped = false;
  private end: () => void = () => undefined;

  private constructor(
    private readonly client: Client,
    private readonly path: string,
    private readonly told: (object: PlainObject) => void,
  ) {}

  /**
   * Resolves when everything that is there now is in the list.
   * @param path a collection, with its label selector if it has one
   * @param told gets every object that is there at first, and each new version of one; not those that were deleted
   */
  static async of(client: Client, path: string, told: (object: PlainObject) => void = () => undefined): Promise<LiveList> {
    const list = new LiveList(client, path, told);
    list.follow(await list.read());
    return list;
  }

  get items(): PlainObject[] {
    return [...this.objects.values()];
  }

  stop(): void {
    this.stopped = true;
    this.end();
  }

  private async read(): Promise<string> {
    const { items, metadata } = await this.client.get<{ items: PlainObject[]; metadata: { resourceVersion: string } }>(this.path);
    const before = new Map(this.objects);
    this.objects.clear();
    for (const item of items) {
      this.objects.set(uid(item), item);
      if (versionOf(before.get(uid(item))) !== versionOf(item)) this.told(item);
    }
    return metadata.resourceVersion;
  }

  private follow(version: string): void {
    const watch = this.client.watch(this.path, version, (type, object) => {
      if (type === 'DELETED') this.objects.delete(uid(object));
      else {
        this.objects.set(uid(object), object);
        this.told(object);
      }
    });
    this.end = watch.stop;
    void watch.ended.then(async () => {
      while (!this.stopped) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        // A server that does not answer for a moment is asked again; whoever waits for the list has a deadline of their own.
        const next = this.stopped ? undefined : await this.read().catch(() => undefined);
        if (next === undefined) continue;
        this.follow(next);
        return;
      }
    });
  }
}

function uid({ metadata }: PlainObject): string {
  return (metadata as unknown as { uid: string }).uid;
}

function versionOf(object: PlainObject | undefined): string | undefined {
  return (object?.metadata as { resourceVersion?: string } | undefined)?.resourceVersion;
}
