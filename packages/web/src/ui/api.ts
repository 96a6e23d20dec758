import type { Flow, FlowPlaces } from '@skydive/contracts'

/** A capture as REST has it. */
export interface CaptureSummary {
  readonly UUID: string
  readonly GremlinQuery: string
  readonly Name?: string
  readonly Description?: string
  readonly BPFFilter?: string
  readonly Count: number
  /** Nodes on which it could not be started when that was last tried. */
  readonly Refusals?: readonly { readonly NodeID: string; readonly Reason: string }[]
}

/** What a new capture is made of. */
export interface CaptureRequest {
  readonly GremlinQuery: string
  readonly BPFFilter?: string
  readonly Name?: string
  readonly RawPacketLimit?: number
  readonly ExtraTCPMetric?: boolean
}

/** An error answer of the API: what happened, and in a query where. */
export class ApiError extends Error {
  readonly status: number
  /** Offset of the fault in the query, when it was one. */
  readonly position: number | undefined

  constructor(message: string, status: number, position: number | undefined) {
    super(message)
    this.status = status
    this.position = position
  }
}

const TOKEN_KEY = 'skydive.token'

/** A flow, with its places when the analyzer tells them. */
export type FlowRow = Flow & { readonly Place?: FlowPlaces }

/** The REST interface, as the page uses it. Every call throws {@link ApiError} with the server's words. */
export class Api {
  #token = sessionStorage.getItem(TOKEN_KEY) ?? undefined
  /** Called when the analyzer wants credentials, or others. */
  onDenied: () => void = () => {}

  /** What this visit signed in with; outlives a reload, not the tab. */
  get token(): string | undefined {
    return this.#token
  }

  /**
   * A browser answers 401 with a window of its own when cookies go along. With a token none are needed; without one they are for a proxy
   * that signs users in.
   */
  get #credentials(): RequestCredentials {
    return this.#token === undefined ? 'same-origin' : 'omit'
  }

  async #request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(path, {
      method,
      credentials: this.#credentials,
      headers: {
        Accept: 'application/json',
        'X-Skydive-Places': 'true',
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(this.#token !== undefined && { 'X-Auth-Token': this.#token }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      throw new ApiError(`the analyzer can't be reached (${error.message})`, 0, undefined)
    })
    if (response.ok) return response
    if (response.status === 401) this.onDenied()
    throw await apiError(response)
  }

  async login(username: string, password: string): Promise<string> {
    const response = await fetch('/login', {
      method: 'POST',
      credentials: 'omit',
      body: new URLSearchParams({ username, password }),
    })
    if (response.status === 401) throw new ApiError('Wrong user name or password.', 401, undefined)
    if (!response.ok) throw await apiError(response)
    const { Token } = (await response.json()) as { Token: string }
    this.#token = Token
    sessionStorage.setItem(TOKEN_KEY, Token)
    return Token
  }

  /** Whether the server answers without credentials, or with those at hand. */
  async allowed(): Promise<boolean> {
    const headers: Record<string, string> = this.#token === undefined ? {} : { 'X-Auth-Token': this.#token }
    const response = await fetch('/api/status', { credentials: 'omit', headers })
    return response.status !== 401
  }

  async query(gremlin: string): Promise<unknown> {
    return (await this.#request('POST', '/api/topology', { GremlinQuery: gremlin })).json()
  }

  async flows(gremlin: string): Promise<readonly FlowRow[]> {
    const answer = await this.query(gremlin)
    return Array.isArray(answer) ? (answer as FlowRow[]) : []
  }

  async captures(): Promise<readonly CaptureSummary[]> {
    const answer = (await (await this.#request('GET', '/api/capture')).json()) as Record<string, CaptureSummary>
    return Object.values(answer)
  }

  async createCapture(request: CaptureRequest): Promise<CaptureSummary> {
    return (await this.#request('POST', '/api/capture', request)).json() as Promise<CaptureSummary>
  }

  async deleteCapture(uuid: string): Promise<void> {
    await this.#request('DELETE', `/api/capture/${encodeURIComponent(uuid)}`)
  }

  async status(): Promise<Record<string, unknown>> {
    return (await this.#request('GET', '/api/status')).json() as Promise<Record<string, unknown>>
  }
}

/** The error object of the API (`docs/errors.md`), or the plain text of whatever answered. */
async function apiError(response: Response): Promise<ApiError> {
  const text = await response.text()
  try {
    const { Message, Fields } = JSON.parse(text) as { Message?: string; Fields?: { position?: { offset?: number } } }
    return new ApiError(Message ?? text, response.status, Fields?.position?.offset)
  } catch {
    return new ApiError(text === '' ? `${response.status} ${response.statusText}` : text, response.status, undefined)
  }
}
