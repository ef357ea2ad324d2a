/** A small chart as it rendered, and the record that fits it; each test breaks one of the two. */
import type { Provides } from '../../../../argocd/catalog/types';
import type { RecordedChart } from '../../../../lib/charts-verify/record';

export const RENDERED = `---
# Source: demo/crds/things.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.demo.example
spec:
  group: demo.example
  names: { kind: Thing, plural: things }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            apiVersion: { type: string }
            kind: { type: string }
            metadata: { type: object }
            spec:
              type: object
              required: [size]
              properties:
                size: { type: integer, minimum: 1 }
    - name: v1alpha1
      served: false
      storage: false
      schema: { openAPIV3Schema: { type: object } }
---
# Source: demo/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: demo
  labels: { app: demo, helm.sh/chart: demo-1.0.0 }
spec:
  selector: { app: demo }
  ports:
    - { name: http, port: 80, targetPort: http }
---
# Source: demo/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: demo
  namespace: demo
spec:
  template:
    metadata:
      labels: { app: demo, part: server }
    spec:
      serviceAccountName: demo
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: demo
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          resources: { requests: { cpu: 10m, memory: 32Mi }, limits: { memory: 64Mi } }
          ports:
            - { name: http, containerPort: 8080 }
            - { name: voice, containerPort: 9000, protocol: UDP }
---
# Source: demo/templates/account.yaml
apiVersion: v1
kind: ServiceAccount
metadata: { name: demo, namespace: demo }
---
# Source: demo/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: demo-config, namespace: demo }
---
# Source: demo/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata: { name: demo-secret, namespace: demo }
data: { greeting: aGVsbG8= }
---
# Source: demo/templates/class.yaml
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: demo }
---
# Source: demo/templates/empty.yaml
`;

export const PROVIDES: Provides = {
  crds: ['things.demo.example'],
  services: [{ name: 'demo', ports: [{ name: 'http', port: 80 }], labels: { app: 'demo' } }],
  pods: [
    {
      name: 'demo',
      kind: 'Deployment',
      labels: { app: 'demo' },
      ports: [
        { name: 'http', port: 8080 },
        { name: 'voice', port: 9000, protocol: 'UDP' },
      ],
      serviceAccount: 'demo',
    },
  ],
  secrets: ['demo/demo-secret'],
  configMaps: ['demo/demo-config'],
  serviceAccounts: ['demo/demo'],
  ingressClasses: ['demo'],
  clusterKinds: ['apiextensions.k8s.io/CustomResourceDefinition', 'networking.k8s.io/IngressClass'],
};

/** The chart with some parts of its record replaced. */
export function recorded(changes: Partial<Provides> = {}, more: Pick<RecordedChart, 'acceptedHooks' | 'exceptions'> = {}): RecordedChart {
  return { namespace: 'demo', provides: { ...PROVIDES, ...changes }, ...more };
}

/** The recorded pods with some parts replaced. */
export function pods(changes: Partial<Provides['pods'][number]>): Pick<Provides, 'pods'> {
  return { pods: PROVIDES.pods.map((each) => ({ ...each, ...changes })) };
}

/** One more rendered document. */
export function also(...documents: readonly string[]): string {
  return [RENDERED, ...documents].join('---\n');
}
