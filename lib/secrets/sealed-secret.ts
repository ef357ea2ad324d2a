/**
 * A SealedSecret out of a secret's specification and the sealed values of the store.
 * It deliberately cannot see plaintext: what is not sealed is reported as missing, and nothing takes its place.
 */
import type { Chart } from 'cdk8s';
import { SealedSecret } from '../../imports/bitnami.com';
import { labels, PROTECTED } from '../component';
import { add } from '../emit/manifest';
import type { MissingSecret, SecretSpec, SecretStore } from './spec';

/** Adds the SealedSecret, with the keys that are sealed, and returns the keys that are not. */
export function emitSealedSecret(chart: Chart, spec: SecretSpec, store: SecretStore): MissingSecret[] {
  const sealed = store.encryptedData(spec.namespace, spec.name) ?? {};
  const encryptedData: Record<string, string> = {};
  const missing: MissingSecret[] = [];
  for (const key of Object.keys(spec.keys).sort()) {
    const value = sealed[key];
    if (value === undefined) missing.push({ namespace: spec.namespace, name: spec.name, key });
    else encryptedData[key] = value;
  }
  const annotations = { ...(spec.protected ? PROTECTED : {}), ...spec.annotations };
  const object = add(chart, SealedSecret, {
    metadata: {
      name: spec.name,
      namespace: spec.namespace,
      labels: labels(spec.name),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: {
      encryptedData: {},
      template: {
        ...(spec.type && spec.type !== 'Opaque' ? { type: spec.type } : {}),
        metadata: { name: spec.name, namespace: spec.namespace, ...(spec.labels ? { labels: { ...spec.labels } } : {}) },
      },
    },
  });
  // Set as data: the generated class copies a map once for each of its keys, and the broker's keys are as many as there are realms.
  object.manifest.spec.encryptedData = encryptedData;
  return missing;
}
