// What relay-compiler reads.
import { graphql } from 'relay-runtime';

graphql`
  query operationsSessionsQuery($count: Int!, $cursor: String) {
    viewer {
      username
      ...operationsSessions @arguments(count: $count, cursor: $cursor)
    }
  }
`;

graphql`
  fragment operationsSessions on User
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "operationsSessionsPageQuery") {
    sessions(first: $count, after: $cursor) @connection(key: "operations_sessions") {
      edges {
        node {
          id
          state
        }
      }
    }
  }
`;

graphql`
  query operationsBackwardsQuery($count: Int!, $cursor: String) {
    viewer {
      sessions(last: $count, before: $cursor) {
        edges {
          cursor
          node {
            id
          }
        }
        pageInfo {
          hasPreviousPage
          startCursor
        }
      }
    }
  }
`;

graphql`
  query operationsNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Session {
        state
      }
    }
  }
`;

graphql`
  mutation operationsRequestPasswordResetMutation($username: String!) {
    requestPasswordReset(input: { username: $username }) {
      challenge {
        challengeToken
        sentTo
        expiresAt
      }
      errors {
        code
        message
        retryAfterSeconds
      }
    }
  }
`;

graphql`
  mutation operationsRequestEmailLoginMutation($username: String!) {
    requestEmailLogin(input: { username: $username }) {
      challenge {
        challengeToken
        sentTo
        expiresAt
      }
      errors {
        code
        message
        retryAfterSeconds
      }
    }
  }
`;

graphql`
  mutation operationsResetPasswordMutation($proof: EmailProofInput!, $newPassword: String!) {
    resetPassword(input: { proof: $proof, newPassword: $newPassword }) {
      tokens {
        accessToken
        refreshToken
      }
      challenge {
        challengeToken
        sentTo
        steps
        attemptsLeft
      }
      errors {
        code
        message
        retryAfterSeconds
      }
    }
  }
`;

graphql`
  mutation operationsLoginWithLinkMutation($linkToken: String!) {
    loginWithLink(input: { linkToken: $linkToken }) {
      tokens {
        accessToken
        refreshToken
      }
      challenge {
        challengeToken
        sentTo
        steps
        attemptsLeft
      }
      errors {
        code
        message
        retryAfterSeconds
      }
    }
  }
`;

graphql`
  mutation operationsContinueLoginMutation($challengeToken: String, $proof: ProofInput!) {
    continueLogin(input: { challengeToken: $challengeToken, proof: $proof }) {
      tokens {
        accessToken
        refreshToken
      }
      challenge {
        challengeToken
        sentTo
        steps
        attemptsLeft
      }
      errors {
        code
        message
        retryAfterSeconds
      }
    }
  }
`;
