/**
 * Alloy: reads the logs of every pod and pushes them to Loki.
 * It deliberately collects no metrics (Prometheus does) and no logs of the nodes' own services.
 */
import type { Workload } from '../../lib/flows';
import { LABELS } from '../../lib/platform';
import { lokiUrl } from './loki';
import type { UpstreamChart } from './types';
import { scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'monitoring';

export const alloy: UpstreamChart = {
  name: 'alloy',
  project: 'observability',
  chart: 'alloy',
  namespace: NAMESPACE,
  summary: "Reads all pods' logs through the Kubernetes API and pushes them to Loki.",
  values: () => ({
    // PodLogs resources are not used.
    crds: { create: false },
    alloy: {
      configMap: { content: configuration },
      enableReporting: false,
      resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      // Reading through the API instead of the node's files is what makes this possible: the files are root's and need a path of the host.
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 473,
        runAsGroup: 473,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      // Positions and the remote configuration's cache; lost with the pod, then at most the kubelet's current files are read again, and Loki drops what it has.
      mounts: { extra: [{ name: 'storage', mountPath: '/tmp/alloy' }] },
    },
    controller: {
      // A pod of a tainted control-plane node has logs, too.
      tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
      volumes: { extra: [{ name: 'storage', emptyDir: { sizeLimit: '128Mi' } }] },
    },
    global: { podSecurityContext: { fsGroup: 473, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
    // A changed configuration restarts the pods (the chart hashes it into the template); a second container on each node only saves that.
    configReloader: { enabled: false },
    rbac: {
      // The default may read all Secrets and a dozen other kinds. Both lists end up in one ClusterRole, and neither may be empty.
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
      clusterRules: [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }],
    },
    serviceMonitor: { enabled: true },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds', 'loki'],
  provides: () => ({
    crds: [],
    services: [{ name: 'alloy', ports: [{ name: 'http-metrics', port: 12345 }], labels: { 'app.kubernetes.io/name': 'alloy' } }],
    pods: [
      { name: 'alloy', kind: 'DaemonSet', labels: pods().labels, ports: [{ name: 'http-metrics', port: 12345 }], serviceAccount: 'alloy' },
    ],
    configMaps: [`${NAMESPACE}/alloy`],
    serviceAccounts: [`${NAMESPACE}/alloy`],
    clusterKinds: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/ClusterRoleBinding'],
  }),
  flows: (cluster) => [toApiServer(cluster, pods(), 'It lists the pods of its node and reads their logs.'), scraped(pods(), 12345)],
};

const pods = (): Workload => workload('alloy', 'alloy');

/** Under which name discovery hands over a label of the pod: whatever is no letter, digit or underscore becomes an underscore. */
function podLabel(key: string): string {
  return `__meta_kubernetes_pod_label_${key.replace(/[^A-Za-z0-9_]/g, '_')}`;
}

/**
 * Labels make Loki's streams and are therefore few and of few values: namespace, app, realm, content_type and level (seven words, others are left out).
 * Pod, container, node and, of our own programs, the ids by which one looks for a story ride along as structured metadata, which costs no stream.
 * A line without a level keeps what Loki finds by itself (`detected_level`). The chart runs the text through Helm's templates: braces of Alloy's own templates are quoted.
 */
const configuration = `
logging {
  level = "warn"
}

// Each Alloy reads the pods of its own node; the chart sets HOSTNAME to the node's name.
discovery.kubernetes "pods" {
  role = "pod"

  selectors {
    role  = "pod"
    field = "spec.nodeName=" + coalesce(sys.env("HOSTNAME"), constants.hostname)
  }
}

discovery.relabel "pods" {
  targets = discovery.kubernetes.pods.targets

  rule {
    source_labels = ["__meta_kubernetes_namespace"]
    target_label  = "namespace"
  }

  // The app is the name label, or else the old app label, or else the container.
  rule {
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "app"
  }

  rule {
    source_labels = ["__meta_kubernetes_pod_label_app"]
    regex         = "(.+)"
    target_label  = "app"
  }

  rule {
    source_labels = ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    regex         = "(.+)"
    target_label  = "app"
  }

  rule {
    source_labels = ["${podLabel(LABELS.realm)}"]
    regex         = "(.+)"
    target_label  = "realm"
  }

  rule {
    source_labels = ["${podLabel(LABELS.contentType)}"]
    regex         = "(.+)"
    target_label  = "content_type"
  }

  rule {
    source_labels = ["__meta_kubernetes_pod_name"]
    target_label  = "pod"
  }

  rule {
    source_labels = ["__meta_kubernetes_pod_container_name"]
    target_label  = "container"
  }

  rule {
    source_labels = ["__meta_kubernetes_pod_node_name"]
    target_label  = "node"
  }
}

loki.source.kubernetes "pods" {
  targets    = discovery.relabel.pods.output
  forward_to = [loki.process.pods.receiver]
}

loki.process "pods" {
  forward_to = [loki.write.loki.receiver]

  stage.structured_metadata {
    values = { pod = "", container = "", node = "" }
  }

  // The broker and the game servers write JSON (docs/game-server.md, "Logs and exit codes").
  stage.match {
    selector = "{app=~\\"connect-broker|game-server\\"}"

    stage.json {
      expressions = {
        said_level   = "level",
        time         = "time",
        request      = "reqId",
        play_session = "playSessionId",
        instance_id  = "instance",
        server       = "gameServer",
        error        = "err.type",
      }
      drop_malformed = false
    }

    stage.timestamp {
      source            = "time"
      format            = "RFC3339Nano"
      action_on_failure = "skip"
    }

    stage.structured_metadata {
      values = { request = "", play_session = "", instance_id = "", server = "", error = "" }
    }

    stage.regex {
      source     = "said_level"
      expression = "^(?P<level>trace|debug|info|warn|error|fatal)$"
    }
  }

  // Everybody else: level=info, "level":"info", and the like.
  stage.match {
    selector = "{app!~\\"connect-broker|game-server\\"}"

    stage.regex {
      expression = "(?i)\\\\b(?:level|severity)\\"?[=:]\\\\s*\\"?(?P<level>trace|debug|info|warn|error|fatal|panic)"
    }

    stage.template {
      source   = "level"
      template = "{{ \`{{ ToLower .Value }}\` }}"
    }
  }

  stage.labels {
    values = { level = "" }
  }

  // The source adds namespace, pod and container once more as one label, which would make a stream of every pod.
  stage.label_drop {
    values = ["instance"]
  }
}

loki.write "loki" {
  endpoint {
    url = "${lokiUrl}/loki/api/v1/push"
  }
}
`.trimStart();
