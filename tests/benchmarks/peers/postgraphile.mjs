// A peer: PostGraphile 5 on crmkit's tables, with the preset its guide begins with.
// node postgraphile.mjs PORT; the database comes from PGHOST, PGUSER and PGDATABASE.
import { createServer } from 'node:http'
import pg from 'pg'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'

const pool = new pg.Pool({ max: 16, idleTimeoutMillis: 0 })
const postgres = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ['public', 'peer'] })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false, websockets: false },
  grafast: { explain: false }
})
if (process.argv[3] === 'schema') {
  const { printSchema } = await import('graphql')
  console.log(printSchema(await postgres.getSchema()))
  process.exit(0)
}
const server = createServer()
await postgres.createServ(grafserv).addTo(server)
server.listen(Number(process.argv[2]), '127.0.0.1')
