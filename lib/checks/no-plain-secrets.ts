/**
 * Nothing in Git can be read as a secret: no Secret objects, SealedSecrets bound to their own namespace and name, no passwords, tokens or private keys as plain text
 * in ConfigMaps, environment, arguments and Helm values.
 * It deliberately judges names of fields and forms of values, not entropy: a reference to a Secret (existingSecret, passwordKey, tokenFile, secretKeyRef) is what it asks for.
 */
import { ciphertextProblem } from '../secrets/sealing';
import { spell, visitAll } from './fields';
import { inventoryOf } from './inventory';
import { containersOf, operatorTemplates } from './pods';
import { Report } from './report';
import { isPrivateKey, scanOf } from './scan';
import { type Check, type CheckInput, type Violation, violation } from './types';

/** `scheme://user:password@host`; `$` begins a variable, which is filled in elsewhere. */
const PASSWORD_IN_URL = /:\/\/[^\s/:@$]+:[^\s/@$]+@/;
const IN_URL = 'It holds an address with a user and a password in it.';
const SEAL =
  "Seal the value ('npm run seal'), declare it with context.secret() in the component, and refer to that Secret by name and key.";
const WIDER_SCOPES = ['sealedsecrets.bitnami.com/cluster-wide', 'sealedsecrets.bitnami.com/namespace-wide'];

export const noPlainSecrets: Check = {
  id: 'no-plain-secrets',
  why: 'Everybody who can read the repository, its history, its forks or its backups can read what is in plain text there; a secret that was committed once is known for ever.',
  run: (input) => [
    ...secrets(input),
    ...sealedSecrets(input),
    ...privateKeys(input),
    ...configMaps(input),
    ...pods(input),
    ...helmValues(input),
  ],
};

function secrets(input: CheckInput): Violation[] {
  return input
    .ofKind('Secret')
    .map((object) => violation(noPlainSecrets, object, 'It is a plain Secret: base64 is no encryption.', SEAL, 'kind'));
}

function sealedSecrets(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  for (const object of input.ofKind('SealedSecret')) {
    const { metadata, spec } = object.manifest;
    const say = (message: string, fix: string, field: string): void => {
      violations.push(violation(noPlainSecrets, object, message, fix, field));
    };
    const template = spec?.template ?? {};
    for (const [place, annotations] of [
      ['metadata', metadata.annotations],
      ['spec.template.metadata', template.metadata?.annotations],
    ] as const) {
      for (const scope of WIDER_SCOPES) {
        if (annotations?.[scope] === undefined) continue;
        say(
          `The annotation ${scope} lets the value be opened under another name${scope === WIDER_SCOPES[0] ? ' and in every namespace' : ''}: whoever may make SealedSecrets could read it.`,
          'Remove the annotation and seal the value again in the strict scope, which is that of npm run seal.',
          `${place}.annotations["${scope}"]`,
        );
      }
    }
    for (const field of ['name', 'namespace'] as const) {
      if (template.metadata?.[field] === metadata[field]) continue;
      say(
        `The Secret's ${field} would be '${template.metadata?.[field] ?? ''}', but the value is sealed for ${field} '${metadata[field]}' and would not open.`,
        `Write the same ${field} in spec.template.metadata as in metadata.`,
        `spec.template.metadata.${field}`,
      );
    }
    for (const place of ['data', 'stringData'] as const) {
      if (template[place] === undefined) continue;
      say(`Its template has ${place}, which is not encrypted.`, 'Seal each of its keys into spec.encryptedData.', `spec.template.${place}`);
    }
    for (const [key, value] of Object.entries((spec?.encryptedData ?? {}) as Record<string, unknown>)) {
      if (typeof value === 'string' && isSealed(value)) continue;
      const problem = typeof value === 'string' ? ciphertextProblem(value) : 'is no text';
      if (problem) say(`The value of '${key}' ${problem}.`, "Seal the value with 'npm run seal'.", `spec.encryptedData["${key}"]`);
    }
  }
  return violations;
}

/** The form that nearly every value has; what is wrong with another, and whether anything is, `ciphertextProblem` says (ten times as slowly). */
function isSealed(value: string): boolean {
  const bytes = Buffer.from(value, 'base64');
  const keyLength = bytes.length > 2 ? bytes.readUInt16BE(0) : 0;
  return (keyLength === 512 || keyLength === 256) && bytes.length >= 2 + keyLength + 16 && bytes.toString('base64') === value;
}

function privateKeys(input: CheckInput): Violation[] {
  const violations: Violation[] = [];
  for (const object of scanOf(input).privateKeys) {
    visitAll(object.manifest, (value, _field, path) => {
      if (typeof value === 'string' && isPrivateKey(value)) {
        violations.push(
          violation(
            noPlainSecrets,
            object,
            'It holds a private key as plain text.',
            `Make a new key, because this one is known. ${SEAL}`,
            spell(object.manifest, path),
          ),
        );
      }
      return true;
    });
  }
  return violations;
}

function configMaps(input: CheckInput): Violation[] {
  const report = new Report(input, noPlainSecrets);
  for (const object of input.ofKind('ConfigMap')) {
    const data = (object.manifest.data ?? {}) as Record<string, unknown>;
    for (const key in data) {
      const text = data[key];
      if (typeof text !== 'string') continue;
      const field = () => (/^[\w-]+$/.test(key) ? `data.${key}` : `data["${key}"]`);
      if (isPlainSecret(key, text)) report.say(object, field(), literal(key), SEAL);
      for (const name of secretsInFile(text)) report.say(object, field(), `In the file '${key}', ${literal(name)}`, SEAL);
      if (hasPasswordInUrl(text)) report.say(object, field(), IN_URL, SEAL);
    }
  }
  return report.violations;
}

