import { expect, test } from '@jest/globals'
import type { Filter } from '@skydive/contracts'
import { sqlCondition } from './flow-sql.ts'

test.each<[filter: Filter, condition: unknown]>([
  [{ TermStringFilter: { Key: 'Application', Value: 'TCP' } }, { sql: 'application = ?', values: ['TCP'] }],
  [{ GteInt64Filter: { Key: 'Last', Value: 5 } }, { sql: 'last >= ?', values: [5] }],
  // A key is a key, whatever objects inherit under its name.
  [{ TermInt64Filter: { Key: 'constructor', Value: 1 } }, undefined],
  [{ TermStringFilter: { Key: 'toString', Value: 'x' } }, undefined],
  [{ TermStringFilter: { Key: '__proto__', Value: 'x' } }, undefined],
  [{ IPV6RangeFilter: { Key: 'Network.A', Value: '::/0' } }, undefined],
])('%j', (filter, condition) => expect(sqlCondition(filter)).toEqual(condition))
