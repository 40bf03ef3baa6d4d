// Texts of failures, in the language of the page.
import { Unreachable } from '../api/transport';
import type { Problem } from '../api/transport';
import { sentence } from '../parts/field';
import { NoPasskey } from '../parts/passkey';
import { texts } from './texts';

/** Text of an expected failure, with the time to wait. */
export function told({ code, message, retryAfterSeconds }: Problem): string {
  const text = texts.problems[code] ?? (texts.hasMessages ? sentence(message) : texts.otherProblem);
  return retryAfterSeconds ? `${text} ${texts.wait(retryAfterSeconds)}` : text;
}

/** Text of an error of the request. The token of the link is still in memory, so the button can be pressed again. */
export function failed(error: Error): string {
  if (error instanceof NoPasskey) return texts.noPasskey[error.reason];
  return error instanceof Unreachable ? texts.unreachable : texts.internal;
}
