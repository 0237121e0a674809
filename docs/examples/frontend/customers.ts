import { graphql } from './gql'

export const FindCustomer = graphql(`
  query FindCustomer($known: ExternalIdInput!) {
    customer(externalId: $known) { id displayName tags { tag } }
  }
`)
