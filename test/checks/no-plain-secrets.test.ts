/**
 * Cases of the check `no-plain-secrets`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { generateKeyPairSync } from 'node:crypto';
import { noPlainSecrets } from '../../lib/checks/no-plain-secrets';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, excepting, sentencesOf, violationsOf, withMore } from './fixture';

const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(noPlainSecrets, objects);
const sealed = (change: (manifest: PlainObject) => void) => changed('SealedSecret database/broker-owner', change);
const config = (data: Record<string, string>) =>
  changed('ConfigMap realm-aurora/eldermoor', (manifest) => void Object.assign(manifest.data, data));
const container = (change: Record<string, unknown>) =>
  changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => void Object.assign(spec.template.spec.containers[0], change));
const values = (valuesObject: object) =>
  changed('Application argocd/kube-prometheus-stack', ({ spec }) => {
    spec.source.helm.valuesObject = valuesObject;
  });

describe('no-plain-secrets', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('refuses a Secret', () => {
    const objects = withMore('database', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'database' }, data: {} });
    expect(sentences(objects)).toEqual(['Secret database/a kind: It is a plain Secret: base64 is no encryption.']);
  });

  it('refuses a SealedSecret that opens in every namespace', () => {
    const objects = sealed(({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'sealedsecrets.bitnami.com/cluster-wide': 'true' };
    });
    expect(sentences(objects)).toEqual([
      'SealedSecret database/broker-owner metadata.annotations["sealedsecrets.bitnami.com/cluster-wide"]: The annotation sealedsecrets.bitnami.com/cluster-wide lets the value be opened under another name and in every namespace: whoever may make SealedSecrets could read it.',
    ]);
  });

  it('refuses a SealedSecret that opens under every name', () => {
    const objects = sealed(({ spec }) => {
      spec.template.metadata.annotations = { 'sealedsecrets.bitnami.com/namespace-wide': 'true' };
    });
    expect(sentences(objects)).toEqual([
      'SealedSecret database/broker-owner spec.template.metadata.annotations["sealedsecrets.bitnami.com/namespace-wide"]: The annotation sealedsecrets.bitnami.com/namespace-wide lets the value be opened under another name: whoever may make SealedSecrets could read it.',
    ]);
  });

  it('refuses a Secret of another name than the SealedSecret', () => {
    const objects = sealed(({ spec }) => {
      spec.template.metadata.name = 'owner';
    });
    expect(sentences(objects)).toEqual([
      "SealedSecret database/broker-owner spec.template.metadata.name: The Secret's name would be 'owner', but the value is sealed for name 'broker-owner' and would not open.",
    ]);
  });

  it('refuses a Secret whose namespace is not said', () => {
    const objects = sealed(({ spec }) => void delete spec.template.metadata.namespace);
    expect(sentences(objects)).toEqual([
      "SealedSecret database/broker-owner spec.template.metadata.namespace: The Secret's namespace would be '', but the value is sealed for namespace 'database' and would not open.",
    ]);
  });

  it('refuses plain data in the template of a SealedSecret', () => {
    const objects = sealed(({ spec }) => {
      spec.template.data = { username: 'broker' };
    });
    expect(sentences(objects)).toEqual([
      'SealedSecret database/broker-owner spec.template.data: Its template has data, which is not encrypted.',
    ]);
  });

  it('refuses a sealed value that is none', () => {
    const objects = sealed(({ spec }) => {
      spec.encryptedData.password = 'hunter2!';
    });
    expect(sentences(objects)).toEqual([
      `SealedSecret database/broker-owner spec.encryptedData["password"]: The value of 'password' is not base64.`,
    ]);
  });

  it('refuses base64 that nobody sealed', () => {
    const objects = sealed(({ spec }) => {
      spec.encryptedData.password = Buffer.from('correct horse battery staple').toString('base64');
    });
    expect(sentences(objects)).toEqual([
      `SealedSecret database/broker-owner spec.encryptedData["password"]: The value of 'password' is not a value that kubeseal or 'npm run seal' sealed: its 28 bytes do not have that form.`,
    ]);
  });

  it('finds a private key wherever it is', () => {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(sentences(config({ 'notes.txt': `keep this\n${pem}` }))).toEqual([
      'ConfigMap realm-aurora/eldermoor data["notes.txt"]: It holds a private key as plain text.',
    ]);
  });

  it('takes a certificate, which is public', () => {
    expect(sentences(config({ 'ca.crt': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' }))).toEqual([]);
  });

  it.each([
    'password',
    'adminPassword',
    'DB_PASSWORD',
    'api-token',
    'clientSecret',
    'apiKey',
    'API_KEY',
    'privateKey',
    'AWS_SECRET_ACCESS_KEY',
  ])('finds the literal value of %s in a ConfigMap', (key) => {
    expect(violationsOf(noPlainSecrets, config({ [key]: 'hunter2' })).map(({ field }) => field)).toEqual([`data.${key}`]);
  });

  it('never shows the value', () => {
    expect(JSON.stringify(violationsOf(noPlainSecrets, config({ password: 'hunter2' })))).not.toContain('hunter2');
  });

  it.each([
    ['passwordFile', '/etc/secret/password'],
    ['password', '/var/run/secrets/password'],
    ['password', '$(DATABASE_PASSWORD)'],
    ['existingSecret', 'grafana-admin'],
    ['secretName', 'grafana-admin'],
    ['passwordKey', 'admin-password'],
    ['tokenAudience', 'connect-broker'],
    ['tokenSeconds', '30'],
    ['useToken', 'yes'],
    ['automountServiceAccountToken', 'true'],
    ['password', ''],
  ])('takes the reference %s=%s', (key, value) => {
    expect(sentences(config({ [key]: value }))).toEqual([]);
  });

  it('finds a secret in a JSON file of a ConfigMap', () => {
    const objects = config({ 'config.json': JSON.stringify({ database: { host: 'postgres-rw', password: 'hunter2' } }) });
    expect(sentences(objects)).toEqual([
      `ConfigMap realm-aurora/eldermoor data["config.json"]: In the file 'config.json', 'password' holds a literal value, and its name says that it is secret.`,
    ]);
  });

  it('finds a secret in a line of a configuration file', () => {
    expect(sentences(config({ 'server.ini': 'host = postgres-rw\npassword = hunter2\n' }))).toEqual([
      `ConfigMap realm-aurora/eldermoor data["server.ini"]: In the file 'server.ini', 'password' holds a literal value, and its name says that it is secret.`,
    ]);
  });

  it('finds a password in an address', () => {
    expect(sentences(config({ DATABASE_URL: 'postgres://broker:hunter2@postgres-rw/broker' }))).toEqual([
      'ConfigMap realm-aurora/eldermoor data.DATABASE_URL: It holds an address with a user and a password in it.',
    ]);
  });

  it('takes an address with a port and a path', () => {
    expect(sentences(config({ URL: 'http://broker.svc:8081/v1/sessions@2' }))).toEqual([]);
  });

  it('finds a secret in the environment', () => {
    expect(sentences(container({ env: [{ name: 'BROKER_TOKEN', value: 'hunter2' }] }))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].env[BROKER_TOKEN].value: 'BROKER_TOKEN' holds a literal value, and its name says that it is secret.",
    ]);
  });

  it('takes a secret of the environment that comes from a Secret', () => {
    const env = [{ name: 'BROKER_TOKEN', valueFrom: { secretKeyRef: { name: 'netcode-key', key: 'generation-1' } } }];
    expect(sentences(container({ env }))).toEqual([]);
  });

  it('finds a secret in an argument', () => {
    expect(sentences(container({ args: ['--listen=:8080', '--password=hunter2'] }))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].args[1]: 'password' holds a literal value, and its name says that it is secret.",
    ]);
  });

  it('finds a secret that follows its option', () => {
    expect(sentences(container({ command: ['server', '--token', 'hunter2'] }))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].command[1]: 'token' holds a literal value, and its name says that it is secret.",
    ]);
  });

  it('takes an option that another option follows', () => {
    expect(sentences(container({ args: ['--token', '--verbose'] }))).toEqual([]);
  });

  it('finds a secret in the values of a chart', () => {
    expect(sentences(values({ grafana: { adminPassword: 'hunter2' } }))).toEqual([
      "Application argocd/kube-prometheus-stack spec.source.helm.valuesObject.grafana.adminPassword: 'adminPassword' holds a literal value, and its name says that it is secret.",
    ]);
  });

  it('takes the name of a Secret in the values of a chart', () => {
    expect(sentences(values({ grafana: { adminSecret: 'grafana-admin' } }))).toEqual([]);
  });

  it('lets a value stand with an exception', () => {
    const exception = { rule: 'no-plain-secrets', field: 'data.password', reason: 'a test' };
    expect(sentences(excepting(config({ password: 'public' }), 'ConfigMap realm-aurora/eldermoor', exception))).toEqual([]);
  });
});
