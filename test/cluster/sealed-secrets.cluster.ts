/** The claims about Sealed Secrets' own programs: what this project seals, kubeseal and the controller open; what kubeseal seals, this project opens. */
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { certificateFile, privateKeyFile } from '../../lib/secrets/keys';
import { placeName } from '../../lib/secrets/plan';
import { openAll } from '../../lib/secrets/recovery';
import { unseal } from '../../lib/secrets/sealing';
import { listeningElsewhere } from './listening';
import { SealProject } from './seal-project';
import {
  CONTROLLER_NAMESPACE,
  kubeseal,
  missingForSealedSecrets,
  notSynced,
  printedCommands,
  recovered,
  SealedSecretsCluster,
} from './sealed-secrets';

const missing = missingForSealedSecrets();
const LONG = 240_000;

if (missing) test.skip(`Sealed Secrets' own programs are not asked: ${missing}`, () => undefined);
else describe('with the real kubeseal and the real controller', judge);

function judge(): void {
  const project = new SealProject();
  const key = privateKeyFile(project.folder, project.cluster);
  const certificate = certificateFile(project.folder, project.cluster);
  /** Every value by its place, opened by this project. */
  let plaintexts: Record<string, Buffer>;

  beforeAll(async () => {
    await project.sealEverything();
    const opened = openAll(project.store(), [createPrivateKey(readFileSync(key))]);
    plaintexts = Object.fromEntries(opened.map((value) => [placeName(value), value.plaintext]));
  }, LONG);

  afterAll(() => project.remove());

  describe('kubeseal', () => {
    test('opens every file that this project sealed, with nothing but the private key', () => {
      const opened = project
        .store()
        .files()
        .flatMap(({ namespace, name }) => {
          const text = readFileSync(join(project.folder, 'secrets', project.cluster, namespace, `${name}.yaml`), 'utf8');
          return Object.entries(recovered(text, key));
        });
      expect(Object.fromEntries(opened)).toEqual(inBase64(plaintexts));
    });

    test('opens every SealedSecret of dist', () => {
      const opened = project.sealedSecrets().flatMap((object) => Object.entries(recovered(stringify(object), key)));
      expect(Object.fromEntries(opened)).toEqual(inBase64(plaintexts));
    });

    test('does not open a value that was moved to another name', () => {
      const [object] = project.sealedSecrets();
      const moved = { ...object, metadata: { ...object?.metadata, name: 'other' } };
      expect(() => kubeseal(['--recovery-unseal', '--recovery-private-key', key], stringify(moved))).toThrow(/no key could decrypt secret/);
    });

    test('seals a single value that this project opens', () => {
      const file = join(project.folder, 'token');
      writeFileSync(file, 'open sesame');
      const sealed = kubeseal(['--raw', '--cert', certificate, '--namespace', 'cert-manager', '--name', 'token', '--from-file', file]);
      expect(unseal(readFileSync(key, 'utf8'), sealed.trim(), 'cert-manager/token').toString()).toBe('open sesame');
    });

    test('seals a whole Secret whose file this project takes as it is, and opens', () => {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'made-by-kubeseal', namespace: 'cert-manager' },
        data: { binary: Buffer.from([0, 255, 10]).toString('base64'), text: Buffer.from('open sesame').toString('base64') },
      };
      const folder = join(project.folder, 'secrets', project.cluster, 'cert-manager');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'made-by-kubeseal.yaml'), kubeseal(['--cert', certificate, '--format', 'yaml'], JSON.stringify(secret)));
      const opened = openAll(project.store(), [createPrivateKey(readFileSync(key))]).filter(({ name }) => name === 'made-by-kubeseal');
      expect(Object.fromEntries(opened.map((value) => [value.key, value.plaintext.toString('base64')]))).toEqual(secret.data);
    });
  });

  describe('the controller', () => {
    let cluster: SealedSecretsCluster;
    let objects: PlainObject[];
    let answers: PlainObject[];

    beforeAll(async () => {
      objects = project.sealedSecrets();
      cluster = await SealedSecretsCluster.start();
      await cluster.makeNamespaces([CONTROLLER_NAMESPACE, ...objects.map(({ metadata }) => metadata.namespace ?? '')]);
      await cluster.client.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/tls',
        metadata: {
          name: 'sealing-key',
          namespace: CONTROLLER_NAMESPACE,
          labels: { 'sealedsecrets.bitnami.com/sealed-secrets-key': 'active' },
        },
        stringData: { 'tls.crt': readFileSync(certificate, 'utf8'), 'tls.key': readFileSync(key, 'utf8') },
      } as PlainObject);
      await cluster.startController();
      answers = await cluster.applySealed(objects);
    }, LONG);

    afterAll(() => cluster?.stop());

    test('opens every SealedSecret of dist', () => {
      expect(notSynced(answers)).toEqual([]);
    });

    test('makes Secrets of the very values', async () => {
      expect(await cluster.plaintexts(objects)).toEqual(inBase64(plaintexts));
    });

    test('makes Secrets of the types and with the labels that dist asks for', async () => {
      const made = await Promise.all(objects.map(({ metadata }) => cluster.secret(metadata.namespace ?? '', metadata.name)));
      expect(made.map((secret) => [secret?.metadata.name, secret?.type, secret?.metadata.labels])).toEqual(
        objects.map(({ metadata, spec }) => [metadata.name, spec.template.type ?? 'Opaque', spec.template.metadata.labels]),
      );
    });

    test('makes no key of its own, because it was given one', async () => {
      expect(await cluster.keys()).toEqual(['sealing-key']);
    });

    test('refuses a value that was moved to another name, and says so in the status', async () => {
      const [object] = objects;
      if (!object) throw new Error('There is no SealedSecret.');
      const metadata = { name: 'moved', namespace: object.metadata.namespace };
      const [moved] = await cluster.applySealed([{ ...object, metadata, spec: { ...object.spec, template: { metadata } } }]);
      expect(moved?.status.conditions[0]).toMatchObject({
        type: 'Synced',
        status: 'False',
        message: expect.stringMatching(/no key could decrypt/),
      });
    });

    describe('after a change to a new key', () => {
      let resealed: PlainObject[];
      let status: PlainObject[];

      beforeAll(async () => {
        await project.seal('--reseal');
        resealed = project.sealedSecrets();
        // The last of the printed commands restarts a Deployment, which is a process here.
        const commands = printedCommands('docs/how-to/secrets.md', 'Change to a new key');
        await cluster.bringKey(commands.slice(0, -1), project.folder);
        await cluster.startController();
        status = await cluster.applySealed(resealed);
      }, LONG);

      test('opens every SealedSecret, whose texts are all new', () => {
        const texts = (all: readonly PlainObject[]) => all.flatMap(({ spec }) => Object.values<string>(spec.encryptedData));
        const before = new Set(texts(objects));
        expect(texts(resealed).filter((text) => before.has(text))).toEqual([]);
        expect(notSynced(status)).toEqual([]);
      });

      test('makes Secrets of the same values as before', async () => {
        expect(await cluster.plaintexts(resealed)).toEqual(inBase64(plaintexts));
      });
    });

    test('listens on loopback only, as everything here does', () => {
      expect(listeningElsewhere(cluster.pids)).toEqual([]);
    });
  });
}

function inBase64(values: Readonly<Record<string, Buffer>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([place, value]) => [place, value.toString('base64')]));
}
