// Passkeys of the browser (WebAuthn). The service sends and takes their JSON form.
export type WebAuthnJson = Record<string, unknown>;

/** Why the browser gave no passkey. */
export type NoPasskeyReason = 'cancelled' | 'exists' | 'otherDomain' | 'failed';

export class NoPasskey extends Error {
  constructor(readonly reason: NoPasskeyReason) {
    super(reason);
  }
}

/** Whether the browser has passkeys, and their JSON form. It has none in pages without TLS. */
export const hasPasskeys = typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

/** Whether the browser offers passkeys in the input of the username. */
export const hasPasskeyAutofill = async () => hasPasskeys && Boolean(await PublicKeyCredential.isConditionalMediationAvailable?.());

/**
 * Asks the browser for a passkey. With `mediation: 'conditional'` it is offered in inputs whose `autocomplete` has
 * `webauthn`, and the promise stays open until the user chooses one.
 * @throws {NoPasskey}
 */
export function askPasskey(options: WebAuthnJson, request: Omit<CredentialRequestOptions, 'publicKey'> = {}): Promise<WebAuthnJson> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as unknown as PublicKeyCredentialRequestOptionsJSON);
  return toJson(navigator.credentials.get({ ...request, publicKey }));
}

/** @throws {NoPasskey} */
export function createPasskey(options: WebAuthnJson): Promise<WebAuthnJson> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as unknown as PublicKeyCredentialCreationOptionsJSON);
  return toJson(navigator.credentials.create({ publicKey }));
}

async function toJson(asked: Promise<Credential | null>): Promise<WebAuthnJson> {
  try {
    const credential = await asked;
    if (!credential) throw new NoPasskey('failed');
    return (credential as PublicKeyCredential).toJSON() as WebAuthnJson;
  } catch (error) {
    throw error instanceof NoPasskey ? error : new NoPasskey(REASONS[(error as Error).name] ?? 'failed');
  }
}

const REASONS: Record<string, NoPasskeyReason> = {
  NotAllowedError: 'cancelled',
  AbortError: 'cancelled',
  InvalidStateError: 'exists',
  SecurityError: 'otherDomain',
};

/** What browsers with the signal API have; that of TypeScript's library may be older. */
interface Signals {
  signalUnknownCredential?: (unknown: { rpId: string; credentialId: string }) => Promise<void>;
  signalAllAcceptedCredentials?: (accepted: { rpId: string; userId: string; allAcceptedCredentialIds: string[] }) => Promise<void>;
}

const signals = () => PublicKeyCredential as unknown as Signals;

/** Tells the password manager which passkeys of the user the service has, so that it offers no others. */
export async function signalAccepted(rpId: string, userId: string, allAcceptedCredentialIds: string[]) {
  if (hasPasskeys) await signals().signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds }).catch(() => {});
}

/** Tells the password manager that the service does not have a passkey. */
export async function signalUnknown(rpId: string, credentialId: string) {
  if (hasPasskeys) await signals().signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
}
