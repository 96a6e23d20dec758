/** What a decoder met since it was made. Everything that it could not use is under one of the names after `templates`. */
export interface NetflowCounts {
  datagrams: number
  /** Flow records that were handed over. */
  records: number
  /** Records of options: what exporters say of themselves. */
  optionsRecords: number
  /** Definitions of templates that were taken, and withdrawals that were followed. */
  templates: number
  withdrawals: number
  /** Datagrams of another version than 5, 9 and 10. */
  foreignVersions: number
  /** Datagrams or sets that end before what they announce; what came before was handed over. */
  malformedSets: number
  /** Definitions with too many fields, an impossible number or records of no length. */
  refusedTemplates: number
  /** Templates, exporters and their domains that had to go for newer ones. */
  evictedTemplates: number
  evictedExporters: number
  evictedDomains: number
  /** Sets whose template was not known when they came; of those, sets that were given up. */
  unknownTemplateSets: number
  droppedSets: number
  /** Sampling rates beyond those that are kept of a domain: its records with that sampler count with the rate of the domain. */
  refusedSamplers: number
  /** Records (NetFlow 9: datagrams) that sequence numbers say were sent and that did not come. */
  lost: number
}

/** Counts of nothing. */
export function noCounts(): NetflowCounts {
  return {
    datagrams: 0,
    records: 0,
    optionsRecords: 0,
    templates: 0,
    withdrawals: 0,
    foreignVersions: 0,
    malformedSets: 0,
    refusedTemplates: 0,
    evictedTemplates: 0,
    evictedExporters: 0,
    evictedDomains: 0,
    unknownTemplateSets: 0,
    droppedSets: 0,
    refusedSamplers: 0,
    lost: 0,
  }
}
