import { createToken, EmbeddedActionsParser, type IOrAlt, type IToken, Lexer, type TokenType } from 'chevrotain'
import { keyword } from '../src/vocabulary.ts'

/** What the peer makes of a query: the shape of `GremlinQuery`. */
export interface PeerQuery {
  readonly text: string
  readonly steps: readonly PeerStep[]
}

interface PeerStep {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly params: readonly PeerParam[]
}

type PeerParam = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'predicate'; readonly name: string; readonly args: readonly PeerParam[] }
)

const Word = createToken({ name: 'Word', pattern: /[A-Za-z][A-Za-z0-9_]*/ })
const Num = createToken({ name: 'Num', pattern: /-?\d[\d.]*/ })
const Text = createToken({ name: 'Text', pattern: /'(?:\\'|[^'])*'|"(?:\\"|[^"])*"/ })
const Open = createToken({ name: 'Open', pattern: '(' })
const Close = createToken({ name: 'Close', pattern: ')' })
const Comma = createToken({ name: 'Comma', pattern: ',' })
const Dot = createToken({ name: 'Dot', pattern: '.' })
const Space = createToken({ name: 'Space', pattern: /[ \t\r\n]+/, group: Lexer.SKIPPED })
const TOKENS: TokenType[] = [Space, Word, Num, Text, Open, Close, Comma, Dot]

/** The same grammar in chevrotain: `G`, then steps with arguments, predicates within them; commas are decoration. */
class PeerParser extends EmbeddedActionsParser {
  constructor() {
    super(TOKENS, { maxLookahead: 2, recoveryEnabled: false })
    this.performSelfAnalysis()
  }

  readonly query = this.RULE('query', (): PeerStep[] => {
    const first = this.CONSUME(Word)
    const steps: PeerStep[] = [{ name: first.image, start: first.startOffset, end: endOf(first), params: [] }]
    this.MANY(() => {
      this.CONSUME(Dot)
      const name = this.CONSUME2(Word)
      this.CONSUME(Open)
      const params = this.SUBRULE(this.params)
      const close = this.CONSUME(Close)
      this.ACTION(() => steps.push({ name: stepName(name.image), start: name.startOffset, end: endOf(close), params }))
    })
    return steps
  })

  /** Alternatives are made once, as the authors of chevrotain advise. */
  private commaOrParam: IOrAlt<PeerParam | undefined>[] | undefined
  private anyParam: IOrAlt<PeerParam>[] | undefined

  private readonly params = this.RULE('params', (): PeerParam[] => {
    const params: PeerParam[] = []
    this.commaOrParam ??= [
      {
        ALT: () => {
          this.CONSUME(Comma)
          return undefined
        },
      },
      { ALT: () => this.SUBRULE(this.param) },
    ]
    this.MANY(() => {
      const param = this.OR(this.commaOrParam!)
      if (param !== undefined) params.push(param)
    })
    return params
  })

  private readonly param = this.RULE('param', (): PeerParam => {
    this.anyParam ??= [{ ALT: () => this.textParam() }, { ALT: () => this.numberParam() }, { ALT: () => this.wordParam() }]
    return this.OR(this.anyParam)
  })

  private textParam(): PeerParam {
    const token = this.CONSUME(Text)
    return { kind: 'string', value: token.image.slice(1, -1), start: token.startOffset, end: endOf(token) }
  }

  private numberParam(): PeerParam {
    const token = this.CONSUME(Num)
    return { kind: 'number', value: Number(token.image), text: token.image, start: token.startOffset, end: endOf(token) }
  }

  private wordParam(): PeerParam {
    const word = this.CONSUME(Word)
    if (this.LA(1).tokenType !== Open && !this.RECORDING_PHASE) {
      return { kind: 'word', value: knownWord(word.image), start: word.startOffset, end: endOf(word) }
    }
    this.CONSUME(Open)
    const args = this.SUBRULE(this.params)
    const close = this.CONSUME(Close)
    return {
      kind: 'predicate',
      name: this.RECORDING_PHASE ? '' : knownWord(word.image),
      args,
      start: word.startOffset,
      end: endOf(close),
    }
  }
}

/** Keywords in any case, as here; anything else is refused. */
function stepName(word: string): string {
  const known = keyword(word)
  if (known?.kind !== 'step') throw new Error(`${word} is no step`)
  return known.name
}

function knownWord(word: string): string {
  const known = keyword(word)
  if (known === undefined || known.kind === 'step') throw new Error(`${word} is no argument`)
  return known.kind === 'metadata' ? 'Metadata' : known.name
}

function endOf({ startOffset, image }: IToken): number {
  return startOffset + image.length
}

/** A parser that is kept, as chevrotain recommends. */
export function createPeerParser(): (text: string) => PeerQuery {
  const lexer = new Lexer(TOKENS, { positionTracking: 'onlyOffset', ensureOptimizations: false })
  const parser = new PeerParser()
  return (text) => {
    const { tokens, errors } = lexer.tokenize(text)
    if (errors.length > 0) throw new Error(errors[0]!.message)
    parser.input = tokens
    const steps = parser.query()
    if (parser.errors.length > 0) throw parser.errors[0]!
    return { text, steps }
  }
}
