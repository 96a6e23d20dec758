/**
 * Where the scripts of the threads lie: beside the bundle. Running from the sources, the packages find their own.
 * `base` is the `import.meta.url` of the file that was started.
 */
export function threadScripts(base: string) {
  if (base.endsWith('.ts')) return {}
  const script = (name: string): URL => new URL(`./threads/${name}.js`, base)
  return {
    store: script('store'),
    readiness: script('readiness'),
    capture: script('capture'),
    afpacket: script('afpacket'),
    pcap: script('pcap'),
    sflow: script('sflow'),
    netflow: script('netflow'),
    pcapsocket: script('pcapsocket'),
  }
}
