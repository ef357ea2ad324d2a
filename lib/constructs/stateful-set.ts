/**
 * A StatefulSet whose claim templates are complete: with apiVersion and kind, which the generated class leaves out.
 * It deliberately decides nothing else. Without them Argo CD's default diff shows drift for ever and syncs in a loop (measured), and the field is immutable.
 */

import type { GeneratedClass, PlainObject } from '../emit/manifest';
import { KubeStatefulSet, type KubeStatefulSetProps } from '../k8s';

/** Use with `add()` in place of `KubeStatefulSet`. */
export const StatefulSet: GeneratedClass<KubeStatefulSetProps> = {
  manifest(props) {
    const object = KubeStatefulSet.manifest(props) as PlainObject;
    const templates = object.spec?.volumeClaimTemplates as object[] | undefined;
    if (templates)
      object.spec.volumeClaimTemplates = templates.map((template) => ({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...template }));
    return object;
  },
};
