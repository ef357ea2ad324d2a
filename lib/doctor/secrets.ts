/**
 * Every value that the cluster needs, sealed to its own key; and, where the private key is on this machine, that every one of them opens.
 * It deliberately shows no value: opening is tried and the result thrown away.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { privateKeyFile } from '../secrets/keys';
import { SecretsError, strictLabel, unseal } from '../secrets/sealing';
import { type FileStore, fileStore } from '../secrets/store';
import { type ClusterContext, type ClusterGroup, type Finding, failed, ok, skipped, some, warning } from './types';

export const secrets: ClusterGroup = {
  name: 'secrets',
  scope: 'cluster',
  look: (context) => {
    const { root, cluster } = context;
    const store = fileStore(path.join(root, 'secrets'), cluster.name);
    try {
      store.files();
      const { missingSecrets, secrets: needed } = context.built();
      return [sealed(missingSecrets, needed.length, cluster.name), foreign(store), opens(store, context), ...unneeded(store, context)];
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
      return error.problems.map((problem) => failed('files', problem, 'Correct the file, or take it from Git.'));
    }
  },
};

function sealed(missing: readonly { namespace: string; name: string; key: string }[], count: number, cluster: string): Finding {
  const names = missing.map(({ namespace, name, key }) => `${namespace}/${name}/${key}`);
  return missing.length === 0
    ? ok('sealed', `All ${count} Secrets have every value sealed.`)
    : failed(
        'sealed',
        `${missing.length} value${missing.length === 1 ? ' is' : 's are'} not sealed: ${some(names)}.`,
        `npm run seal -- --cluster ${cluster} --missing`,
      );
}

/** Values of another key than the certificate's do not open in the cluster. */
function foreign(store: FileStore): Finding {
  const fingerprint = store.certificate()?.keyFingerprint;
  const others = store.files().filter(({ sealedTo }) => sealedTo !== undefined && sealedTo !== fingerprint);
  const names = others.map(({ namespace, name }) => `${store.place}/${namespace}/${name}.yaml`);
  return others.length === 0
    ? ok('sealed-to', 'Every file is sealed to the committed certificate.')
    : failed(
        'sealed-to',
        `${others.length} file${others.length === 1 ? ' is' : 's are'} sealed to another key than the committed certificate's: ${some(names)}.`,
        'Seal them again (docs/how-to/secrets.md), or bring the certificate back.',
      );
}

function opens(store: FileStore, { root, cluster }: ClusterContext): Finding {
  const file = privateKeyFile(root, cluster.name);
  if (!existsSync(file))
    return skipped('opens', `Whether the values open was not tried: ${path.relative(root, file)} is not on this machine.`);
  const key = readFileSync(file, 'utf8');
  const shut: string[] = [];
  let count = 0;
  for (const { namespace, name, encryptedData } of store.files()) {
    for (const [entry, ciphertext] of Object.entries(encryptedData)) {
      count += 1;
      try {
        unseal(key, ciphertext, strictLabel(namespace, name)).fill(0);
      } catch {
        // A key that is none at all opens nothing either; keys.ts says so.
        shut.push(`${namespace}/${name}/${entry}`);
      }
    }
  }
  return shut.length === 0
    ? ok('opens', `The private key opens all ${count} values.`)
    : failed(
        'opens',
        `The private key does not open ${shut.length} of ${count} values: ${some(shut)}.`,
        'Bring the right key back, or seal these values again.',
      );
}

function unneeded(store: FileStore, { built }: ClusterContext): Finding[] {
  const needed = built().secrets.map(({ namespace, name }) => `${namespace}/${name}`);
  const left = store
    .files()
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .filter((id) => !needed.includes(id));
  if (left.length === 0) return [];
  return [
    warning(
      'needed',
      `Nothing needs ${some(left.map((id) => `${store.place}/${id}.yaml`))} any more.`,
      'Delete them, unless backups were made with them.',
    ),
  ];
}
