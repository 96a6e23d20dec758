import { z } from 'zod'
import { flag, integer, list, optionalList, optionalText, seconds, section, text } from './fields.ts'

const credentials = {
  username: optionalText('User name towards analyzers'),
  password: optionalText('Password towards analyzers'),
}

/** Where a receiver listens and between which ports. */
const receiver = (portMin: number, portMax: number, what: string) =>
  section({
    bind_address: text('127.0.0.1', `Address of ${what}`),
    port_min: integer(portMin, `First port of ${what}`),
    port_max: integer(portMax, `Last port of ${what}`),
  })

/** Keys of `agent`. */
export const agentSchema = section({
  listen: text('127.0.0.1:8081', 'Address of the API; a port alone is on localhost'),
  auth: section({
    api: section({ backend: text('noauth', 'Name of a section of auth') }),
    cluster: section(credentials),
  }),
  capture: section({
    ring_bytes: z
      .number()
      .int()
      .min(1_048_576)
      .max(1_073_741_824)
      .default(67_108_864)
      .describe(
        'Memory in which packets of each `afpacket` capture wait, 1 MiB to 1 GiB, shared among its threads; 16 MiB at most for those that would make all of them take more than an eighth of the memory, 1 MiB beyond a quarter',
      ),
    stats_update: seconds(1, 'Period of the counters of captures'),
    fanout_workers: z
      .number()
      .int()
      .min(1)
      .max(8)
      .default(1)
      .describe(
        'Threads that the packets of each `afpacket` capture are spread over by flow, 1 to 8; not of captures with a target',
      ),
  }),
  flow: section({
    probes: list(['gopacket', 'pcapsocket'], 'Sources of packets; those of this build are always there'),
    netflow: receiver(6365, 6375, 'NetFlow receivers of bridges'),
    sflow: receiver(6345, 6355, 'sFlow receivers of bridges'),
    pcapsocket: section({
      bind_address: text('127.0.0.1', 'Address of sockets that take capture files; `::` is all of both versions of IP'),
      min_port: integer(8100, 'First port of sockets that take capture files'),
      max_port: integer(8132, 'Last port of sockets that take capture files'),
    }),
    ebpf: section({ polling_rate: integer(16_000, 'Flows read from the kernel per second') }),
  }),
  topology: section({
    probes: list([], 'Probes besides hardware, netlink and netns, which always run; one that is named and missing is an error'),
    modules: list([], 'npm packages with probes, resolved from the folder of this file'),
    blockdev: section({
      lsblk_path: text('/usr/bin/lsblk', 'Where lsblk is'),
      iostat_path: optionalText('Where iostat is'),
      iostat_update: seconds(5, 'Period of iostat'),
    }),
    docker: section({
      url: text('unix:///var/run/docker.sock', 'Address of the Docker daemon'),
      netns: section({ run_path: text('/var/run/docker/netns', 'Folder of the network namespaces of containers') }),
    }),
    netlink: section({ metrics_update: seconds(30, 'Period of interface counters') }),
    netns: section({
      run_path: text('/var/run/netns', 'Folder of named network namespaces'),
      processes: flag(false, 'Also show the unnamed namespaces of processes'),
    }),
    neutron: section({
      auth_url: optionalText('Address of the identity service'),
      username: text('neutron', 'User name'),
      password: optionalText('Password'),
      tenant_name: text('service', 'Project'),
      region_name: text('RegionOne', 'Region'),
      domain_name: text('Default', 'Domain'),
      endpoint_type: text('public', 'public, internal or admin'),
      ssl_insecure: flag(false, 'Accept any certificate'),
    }),
    lldp: section({ interfaces: optionalList('Interfaces to listen on; all when absent') }),
    libvirt: section({ url: optionalText('Such as qemu:///system') }),
    runc: section({
      run_path: list(['/run/containerd/runc', '/run/runc', '/run/runc-ctrs'], 'Folders with the state of containers'),
    }),
    socketinfo: section({ host_update: seconds(10, "Period of the host's list of sockets") }),
    vpp: section({ connect: text('', 'Address of the VPP API') }),
    bess: section({ host: text('127.0.0.1', 'Host of the BESS daemon'), port: integer(10_514, 'Port of the BESS daemon') }),
  }),
  metadata: z.record(z.string(), z.unknown()).default({}).describe('Merged into the metadata of the host node'),
  metadata_config: section({
    files: z
      .array(z.object({ path: z.string(), type: z.string(), name: z.string(), selector: z.string() }))
      .default([])
      .describe('Values of files (json toml ini yaml yml properties props prop) for Config.<name> of the host node'),
  }),
})
