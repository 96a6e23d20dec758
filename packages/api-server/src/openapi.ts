import {
  captureAnswerSchema,
  captureSchema,
  connectionStatusSchema,
  coverageQuerySchema,
  coverageSchema,
  edgeBodySchema,
  errorAnswerSchema,
  explainQuerySchema,
  identitySchema,
  jsonPatchSchema,
  loginAnswerSchema,
  nodeBodySchema,
  topologyDiffQuerySchema,
  topologyDiffSchema,
  topologyQuerySchema,
  wireEdgeSchema,
  wireGraphSchema,
  wireNodeSchema,
} from '@skydive/protocol'
import { z } from 'zod'
import type { ApiServerOptions } from './options.ts'

const SCHEMAS = {
  Capture: captureSchema,
  CaptureAnswer: captureAnswerSchema,
  ConnectionStatus: connectionStatusSchema,
  Coverage: coverageSchema,
  Edge: wireEdgeSchema,
  EdgeBody: edgeBodySchema,
  Error: errorAnswerSchema,
  Graph: wireGraphSchema,
  Identity: identitySchema,
  JsonPatch: jsonPatchSchema,
  LoginAnswer: loginAnswerSchema,
  Node: wireNodeSchema,
  NodeBody: nodeBodySchema,
  TopologyDiff: topologyDiffSchema,
  TopologyQuery: topologyQuerySchema,
} as const

type SchemaName = keyof typeof SCHEMAS

const ref = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const answer = (description: string, schema?: object) => ({ description, ...(schema && json(schema)) })
const anyJson = {}
const mapOf = (name: SchemaName) => ({ type: 'object', additionalProperties: ref(name) })
const failure = answer('Refused; the first line says why', ref('Error'))
const idParameter = [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]

/** The description of the API of this service (OpenAPI 3.1), made from the schemas that check what comes in. */
export function describeApi(
  options: Pick<
    ApiServerOptions,
    'service' | 'version' | 'resources' | 'importPcap' | 'configValue' | 'metricsText' | 'explain' | 'graph' | 'coverage'
  >,
): object {
  const schemas = Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, schema]) => [name, z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' })]),
  )
  return {
    openapi: '3.1.0',
    info: { title: `Skydive ${options.service}`, version: options.version, license: { name: 'Apache-2.0' } },
    components: {
      schemas,
      securitySchemes: {
        basicAuth: { type: 'http', scheme: 'basic' },
        authToken: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' },
      },
    },
    security: [{ basicAuth: [] }, { authToken: [] }],
    paths: {
      '/api': { get: operation('Who answers', { 200: answer('Identity', ref('Identity')) }) },
      '/login': {
        post: {
          ...operation('Exchange user and password for a token', { 200: answer('Token', ref('LoginAnswer')), 401: failure }),
          requestBody: {
            content: {
              'application/x-www-form-urlencoded': {
                schema: { type: 'object', properties: { username: { type: 'string' }, password: { type: 'string' } } },
              },
            },
          },
        },
      },
      '/api/status': { get: operation('How the daemon and its connections fare', { 200: answer('Status', anyJson) }) },
      '/api/topology': {
        get: operation('The whole live graph', { 200: answer('Graph', ref('Graph')) }),
        post: {
          ...operation('Run a Gremlin query', {
            200: {
              description:
                'The result; a graph also as text/vnd.graphviz, raw packets also as application/vnd.tcpdump.pcap (packets of one link type; X-Skydive-Incomplete counts the others) and application/x-pcapng (all)',
              content: {
                'application/json': {},
                'text/vnd.graphviz': {},
                'application/vnd.tcpdump.pcap': {},
                'application/x-pcapng': {},
              },
            },
            204: answer('The query is empty'),
            400: failure,
            406: failure,
            422: failure,
          }),
          requestBody: json(ref('TopologyQuery')),
          parameters: [
            {
              name: 'X-Skydive-Allow-Partial',
              in: 'header',
              schema: { type: 'string', enum: ['1'] },
              description: 'As AllowPartial; the answer then names the spent budget in X-Skydive-Partial',
            },
          ],
        },
      },
      ...(options.graph.diff && {
        '/api/topology/diff': {
          get: {
            ...operation('What differs between the graph at two times', {
              200: answer('Difference', ref('TopologyDiff')),
              400: failure,
              422: failure,
            }),
            parameters: queryParameters(topologyDiffQuerySchema),
          },
        },
      }),
      ...(options.coverage && {
        '/api/coverage': {
          get: {
            ...operation('Which nodes were captured when, and what was lost', {
              200: answer('Coverage', ref('Coverage')),
              400: failure,
            }),
            parameters: queryParameters(coverageQuerySchema),
          },
        },
      }),
      ...(options.explain && {
        '/api/topology/explain': {
          get: {
            ...operation('How a Gremlin query is run', {
              200: {
                description: 'The steps and what each does, with profile=1 also rows and time; for people as text/plain',
                content: { 'application/json': {}, 'text/plain': {} },
              },
              400: failure,
              422: failure,
            }),
            parameters: queryParameters(explainQuerySchema),
          },
        },
      }),
      ...(options.configValue && {
        '/api/config/{key}': {
          get: {
            ...operation('The value of a configuration key, secrets masked', { 200: answer('Value', anyJson) }),
            parameters: [{ name: 'key', in: 'path', required: true, schema: { type: 'string' } }],
          },
        },
      }),
      ...(options.metricsText && { '/metrics': { get: operation('Figures for Prometheus', { 200: answer('Text') }) } }),
      ...(options.importPcap && {
        '/api/pcap': {
          post: {
            ...operation('Turn a capture file into flows', { 202: answer('Taken'), 400: failure, 422: failure }),
            requestBody: { content: { 'application/octet-stream': {} } },
          },
        },
      }),
      ...(options.resources && {
        ...resourcePaths('capture', 'Capture', 'CaptureAnswer', false),
        ...resourcePaths('node', 'NodeBody', 'Node', true),
        ...resourcePaths('edge', 'EdgeBody', 'Edge', true),
      }),
    },
  }
}

function operation(summary: string, responses: Record<number, object>): object {
  return { summary, responses }
}

/** The members of a schema as parameters of the query string. */
function queryParameters(schema: z.ZodObject): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' })
  return Object.entries(properties).map(([name, own]) => ({ name, in: 'query', required: required.includes(name), schema: own }))
}

function resourcePaths(name: string, body: SchemaName, stored: SchemaName, updatable: boolean): object {
  const found = { 200: answer('Found', ref(stored)), 404: failure }
  return {
    [`/api/${name}`]: {
      get: operation(`Every ${name} by id`, { 200: answer('By id', mapOf(stored)) }),
      post: {
        ...operation(`Create a ${name}`, { 201: answer('Created', ref(stored)), 400: failure, 409: failure }),
        requestBody: json(ref(body)),
        parameters: [{ name: 'X-Resource-TTL', in: 'header', schema: { type: 'string' }, description: 'Such as 90s' }],
      },
    },
    [`/api/${name}/{id}`]: {
      parameters: idParameter,
      get: operation(`Read a ${name}`, found),
      ...(updatable && {
        patch: {
          ...operation(`Change the metadata of a ${name}`, { ...found, 304: answer('Nothing changed'), 400: failure }),
          requestBody: json(ref('JsonPatch')),
        },
      }),
      delete: operation(`Delete a ${name}`, { 200: answer('Deleted'), 404: failure }),
    },
  }
}
