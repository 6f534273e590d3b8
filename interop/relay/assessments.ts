import { graphql } from 'relay-runtime'

/** The first page. */
export const firstPage = graphql`
  query assessmentsQuery($count: Int!) {
    ...assessments_list @arguments(count: $count)
  }
`

/** A list that grows at its end; the compiler writes the query of the next page. */
export const list = graphql`
  fragment assessments_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "assessmentsNextPageQuery") {
    assessments(first: $count, after: $cursor, orderBy: [{ field: NAME, direction: ASC }])
      @connection(key: "assessments_list_assessments") {
      edges {
        node {
          id
          name
          ...assessments_item
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`

/** One assessment, which is fetched again by its id alone; the compiler writes that query, over `node`. */
export const item = graphql`
  fragment assessments_item on Assessment @refetchable(queryName: "assessmentsRefetchQuery") {
    id
    version
    name
    entity {
      id
      name
    }
  }
`
