// Source: the registry "IP Flow Information Export (IPFIX) Entities", https://www.iana.org/assignments/ipfix, which took over the field
// types of NetFlow version 9 (RFC 3954, chapter 8). Runs of names: the number of the first, then one name after the other.
const RUNS: readonly (readonly [number, string])[] = [
  [
    1,
    'octetDeltaCount packetDeltaCount deltaFlowCount protocolIdentifier ipClassOfService tcpControlBits sourceTransportPort ' +
      'sourceIPv4Address sourceIPv4PrefixLength ingressInterface destinationTransportPort destinationIPv4Address ' +
      'destinationIPv4PrefixLength egressInterface ipNextHopIPv4Address bgpSourceAsNumber bgpDestinationAsNumber ' +
      'bgpNextHopIPv4Address postMCastPacketDeltaCount postMCastOctetDeltaCount flowEndSysUpTime flowStartSysUpTime ' +
      'postOctetDeltaCount postPacketDeltaCount minimumIpTotalLength maximumIpTotalLength sourceIPv6Address ' +
      'destinationIPv6Address sourceIPv6PrefixLength destinationIPv6PrefixLength flowLabelIPv6 icmpTypeCodeIPv4 igmpType ' +
      'samplingInterval samplingAlgorithm flowActiveTimeout flowIdleTimeout engineType engineId exportedOctetTotalCount ' +
      'exportedMessageTotalCount exportedFlowRecordTotalCount ipv4RouterSc sourceIPv4Prefix destinationIPv4Prefix ' +
      'mplsTopLabelType mplsTopLabelIPv4Address samplerId samplerMode samplerRandomInterval classId minimumTTL maximumTTL ' +
      'fragmentIdentification postIpClassOfService sourceMacAddress postDestinationMacAddress vlanId postVlanId ipVersion ' +
      'flowDirection ipNextHopIPv6Address bgpNextHopIPv6Address ipv6ExtensionHeaders',
  ],
  [
    80,
    'destinationMacAddress postSourceMacAddress interfaceName interfaceDescription samplerName octetTotalCount packetTotalCount ' +
      'flagsAndSamplerId fragmentOffset forwardingStatus mplsVpnRouteDistinguisher mplsTopLabelPrefixLength srcTrafficIndex ' +
      'dstTrafficIndex applicationDescription applicationId applicationName',
  ],
  [
    128,
    'bgpNextAdjacentAsNumber bgpPrevAdjacentAsNumber exporterIPv4Address exporterIPv6Address droppedOctetDeltaCount ' +
      'droppedPacketDeltaCount droppedOctetTotalCount droppedPacketTotalCount flowEndReason commonPropertiesId ' +
      'observationPointId icmpTypeCodeIPv6 mplsTopLabelIPv6Address lineCardId portId meteringProcessId exportingProcessId ' +
      'templateId wlanChannelId wlanSSID flowId observationDomainId flowStartSeconds flowEndSeconds flowStartMilliseconds ' +
      'flowEndMilliseconds flowStartMicroseconds flowEndMicroseconds flowStartNanoseconds flowEndNanoseconds ' +
      'flowStartDeltaMicroseconds flowEndDeltaMicroseconds systemInitTimeMilliseconds flowDurationMilliseconds ' +
      'flowDurationMicroseconds observedFlowTotalCount ignoredPacketTotalCount ignoredOctetTotalCount notSentFlowTotalCount ' +
      'notSentPacketTotalCount notSentOctetTotalCount destinationIPv6Prefix sourceIPv6Prefix postOctetTotalCount ' +
      'postPacketTotalCount flowKeyIndicator',
  ],
  [
    176,
    'icmpTypeIPv4 icmpCodeIPv4 icmpTypeIPv6 icmpCodeIPv6 udpSourcePort udpDestinationPort tcpSourcePort tcpDestinationPort ' +
      'tcpSequenceNumber tcpAcknowledgementNumber tcpWindowSize tcpUrgentPointer tcpHeaderLength ipHeaderLength ' +
      'totalLengthIPv4 payloadLengthIPv6 ipTTL nextHeaderIPv6 mplsPayloadLength ipDiffServCodePoint ipPrecedence ' +
      'fragmentFlags octetDeltaSumOfSquares octetTotalSumOfSquares mplsTopLabelTTL mplsLabelStackLength ' +
      'mplsLabelStackDepth mplsTopLabelExp ipPayloadLength udpMessageLength isMulticast ipv4IHL ipv4Options tcpOptions ' +
      'paddingOctets collectorIPv4Address collectorIPv6Address exportInterface exportProtocolVersion ' +
      'exportTransportProtocol collectorTransportPort exporterTransportPort tcpSynTotalCount tcpFinTotalCount ' +
      'tcpRstTotalCount tcpPshTotalCount tcpAckTotalCount tcpUrgTotalCount ipTotalLength postNATSourceIPv4Address ' +
      'postNATDestinationIPv4Address postNAPTSourceTransportPort postNAPTDestinationTransportPort ' +
      'natOriginatingAddressRealm natEvent initiatorOctets responderOctets firewallEvent ingressVRFID egressVRFID VRFname',
  ],
  [
    239,
    'biflowDirection ethernetHeaderLength ethernetPayloadLength ethernetTotalLength dot1qVlanId dot1qPriority ' +
      'dot1qCustomerVlanId dot1qCustomerPriority',
  ],
  [252, 'ingressPhysicalInterface egressPhysicalInterface postDot1qVlanId'],
  [256, 'ethernetType'],
  [298, 'initiatorPackets responderPackets'],
  [302, 'selectorId'],
  [
    304,
    'selectorAlgorithm samplingPacketInterval samplingPacketSpace samplingTimeInterval samplingTimeSpace samplingSize ' +
      'samplingPopulation samplingProbability dataLinkFrameSize ipHeaderPacketSection ipPayloadPacketSection ' +
      'dataLinkFrameSection',
  ],
  [322, 'observationTimeSeconds observationTimeMilliseconds observationTimeMicroseconds observationTimeNanoseconds'],
  [346, 'privateEnterpriseNumber'],
  [351, 'layer2SegmentId layer2OctetDeltaCount layer2OctetTotalCount'],
]

/** The enterprise number of elements that tell of the way back of a biflow (RFC 5103, chapter 6.1): the same numbers, reversed. */
export const REVERSE_ENTERPRISE = 29305

/** Names of IANA's information elements by number: `INFORMATION_ELEMENTS.get(8) === 'sourceIPv4Address'`. */
export const INFORMATION_ELEMENTS: ReadonlyMap<number, string> = new Map(
  RUNS.flatMap(([first, names]) => names.split(' ').map((name, i) => [first + i, name] as const)),
)

/** Numbers by name: `INFORMATION_ELEMENT_NUMBERS.get('sourceIPv4Address') === 8`. */
export const INFORMATION_ELEMENT_NUMBERS: ReadonlyMap<string, number> = new Map(
  [...INFORMATION_ELEMENTS].map(([number, name]) => [name, number]),
)
