// A peer: mercurius with graphql-jit, loaders and pg, as mercurius' guides show.
// node mercurius.mjs PORT RECORD_SALE_SQL; the database comes from PGHOST, PGUSER and PGDATABASE.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { GraphQLScalarType } from 'graphql'
import mercurius from 'mercurius'
import pg from 'pg'

pg.types.setTypeParser(pg.types.builtins.INT8, Number)
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)
const pool = new pg.Pool({ max: 16, idleTimeoutMillis: 0 })

const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows

const schema = `
  scalar DateTime
  type Query {
    customer(id: ID!): Customer
    customers(first: Int!, afterCreatedAt: DateTime!, afterId: ID!): [Customer!]!
  }
  type Mutation { recordSale(sale: SaleInput!): SaleAnswer! }
  type Customer {
    id: ID! displayName: String! givenName: String familyName: String gender: String
    birthOn: String language: String lifecycle: String! createdAt: DateTime! updatedAt: DateTime!
    loyalty: Account tier: Tier segments: [Segment!]! warnings: [Warning!]!
    transactions(first: Int!): [Transaction!]!
  }
  type Account { balance: Float! }
  type Tier { code: String! since: DateTime! }
  type Segment { name: String! }
  type Warning { rule: String! severity: String! raisedAt: DateTime! }
  type Transaction {
    id: ID! occurredAt: DateTime! kind: String! store: String totalMinor: Float! currency: String!
    lines: [Line!]!
  }
  type Line {
    position: Int! sku: String! description: String quantityMilli: Float! amountMinor: Float!
  }
  input SaleInput {
    source: String! externalId: String! occurredAt: String! currency: String! store: String!
    customer: ID! lines: [LineInput!]!
  }
  input LineInput {
    sku: String! description: String category: String! quantity: String! unitPrice: String!
  }
  type SaleAnswer {
    outcome: String! id: ID! totalMinor: Float! currency: String! balance: Float!
  }
`

const PROFILE = `id, display_name AS "displayName", given_name AS "givenName",
  family_name AS "familyName", gender, birth_on AS "birthOn", language, lifecycle,
  created_at AS "createdAt", updated_at AS "updatedAt"`
const RECORD = readFileSync(process.argv[3], 'utf8') +
  'SELECT outcome, id, total_minor AS "totalMinor", currency, balance FROM made'

const resolvers = {
  DateTime: new GraphQLScalarType({
    name: 'DateTime',
    serialize: (value) => value.toISOString()
  }),
  Query: {
    customer: async (_, { id }) =>
      (await rows('customer', `SELECT ${PROFILE} FROM customer WHERE id = $1`, [id]))[0],
    customers: (_, { first, afterCreatedAt, afterId }) => rows('customers',
      `SELECT ${PROFILE} FROM customer WHERE (created_at, id) < ($1, $2)
       ORDER BY created_at DESC, id DESC LIMIT $3::int`, [afterCreatedAt, afterId, first])
  },
  Mutation: {
    recordSale: async (_, { sale }) => {
      const { customer, ...given } = sale
      const text = JSON.stringify({ ...given, customer: { id: customer } })
      return (await rows('record', RECORD, [text]))[0]
    }
  }
}

// One statement for all parents of a level; the answers in the parents' order.
const loader = (load) => ({ loader: load, opts: { cache: false } })
const ids = (queries) => queries.map(({ obj }) => obj.id)

const oneEach = (name, text) => loader(async (queries) => {
  const found = new Map()
  for (const row of await rows(name, text, [ids(queries)])) found.set(row.parent, row)
  return queries.map(({ obj }) => found.get(obj.id) ?? null)
})

const many = async (name, text, queries, values = []) => {
  const found = new Map(ids(queries).map((id) => [id, []]))
  for (const row of await rows(name, text, [ids(queries), ...values])) {
    found.get(row.parent).push(row)
  }
  return queries.map(({ obj }) => found.get(obj.id))
}

const manyEach = (name, text) => loader((queries) => many(name, text, queries))

const loaders = {
  Customer: {
    loyalty: oneEach('loyalty', `SELECT customer_id AS parent, balance FROM loyalty_account
      WHERE customer_id = ANY($1::uuid[])`),
    tier: oneEach('tier', `SELECT customer_id AS parent, code, since FROM stand_ins_tier
      WHERE customer_id = ANY($1::uuid[])`),
    segments: manyEach('segments', `SELECT m.customer_id AS parent, s.name
      FROM stand_ins_membership m JOIN stand_ins_segment s ON s.id = m.segment_id
      WHERE m.customer_id = ANY($1::uuid[]) ORDER BY m.segment_id`),
    warnings: manyEach('warnings', `SELECT customer_id AS parent, rule, severity,
      raised_at AS "raisedAt" FROM stand_ins_warning
      WHERE customer_id = ANY($1::uuid[]) AND is_open ORDER BY raised_at DESC, id`),
    transactions: loader((queries) => many('transactions', `SELECT p.id AS parent, t.*
      FROM unnest($1::uuid[]) AS p(id) CROSS JOIN LATERAL (
        SELECT id, occurred_at AS "occurredAt", kind, store, total_minor AS "totalMinor", currency
        FROM transaction WHERE customer_id = p.id ORDER BY occurred_at DESC, id DESC LIMIT $2::int
      ) t`, queries, [queries[0].params.first]))
  },
  Transaction: {
    lines: manyEach('lines', `SELECT transaction_id AS parent, position, sku, description,
      quantity_milli AS "quantityMilli", amount_minor AS "amountMinor" FROM transaction_line
      WHERE transaction_id = ANY($1::uuid[]) ORDER BY transaction_id, position`)
  }
}

const app = Fastify()
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false })
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
