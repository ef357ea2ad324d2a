/**
 * Every quantity is written as Kubernetes writes it back: a text with the largest suffix that keeps a whole number.
 * It deliberately judges no amount, and not the values of Helm charts, whose templates may compute with them.
 */
import { canonicalQuantity, quantityValue } from '../model/quantities';
import { type CleanParts, type FieldTree, FieldWalk, type Leaf } from './fields';
import { Report } from './report';
import type { Check } from './types';

/** What the value should be; the empty text when it is no quantity at all. */
const quantity: Leaf<string> = (value) => {
  const text = String(value);
  if (quantityValue(text) === undefined) return '';
  const canonical = canonicalQuantity(text);
  return value === canonical ? undefined : canonical;
};

const resources: FieldTree<string> = { requests: { '*': quantity }, limits: { '*': quantity } };
const claim: FieldTree<string> = { spec: { resources } };
const container: FieldTree<string> = { resources, env: { valueFrom: { resourceFieldRef: { divisor: quantity } } } };
const pod: FieldTree<string> = {
  resources,
  overhead: { '*': quantity },
  containers: container,
  initContainers: container,
  volumes: { emptyDir: { sizeLimit: quantity }, ephemeral: { volumeClaimTemplate: claim } },
};
const template: FieldTree<string> = { spec: { template: { spec: pod } } };
const storage: FieldTree<string> = { size: quantity, pvcTemplate: { resources } };
const metricTarget: FieldTree<string> = { target: { value: quantity, averageValue: quantity } };

/** Where the kinds that we emit have quantities. */
const QUANTITIES: Readonly<Record<string, FieldTree<string>>> = {
  Pod: { spec: pod },
  Deployment: template,
  DaemonSet: template,
  Job: template,
  PodConfig: template,
  StatefulSet: { spec: { template: { spec: pod }, volumeClaimTemplates: claim } },
  CronJob: { spec: { jobTemplate: template } },
  Fleet: { spec: { template } },
  PersistentVolumeClaim: claim,
  Cluster: {
    spec: {
      resources,
      storage,
      walStorage: storage,
      tablespaces: { storage },
      ephemeralVolumesSizeLimit: { shm: quantity, temporaryData: quantity },
    },
  },
  ObjectStore: { spec: { instanceSidecarConfiguration: { resources } } },
  HorizontalPodAutoscaler: {
    spec: {
      metrics: {
        resource: metricTarget,
        containerResource: metricTarget,
        pods: metricTarget,
        object: metricTarget,
        external: metricTarget,
      },
    },
  },
  ResourceQuota: { spec: { hard: { '*': quantity } } },
  LimitRange: {
    spec: { limits: { max: { '*': quantity }, min: { '*': quantity }, default: { '*': quantity }, defaultRequest: { '*': quantity } } },
  },
};

export const canonicalQuantities: Check = {
  id: 'canonical-quantities',
  why: 'The API server writes 1000m back as 1; in custom resources Argo CD shows that as a difference that no sync removes.',
  run: (input) => {
    const report = new Report(input, canonicalQuantities);
    const clean: CleanParts = new Map();
    walks ??= Object.entries(QUANTITIES).map(([kind, tree]) => ({ kind, walk: new FieldWalk(tree) }));
    for (const { kind, walk } of walks) {
      for (const object of input.ofKind(kind)) {
        for (const { path, value, finding } of walk.find(object.manifest, clean)) {
          if (finding === '') report.say(object, path, `${JSON.stringify(value)} is no quantity.`, "Write it as '500m', '2' or '20Gi'.");
          else
            report.say(
              object,
              path,
              `${JSON.stringify(value)} is not how Kubernetes writes it.`,
              `Write '${finding}' (canonicalQuantity() in lib/model/quantities.ts).`,
            );
        }
      }
    }
    return report.violations;
  },
};

let walks: readonly { readonly kind: string; readonly walk: FieldWalk<string> }[] | undefined;
