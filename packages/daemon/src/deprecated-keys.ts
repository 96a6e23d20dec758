/** Old places of keys and their new ones (spec platform 5.3). A value at the old place counts unless the new place has one. */
export const DEPRECATED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'auth.type': ['agent.auth.api.backend', 'analyzer.auth.api.backend', 'analyzer.auth.cluster.backend'],
  'auth.analyzer_username': ['agent.auth.cluster.username', 'analyzer.auth.cluster.username'],
  'auth.analyzer_password': ['agent.auth.cluster.password', 'analyzer.auth.cluster.password'],
  'agent.flow.stats_update': ['agent.capture.stats_update'],
  'sflow.bind_address': ['agent.flow.sflow.bind_address'],
  'sflow.port_min': ['agent.flow.sflow.port_min'],
  'sflow.port_max': ['agent.flow.sflow.port_max'],
  'docker.url': ['agent.topology.docker.url'],
  'docker.netns.run_path': ['agent.topology.docker.netns.run_path'],
  'netns.run_path': ['agent.topology.netns.run_path'],
  'analyzer.storage.backend': ['analyzer.flow.backend'],
  'analyzer.storage.max_flow_buffer_size': ['analyzer.flow.max_buffer_size'],
  'graph.backend': ['analyzer.topology.backend'],
  'k8s.config_file': ['analyzer.topology.k8s.config_file'],
  'k8s.probes': ['analyzer.topology.k8s.probes'],
}
