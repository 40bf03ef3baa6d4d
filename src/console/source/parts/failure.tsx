// Error message for data that could not be loaded, with its cause and a retry button.
import { Cancelled } from '../api/reauthentication';
import { Refused, Unreachable } from '../api/transport';
import type { Problem } from '../api/transport';
import { texts } from '../texts';
import { sentence } from './field';
import { NoPasskey } from './passkey';
import { reload } from './query';

export function Failure({ error }: { error: Error }) {
  const isInput = error instanceof Refused && (error.code === 'BAD_USER_INPUT' || error.code === 'GRAPHQL_VALIDATION_FAILED');
  return (
    <div class="state" role="alert">
      <h2>{texts.failure.title}</h2>
      <p>{reason(error)}</p>
      {isInput && <p>{texts.failure.input}</p>}
      {!isInput && (
        <button type="button" onClick={reload}>
          {texts.tryAgain}
        </button>
      )}
    </div>
  );
}

export const reason = (error: Error) => (error instanceof Unreachable ? texts.failure.unreachable : said(error));

/** Error text of a mutation that failed. */
export function undone(error: Error): string {
  if (error instanceof Cancelled) return texts.reauthentication.cancelled;
  if (error instanceof NoPasskey) return texts.passkeys.none[error.reason];
  return error instanceof Unreachable ? texts.failure.undone : said(error);
}

/** Text of an expected failure, with the time to wait. */
export const told = ({ message, retryAfterSeconds }: Problem) => [sentence(message), retryAfterSeconds && texts.failure.wait(retryAfterSeconds)].filter(Boolean).join(' ');

const said = ({ message }: Error) => `${texts.failure.internal}${sentence(message)}`;
