// English texts of the pages of links in e-mails.
import { addApp, addPasskey, noPasskey, proofs, recoveryCodes, trustDevice, until } from '../../second-step-texts';
import type { UserErrorCode } from '../generated';

const count = (number: number, one: string, several: string) => `${number} ${number === 1 ? one : several}`;

/** The messages of the service are in English already. */
const problems: Partial<Record<UserErrorCode, string>> = {};

export const en = {
  problems,
  /** Whether messages of the service are in the language of the page. */
  hasMessages: true,
  otherProblem: 'The request failed. Try again.',
  wait: (seconds: number) => `Try again in ${count(seconds, 'second', 'seconds')}.`,
  attemptsLeft: (number: number) => `${count(number, 'attempt', 'attempts')} left.`,
  unreachable: 'The service did not answer, so the change may not have been made. Try again in a moment.',
  internal: 'The service reported an error. Try again in a moment.',

  closePage: 'You can close this page.',
  openConsole: 'Open the console',

  expired: {
    title: 'The link has expired',
    text: 'The link was used before or has expired.',
    revert: 'The link was used before or has expired. Ask an administrator to correct the address of your account. If somebody else may know your password, reset it.',
    verify: 'The link was used before or has expired. Request an e-mail to log in: a login by e-mail verifies the address as well.',
  },
  incomplete: {
    title: 'The link is incomplete',
    text: 'The address of this page has no token. Open the link in the e-mail again, or copy all of it.',
  },

  challenge: {
    sent: (to: string | null) =>
      to ? `If an account has this name or address, an e-mail with a code was sent to ${to}.` : 'If the account has an e-mail address, an e-mail with a code was sent to it.',
    validUntil: (time: string) => `The code is valid until ${time}.`,
    proofs: { ...proofs, EMAIL_CODE: { label: 'Code', hint: '8 digits. The link in the e-mail does the same.', missing: 'Enter the code from the e-mail.', instead: 'Use the code from the e-mail' } },
    unsupported: 'Your account requires a further step that this page does not have. Log in at your application instead.',
    submit: 'Continue',
    busy: 'Checking…',
    until,
    trustDevice,
    furtherTitle: 'Second step of the login',
    expired: 'The login has expired. Begin again.',
    tooMany: 'Too many wrong codes. Begin again.',
    another: 'Request another e-mail',
  },

  addApp: {
    ...addApp,
    title: 'Add an authenticator app',
    why: 'Your account requires a second factor and has none yet. Add an authenticator app to complete the login.',
  },
  addPasskey: {
    ...addPasskey,
    title: 'Add a passkey',
    why: 'Your account requires a second factor and has none yet. Add a passkey to complete the login.',
  },
  appInstead: 'Add an authenticator app instead',
  passkeyInstead: 'Add a passkey instead',
  noPasskey,
  recoveryCodes,

  request: {
    username: 'Username or e-mail address',
    missing: 'Enter your username or e-mail address.',
    submit: 'Send e-mail',
    busy: 'Sending…',
  },

  verify: {
    title: 'Verify your e-mail address',
    text: 'If you requested the e-mail with this link, press the button. This confirms that the address is yours.',
    submit: 'Verify address',
    busy: 'Verifying…',
    done: 'Your e-mail address is verified',
    doneText: 'Your account uses the address now.',
    ended: 'This was the first verification, and it came from another browser than the registration. So the old password was removed and all sessions were ended. Set a new password.',
    elsewhere: 'Your account uses the address now. If your password is no longer accepted, set a new one.',
    changed: 'Your e-mail address is changed',
  },

  reset: {
    title: 'Set a new password',
    request: 'Reset your password',
    requestText: 'The service sends an e-mail with a code and a link, with which you set a new password.',
    password: 'New password',
    passwordHint: '8 to 256 characters, not easy to guess.',
    repeat: 'New password again',
    missing: 'Enter the new password twice.',
    different: 'The two passwords are different. Enter the same password twice.',
    submit: 'Set password',
    busy: 'Setting password…',
    done: 'Your new password is set',
    doneText: 'All your other sessions were ended. You are logged in in this browser.',
    furtherText: 'Your new password is set. To log in, complete the second step.',
    notLoggedIn: 'All your sessions were ended. The login was not completed: log in with the new password at your application.',
    link: 'Reset password',
  },

  logIn: {
    title: 'Log in',
    text: 'Log in only if you requested the e-mail. You are then logged in in this browser.',
    request: 'Log in by e-mail',
    requestText: 'The service sends an e-mail with a code and a link, with which you log in without your password.',
    submit: 'Log in',
    busy: 'Logging in…',
    done: 'You are logged in',
    doneText: 'You are logged in in this browser.',
  },

  revert: {
    title: 'Keep your old e-mail address',
    text: 'This restores the old e-mail address of your account and ends all sessions of the account.',
    submit: 'Restore old address',
    busy: 'Restoring…',
    done: 'Your old e-mail address is restored',
    doneText: (ended: number) => `${ended === 0 ? 'There were no sessions to end.' : `Ended ${count(ended, 'session', 'sessions')}.`} If somebody else may know your password, reset it.`,
  },
};
