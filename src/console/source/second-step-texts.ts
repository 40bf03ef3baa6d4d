// English texts of the second step of a login and of second factors, for the console and for the pages of links
// in e-mails.
import type { AddAppTexts } from './parts/add-app';
import type { AddPasskeyTexts } from './parts/add-passkey';
import type { NoPasskeyReason } from './parts/passkey';
import type { ProofTexts } from './parts/proof-field';
import type { RecoveryCodesTexts } from './parts/recovery-codes';
import { PRODUCT } from './product';

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });

export const until = (time: Date) => `Valid until ${clock.format(time)}.`;

export const trustDevice = (days: number) => `Trust this device for ${days === 1 ? 'one day' : `${days} days`}`;

/** Why the browser gave no passkey. */
export const noPasskey: Record<NoPasskeyReason, string> = {
  cancelled: 'The browser gave no passkey. Try again, or choose another way.',
  exists: 'This device has a passkey of the account already.',
  otherDomain: 'Passkeys of this service cannot be used at this address.',
  failed: 'The browser reported an error. Try again, or choose another way.',
};

export const proofs = {
  PASSKEY: { label: 'Passkey', hint: 'Your browser asks for your passkey, which may be on this device, on your phone or on a security key.', instead: 'Use a passkey' },
  TOTP: { label: 'Code of the app', hint: '6 digits, as your authenticator app shows them now.', missing: 'Enter the code of your authenticator app.', instead: 'Use your authenticator app' },
  PASSWORD: { label: 'Password', missing: 'Enter your password.', instead: 'Use your password' },
  RECOVERY_CODE: { label: 'Recovery code', hint: 'One of the codes that you saved. Each can be used once.', missing: 'Enter one of your recovery codes.', instead: 'Use a recovery code' },
} satisfies Record<string, ProofTexts>;

export const addApp: AddAppTexts = {
  how: 'Scan the QR code with an authenticator app on your phone or with a password manager. Then enter the code that it shows.',
  loading: 'Loading…',
  qrCode: 'QR code for the authenticator app',
  open: 'Open an app on this device',
  secretHow: 'Or enter this secret in the app:',
  secret: 'Secret',
  copy: 'Copy',
  copied: 'Copied',
  code: 'Code of the app',
  codeHint: '6 digits',
  missingCode: 'Enter the code that the app shows.',
  submit: 'Add app',
  busy: 'Checking…',
  again: 'Try again',
};

export const addPasskey: AddPasskeyTexts = {
  how: 'A passkey is kept by this device, your phone, a security key or a password manager. You use it with a fingerprint, your face or a PIN. It cannot be guessed or given to a false page.',
  name: 'Name',
  nameHint: 'Optional. For your list of passkeys, for example “Phone”.',
  submit: 'Add passkey',
  busy: 'Waiting for the browser…',
};

export const recoveryCodes: RecoveryCodesTexts = {
  title: 'Save your recovery codes',
  how: 'If you lose your device, each of these codes replaces it at one login. They are shown only now. Keep them where nobody else finds them.',
  heading: (username, at) => `${PRODUCT}: recovery codes of ${username}, ${day.format(at)}`,
  copy: 'Copy',
  copied: 'Copied',
  download: 'Download',
  file: username => `sallyport-recovery-codes-${username}.txt`,
  print: 'Print',
  saved: 'I have saved the recovery codes',
  notSaved: 'Save the codes first, then check the box.',
  submit: 'Continue',
};
