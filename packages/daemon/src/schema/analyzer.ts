import { z } from 'zod'
import { flag, integer, list, optionalText, section, text } from './fields.ts'

const K8S_KINDS = [
  'cluster',
  'configmap',
  'container',
  'cronjob',
  'daemonset',
  'deployment',
  'endpoints',
  'ingress',
  'job',
  'namespace',
  'networkpolicy',
  'node',
  'persistentvolume',
  'persistentvolumeclaim',
  'pod',
  'replicaset',
  'replicationcontroller',
  'secret',
  'service',
  'statefulset',
  'storageclass',
]
const ISTIO_KINDS = ['destinationrule', 'gateway', 'quotaspec', 'quotaspecbinding', 'serviceentry', 'virtualservice']

/** Keys of `analyzer`. */
export const analyzerSchema = section({
  listen: text('127.0.0.1:8082', 'Address of the API and of flows by UDP; a port alone is on localhost'),
  auth: section({
    api: section({ backend: text('noauth', 'Name of a section of auth, for users') }),
    cluster: section({
      backend: text('noauth', 'Name of a section of auth, for agents and analyzers'),
      username: optionalText('User name towards other analyzers'),
      password: optionalText('Password towards other analyzers'),
    }),
  }),
  startup: section({
    capture_gremlin: optionalText('A capture that is created at start'),
    capture_bpf: text('', 'BPF filter of that capture'),
    capture_type: text('', 'Type of that capture'),
  }),
  flow: section({
    backend: text('sqlite', 'Name of a section of storage for flows; memory keeps none'),
    max_buffer_size: integer(100_000, 'Flows that may wait for the store'),
  }),
  topology: section({
    backend: text('sqlite', 'Name of a section of storage for the topology; memory keeps the last minutes'),
    probes: list([], 'Probes of the analyzer'),
    modules: list([], 'npm packages with probes, resolved from the folder of this file'),
    agent_grace: integer(15, 'Seconds for which what an agent sent stays when its link breaks without a goodbye'),
    fabric: list([], 'Static topology, one link an entry'),
    k8s: section({
      config_file: text('/etc/skydive/kubeconfig', 'Access to Kubernetes'),
      probes: list(K8S_KINDS, 'Kinds to show'),
      cluster_name: optionalText('Name of the cluster; that of config_file when absent'),
    }),
    istio: section({
      config_file: text('/etc/skydive/kubeconfig', 'Access to Kubernetes'),
      probes: list(ISTIO_KINDS, 'Kinds to show'),
    }),
    ovn: section({
      address: text('unix:///var/run/ovn/ovnnb_db.sock', 'Northbound database'),
      cert: optionalText('Certificate'),
      key: optionalText('Key of the certificate'),
      cacert: optionalText('CA of the database'),
    }),
  }),
  cluster: optionalText('Own name, needed for peering'),
  peers: z
    .record(
      z.string(),
      z.object({
        endpoints: z.array(z.string()),
        publish_filter: z.string().optional(),
        subscribe_filter: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
      }),
    )
    .default({})
    .describe('Other clusters by name: endpoints, publish_filter, subscribe_filter, username, password'),
  ssh_enabled: flag(false, 'Browser terminal; not part of this build'),
  replication: section({ debug: flag(false, 'Unused') }),
})
