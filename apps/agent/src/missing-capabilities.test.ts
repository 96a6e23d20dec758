import { expect, test } from '@jest/globals'
import { missingCapabilities } from './missing-capabilities.ts'

test('says what will not be seen, and the way out', () => {
  expect(missingCapabilities(new Set(['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_NET_RAW']))).toBeUndefined()
  expect(missingCapabilities(new Set(['CAP_NET_ADMIN', 'CAP_SYS_ADMIN']))).toBe(
    'this user may not see everything; missing: captures (CAP_NET_RAW). Run as root to see it all; "skydive doctor" says more',
  )
})
