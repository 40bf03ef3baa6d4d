// Logins by a passkey, and passkeys that a login requires.
import { signalAccepted } from '../parts/passkey';
import type { WebAuthnJson } from '../parts/passkey';
import { AcceptedPasskeysDocument, BeginPasskeyLoginDocument, BeginPasskeyRegistrationDocument, LogInWithPasskeyDocument, RegisterPasskeyDocument } from './generated';
import type { AcceptedCredentialsFragment, RegisterPasskeyMutationVariables } from './generated';
import { ask, noticing, take } from './session';
import type { StepAnswer } from './session';
import { send } from './transport';

export interface BegunPasskey {
  challengeToken: string | null;
  options: WebAuthnJson;
}

/**
 * Begins a login by a passkey; undefined where the service has no passkeys. The token of the challenge is in memory
 * and not in a cookie, so that several tabs can wait for a passkey.
 */
export async function beginPasskeyLogin(): Promise<BegunPasskey | undefined> {
  const { challengeToken, options } = (await noticing(send(BeginPasskeyLoginDocument, {}))).beginPasskeyLogin;
  return options ? { challengeToken, options } : undefined;
}

export async function logInWithPasskey(challengeToken: string | null, credential: WebAuthnJson): Promise<StepAnswer> {
  const { loginWithPasskey } = await noticing(send(LogInWithPasskeyDocument, { challengeToken, credential }));
  // The login is complete without it.
  if (take(loginWithPasskey)) ask(AcceptedPasskeysDocument, {}).then(({ viewer }) => signal(viewer?.secondFactors), () => {});
  return { problems: loginWithPasskey.errors, challenge: loginWithPasskey.challenge };
}

/** Tells the password manager which passkeys of the user the service has. */
export function signal(factors: AcceptedCredentialsFragment | null | undefined) {
  if (!factors?.passkeyRpId || !factors.passkeyUserHandle) return;
  const ids = factors.passkeys.map(({ credentialId }) => credentialId);
  void signalAccepted(factors.passkeyRpId, factors.passkeyUserHandle, ids);
}

/** Begins to add a passkey in a login that requires a second factor. */
export const beginPasskeyInLogin = async (challengeToken: string | null) =>
  (await noticing(send(BeginPasskeyRegistrationDocument, { challengeToken }))).beginPasskeyRegistration;

/** Adds the passkey, which completes the login. */
export const addPasskeyInLogin = async (created: RegisterPasskeyMutationVariables) => (await noticing(send(RegisterPasskeyDocument, created))).registerPasskey;
