// Compiled with --strict: what generation makes of the schema is what a front end writes against.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

import { graphql } from './__generated__';
import type { LoginMutation, SessionState, UserErrorCode } from './__generated__/graphql';

const login = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) {
      tokens { accessToken accessTokenExpiresAt refreshToken }
      errors { code message path retryAfterSeconds }
    }
  }
`);

const sessions = graphql(`
  query Sessions($filter: SessionFilter, $after: String) {
    viewer {
      sessions(first: 20, after: $after, filter: $filter) {
        nodes { id state endReason client { browser device } blacklistEntries(last: 5) { totalCount } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

type Answer<Document> = Document extends TypedDocumentNode<infer Data, infer _> ? Data : never;

export const refused = (data: LoginMutation): UserErrorCode[] => data.login.errors.map(({ code }) => code);
export const expiry = (data: Answer<typeof login>): string | undefined => data.login.tokens?.accessTokenExpiresAt;
export const states = (data: Answer<typeof sessions>): SessionState[] =>
  data.viewer?.sessions?.nodes.map(({ state }) => state) ?? [];
