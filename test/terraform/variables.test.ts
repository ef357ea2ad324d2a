/** Terraform's variables: what a synth writes of a cluster, that it keeps them fresh, and that it leaves everything else below terraform/clusters alone. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { clusters } from '../../apps';
import { makeCertificate, makeExampleCertificate } from '../../lib/secrets/sealing';
import { memoryStore } from '../../lib/secrets/store';
import { synthesize } from '../../lib/synth';
import { synthesizeToDisk } from '../../lib/synth-to-disk';
import { readVariables } from '../../lib/terraform/tree';
import { TERRAFORM_CLUSTERS, terraformVariables, VARIABLES_FILE } from '../../lib/terraform/variables';
import { exampleHomelab } from '../examples';
import { described, store } from '../synth/cluster-files';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'variables-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const [synthesized] = synthesize([exampleHomelab], { store: () => memoryStore('everything') }).clusters;
if (synthesized === undefined) throw new Error('The example was not built.');
const { built } = synthesized;
const variablesOf = (secretsDirectory = path.join(scratch, 'no-secrets')) => JSON.parse(terraformVariables(built, { secretsDirectory }));
const application = (name: string) =>
  built.objects.find(({ manifest }) => manifest.kind === 'Application' && manifest.metadata.name === name)?.manifest.spec.source;

describe('the committed variables', () => {
  test.each(clusters.map(({ name }) => name))("are what 'npm run synth' writes: %s", (name) => {
    const report = synthesizeToDisk({ descriptions: clusters, directory: 'dist', terraformDirectory: TERRAFORM_CLUSTERS, dryRun: true });
    expect(report.terraform).toMatchObject({ added: [], changed: [], removed: [] });
    expect([...readVariables(TERRAFORM_CLUSTERS).keys()]).toContain(`${name}/${VARIABLES_FILE}`);
  });
});

describe('the variables of a cluster', () => {
  test.each([
    ['argo_cd', 'argo-cd'],
    ['sealed_secrets', 'sealed-secrets'],
  ])('have %s as its Application has it', (variable, name) => {
    const { release, repository, chart, version, values } = variablesOf().charts[variable];
    expect({ release, repository, chart, version, values }).toEqual({
      release: application(name).helm.releaseName,
      repository: application(name).repoURL,
      chart: application(name).chart,
      version: application(name).targetRevision,
      values: application(name).helm.valuesObject,
    });
  });

  test('switch every ServiceMonitor off at first, because its definition comes later', () => {
    const { argo_cd, sealed_secrets } = variablesOf().charts;
    expect([argo_cd.off_at_first, sealed_secrets.off_at_first]).toEqual([
      ['controller.metrics.serviceMonitor.enabled', 'repoServer.metrics.serviceMonitor.enabled', 'server.metrics.serviceMonitor.enabled'],
      ['metrics.serviceMonitor.enabled'],
    ]);
  });

  test('name files of dist that hold what is meant', () => {
    const { namespaces, project, application: root } = variablesOf().manifests;
    const object = (file: string) => parse(readFileSync(file, 'utf8'));
    expect(
      [...Object.entries(namespaces as Record<string, string>), ['root', project], ['root', root]].map(([name, file]) => [
        object(file ?? '').metadata.name,
        name,
      ]),
    ).toEqual([
      ['argocd', 'argocd'],
      ['sealed-secrets', 'sealed-secrets'],
      ['root', 'root'],
      ['root', 'root'],
    ]);
  });

  test('have no certificate while there is none', () => {
    expect(variablesOf().sealing).toBeNull();
  });

  test("say that the certificate is the example's", async () => {
    expect(variablesOf(await secretsWith(await makeExampleCertificate('homelab'))).sealing.example).toBe(true);
  });

  test('say of a certificate of the own key that it is none of an example', async () => {
    const { certificate } = await makeCertificate({ organization: 'test', commonName: 'test', bits: 2048 });
    expect(variablesOf(await secretsWith(certificate)).sealing).toMatchObject({
      certificate: 'secrets/homelab/sealing.crt',
      example: false,
    });
  });

  async function secretsWith(certificate: string): Promise<string> {
    const folder = mkdtempSync(path.join(scratch, 'secrets-'));
    mkdirSync(path.join(folder, 'homelab'));
    writeFileSync(path.join(folder, 'homelab', 'sealing.crt'), certificate);
    return folder;
  }
});

describe('a synth', () => {
  const folder = (): string => mkdtempSync(path.join(scratch, 'synth-'));
  const run = (place: string, dryRun = false) =>
    synthesizeToDisk({
      descriptions: [described()],
      directory: path.join(place, 'dist'),
      terraformDirectory: path.join(place, 'clusters'),
      secretsDirectory: path.join(place, 'secrets'),
      store,
      dryRun,
    });

  test('writes the variables, and nothing again when nothing changed', () => {
    const place = folder();
    expect(run(place).terraform?.added).toEqual([`test/${VARIABLES_FILE}`]);
    expect(run(place).terraform).toMatchObject({ added: [], changed: [], removed: [], unchanged: 1 });
  });

  test('gives a cluster without a root module a copy of the model, and never touches it afterwards', () => {
    const place = folder();
    mkdirSync(path.join(place, 'clusters', 'homelab'), { recursive: true });
    for (const name of ['main.tf', 'variables.tf', 'outputs.tf', '.terraform.lock.hcl'])
      writeFileSync(path.join(place, 'clusters', 'homelab', name), `the model's ${name}`);
    run(place);
    expect(readdirSync(path.join(place, 'clusters', 'test')).sort()).toEqual(
      ['.terraform.lock.hcl', VARIABLES_FILE, 'main.tf', 'outputs.tf', 'variables.tf'].sort(),
    );
    writeFileSync(path.join(place, 'clusters', 'test', 'main.tf'), 'changed by its owner');
    run(place);
    expect(readFileSync(path.join(place, 'clusters', 'test', 'main.tf'), 'utf8')).toBe('changed by its owner');
  });

  test("leaves state, backend and the operator's variables alone, also of a cluster that left", () => {
    const place = folder();
    const theirs = ['terraform.tfstate', 'backend.tf', 'terraform.tfvars', 'main.tf'];
    mkdirSync(path.join(place, 'clusters', 'gone'), { recursive: true });
    for (const name of [...theirs, VARIABLES_FILE]) writeFileSync(path.join(place, 'clusters', 'gone', name), name);
    expect(run(place).terraform?.removed).toEqual([`gone/${VARIABLES_FILE}`]);
    expect(readdirSync(path.join(place, 'clusters', 'gone')).sort()).toEqual([...theirs].sort());
  });

  test('that is a dry run writes nothing and says what differs', () => {
    const place = folder();
    run(place);
    writeFileSync(path.join(place, 'clusters', 'test', VARIABLES_FILE), 'by hand');
    expect(run(place, true).terraform?.changed).toEqual([`test/${VARIABLES_FILE}`]);
    expect(readFileSync(path.join(place, 'clusters', 'test', VARIABLES_FILE), 'utf8')).toBe('by hand');
  });
});
