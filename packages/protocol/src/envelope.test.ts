import { describe, expect, it } from '@jest/globals'
import { SkydiveError } from '@skydive/contracts'
import fc from 'fast-check'
import { decodeBinaryMessage, decodeTextMessage, OutgoingMessage } from './envelope.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('OutgoingMessage', () => {
  it('writes the envelope of the spec as text', () => {
    const message = new OutgoingMessage({ namespace: 'Graph', type: 'NodeAdded', uuid: 'u', body: { ID: 'n' } })
    expect(message.text()).toBe('{"Namespace":"Graph","Type":"NodeAdded","UUID":"u","Status":200,"Obj":{"ID":"n"}}')
  })

  it('writes StructMessage of protobuf with JSON inside', () => {
    const message = new OutgoingMessage({ namespace: 'G', type: 'T', uuid: 'u', status: 400, body: 1 })
    // 1: "G", 2: "T", 3: "u", 4: varint 400, 6: "1"; field 5 (Format JSON) is zero and left out.
    expect(hex(message.binary())).toBe('0a01471201541a0175209003320131')
  })

  it('writes a protobuf body under format 1', () => {
    const message = new OutgoingMessage({ namespace: 'F', type: 'Q', uuid: 'u', bytes: Uint8Array.of(8, 1) })
    expect(hex(message.binary())).toBe('0a01461201511a017520c801280132020801')
  })

  it('encodes once', () => {
    const message = new OutgoingMessage({ namespace: 'G', type: 'T', body: {} })
    expect(message.binary()).toBe(message.binary())
  })
})

describe('decoding', () => {
  it('reads a text frame, ignoring Format', () => {
    expect(decodeTextMessage('{"Namespace":"Graph","Type":"Sync","UUID":"u","Format":1,"Status":200,"Obj":{"a":1}}')).toEqual({
      namespace: 'Graph',
      type: 'Sync',
      uuid: 'u',
      status: 200,
      body: { a: 1 },
    })
  })

  it('reads JSON in a binary frame', () => {
    expect(decodeBinaryMessage(Buffer.from('{"Namespace":"G","Type":"T"}')).type).toBe('T')
  })

  it.each([
    ['{', 'ERR_DECODE'],
    ['[]', 'ERR_DECODE'],
    ['{"Namespace":1,"Type":"x"}', 'ERR_DECODE'],
    ['{"Type":"x"}', 'ERR_DECODE'],
  ])('refuses %s', (text, code) => {
    expect(() => decodeTextMessage(text)).toThrow(expect.objectContaining({ code }))
  })

  it('gives back what was encoded, in both framings', () => {
    fc.assert(
      fc.property(
        fc.record({
          namespace: fc.string({ unit: 'grapheme' }),
          type: fc.string(),
          uuid: fc.string(),
          status: fc.nat(599),
          body: fc.jsonValue(),
        }),
        fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
        (parts, cursor) => {
          const sent = { ...parts, ...(cursor !== undefined && { cursor }) }
          const expected = JSON.parse(JSON.stringify(sent))
          const message = new OutgoingMessage(sent)
          expect(decodeTextMessage(message.text())).toEqual(expected)
          expect(decodeBinaryMessage(message.binary())).toEqual(expected)
        },
      ),
    )
  })

  it('throws ERR_DECODE or reads, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeBinaryMessage(bytes)
        } catch (error) {
          if (!SkydiveError.isInstance(error, 'ERR_DECODE')) throw error
        }
      }),
      { numRuns: 2000 },
    )
  })
})
