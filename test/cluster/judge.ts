/**
 * What the tests of one cluster on one control plane share: the client, the files of dist, what the server answered to each, and waiting.
 * It deliberately asserts nothing.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { ApiError, Client } from './client';
import { type DistFile, readDist } from './dist';
import type { TestPlane } from './planes';

export class Judge {
  readonly client: Client;
  readonly files: readonly DistFile[];

  /** @param dist the folder to judge; default: that of the whole run */
  constructor(
    readonly plane: TestPlane,
    dist?: string,
  ) {
    this.client = new Client(plane);
    this.files = readDist(plane.cluster, dist);
  }

  /** Objects of dist of these kinds. */
  objects(...kinds: readonly string[]): PlainObject[] {
    return this.files.map((file) => file.object).filter((object) => kinds.includes(object.kind));
  }

  /** The object as the server has it, or undefined. */
  async read(object: PlainObject): Promise<PlainObject | undefined> {
    try {
      return await this.client.get(this.client.pathOf(object));
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }

  /** Pods of a namespace that are not on their way out. */
  async pods(namespace: string): Promise<PlainObject[]> {
    const pods = await this.client.list(`/api/v1/namespaces/${namespace}/pods`);
    return pods.filter((pod) => (pod.metadata as { deletionTimestamp?: string }).deletionTimestamp === undefined);
  }
}

/** Asks until the answer is what is expected, or returns the last one: the assertion that follows shows it. */
export async function eventually<Result>(ask: () => Promise<Result>, expected: (result: Result) => boolean, seconds = 60): Promise<Result> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const result = await ask();
    if (expected(result) || Date.now() > deadline) return result;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
