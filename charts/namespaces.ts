/**
 * Namespaces: real objects with Pod Security labels, protected from pruning, in the first wave; and the PriorityClasses, which pods of every namespace name.
 * It deliberately declares no namespace itself (but the cluster's own needs none): each component declares the namespaces that it uses.
 */
import { type Component, labels, PROTECTED } from '../lib/component';
import { addPriorityClasses } from '../lib/constructs/priority';
import { add } from '../lib/emit/manifest';
import { KubeNamespace } from '../lib/k8s';

/** Annotation that says why a namespace is not `restricted`. */
export const POD_SECURITY_REASON = 'mmo/pod-security-reason';

export const namespaces: Component = {
  name: 'namespaces',
  summary: 'Namespaces with their Pod Security level, priority classes, and the network policies behind which upstream charts start.',
  applications: (cluster) => [
    {
      name: 'namespaces',
      project: 'platform',
      namespace: 'default',
      needs: [],
      build: (chart, context) => {
        addPriorityClasses(chart, cluster);
        for (const { name, podSecurity, because, labels: more } of context.namespaces) {
          if (podSecurity !== 'restricted' && !because) {
            throw new Error(`Namespace '${name}' is '${podSecurity}' without a reason; say in 'because' what forces it.`);
          }
          add(chart, KubeNamespace, {
            metadata: {
              name,
              labels: labels(name, undefined, {
                ...more,
                'pod-security.kubernetes.io/enforce': podSecurity,
                'pod-security.kubernetes.io/warn': podSecurity,
              }),
              annotations: { ...PROTECTED, ...(because ? { [POD_SECURITY_REASON]: because } : {}) },
            },
          });
        }
      },
    },
  ],
};
