/**
 * A project in a temporary folder whose cluster is the example's home, with a sealing key of its own and every value sealed by `npm run seal` itself.
 * It deliberately has nothing else: no apps/, no dist on disk.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../commands/seal';
import type { PlainObject } from '../../lib/emit/manifest';
import { readObject } from '../../lib/emit/read';
import type { SealEnvironment } from '../../lib/secrets/environment';
import { neededSecrets } from '../../lib/secrets/needs';
import { neededValues } from '../../lib/secrets/plan';
import { type FileStore, fileStore, memoryStore } from '../../lib/secrets/store';
import { synthesize } from '../../lib/synth';
import { exampleHomelab } from '../examples';

export class SealProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'seal-project-'));
  readonly cluster = exampleHomelab.name;
  readonly needed = neededSecrets(exampleHomelab, memoryStore('everything'));

  /** `npm run seal -- --cluster homelab …` in this folder. @throws with its output when it fails */
  async seal(...args: readonly string[]): Promise<string> {
    const output: string[] = [];
    const [log, error] = [console.log, console.error];
    const note = (text: unknown): void => void output.push(String(text));
    Object.assign(console, { log: note, error: note });
    try {
      const code = await main(['--cluster', this.cluster, ...args], this.environment());
      if (code !== 0) throw new Error(`npm run seal -- ${args.join(' ')} ended with ${code}:\n${output.join('\n')}`);
    } finally {
      Object.assign(console, { log, error });
    }
    return output.join('\n');
  }

  /** Makes the key and seals everything; what only a person has is some text. */
  async sealEverything(): Promise<void> {
    await this.seal('--new-key');
    const answers = join(this.folder, 'answers.yaml');
    const asked = neededValues(this.needed).flatMap(({ identity, source }) => ('ask' in source ? [identity] : []));
    writeFileSync(answers, JSON.stringify(Object.fromEntries(asked.map((identity) => [identity, `what a person has for ${identity}`]))), {
      mode: 0o600,
    });
    await this.seal('--missing', '--answers', answers);
  }

  store(): FileStore {
    return fileStore(join(this.folder, 'secrets'), this.cluster);
  }

  /** The SealedSecrets that a synth writes into dist. */
  sealedSecrets(): PlainObject[] {
    return [...synthesize([exampleHomelab], { secretsDirectory: join(this.folder, 'secrets') }).files.values()].flatMap((text) => {
      const object = readObject(text);
      return object?.kind === 'SealedSecret' ? [object] : [];
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private environment(): SealEnvironment {
    return {
      root: this.folder,
      clusters: [this.cluster],
      needed: () => this.needed,
      users: () => new Map(),
      interactive: false,
      readInput: async () => Buffer.alloc(0),
      ask: async () => '',
      variable: () => undefined,
      today: () => '2026-01-01',
    };
  }
}
