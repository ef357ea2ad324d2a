/** Projects in temporary folders for the tests of init: the project's apps/, empty or with the examples' secrets, and somebody who answers. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { main } from '../../commands/init';
import { renderCluster } from '../../lib/init/render';
import { fill } from '../../lib/secrets/fill';
import { neededSecrets } from '../../lib/secrets/needs';
import { planMissing } from '../../lib/secrets/plan';
import { EXAMPLE_ORGANIZATION, makeCertificate, readCertificate } from '../../lib/secrets/sealing';
import { severalSource } from '../../lib/secrets/sources';
import { fileStore } from '../../lib/secrets/store';
import { exampleHomelab } from '../examples';

jest.setTimeout(120_000);

const folders: string[] = [];
/** A project with the example `homelab` alone, whose values nobody can open, and no dist. */
let template: string;

beforeAll(async () => {
  template = mkdtempSync(path.join(tmpdir(), 'init-'));
  folders.push(template);
  mkdirSync(path.join(template, 'apps'));
  writeFileSync(path.join(template, 'apps/homelab.ts'), renderCluster(exampleHomelab));
  writeFileSync(path.join(template, 'apps/index.ts'), "import { homelab } from './homelab';\n\nexport const clusters = [homelab];\n");
  const { certificate } = await makeCertificate({ organization: EXAMPLE_ORGANIZATION, commonName: 'example', bits: 2048 });
  const store = fileStore(path.join(template, 'secrets'), 'homelab');
  store.writeCertificate(certificate);
  const needed = neededSecrets(exampleHomelab, store);
  const give = severalSource({ answers: new Map(), answersPlace: '', placeholders: true }, { interactive: false, ask: async () => '' });
  await fill(store, readCertificate(certificate, 'example'), needed, planMissing(needed, store), give);
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Answers that leave nothing open, as flags. */
export const COMPLETE: Readonly<Record<string, string>> = {
  name: 'castle',
  domain: 'mmo.castle.example.com',
  repository: 'https://git.castle.example.com/castle/mmo-backend.git',
  nodes: 'tower=10.20.0.11,keep=10.20.0.12',
  challenge: 'http-01',
  email: 'admin@castle.example.com',
  image: `ghcr.io/castle/mmo-server:1.4.0@sha256:${'1'.repeat(64)}`,
};

export function flags(answers: Readonly<Record<string, string>>): string[] {
  return Object.entries(answers).flatMap(([id, answer]) => [`--${id}`, answer]);
}

export interface ProjectSetup {
  /** What a person types, in turn, over all runs; an Error is how Ctrl-C ends one. Without it nobody sits there. */
  readonly person?: readonly (string | Error)[];
  /** What a person types without an echo, in turn. */
  readonly hidden?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
}

/** A project of its own, and a way to run the command in it. */
export function project({ person, hidden = [], variables = {} }: ProjectSetup = {}) {
  const root = mkdtempSync(path.join(tmpdir(), 'init-'));
  folders.push(root);
  cpSync(template, root, { recursive: true });
  const questions: string[] = [];
  let answered = 0;
  let answeredHidden = 0;
  return {
    root,
    questions,
    run: async (...args: readonly string[]) => {
      const output: string[] = [];
      const error = jest.spyOn(console, 'error').mockImplementation((text) => void output.push(String(text)));
      const log = jest.spyOn(console, 'log').mockImplementation((text) => void output.push(String(text)));
      try {
        const code = await main(args, {
          root,
          clusters: [exampleHomelab],
          interactive: person !== undefined,
          ask: async (question) => {
            questions.push(question);
            const answer = person?.[answered++] ?? '';
            if (answer instanceof Error) throw answer;
            return answer;
          },
          askHidden: async (question) => {
            questions.push(question);
            return hidden[answeredHidden++] ?? '';
          },
          say: (line) => void output.push(line),
          variable: (name) => variables[name],
          remote: 'git@git.castle.example.com:castle/from-the-remote.git',
          keyBits: 2048,
        });
        return { code, output: output.join('\n') };
      } finally {
        error.mockRestore();
        log.mockRestore();
      }
    },
  };
}
