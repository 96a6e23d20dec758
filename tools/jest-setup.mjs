// A library that prints is a fault: a test that reaches console fails and says so.
import { jest } from '@jest/globals'

for (const method of ['log', 'info', 'warn', 'error', 'debug']) {
  jest.spyOn(console, method).mockImplementation((...args) => {
    throw new Error(
      `console.${method} was called in a test (${args.map(String).join(' ')}): return the value or use the injected logger`,
    )
  })
}
