// HTTP transport of GraphQL requests, and the classes of their errors.
//
// The console and the pages of links in e-mails use it, each with documents of its own.
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';

import type { ProblemFragment } from './generated';

export type Document<Data, Variables> = DocumentTypeDecoration<Data, Variables> & { toString(): string };
export type Problem = ProblemFragment;

/** GraphQL error, with the code, the reason and the required assurance of its `extensions`. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly reason?: string,
    readonly assurance?: string,
  ) {
    super(message);
  }
}

/** The service did not answer, or answered that it is temporarily unavailable. */
export class Unreachable extends Error {}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; reason?: string; assurance?: string } }[];
}

// Longer than the timeout of the service, whose error says more.
const PATIENCE = 40_000;

const HEADERS = { 'content-type': 'application/json', accept: 'application/json', 'x-sallyport-csrf': '1' };

export async function send<Data, Variables>(
  document: Document<Data, Variables>,
  variables: Variables,
  token?: string,
): Promise<Data> {
  const { data, errors } = await post<Data>(
    JSON.stringify({ query: document.toString(), variables }),
    token ? { ...HEADERS, authorization: `Bearer ${token}` } : HEADERS,
  );
  const error = errors?.[0];
  if (error) {
    const code = error.extensions?.code ?? 'INTERNAL_SERVER_ERROR';
    if (code === 'SERVICE_UNAVAILABLE') throw new Unreachable(error.message);
    throw new Refused(code, error.message, error.extensions?.reason, error.extensions?.assurance);
  }
  return data as Data;
}

async function post<Data>(body: string, headers: Record<string, string>): Promise<Answer<Data>> {
  try {
    const response = await fetch('/graphql', { method: 'POST', headers, body, signal: AbortSignal.timeout(PATIENCE) });
    if (response.status >= 500) throw new Error(response.statusText);
    return await response.json();
  } catch (error) {
    throw new Unreachable(String(error));
  }
}