/** Names of settings in a configuration file (JSON, or lines of `name: value` and `name=value`) that hold a secret. */
function secretsInFile(text: string): string[] {
  if (!text.includes('\n') && !text.startsWith('{') && !text.startsWith('[')) return [];
  if (/^\s*[{[]/.test(text)) {
    try {
      const found: string[] = [];
      visitAll({ file: JSON.parse(text) }, (value, field) => {
        if (isPlainSecret(field, value)) found.push(field);
        return true;
      });
      return found;
    } catch {
      // Not JSON (a template, HCL): read it by lines.
    }
  }
  const found: string[] = [];
  for (const [, name = '', value = ''] of text.matchAll(/^[ \t-]*["']?([A-Za-z][\w.-]*)["']?[ \t]*[:=][ \t]*(\S.*)$/gm)) {
    if (isPlainSecret(name, value.replace(/^(["'])(.*)\1[,;]?$/, '$2'))) found.push(name);
  }
  return found;
}

function pods(input: CheckInput): Violation[] {
  const report = new Report(input, noPlainSecrets);
  for (const template of [...input.podTemplates, ...operatorTemplates(input)]) {
    const { object } = template;
    for (const { path, spec } of containersOf(template)) {
      for (const { name, value } of (spec.env ?? []) as { name: string; value?: unknown }[]) {
        if (value === undefined) continue;
        if (isPlainSecret(name, value)) report.say(object, `${path}.env[${name}].value`, literal(name), SEAL);
        if (typeof value === 'string' && hasPasswordInUrl(value)) report.say(object, `${path}.env[${name}].value`, IN_URL, SEAL);
      }
      for (const list of ['command', 'args'] as const) {
        const words = (spec[list] ?? []) as string[];
        words.forEach((word, index) => {
          const [, name = '', inline] = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word) ?? [];
          const next = words[index + 1];
          const value = inline ?? (next?.startsWith('-') ? undefined : next);
          if (name !== '' && isPlainSecret(name, value)) report.say(object, `${path}.${list}[${index}]`, literal(name), SEAL);
          if (hasPasswordInUrl(word)) report.say(object, `${path}.${list}[${index}]`, IN_URL, SEAL);
        });
      }
    }
  }
  return report.violations;
}

function helmValues(input: CheckInput): Violation[] {
  const report = new Report(input, noPlainSecrets);
  const inventory = inventoryOf(input);
  for (const object of input.ofKind('Application')) {
    const { spec } = object.manifest;
    const values = spec?.source?.helm?.valuesObject;
    if (values === undefined) continue;
    const namespace: string = spec.destination?.namespace ?? '';
    const root = { spec: { source: { helm: { valuesObject: values } } } };
    visitAll(root, (value, field, path) => {
      // Charts name a Secret by a field that ends in the word, too.
      const isName = typeof value === 'string' && inventory.secret(namespace, value) !== undefined;
      if (!isName && isPlainSecret(field, value)) report.say(object, spell(root, path), literal(field), SEAL);
      if (typeof value === 'string' && hasPasswordInUrl(value)) report.say(object, spell(root, path), IN_URL, SEAL);
      return true;
    });
  }
  return report.violations;
}

function hasPasswordInUrl(text: string): boolean {
  return text.includes('://') && PASSWORD_IN_URL.test(text);
}

/** Whether a setting of this name, with this value, is a secret that stands there as it is. */
function isPlainSecret(name: string, value: unknown): boolean {
  if (!holdsSecret(name)) return false;
  if (typeof value === 'number') return value !== 0;
  if (typeof value !== 'string' || value === '' || value === 'true' || value === 'false' || value === 'null') return false;
  // A path, or a variable that something fills in: `/var/run/…/token`, `$(TOKEN)`, `${TOKEN}`, `$argocd-secret:key`, `{{ … }}`.
  return !/^(\/|\$|\{\{|<)/.test(value);
}

const known = new Map<string, boolean>();

function holdsSecret(name: string): boolean {
  let answer = known.get(name);
  if (answer === undefined) {
    answer = judgeName(name);
    known.set(name, answer);
  }
  return answer;
}

const LAST_WORDS = new Set([
  'password',
  'passwd',
  'pwd',
  'passphrase',
  'token',
  'secret',
  'credential',
  'credentials',
  'apikey',
  'privatekey',
  'secretkey',
  'accesskey',
]);
const LAST_TWO = new Set(['api key', 'private key', 'secret key', 'access key', 'encryption key', 'signing key', 'master key']);
/** Words that make a reference of the name: `existingSecret`, `useToken`. */
const REFERENCE_WORDS = new Set(['existing', 'use', 'enable', 'mount', 'automount', 'create', 'generate']);

/** By the last words of a name, in any spelling (adminPassword, ADMIN_PASSWORD, admin-password): what comes after them (Name, File, Ref, Key) makes it something else. */
function judgeName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
  if (words.some((word) => REFERENCE_WORDS.has(word))) return false;
  return LAST_WORDS.has(words.at(-1) ?? '') || LAST_TWO.has(words.slice(-2).join(' '));
}

/** Never with the value: the sentence is printed by CI for everybody. */
function literal(name: string): string {
  return `'${name}' holds a literal value, and its name says that it is secret.`;
}
