import type { CodegenConfig } from '@graphql-codegen/cli'

const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'src/**/*.ts',
  config: {
    documentMode: 'string',
    scalars: {
      Amount: 'string',
      Date: 'string',
      DateInput: 'string',
      DateTime: 'string',
      DateTimeInput: 'string',
      JSON: 'unknown',
      Long: 'number',
    },
  },
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } },
    },
  },
}

export default config
