// These tests wait for events of real programs: the limit finds those that hang, and a busy machine is no hang.
import { jest } from '@jest/globals'

jest.setTimeout(30_000)
