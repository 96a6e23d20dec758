import { library } from '../../tools/tsup.mjs'

export default library({
  entry: {
    index: 'src/index.ts',
    lldp: 'src/lldp/index.ts',
    netflow: 'src/netflow/index.ts',
    sflow: 'src/sflow/index.ts',
  },
})
