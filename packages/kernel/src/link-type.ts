// Link types as capture files number them (pcap-linktype(7)) and as libpcap does (pcap/dlt.h): all that matter here are the same but for bare IP.

const RAW_IP = 101
const DLT_RAW = 12

/** libpcap's own number. */
export function libraryLinkType(linkType: number): number {
  return linkType === RAW_IP ? DLT_RAW : linkType
}

/** The number in files of what libpcap calls so. */
export function fileLinkType(dlt: number): number {
  return dlt === DLT_RAW ? RAW_IP : dlt
}
