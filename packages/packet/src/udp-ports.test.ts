import { expect, test } from '@jest/globals'
import { ABSENT, APPLICATION_PORTS, applicationOfPort } from './index.ts'

test('the ports of applications are those for which there is one', () => {
  const known = Array.from({ length: 65_536 }, (_, port) => port).filter((port) => applicationOfPort(port) !== ABSENT)
  expect(APPLICATION_PORTS).toEqual(known)
})
